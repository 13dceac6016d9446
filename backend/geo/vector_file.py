"""Vector files: the features of one layer of a local file that touch a region, read in batches and as linear geometry.

Only formats that are plain data are opened (GeoPackage, FlatGeobuf, GeoJSON, Shapefile): GDAL also has drivers that
connect to servers or run what a file says, and it chooses the driver by what a file contains.
"""

from __future__ import annotations

import math
import re
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
import pyogrio
import shapely
from pyogrio.errors import CRSError as OgrCrsError
from pyogrio.errors import DataLayerError, DataSourceError
from pyproj import CRS, Transformer
from pyproj.exceptions import ProjError

from backend.geo import grid
from backend.protocol import BackendError

Bounds = tuple[float, float, float, float]
FORMATS = {
    ".gpkg": ("GPKG", b"SQLite format 3\0"),
    ".fgb": ("FlatGeobuf", b"fgb"),
    ".shp": ("ESRI Shapefile", b"\0\0\x27\x0a"),
    ".geojson": ("GeoJSON", b"{"),
    ".json": ("GeoJSON", b"{"),
}
"""The file formats by suffix: GDAL's driver, and the bytes that a file of it starts with."""
PROGRAM = b"gdal_streamed_alg"  # marks a JSON file that tells GDAL to run an algorithm
REMOTE_CRS = re.compile(rb'"crs"\s*:\s*\{[^{}]*(?:\{[^{}]*)?"(?:href|url)"\s*:', re.IGNORECASE)
"""A CRS in GeoJSON that GDAL would fetch from an address."""
CHUNK_BYTES, OVERLAP_BYTES = 1 << 20, 1 << 10
BATCH = 50_000  # features read at once
DENSIFY = 51  # points along each side of a region whose bounds are projected
SEGMENT_M = 200.0  # longer edges are divided before a projection, in which they are curves
LARGE_M = 100_000.0  # larger features are clipped: a projection to metres can fail far from the region
DEGREE_M = 111_320.0
_UNSEPARABLE = "!;"  # characters that pyogrio takes for the separators of an archive or a query


@dataclass(frozen=True)
class Batch:
    """Features of a layer: their geometries (n,), None where empty, in the layer's CRS, and their fields (n,)."""

    geometries: np.ndarray
    fields: dict[str, np.ndarray]


@dataclass(frozen=True)
class VectorFile:
    """One layer of a vector file. `role` names its parameter in messages; `geometry_type` is GDAL's name."""

    role: str
    path: Path
    layer: str
    crs: CRS
    geometry_type: str
    fields: tuple[str, ...]
    source: str

    @classmethod
    def open(cls, text: str, role: str) -> VectorFile:
        """Open `path` or `path|layername=name`.

        Raises BackendError for what is no local vector file in one of FORMATS, for a layer that is missing or has no
        geometry or CRS, and where the file has several layers and none is named.
        """
        path, layer = _split(text, role)
        source, driver = _checked_source(path, role)
        with _readable(role, path):
            layers = [str(name) for name, kind in pyogrio.list_layers(source) if kind is not None]
            if not layers:
                raise BackendError(f"{role}: {path} has no layer with geometry. Choose a layer of features.")
            if (not layer and len(layers) > 1) or (layer and layer not in layers):
                known = ", ".join(layers)
                problem = f"has no layer {layer!r}" if layer else "has several layers"
                raise BackendError(f"{role}: {path} {problem}. Name one of them ({known}): {path.name}|layername=NAME")
            info = pyogrio.read_info(source, layer=layer or layers[0])
        if info["driver"] != driver:
            raise _no_vector_file(role, path)
        if not info["crs"]:
            raise BackendError(f"{role}: {path} has no CRS, so its place is unknown. Set it first (Layer, Set CRS).")
        crs = grid.parse_crs(info["crs"], f"{role} ({path.name})")
        fields = tuple(map(str, info["fields"]))
        return cls(role, path, layer or layers[0], crs, str(info["geometry_type"]), fields, source)

    @property
    def unit_m(self) -> float:
        """A unit of the layer's coordinates in metres on the ground, roughly where it is a degree."""
        return DEGREE_M if self.crs.is_geographic else float(self.crs.axis_info[0].unit_conversion_factor)

    def regions(self, bounds: Bounds, crs: str) -> list[Bounds]:
        """Bounds in a CRS as bounds in the layer's CRS: two where they cross the antimeridian of a layer in degrees."""
        try:
            to_layer = Transformer.from_crs(grid.parse_crs(crs, "the grid"), self.crs, always_xy=True)
            west, south, east, north = to_layer.transform_bounds(*bounds, densify_pts=DENSIFY)
        except ProjError as error:
            raise BackendError(
                f"{self.role}: the CRS of {self.path.name} ({self.crs.name}) does not cover the extent."
            ) from error
        if not all(map(math.isfinite, (west, south, east, north))):
            raise BackendError(f"{self.role}: the CRS of {self.path.name} ({self.crs.name}) does not cover the extent.")
        if self.crs.is_geographic and west > east:
            return [(west, south, 180.0, north), (-180.0, south, east, north)]
        return [(west, south, east, north)]

    def batches(self, region: Bounds, columns: Sequence[str]) -> Iterator[Batch]:
        """The features whose geometry touches a region, which is given in the layer's CRS, with some of their fields.

        BackendError for a geometry that is not made of points, lines and polygons. Curves become lines.
        """
        done, count = 0, BATCH
        while count == BATCH:
            with _readable(self.role, self.path):
                meta, fids, wkb, values = pyogrio.raw.read(
                    self.source,
                    layer=self.layer,
                    columns=list(columns),
                    force_2d=True,
                    bbox=region,
                    skip_features=done,
                    max_features=BATCH,
                    return_fids=True,
                )
            count = len(wkb)
            done += count
            geometries = shapely.from_wkb(wkb, on_invalid="ignore")
            unreadable = shapely.is_missing(geometries) & np.array([data is not None for data in wkb], dtype=bool)
            if unreadable.any():
                raise BackendError(
                    f"{self.role}: the geometry of feature {fids[unreadable.argmax()]} of {self.path.name} is not made "
                    "of points, lines and polygons. Convert it first, with 'Convert geometry type' or 'Segmentize'."
                )
            yield Batch(geometries, dict(zip(map(str, meta["fields"]), values)))

    def project(self, geometries: np.ndarray, region: Bounds, crs: str) -> np.ndarray:
        """(n,) geometries of the layer, valid ones, in another CRS; long edges get vertices first.

        Those larger than LARGE_M are clipped to the region: the others do not depend on it.
        """
        target = grid.parse_crs(crs, "the grid")
        if target == self.crs:
            return geometries
        bounds = shapely.bounds(geometries)
        large = np.maximum(bounds[:, 2] - bounds[:, 0], bounds[:, 3] - bounds[:, 1]) * self.unit_m > LARGE_M
        if large.any():
            geometries = geometries.copy()
            geometries[large] = shapely.intersection(geometries[large], shapely.box(*region))
        to_target = Transformer.from_crs(self.crs, target, always_xy=True)

        def projected(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            return cast("tuple[np.ndarray, np.ndarray]", to_target.transform(x, y, errcheck=True))

        try:
            fine = shapely.segmentize(geometries, SEGMENT_M / self.unit_m)
            return cast("np.ndarray", shapely.transform(fine, projected, interleaved=False))
        except ProjError as error:
            raise BackendError(
                f"{self.role}: a feature of {self.path.name} cannot be projected to the grid: check that its "
                f"coordinates and its CRS ({self.crs.name}) belong together."
            ) from error


@contextmanager
def _readable(role: str, path: Path) -> Iterator[None]:
    """Turn what pyogrio raises while it reads a file into a BackendError; its warnings go nowhere."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (DataSourceError, DataLayerError, OgrCrsError, UnicodeDecodeError) as error:
        raise BackendError(
            f"{role}: {path} cannot be read as a vector file: it is damaged or in another format ({error})."
        ) from error


def _split(text: str, role: str) -> tuple[Path, str]:
    """The absolute path and the layer's name, empty where there is none, of `path|layername=name`."""
    path, *options = text.split("|")
    names = [option.partition("=")[2] for option in options if option.startswith("layername=")]
    if len(options) > len(names) or len(names) > 1:
        raise BackendError(
            f"{role} is {text!r}: beside a path only |layername=NAME is understood. Save filtered features as a file."
        )
    if not Path(path).is_file():
        raise BackendError(f"{role}: there is no file {path}. Choose a vector file on this machine, not an address.")
    absolute = Path(path).absolute()
    if any(character in str(absolute) for character in _UNSEPARABLE):
        raise BackendError(f"{role}: {path} has a ! or ; in its name, which cannot be opened. Rename it.")
    return absolute, names[0] if names else ""


def _checked_source(path: Path, role: str) -> tuple[str, str]:
    """The path that GDAL opens and the driver that it must open it with, from the file's suffix and first bytes.

    In a zip archive that is the one vector file in it.
    """
    if path.suffix.lower() != ".zip":
        with open(path, "rb") as file:
            return str(path), _driver(path, path.suffix, file, role)
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if Path(name).suffix.lower() in FORMATS]
            names = [name for name in names if not name.startswith("__MACOSX")]
            if len(names) != 1:
                raise BackendError(
                    f"{role}: {path} holds {len(names)} vector files, not one. Unpack it and choose one."
                )
            with archive.open(names[0]) as file:
                return f"/vsizip/{path}/{names[0]}", _driver(path, Path(names[0]).suffix, cast("BinaryIO", file), role)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:  # damaged, too new, encrypted
        raise BackendError(f"{role}: the archive {path} cannot be read ({error}). Unpack it first.") from error


def _driver(path: Path, suffix: str, file: BinaryIO, role: str) -> str:
    driver, start = FORMATS.get(suffix.lower(), ("", b""))
    head = file.read(CHUNK_BYTES)
    if driver == "GeoJSON":
        head = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not driver or not head.startswith(start):
        raise _no_vector_file(role, path)
    while driver == "GeoJSON" and head:
        if PROGRAM in head or REMOTE_CRS.search(head):
            raise _no_vector_file(role, path)
        chunk = file.read(CHUNK_BYTES)
        head = head[-OVERLAP_BYTES:] + chunk if chunk else b""
    return driver


def _no_vector_file(role: str, path: Path) -> BackendError:
    return BackendError(
        f"{role}: {path} is no vector file that can be read. Save the layer as GeoPackage, FlatGeobuf, GeoJSON or "
        "Shapefile."
    )
