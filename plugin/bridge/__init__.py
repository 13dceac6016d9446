"""The way to the backend: its Python, its processes. Nothing here imports qgis, so that it is tested without QGIS."""
