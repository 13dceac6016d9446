"""Algorithms that predict land cover."""
