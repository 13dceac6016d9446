"""Synthetic rasters and data sets, from a job to the files on disk."""
