"""Seamless rendering of any extent in windows of a fixed, world-locked lattice."""
