"""Comparison of real and synthetic layers: swipe, linked windows, difference of land cover."""
