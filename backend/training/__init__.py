"""Training of generators and segmentation models."""
