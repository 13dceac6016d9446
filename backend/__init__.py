"""Landforge's backend: everything that runs in the backend's own Python, without QGIS."""

__version__ = "0.1.0"
