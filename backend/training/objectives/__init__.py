"""What each stage of a training minimises, one file a generator."""
