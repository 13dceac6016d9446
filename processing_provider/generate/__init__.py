"""Algorithms that generate synthetic rasters."""
