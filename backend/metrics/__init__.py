"""Metrics of images, land cover maps and predictions."""
