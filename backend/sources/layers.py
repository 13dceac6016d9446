"""Layers of the analyst's own as sources of land cover and images."""

from __future__ import annotations

import rasterio
from odc.geo.geobox import GeoBox

from backend.geo import class_raster, grid, provenance
from backend.geo.image_raster import ImageReading, image_address
from backend.geo.raster import Log, open_raster
from backend.protocol import BackendError, Extent
from backend.sources import environment
from backend.sources.mosaic import Mosaic, Piece

ROLE = "layer"


def landcover(path: str, legend_name: str, box: GeoBox, log: Log) -> tuple[Mosaic, dict[str, str]]:
    """The mosaic of a class raster of a legend, and the tags of a clip of it.

    Raises BackendError for no path, and where the raster or its part under the grid is no class raster of the legend.
    """
    _check_path(path)
    with environment(path):
        address = class_raster.class_address(path, ROLE, legend_name)
        with open_raster(address, ROLE) as source:
            bounds, tags = _bounds_on(source, box), source.tags()
        class_raster.check_codes(path, ROLE, log, legend_name, bounds, remedy="Set LEGEND to {}")
    return Mosaic([Piece(address, name=path)], "classes"), provenance.of_layer(path, tags)


def image(path: str, reading: ImageReading, log: Log) -> tuple[Mosaic, dict[str, str]]:
    """The mosaic of an image, and the tags of a clip of it; BackendError for no path and for a raster that is none."""
    _check_path(path)
    with environment(path):
        sentences: list[str] = []
        address = image_address(path, ROLE, sentences.append, reading)
        with open_raster(address, ROLE) as source:
            tags = source.tags()
    for sentence in sentences:
        log(sentence)
    if sentences:
        tags["LANDFORGE_IMAGE_READING"] = " ".join(sentences)
    return Mosaic([Piece(address, name=path)], "rgb"), provenance.of_layer(path, tags)


def _check_path(path: str) -> None:
    if not path:
        raise BackendError("The source is a layer, but no layer was given. Choose one in LAYER.")


def _bounds_on(source: rasterio.DatasetReader, box: GeoBox) -> class_raster.Bounds | None:
    """The grid's bounds in a raster's CRS; None where they cannot be projected."""
    left, bottom, right, top = box.boundingbox
    try:
        wanted = grid.projected_bounds(Extent(left, bottom, right, top, str(box.crs)), source.crs.to_wkt())
    except BackendError:
        return None
    return wanted
