"""A data set of tiles picked from other data sets: their files, manifest rows, STAC items and indices copied."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.datasets import layout, writer
from backend.protocol import BackendError, partial_path


@dataclass(frozen=True)
class Pick:
    """A tile, by its data set's folder and its name there, and its name in the subset."""

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
        listed = ", ".join(f"{folder} {size} px" for folder, size in sizes.items())
        raise BackendError(f"The data sets have tiles of different sizes: {listed}. Build them with the same.")


def write(target: Path, picks: Sequence[Pick], **index_entries: Any) -> None:
    """Copy the picked tiles into a data set folder, which replaces an older one as a whole.

    `index_entries` are added to its index. BackendError where a data set is damaged, OSError where the folder cannot
    be written.
    """
    part = partial_path(target)
    shutil.rmtree(part, ignore_errors=True)
    for kind in ("image", "label"):
        (part / kind).mkdir(parents=True)
    rows, items, indices = list[dict[str, str]](), list[dict[str, Any]](), list[dict[str, Any]]()
    for folder in dict.fromkeys(pick.folder for pick in picks):
        new_names = {pick.name: pick.new_name for pick in picks if pick.folder == folder}
        with layout.damage_errors(folder):
            index, all_rows = layout.read_manifest(folder)
            indices.append(index)
            rows += [
                _copy_tile(folder, part, row, new_names[row["name"]]) for row in all_rows if row["name"] in new_names
            ]
            items += _items(folder, new_names)
    writer.write_files(part, rows, items, {**_merged_index(indices, rows), **index_entries})
    shutil.rmtree(target, ignore_errors=True)
    os.replace(part, target)


def _copy_tile(folder: Path, part: Path, row: dict[str, str], name: str) -> dict[str, str]:
    """Copy a tile's files; returns its new row of the manifest."""
    paths = {kind: f"{kind}/{name}.tif" for kind in ("image", "label")}
    for kind, path in paths.items():
        shutil.copyfile(folder / row[kind], part / path)
    return {**row, **paths, "name": name}


def _items(folder: Path, new_names: dict[str, str]) -> list[dict[str, Any]]:
    """The STAC items of the tiles under their new names; none where the data set has none."""
    path = folder / layout.ITEMS
    all_items = json.loads(path.read_text(encoding="utf-8"))["features"] if path.is_file() else []
    items = [item for item in all_items if item["id"] in new_names]
    for item in items:
        item["id"] = new_names[item["id"]]
        for kind, asset in item["assets"].items():
            asset["href"] = f"{kind}/{item['id']}.tif"
    return items


def _merged_index(indices: list[dict[str, Any]], rows: list[dict[str, str]]) -> dict[str, Any]:
    """The first data set's index, with the counts, sources and credits of all."""
    return {
        **indices[0],
        "counts": writer.counts(row["split"] for row in rows),
        "synthetic": any(index["synthetic"] for index in indices),
        "attribution": sorted({text for index in indices for text in index.get("attribution", [])}),
        "sources": [source for index in indices for source in index.get("sources", [])],
    }
