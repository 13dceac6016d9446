"""Real and synthetic layers beside each other: swipe, linked windows, the difference of land cover."""
