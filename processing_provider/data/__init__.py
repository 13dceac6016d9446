"""Real data: clips of public sources, and data sets cut from rasters."""
