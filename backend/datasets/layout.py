"""The files of a data set folder: index, manifest and packed arrays, read with numpy alone.

A folder of `builddataset` holds the GeoTIFFs `image/NAME.tif` and `label/NAME.tif`, `manifest.csv`, `items.json` and
`dataset.json`. A packed folder holds `packed.json` and, for each group of tiles of one size, `NAME_image.npy`
(N, size, size, 3) uint8 RGB and `NAME_label.npy` (N, size, size) uint8 class indices (IGNORE where unknown). Two arrays
(N, size, size) uint8 are optional: `NAME_fine.npy`, class indices finer than 10 m beside a label at 10 m, and
`NAME_lines.npy`, 1 on straight edges of the image and 0 elsewhere. Land cover is `NAME_landcover.npy`: tiles
(N, height, width) or one map (height, width) of class indices.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from backend.geo import legend
from backend.protocol import BackendError

INDEX = "dataset.json"
MANIFEST = "manifest.csv"
ITEMS = "items.json"  # the manifest as a STAC item collection
PACKED_INDEX = "packed.json"
SHARES = [f"c{code}" for code in legend.CODES]
BOUNDS = ["xmin", "ymin", "xmax", "ymax"]
COLUMNS = ["name", "image", "label", "split", "crs", *BOUNDS, "valid", *SHARES, "description", "style"]
"""The manifest's columns: paths relative to the folder (`image` is empty in a data set of labels alone), bounds in the
CRS, shares of valid pixels and of classes, a sentence on what the tile shows, and its styles, separated by commas."""

SAME_GSD_TOLERANCE = 0.03
"""Data sets, images and models are used together where their GSDs differ by no more than this share."""
PIXEL_M, LANDCOVER_PIXEL_M = 1.0, 10.0
"""The GSDs of packed image tiles and of packed land cover."""

DataKind = Literal["tiles", "landcover"]
_CHUNK_ROWS = 512


class Tile(Protocol):
    """An image and its label of equal size."""

    @property
    def split(self) -> str: ...  # noqa: D102
    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def shape(self) -> tuple[int, int]: ...  # noqa: D102

    def read(self, row: int, col: int, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
        """A part of the tile: (height, width, 3) uint8 RGB and (height, width) uint8 class indices."""


@dataclass(frozen=True)
class ArrayTile:
    """A tile in two arrays, usually memory maps."""

    split: str
    image: np.ndarray
    label: np.ndarray
    name: str = ""

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        return self.label.shape[0], self.label.shape[1]

    def read(self, row: int, col: int, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
        """See `Tile`."""
        part = (slice(row, row + height), slice(col, col + width))
        return self.image[part], self.label[part]


@contextmanager
def damage_errors(folder: Path) -> Iterator[None]:
    """Turn the errors of damaged files in a data set folder into a BackendError."""
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BackendError(f"The data set {folder} is damaged ({error!r}). Build it again.") from error


def read_manifest(folder: Path) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """The index and the manifest's rows of a data set of `builddataset`; call it within `damage_errors`.

    Older data sets have one list of styles in the index; it is moved into the rows.
    """
    index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
    _check_legend(folder, index)
    with open(folder / MANIFEST, newline="", encoding="utf-8") as file:
        common_styles = ", ".join(map(str, index.pop("styles", None) or []))
        return index, [{**row, "style": row.get("style") or common_styles} for row in csv.DictReader(file)]


def styles_of(row: dict[str, str]) -> tuple[str, ...]:
    """The styles of a manifest row's tile."""
    return tuple(style.strip() for style in row["style"].split(",") if style.strip())


def _check_legend(folder: Path, index: dict[str, Any]) -> None:
    """BackendError where the index gives a class code another name than WorldCover."""
    for code, name in dict(index.get("legend") or {}).items():
        worldcover_name = legend.LEGEND.get(int(code), ("no class", ""))[0]
        if name != worldcover_name:
            raise BackendError(
                f"The data set {folder} has another legend: its {code} is {name!r}, which in WorldCover is "
                f"{worldcover_name!r}. Reclassify the labels to WorldCover's codes and build it again."
            )


def no_images_error(folder: Path) -> BackendError:
    """The error for a data set of labels alone where images are needed."""
    return BackendError(
        f"The data set {folder} holds labels alone, but images are needed too. Build it from images and labels."
    )


def read_packed_index(folder: Path) -> dict[str, Any]:
    """A packed folder's `packed.json`; BackendError where it is missing, damaged or of another legend."""
    try:
        index = json.loads((folder / PACKED_INDEX).read_text(encoding="utf-8"))
        if not isinstance(index, dict):
            raise ValueError("no object")
    except (OSError, ValueError) as error:
        raise BackendError(f"{folder} holds no packed training tiles ({PACKED_INDEX}).") from error
    _check_legend(folder, index)
    return index


@dataclass(frozen=True)
class TileArrays:
    """Packed image tiles of one size: images (N, size, size, 3) and labels (N, size, size), memory-mapped uint8.

    `splits` and `styles` are of each tile; `emphasis` weighs the group's tiles when crops are drawn. Fine labels and
    `lines`, both shaped as labels, are None where they are not packed.
    """

    name: str
    images: np.ndarray
    labels: np.ndarray
    splits: list[str]
    styles: list[list[str]]
    emphasis: float
    fine: np.ndarray | None = None
    lines: np.ndarray | None = None

    @property
    def size(self) -> int:
        """The tiles' height and width in pixels."""
        return self.labels.shape[1]

    def tile(self, number: int) -> ArrayTile:
        """One of the tiles."""
        return ArrayTile(self.splits[number], self.images[number], self.labels[number], f"{self.name}_{number}")

    def of_split(self, split: str) -> np.ndarray:
        """The numbers of the tiles of a split."""
        return np.flatnonzero(np.array(self.splits) == split)


def read_tiles(folder: Path) -> list[TileArrays]:
    """The groups of image tiles of a packed folder; BackendError where they are damaged."""
    groups = []
    for name, entry in read_packed_index(folder).get("tiles", {}).items():
        images, labels = _load(folder, f"{name}_image", 4), _load(folder, f"{name}_label", 3)
        count, height, width = labels.shape
        if images.shape != (count, height, width, 3) or height != width or len(entry["split"]) != count:
            raise BackendError(f"The packed tiles {name} of {folder} do not belong together. Pack them again.")
        styles = entry.get("styles") or [[]] * count
        if len(styles) != count:
            raise BackendError(f"The packed tiles {name} of {folder} have styles for {len(styles)} of {count} tiles.")
        fine, lines = (_load_optional(folder, f"{name}_{kind}", labels.shape) for kind in ("fine", "lines"))
        emphasis = float(entry.get("emphasis", 1.0))
        groups.append(TileArrays(name, images, labels, entry["split"], styles, emphasis, fine, lines))
    return groups


def _load_optional(folder: Path, name: str, shape: tuple[int, ...]) -> np.ndarray | None:
    """An array of that shape, None where there is no such file."""
    if not (folder / f"{name}.npy").is_file():
        return None
    array = _load(folder, name, len(shape))
    if array.shape != shape:
        raise BackendError(f"The packed array {name} of {folder} is not of its tiles' shape. Pack them again.")
    return array


@dataclass(frozen=True)
class LandCoverArrays:
    """Packed land cover of one size: class indices (N, height, width) uint8 and the mask of held-out pixels.

    `styles` are of each tile; `emphasis` weighs the group's pixels when crops are drawn.
    """

    name: str
    classes: np.ndarray
    held_out: np.ndarray
    styles: list[list[str]]
    emphasis: float


def read_landcover(folder: Path) -> list[LandCoverArrays]:
    """The groups of land cover of a packed folder; BackendError where they are damaged."""
    entries = read_packed_index(folder).get("landcover", {})
    return [
        _landcover_tiles(folder, name, entry) if "split" in entry else _landcover_map(folder, name, entry)
        for name, entry in entries.items()
    ]


def _landcover_tiles(folder: Path, name: str, entry: dict[str, Any]) -> LandCoverArrays:
    """Tiles (N, height, width), each in one split."""
    classes = _load(folder, f"{name}_landcover", 3)
    if len(entry["split"]) != len(classes):
        raise BackendError(f"The packed land cover {name} of {folder} is damaged. Pack it again.")
    held_out = np.broadcast_to(np.array(entry["split"])[:, None, None] != "train", classes.shape)
    styles = entry.get("styles") or [[]] * len(classes)
    return LandCoverArrays(name, classes, held_out, styles, float(entry.get("emphasis", 1.0)))


def _landcover_map(folder: Path, name: str, entry: dict[str, Any]) -> LandCoverArrays:
    """One large map (1, height, width) with held-out blocks."""
    classes = _load(folder, f"{name}_landcover", 2)
    held_out = np.zeros(classes.shape, dtype=bool)
    for row, col in entry["held_out_blocks"]:
        held_out[row : row + entry["block_px"], col : col + entry["block_px"]] = True
    styles = [[entry["style"]] if entry.get("style") else []]
    return LandCoverArrays(name, classes[None], held_out[None], styles, float(entry.get("emphasis", 1.0)))


def _load(folder: Path, name: str, dimensions: int) -> np.ndarray:
    path = folder / f"{name}.npy"
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise BackendError(f"The packed array {path} is damaged or missing ({error}). Pack them again.") from error
    if array.dtype != np.uint8 or array.ndim != dimensions:
        raise BackendError(f"The packed tiles {path} are no uint8 array of {dimensions} dimensions. Pack them again.")
    return array


def write_stack(path: Path, count: int, arrays: Iterable[np.ndarray]) -> None:
    """Write `count` arrays of one shape as one .npy, one after another, so that they need not fit into memory.

    Plain writes: on a full disk they raise OSError, a memory map would end the process.
    """
    with open(path, "wb") as file:
        for number, array in enumerate(arrays):
            if number == 0:
                descr = np.lib.format.dtype_to_descr(array.dtype)
                header = {"descr": descr, "fortran_order": False, "shape": (count, *array.shape)}
                np.lib.format.write_array_header_1_0(file, header)
            file.write(np.ascontiguousarray(array).data)


def class_counts(labels: Iterable[np.ndarray]) -> np.ndarray:
    """(COUNT,) int64 pixels of each class in arrays of class indices, IGNORE left out.

    BackendError where a value is neither a class index nor IGNORE.
    """
    counts = np.zeros(256, dtype=np.int64)
    for label in labels:
        for row in range(0, len(label), _CHUNK_ROWS):
            counts += np.bincount(label[row : row + _CHUNK_ROWS].ravel(), minlength=256)
    foreign = np.flatnonzero(counts[legend.COUNT : legend.IGNORE]) + legend.COUNT
    if len(foreign):
        raise BackendError(
            f"Packed labels hold the values {', '.join(map(str, foreign[:5]))}, but class indices run from 0 to "
            f"{legend.COUNT - 1}. Pack them again."
        )
    return counts[: legend.COUNT]
