"""Data sets of image and label tiles: reading, writing, splitting, packing and augmenting."""
