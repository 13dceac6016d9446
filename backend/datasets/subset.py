"""A data set of some tiles of others: their files, manifest, STAC items and index, as `builddataset` writes them."""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.datasets import layout
from backend.datasets.spatial_split import SPLITS
from backend.protocol import BackendError, partial_path


@dataclass(frozen=True)
class Pick:
    """A tile by its data set's folder and its name there, and its name in the subset."""

    folder: Path
    name: str
    new_name: str


def check_built(folders: Sequence[Path]) -> None:
    """BackendError for folders that `builddataset` did not write, or whose tiles differ in size."""
    for folder in folders:
        if not (folder / layout.INDEX).is_file():
            raise BackendError(
                f"{folder} holds packed tiles, which cannot be taken out one by one. Give the data set that they were "
                "packed from."
            )
    sizes = {}
    for folder in folders:
        with layout.damage_errors(folder):
            sizes[folder] = int(layout.read_manifest(folder)[0]["tile_px"])
    if len(set(sizes.values())) > 1:
        told = ", ".join(f"{folder} {size} px" for folder, size in sizes.items())
        raise BackendError(f"The data sets have tiles of different sizes: {told}. Build them with the same.")


def write(target: Path, picks: Sequence[Pick], **more: Any) -> None:
    """Copy the picked tiles into a data set folder, which takes an older one's place whole; `more` goes to its index.

    BackendError where a data set is damaged, OSError where the folder cannot be written.
    """
    part = partial_path(target)
    shutil.rmtree(part, ignore_errors=True)
    for kind in ("image", "label"):
        (part / kind).mkdir(parents=True)
    rows, items, indices = list[dict[str, str]](), list[dict[str, Any]](), list[dict[str, Any]]()
    for folder in dict.fromkeys(pick.folder for pick in picks):
        own = {pick.name: pick.new_name for pick in picks if pick.folder == folder}
        with layout.damage_errors(folder):
            index, listed = layout.read_manifest(folder)
            indices.append(index)
            rows += [_copied(folder, part, row, own[row["name"]]) for row in listed if row["name"] in own]
            items += _items(folder, own)
    _write_lists(part, rows, items)
    (part / layout.INDEX).write_text(json.dumps({**_joined(indices, rows), **more}, indent=1) + "\n", encoding="utf-8")
    shutil.rmtree(target, ignore_errors=True)
    os.replace(part, target)


def _copied(folder: Path, part: Path, row: dict[str, str], name: str) -> dict[str, str]:
    """A tile's files in their new place; its row of the manifest."""
    places = {kind: f"{kind}/{name}.tif" for kind in ("image", "label")}
    for kind, place in places.items():
        shutil.copyfile(folder / row[kind], part / place)
    return {**row, **places, "name": name}


def _items(folder: Path, names: dict[str, str]) -> list[dict[str, Any]]:
    """The STAC items of the tiles; none where the data set has none."""
    path = folder / layout.ITEMS
    found = json.loads(path.read_text(encoding="utf-8"))["features"] if path.is_file() else []
    own = [item for item in found if item["id"] in names]
    for item in own:
        item["id"] = names[item["id"]]
        for kind, asset in item["assets"].items():
            asset["href"] = f"{kind}/{item['id']}.tif"
    return own


def _write_lists(part: Path, rows: list[dict[str, str]], items: list[dict[str, Any]]) -> None:
    with open(part / layout.MANIFEST, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, layout.COLUMNS, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    if items:
        collection = {"type": "FeatureCollection", "features": items}
        (part / layout.ITEMS).write_text(json.dumps(collection), encoding="utf-8")


def _joined(indices: list[dict[str, Any]], rows: list[dict[str, str]]) -> dict[str, Any]:
    """The first data set's index, with what all of them have to say."""
    return {
        **indices[0],
        "counts": {split: sum(row["split"] == split for row in rows) for split in SPLITS},
        "synthetic": any(index["synthetic"] for index in indices),
        "attribution": sorted({text for index in indices for text in index.get("attribution", [])}),
        "sources": [source for index in indices for source in index.get("sources", [])],
    }
