"""What a generator learns from: data sets as packed folders, looked through before anything is trained.

Packed data sets are taken as they are; those of `builddataset` are packed once, which alone needs GDAL.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from backend.datasets.packed import (
    INDEX,
    LANDCOVER_PIXEL_M,
    PIXEL_M,
    PackedLandCover,
    PackedTiles,
    read_index,
    write_stack,
)
from backend.geo import legend
from backend.protocol import BackendError, Reporter, partial_path

What = Literal["tiles", "landcover"]
BUILT = "dataset.json"
MANIFEST = "manifest.csv"
LEAST_PX = 64  # of image tiles: the networks halve a crop several times
GSD_TOLERANCE = 0.01

Data = PackedTiles | PackedLandCover


def fingerprints(datasets: Sequence[str]) -> list[str]:
    """What tells a data set from another or a later one: a hash of what it lists."""
    found = []
    for folder in map(Path, datasets):
        listed = [path for path in (folder / MANIFEST, folder / BUILT, folder / INDEX) if path.is_file()]
        found.append(hashlib.sha256(b"".join(path.read_bytes() for path in listed)).hexdigest())
    return found


def packed(datasets: Sequence[str], what: What, cache: Path, report: Reporter) -> tuple[Path, ...]:
    """The data sets as packed folders, of which those that had to be packed lie in the cache.

    BackendError where a folder is no data set, lacks what is asked for or cannot be packed, and where the disk is full.
    """
    if not datasets:
        raise BackendError("No data set was given. Choose one or more that 'Build data set' wrote.")
    found = []
    for number, dataset in enumerate(datasets):
        part = report.part(number / len(datasets), (number + 1) / len(datasets))
        found.append(_packed(Path(dataset), what, cache / f"{number}_{what}", part))
    return tuple(found)


def _packed(folder: Path, what: What, target: Path, report: Reporter) -> Path:
    if (folder / INDEX).is_file():
        index = read_index(folder)
        if index.get(what):
            _check_gsd(folder, index, what)
            return folder
        if what == "tiles" or not index.get("tiles"):
            raise BackendError(f"{folder} holds no {'image tiles' if what == 'tiles' else 'land cover'}.")
    elif not (folder / BUILT).is_file():
        raise BackendError(
            f"{folder} is not a data set: it has no {BUILT}. Choose a folder that 'Build data set' wrote."
        )
    if not (target / INDEX).is_file():
        _pack(folder, what, target, report)
    return target


def _check_gsd(folder: Path, index: dict[str, Any], what: What) -> None:
    pixel_m = float(index.get("pixel_m", PIXEL_M))
    if what == "tiles" and abs(pixel_m / PIXEL_M - 1) > GSD_TOLERANCE:
        raise BackendError(
            f"The packed tiles of {folder} have pixels of {pixel_m:g} m, but image generators learn at 1 m. Give the "
            "data set that they were packed from: it is resampled."
        )


def _pack(folder: Path, what: What, target: Path, report: Reporter) -> None:
    """Pack a folder into the target, whole or not at all."""
    partial = partial_path(target)
    shutil.rmtree(partial, ignore_errors=True)
    report.log(f"packing {folder.name}, once")
    try:
        if (folder / INDEX).is_file():
            _vote(folder, partial)
        else:
            from backend.datasets import pack  # reads GeoTIFFs

            pack.pack_dataset(folder, partial, what, report)
        partial.replace(target)
    except OSError as error:
        raise BackendError(f"Cannot write to {target.parent}: {error}. Check the space on its disk.") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _vote(folder: Path, target: Path) -> None:
    """The labels of packed image tiles as land cover at 10 m."""
    index = read_index(folder)
    factor = LANDCOVER_PIXEL_M / float(index.get("pixel_m", PIXEL_M))
    target.mkdir(parents=True, exist_ok=True)
    entries = {}
    for split in ("train", "val"):
        for name, group in PackedTiles((folder,), split).groups.items():
            key = f"{name}_{split}"
            labels = (legend.majority_downsample(group.labels[tile], factor) for tile in group.chosen)
            write_stack(target / f"{key}_landcover.npy", len(group.chosen), labels)
            entries[key] = {"split": [split] * len(group.chosen)}
    kept = {key: value for key, value in index.items() if key in ("synthetic", "attribution")}
    own = {"pixel_m": LANDCOVER_PIXEL_M, "source_pixel_m": index.get("pixel_m"), "landcover": entries}
    (target / INDEX).write_text(json.dumps({**own, **kept}), encoding="utf-8")


def check(data: Data, datasets: Sequence[str], crop_px: int, report: Reporter) -> np.ndarray:
    """The pixels of each class in the training data, (COUNT,) int64.

    BackendError where it holds no tile, tiles too small for a crop or a single class of land cover; a single class of
    images is said.
    """
    if isinstance(data, PackedLandCover):
        _check_size(data, datasets, crop_px)
    else:
        _check_tiles(data)
    if not data.crops(crop_px):
        raise BackendError(
            "The data sets hold no 'train' tiles, which training needs. Build them from more ground or with smaller "
            "tiles."
        )
    counts = data.counts()
    codes = legend.CODES[np.flatnonzero(counts)]
    if not len(codes):
        raise BackendError("No label of the data sets is known: all of their pixels are nodata.")
    if len(codes) == 1:
        found = f"The data sets show a single class, {codes[0]} {legend.LEGEND[int(codes[0])][0]}"
        if isinstance(data, PackedLandCover):
            raise BackendError(f"{found}: there is nothing to learn. Use labels of more classes or more ground.")
        report.log(f"{found}: the generator will know no other.")
    return counts


def _check_size(data: PackedLandCover, datasets: Sequence[str], crop_px: int) -> None:
    for name, (arrays, _) in data.groups.items():
        if min(arrays.shape[1:]) >= crop_px:
            continue
        number = int(name.split("_")[0])
        pixel_m = float(read_index(data.folders[number]).get("source_pixel_m") or LANDCOVER_PIXEL_M)
        needed = int(np.ceil(crop_px * LANDCOVER_PIXEL_M / pixel_m))
        raise BackendError(
            f"The tiles of {datasets[number]} are {min(arrays.shape[1:])} pixels wide at land cover's 10 m, but "
            f"training sees windows of {crop_px} ({crop_px * LANDCOVER_PIXEL_M / 1000:g} km). Build the data set with "
            f"tiles of {needed} pixels or more, or with IMAGE left empty, which cuts labels at their own pixel size."
        )


def _check_tiles(data: PackedTiles) -> None:
    for group in data.groups.values():
        if group.labels.shape[1] < LEAST_PX:
            raise BackendError(
                f"A data set's tiles are {group.labels.shape[1]} m wide, but training needs {LEAST_PX}. Build it with "
                "larger tiles."
            )


def described(datasets: Sequence[str], data: Data, counts: np.ndarray, crop_px: int) -> dict[str, Any]:
    """What a model's index says of the data that it was trained on."""
    indices = [read_index(folder) for folder in data.folders]
    held_out = type(data)(data.folders, "val")
    own = LANDCOVER_PIXEL_M if isinstance(data, PackedLandCover) else PIXEL_M
    return {
        "names": [Path(dataset).name for dataset in datasets],
        "gsd_m": sorted({float(index.get("source_pixel_m") or own) for index in indices}),
        "synthetic": any(bool(index.get("synthetic")) for index in indices),
        "attribution": sorted({text for index in indices for text in index.get("attribution", [])}),
        "crops": {"train": data.crops(crop_px), "val": held_out.crops(crop_px)},
        "codes": legend.CODES[np.flatnonzero(counts)].tolist(),
        "shares": {
            str(code): round(float(count) / float(counts.sum()), 6)
            for code, count in zip(legend.CODES, counts)
            if count
        },
    }
