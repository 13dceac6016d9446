"""Landforge: synthetic Earth for GIS analysts, as a QGIS plugin."""


def classFactory(iface):
    """What QGIS calls to load the plugin; `iface` is None under qgis_process."""
    from .plugin.main import LandforgePlugin
    from .processing_provider.provider import LandforgeProvider

    return LandforgePlugin(iface, LandforgeProvider())
