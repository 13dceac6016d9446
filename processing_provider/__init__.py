"""Landforge's Processing algorithms, one file an algorithm, in a folder a group."""
