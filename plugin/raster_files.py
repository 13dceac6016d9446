"""Opens rasters with GDAL, alike with GDAL's Python exceptions on and off: another plugin may turn them on or off."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from osgeo import gdal
from qgis.core import QgsProviderRegistry, QgsRasterLayer

# What QGIS appends to the name of a data source; GDAL itself does not know it.
_QGIS_SUFFIX = re.compile(r"\|(?:option|credential|authcfg)[:=]")


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep GDAL's messages off the terminal."""
    gdal.PushErrorHandler("CPLQuietErrorHandler")
    try:
        yield
    finally:
        gdal.PopErrorHandler()


def open_raster(source: str, update: bool = False) -> gdal.Dataset | None:
    """The raster of a layer's source, with the open options in it; None for one that GDAL cannot open."""
    options = QgsProviderRegistry.instance().decodeUri("gdal", source).get("openOptions") or []
    name = _QGIS_SUFFIX.split(source)[0] if options else source
    with _quiet():
        try:
            return gdal.OpenEx(name, gdal.OF_RASTER | (gdal.OF_UPDATE if update else 0), open_options=options)
        except RuntimeError:
            return None


def raster_tags(layer: QgsRasterLayer) -> dict[str, str]:
    """The tags of a layer's file; empty for a layer of another provider or one that GDAL cannot open."""
    dataset = open_raster(layer.source()) if layer.providerType() == "gdal" else None
    return dict(dataset.GetMetadata()) if dataset else {}
