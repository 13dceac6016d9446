"""Grids, rasters, the land cover legend and provenance tags."""
