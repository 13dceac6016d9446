"""Synthetic rasters."""
