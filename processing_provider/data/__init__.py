"""Algorithms that clip public data and build data sets."""
