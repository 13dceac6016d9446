"""The objectives of the generators' training stages, one file a generator."""
