"""The connection to the backend: its Python environment and its processes. Imports no QGIS, and is tested without."""
