"""Algorithms that evaluate models and synthetic data."""
