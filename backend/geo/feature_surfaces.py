"""The features of a vector file as surfaces: valid polygons in the grid's CRS, lines buffered by half their width."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import dataclass

import numpy as np
import shapely
from odc.geo.geobox import GeoBox

from backend.geo.feature_kinds import Kind
from backend.geo.vector_file import Batch, Bounds, VectorFile
from backend.protocol import FEATURE_MARGIN_M, BackendError

MAX_VERTICES = 2_000_000  # they take about 400 MB as surfaces
MAX_WIDTH_M, MIN_WIDTH_M = 1000.0, 1.5  # a narrower band of pixels has gaps
QUARTER_SEGMENTS = 4  # of the round ends and joins of a buffered line
_METRES = re.compile(r"\s*([-+]?\d+(?:\.\d+)?)\s*m?\s*")


@dataclass(frozen=True)
class FeatureSurfaces:
    """The features of a vector file in and around a grid.

    `polygons` (n,) are in the grid's CRS, `digests` one SHA-256 a feature in any order. `vertices` is their number in
    the file, `notes` say what is worth logging.
    """

    file: VectorFile
    polygons: np.ndarray
    digests: list[bytes]
    vertices: int
    notes: list[str]


def read_surfaces(text: str, kind: Kind, width_field: str, box: GeoBox, vertices: int = 0) -> FeatureSurfaces:
    """Read the features of a file (`path` or `path|layername=name`) that lie FEATURE_MARGIN_M around a grid or nearer.

    `width_field` is the field of the lines' widths, or empty; `vertices` counts those of other layers. Raises
    BackendError for a file that cannot be read, for an unknown field, for other geometries than the kind's, and beyond
    MAX_VERTICES.
    """
    reader = _Reader(VectorFile.open(text, kind.role), kind, width_field, str(box.crs), vertices)
    left, bottom, right, top = box.boundingbox.bbox
    margin = FEATURE_MARGIN_M
    polygons = reader.read((left - margin, bottom - margin, right + margin, top + margin))
    return FeatureSurfaces(reader.file, polygons, reader.digests, reader.vertices - vertices, reader.notes())


class _Reader:
    """Reads the surfaces of a layer's features batch by batch; counts what is left out or changed on the way."""

    def __init__(self, file: VectorFile, kind: Kind, width_field: str, crs: str, vertices: int) -> None:
        self.file, self.kind, self.width_field, self.crs, self.vertices = file, kind, width_field, crs, vertices
        self.digests: list[bytes] = []
        self._counts: Counter[str] = Counter()
        self._class_field = next((name for name in kind.class_fields if name in file.fields), "")
        if width_field and width_field not in file.fields:
            known = ", ".join(file.fields) or "none"
            raise BackendError(
                f"{kind.role}_WIDTH: {file.path.name} has no field {width_field!r}. Its fields are: {known}."
            )
        if any(name in file.geometry_type for name in kind.wrong_types):
            raise self._wrong_type(file.geometry_type)

    def notes(self) -> list[str]:
        """What is worth logging, without the layer's name."""
        texts = {
            "empty": "geometries without usable coordinates were left out",
            "repaired": "invalid polygons were repaired",
            "other": f"features that are not {self.kind.geometries} were left out",
            "width": "lines without a width above 0 got the usual width of their class",
        }
        notes = [f"{self._counts[key]:,} {text}" for key, text in texts.items() if self._counts[key]]
        if self._counts["lines"] and not self.width_field and not self._class_field:
            wanted = self.kind.class_fields[0]
            notes.append(f"there is no field {wanted}, so lines are {self.kind.default_m:g} m wide")
        return notes

    def read(self, bounds: Bounds) -> np.ndarray:
        """(n,) polygons of the features that touch bounds in the grid's CRS."""
        columns = [name for name in dict.fromkeys((self.width_field, self._class_field)) if name]
        surfaces = [np.zeros(0, dtype=object)]
        for region in self.file.regions(bounds, self.crs):
            for batch in self.file.batches(region, columns):
                surfaces.append(self._surfaces(batch, region))
        polygons = np.concatenate(surfaces)
        if not len(polygons) and self._counts["other"]:
            raise self._wrong_type("others alone in the extent")
        return polygons

    def _wrong_type(self, description: str) -> BackendError:
        return BackendError(
            f"{self.kind.role} must be {self.kind.geometries}, but the geometries of {self.file.path.name} are "
            f"{description}. Choose another layer."
        )

    def _surfaces(self, batch: Batch, region: Bounds) -> np.ndarray:
        geometries = batch.geometries
        self.vertices += int(shapely.get_num_coordinates(geometries).sum())
        if self.vertices > MAX_VERTICES:
            raise BackendError(
                f"The features in and around the extent have more than {MAX_VERTICES:,} vertices ({self.kind.role}: "
                f"{self.file.path.name}). Choose a smaller extent, or clip or simplify the layers."
            )
        parts, owners = _parts(geometries)
        dimensions = shapely.get_dimensions(parts)
        is_area, is_line = dimensions == 2, (dimensions == 1) & self.kind.lines
        used, lines = np.unique(owners[is_area | is_line]), np.unique(owners[is_line])
        self._counts["empty"] += len(geometries) - len(np.unique(owners))
        self._counts["other"] += len(np.setdiff1d(owners, used))
        self._counts["lines"] += len(lines)
        widths = self._widths(batch, lines)
        self._add_digests(geometries[used], widths[used])
        centre_lines = self.file.project(parts[is_line], region, self.crs)
        bands = shapely.buffer(centre_lines, widths[owners[is_line]] / 2, quad_segs=QUARTER_SEGMENTS)
        areas, repaired = _valid(parts[is_area])
        self._counts["repaired"] += repaired
        areas, _ = _valid(self.file.project(areas, region, self.crs))
        surfaces = np.concatenate([bands, areas])
        return surfaces[~shapely.is_empty(surfaces)]

    def _widths(self, batch: Batch, lines: np.ndarray) -> np.ndarray:
        """(n,) widths in metres of a batch's features, of which `lines` are the indices of the lines; 0 for others."""
        widths = np.zeros(len(batch.geometries))
        classes = batch.fields[self._class_field][lines] if self._class_field else np.full(len(lines), "")
        usual = np.array([self.kind.widths.get(str(name), self.kind.default_m) for name in classes], dtype=float)
        if self.width_field:
            stated = np.array([_metres(value) for value in batch.fields[self.width_field][lines]], dtype=float)
            usable = np.isfinite(stated) & (stated > 0)
            self._counts["width"] += int((~usable).sum())
            usual = np.where(usable, stated, usual)
        if (usual > MAX_WIDTH_M).any():
            raise BackendError(
                f"{self.kind.role}_WIDTH: the field {self.width_field!r} of {self.file.path.name} holds "
                f"{usual.max():g}, more than {MAX_WIDTH_M:g} m. Choose a field with widths in metres."
            )
        widths[lines] = np.maximum(usual, MIN_WIDTH_M)
        return widths

    def _add_digests(self, geometries: np.ndarray, widths: np.ndarray) -> None:
        role = self.kind.role.encode()
        for wkb, width in zip(shapely.to_wkb(geometries, byte_order=1), widths.astype("<f8")):
            self.digests.append(hashlib.sha256(role + width.tobytes() + wkb).digest())


def _parts(geometries: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The points, lines and polygons that geometries are made of, and the index of the geometry that each is from.

    Those without coordinates, or with some that are not finite, are left out.
    """
    parts, owners = shapely.get_parts(geometries, return_index=True)
    while (shapely.get_type_id(parts) > shapely.GeometryType.POLYGON).any():  # a collection can hold multi-polygons
        parts, outer = shapely.get_parts(parts, return_index=True)
        owners = owners[outer]
    coordinates, numbers = shapely.get_coordinates(parts, return_index=True)
    usable = ~shapely.is_empty(parts)
    usable[numbers[~np.isfinite(coordinates).all(1)]] = False
    return parts[usable], owners[usable]


def _valid(polygons: np.ndarray) -> tuple[np.ndarray, int]:
    """Polygons, or what clipping has made of them, as valid polygons, and how many were invalid."""
    invalid = ~shapely.is_valid(polygons)
    repaired, _ = _parts(np.where(invalid, shapely.make_valid(polygons), polygons))
    return repaired[shapely.get_dimensions(repaired) == 2], int(invalid.sum())


def _metres(value: object) -> float:
    """A width as a number, or as a text as OSM has it (`3.5`, `3.5 m`); NaN for anything else."""
    if isinstance(value, str):
        match = _METRES.fullmatch(value)
        return float(match[1]) if match else float("nan")
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return float("nan")
