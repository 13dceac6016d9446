"""Landforge's Processing algorithms: one declaration a file, by group."""
