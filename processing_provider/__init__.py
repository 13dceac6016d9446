"""Landforge's Processing algorithms, one file per algorithm, one folder per group."""
