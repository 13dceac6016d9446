"""The packed data of a generator's training: data sets packed once into a cache, and checked before training.

Folders that are packed already are used in place; packing those of `builddataset` alone needs GDAL.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from backend.datasets import layout
from backend.datasets.layout import INDEX, LANDCOVER_PIXEL_M, MANIFEST, PACKED_INDEX, PIXEL_M, DataKind
from backend.datasets.packed import PackedLandCover, PackedTiles
from backend.geo import legend
from backend.protocol import BackendError, Reporter, partial_path

MIN_TILE_PX = 64  # of image tiles: the networks halve a crop several times
PACKED_GSD_TOLERANCE = 0.01  # by which packed image tiles, which are not resampled, may differ from 1 m

Data = PackedTiles | PackedLandCover


def dataset_hashes(datasets: Sequence[str]) -> list[str]:
    """A hash of each data set's manifest and index: another one where it was built again."""
    hashes = []
    for folder in map(Path, datasets):
        files = [path for path in (folder / MANIFEST, folder / INDEX, folder / PACKED_INDEX) if path.is_file()]
        hashes.append(hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest())
    return hashes


def packed_folders(datasets: Sequence[str], kind: DataKind, cache: Path, report: Reporter) -> tuple[Path, ...]:
    """The data sets as packed folders; those that are not packed yet are packed into the cache.

    BackendError where a folder is no data set, lacks data of that kind or cannot be packed, and where the disk is full.
    """
    if not datasets:
        raise BackendError("No data set was given. Choose one or more that 'Build data set' wrote.")
    folders = []
    for number, dataset in enumerate(datasets):
        part = report.part(number / len(datasets), (number + 1) / len(datasets))
        folders.append(_packed_folder(Path(dataset), kind, cache / f"{number}_{kind}", part))
    return tuple(folders)


def _packed_folder(folder: Path, kind: DataKind, target: Path, report: Reporter) -> Path:
    if (folder / PACKED_INDEX).is_file():
        index = layout.read_packed_index(folder)
        if index.get(kind):
            _check_gsd(folder, index, kind)
            return folder
        if kind == "tiles" or not index.get("tiles"):
            raise BackendError(f"{folder} holds no {'image tiles' if kind == 'tiles' else 'land cover'}.")
    elif not (folder / INDEX).is_file():
        raise BackendError(
            f"{folder} is not a data set: it has no {INDEX}. Choose a folder that 'Build data set' wrote."
        )
    if not (target / PACKED_INDEX).is_file():
        _pack(folder, kind, target, report)
    return target


def _check_gsd(folder: Path, index: dict[str, Any], kind: DataKind) -> None:
    pixel_m = float(index.get("pixel_m", PIXEL_M))
    if kind == "tiles" and abs(pixel_m / PIXEL_M - 1) > PACKED_GSD_TOLERANCE:
        raise BackendError(
            f"The packed tiles of {folder} have pixels of {pixel_m:g} m, but image generators learn at 1 m. Give the "
            "data set that they were packed from: it is resampled."
        )


def _pack(folder: Path, kind: DataKind, target: Path, report: Reporter) -> None:
    """Pack a folder into the target, whole or not at all."""
    partial = partial_path(target)
    shutil.rmtree(partial, ignore_errors=True)
    report.log(f"packing {folder.name}, once")
    try:
        if (folder / PACKED_INDEX).is_file():
            _pack_labels_as_landcover(folder, partial)
        else:
            from backend.datasets import pack  # imports GDAL

            pack.pack_dataset(folder, partial, kind, report)
        partial.replace(target)
    except OSError as error:
        raise BackendError(f"Cannot write to {target.parent}: {error}. Check the space on its disk.") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _pack_labels_as_landcover(folder: Path, target: Path) -> None:
    """Pack the labels of packed image tiles as land cover at 10 m, by majority."""
    index = layout.read_packed_index(folder)
    factor = LANDCOVER_PIXEL_M / float(index.get("pixel_m", PIXEL_M))
    target.mkdir(parents=True, exist_ok=True)
    entries = {}
    for split in ("train", "val"):
        for group_name, (arrays, numbers) in PackedTiles((folder,), split).groups.items():
            name = f"{group_name}_{split}"
            labels = (legend.majority_downsample(arrays.labels[number], factor) for number in numbers)
            layout.write_stack(target / f"{name}_landcover.npy", len(numbers), labels)
            entries[name] = {"split": [split] * len(numbers)}
    own = {"pixel_m": LANDCOVER_PIXEL_M, "source_pixel_m": index.get("pixel_m"), "landcover": entries}
    common = {key: value for key, value in index.items() if key in ("synthetic", "attribution")}
    (target / PACKED_INDEX).write_text(json.dumps({**own, **common}), encoding="utf-8")


def check_training_data(data: Data, datasets: Sequence[str], crop_px: int, report: Reporter) -> np.ndarray:
    """Check that the data can be trained on; returns the pixels of each class, (COUNT,) int64.

    BackendError where there is no tile, where tiles are too small, and where land cover has a single class; a single
    class in image tiles is only logged.
    """
    if isinstance(data, PackedLandCover):
        _check_landcover_size(data, datasets, crop_px)
    else:
        _check_tile_size(data)
    if not data.crop_count(crop_px):
        raise BackendError(
            "The data sets hold no 'train' tiles, which training needs. Build them from more ground or with smaller "
            "tiles."
        )
    counts = data.class_counts()
    codes = legend.CODES[np.flatnonzero(counts)]
    if not len(codes):
        raise BackendError("No label of the data sets is known: all of their pixels are nodata.")
    if len(codes) == 1:
        message = f"The data sets show a single class, {codes[0]} {legend.LEGEND[int(codes[0])][0]}"
        if isinstance(data, PackedLandCover):
            raise BackendError(f"{message}: there is nothing to learn. Use labels of more classes or more ground.")
        report.log(f"{message}: the generator will know no other.")
    return counts


def _check_landcover_size(data: PackedLandCover, datasets: Sequence[str], crop_px: int) -> None:
    for name, arrays in data.groups.items():
        side = min(arrays.classes.shape[1:])
        if side >= crop_px:
            continue
        number = int(name.split("_")[0])
        index = layout.read_packed_index(data.folders[number])
        pixel_m = float(index.get("source_pixel_m") or LANDCOVER_PIXEL_M)
        needed = int(np.ceil(crop_px * LANDCOVER_PIXEL_M / pixel_m))
        raise BackendError(
            f"The tiles of {datasets[number]} are {side} pixels wide at land cover's 10 m, but "
            f"training sees windows of {crop_px} ({crop_px * LANDCOVER_PIXEL_M / 1000:g} km). Build the data set with "
            f"tiles of {needed} pixels or more, or with IMAGE left empty, which cuts labels at their own pixel size."
        )


def _check_tile_size(data: PackedTiles) -> None:
    for arrays, _ in data.groups.values():
        if arrays.size < MIN_TILE_PX:
            raise BackendError(
                f"A data set's tiles are {arrays.size} m wide, but training needs {MIN_TILE_PX}. Build it with "
                "larger tiles."
            )


def index_entry(datasets: Sequence[str], data: Data, class_counts: np.ndarray, crop_px: int) -> dict[str, Any]:
    """The entry of a model's index on its training data."""
    indices = [layout.read_packed_index(folder) for folder in data.folders]
    validation = type(data)(data.folders, "val")
    packed_gsd = LANDCOVER_PIXEL_M if isinstance(data, PackedLandCover) else PIXEL_M
    return {
        "names": [Path(dataset).name for dataset in datasets],
        "gsd_m": sorted({float(index.get("source_pixel_m") or packed_gsd) for index in indices}),
        "synthetic": any(bool(index.get("synthetic")) for index in indices),
        "attribution": sorted({text for index in indices for text in index.get("attribution", [])}),
        "crops": {"train": data.crop_count(crop_px), "val": validation.crop_count(crop_px)},
        "codes": legend.CODES[np.flatnonzero(class_counts)].tolist(),
        "shares": {
            str(code): round(float(count) / float(class_counts.sum()), 6)
            for code, count in zip(legend.CODES, class_counts)
            if count
        },
    }
