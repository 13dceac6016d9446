"""Which label belongs to which image: the one of its place, whatever the order of the files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import rasterio
from odc.geo.geobox import GeoBox
from odc.geo.geom import Geometry
from rasterio.vrt import WarpedVRT

from backend.geo import virtual_raster
from backend.geo.raster import Log, check_crs, open_raster
from backend.protocol import BackendError

SUFFIXES = (".tif", ".tiff", ".vrt", ".img", ".jp2", ".png")
SAME_COVER = 0.01  # of an image's area, by which the label at its own position may cover less than another
LEAST_COVER = 0.5  # of an image's area that the label of one of several pairs must cover


def rasters_of(paths: Sequence[str]) -> tuple[str, ...]:
    """The paths, each folder replaced by its rasters in the order of their names; BackendError where it has none."""
    listed: list[str] = []
    for path in paths:
        if not Path(path).is_dir():
            listed.append(path)
            continue
        inside = sorted(str(file) for file in Path(path).iterdir() if file.suffix.lower() in SUFFIXES)
        if not inside:
            raise BackendError(f"The folder {path} holds no raster ({', '.join(SUFFIXES)}). Choose another.")
        listed += inside
    return tuple(listed)


def labels_by_place(images: Sequence[str], labels: Sequence[str], log: Log) -> tuple[str, ...]:
    """A label for each image: the one that covers most of it; of equal ones that of its name, then of its position.

    There are as many labels as images, or one for all. Raises BackendError where an image among several has no label
    that covers half of it, where two images would share one of several labels, and for rasters without a place.
    """
    if len(labels) == 1:
        return (labels[0],) * len(images)
    label_footprints = [_footprint(path, "label") for path in labels]
    names = _same_names(images, labels)
    chosen: list[int] = []
    for number, image in enumerate(images):
        footprint = _footprint(image, "image")
        covers = [_cover(footprint, other) for other in label_footprints]
        best = max(covers)
        if best < LEAST_COVER:
            raise BackendError(
                f"No label covers the image {image}: the best, {labels[covers.index(best)]}, covers {best:.0%} of it. "
                "Give images and labels of the same places."
            )
        as_good = [other for other, cover in enumerate(covers) if cover >= best - SAME_COVER]
        chosen.append(next((other for other in (names.get(number), number) if other in as_good), as_good[0]))
    shared = {label for label in chosen if chosen.count(label) > 1}
    if shared:
        label = min(shared)
        both = [Path(image).name for image, other in zip(images, chosen) if other == label]
        raise BackendError(
            f"The images {' and '.join(both[:2])} lie on one label, {labels[label]}, and another label is left "
            "over. Give each image its own label, or one label for all."
        )
    if chosen != list(range(len(images))):
        first = next(number for number, other in enumerate(chosen) if other != number)
        log(
            "Images and labels are in different orders; they are paired by place, for instance "
            f"{Path(images[first]).name} with {Path(labels[chosen[first]]).name}."
        )
    return tuple(labels[number] for number in chosen)


def _same_names(images: Sequence[str], labels: Sequence[str]) -> dict[int, int]:
    """Image number to the number of the label of the same name, apart from what all images or labels have in common."""
    image_names, label_names = _own_names(images), _own_names(labels)
    if len(set(label_names)) < len(labels):
        return {}
    return {n: label_names.index(name) for n, name in enumerate(image_names) if name in label_names}


def _own_names(paths: Sequence[str]) -> list[str]:
    """The stems without the beginning and the ending that all of them share, such as `_mask`."""
    stems = [Path(path).stem for path in paths]
    start = _common_length(stems)
    stop = _common_length([stem[start:][::-1] for stem in stems])
    return [stem[start : len(stem) - stop] for stem in stems]


def _common_length(texts: Sequence[str]) -> int:
    """How many letters all texts begin with."""
    columns = enumerate(zip(*texts))
    return next((number for number, letters in columns if len(set(letters)) > 1), min(map(len, texts)))


def _footprint(path: str, role: str) -> Geometry:
    """The outline of a raster in degrees, of longitudes from -180 to 180."""
    with open_raster(path, role) as source:
        check_crs(source, role)
        if virtual_raster.has_only_control_points(source):
            with WarpedVRT(source) as warped:
                return _outline(warped)
        return _outline(source)


def _outline(source: rasterio.DatasetReader) -> Geometry:
    box = GeoBox(source.shape, virtual_raster.shifted_transform(source), source.crs.to_wkt())
    return box.footprint("EPSG:4326", buffer=0)


def _cover(image: Geometry, label: Geometry) -> float:
    """The share of an image's outline that a label's covers."""
    return float(image.intersection(label).area / image.area)
