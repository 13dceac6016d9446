"""Building a data set: aligned images and labels, or labels alone, cut into tiles and split by geography.

Tiles lie every `stride_px` (0: side by side) from each image's first pixel; what is left at its right and lower edge is
smaller than a tile and not used. Images with more than three bands give their first three. Rasters that are clipped of
extents stay in the folder, under `clipped`; a run that is interrupted leaves them beside the output for the next one.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from rasterio.windows import Window

from backend import protocol
from backend.datasets import extent_clips, label_offset, layout, pairing, writer
from backend.datasets.image_label_pairs import Pair, PairReading, open_pairs
from backend.datasets.spatial_split import Footprint, split_by_ground
from backend.geo import class_raster, legend
from backend.geo.image_raster import ImageReading
from backend.geo.raster import Log, check_writable
from backend.protocol import BackendError

MAX_STYLES, MAX_STYLE_LETTERS = 8, 24
CLIPPED = "clipped"  # the folder of the clipped rasters
CLIPPING_SHARE, CUTTING_SHARE = 0.7, 0.9  # of the progress of a run, and of that of what follows the clipping


def check(job: protocol.BuildDataset) -> None:
    """BackendError for settings that cannot be used, and for an output that is not empty."""
    if job.extents and max(len(job.image), len(job.label)) > 1:
        raise BackendError(
            f"There are {len(job.image)} images and {len(job.label)} labels, but extents are clipped of one each at "
            "most. Give one, or none for the public sources; or give the rasters without extents."
        )
    images, labels = pairing.rasters_of(job.image), pairing.rasters_of(job.label)
    if not job.extents and (not labels or (images and len(labels) not in (1, len(images)))):
        raise BackendError(
            f"There are {len(images)} images and {len(labels)} labels. Give one label for each image, one for all, or "
            "labels alone; or extents to clip."
        )
    ImageReading.parse(job.bands, job.stretch)
    if job.tile_px < 32 or job.stride_px < 0:
        raise BackendError("Tiles must be at least 32 pixels wide and the stride must not be negative.")
    held_out = job.val_share + job.test_share
    if not (0 < job.min_valid <= 1 and min(job.val_share, job.test_share) >= 0 and held_out < 1):
        raise BackendError(
            "The least valid share must lie between 0 and 1, and val and test together must leave a share to train on."
        )
    _styles(job)
    output = Path(job.output)
    if output.is_file() or (output.is_dir() and any(output.iterdir())):
        raise BackendError(f"The output {output} is not empty. Choose a new folder.")


def _styles(job: protocol.BuildDataset) -> list[str]:
    """The styles of all images; BackendError for malformed ones, for too many, and for styles without images."""
    styles = list(dict.fromkeys(part.strip() for part in job.style.split(",") if part.strip()))
    for style in styles:
        if not re.fullmatch(f"[A-Za-z0-9_-]{{1,{MAX_STYLE_LETTERS}}}", style):
            raise BackendError(
                f"{style!r} is no style: use letters, digits, - and _, at most {MAX_STYLE_LETTERS} of them, and part "
                "styles by commas: 'coastal, 2018'."
            )
    if len(styles) > MAX_STYLES:
        raise BackendError(f"There are {len(styles)} styles, but a data set has {MAX_STYLES} at most.")
    if styles and not (job.image or job.extents):
        raise BackendError("A style is a look of images, but there are only labels. Leave it out, or give the images.")
    return styles


def _reading(job: protocol.BuildDataset, log: Log) -> PairReading:
    """How the job's rasters are read; BackendError for BANDS or a STRETCH that are not understood."""
    return PairReading(log, ImageReading.parse(job.bands, job.stretch), job.legend)


def _check_labels(job: protocol.BuildDataset, report: protocol.Reporter) -> None:
    """BackendError where a label has another legend than the job's."""
    for path in dict.fromkeys(job.label):
        class_raster.check_codes(path, "label", report.log, job.legend, remedy="Set LEGEND to {}")


class _TileCutter:
    """Cuts pairs into tiles, and records why positions gave no tile."""

    def __init__(self, job: protocol.BuildDataset, folder: Path) -> None:
        self.job, self.folder, self.styles = job, folder, _styles(job)
        self.entries: list[writer.Entry] = []
        self.any_image = self.any_label = self.any_known = False
        self.highest_valid = 0.0

    def cut(self, pair: Pair, name: str, row: int, col: int) -> None:
        """Write the tile at a position where enough of it is valid."""
        window = Window(col, row, self.job.tile_px, self.job.tile_px)
        codes = pair.codes(window)
        indices = legend.to_index(codes)
        unmasked, known = pair.image_mask(window), indices != legend.IGNORE
        valid = unmasked & known
        self.any_image |= bool(unmasked.any())
        self.any_label |= bool((codes != legend.NODATA).any())
        self.any_known |= bool(known.any())
        self.highest_valid = max(self.highest_valid, float(valid.mean()))
        if valid.mean() < self.job.min_valid:
            return
        tags = {"LANDFORGE_SYNTHETIC": "YES" if pair.synthetic else "NO"}
        georeference = (pair.label.crs, pair.label.window_transform(window), tags)
        if pair.image is not None:
            writer.write_tile(self.folder / "image" / f"{name}.tif", pair.rgb(window), *georeference)
        label = np.where(valid, codes, legend.NODATA)[None]
        writer.write_tile(self.folder / "label" / f"{name}.tif", label, *georeference)
        tile = Footprint(name, str(pair.label.crs), pair.label.window_bounds(window))
        valid_indices = np.where(valid, indices, legend.IGNORE)
        self.entries.append(writer.entry(tile, valid_indices, pair.image is not None, self.styles))

    def check_any(self) -> None:
        """BackendError with the reason where there is no tile."""
        if self.entries:
            return
        if not self.any_image:
            raise BackendError("The images hold no data: all of their pixels are masked.")
        if not self.any_label:
            where = " where the images lie" if self.job.image else ""
            raise BackendError(f"The labels hold no data{where}: all of their pixels are nodata.")
        if not self.any_known:
            raise BackendError(
                "No label has a code of the WorldCover legend (10, 20, ... 100). Reclassify the labels to it first."
            )
        raise BackendError(
            f"No tile is valid enough: the best has {self.highest_valid:.0%} valid pixels, but {self.job.min_valid:.0%}"
            " are asked for. Lower the least valid share or use smaller tiles."
        )

    def split(self) -> list[writer.Entry]:
        """The tiles with their splits; the files of tiles that are left out by `split_by_ground` are removed."""
        job = self.job
        tiles = split_by_ground([entry.tile for entry in self.entries], job.val_share, job.test_share, job.seed)
        if not any(tile.split == "train" for tile in tiles):
            raise BackendError(
                "The tiles overlap so much that none is left to train on apart from the held-out ones. Use a larger "
                "stride, smaller tiles or more ground."
            )
        by_name = {tile.name: tile for tile in tiles}
        for entry in self.entries:
            if entry.tile.name not in by_name:
                for path in entry.files.values():
                    (self.folder / path).unlink()
        return [replace(entry, tile=by_name[entry.tile.name]) for entry in self.entries if entry.tile.name in by_name]


def _cut_and_write(job: protocol.BuildDataset, folder: Path, clips: Path | None, report: protocol.Reporter) -> None:
    """Cut the job's rasters into the folder, with manifest and index; `clips` is the folder of those clipped before."""
    cutter, stride_px = _TileCutter(job, folder), job.stride_px or job.tile_px
    with open_pairs(job.image, job.label, job.tile_px, _reading(job, report.log)) as pairs:
        positions = [
            (number, *corner)
            for number, pair in enumerate(pairs)
            for corner in pair.tile_positions(job.tile_px, stride_px)
        ]
        for done, (number, row, col) in enumerate(positions):
            cutter.cut(pairs[number], f"{number:03d}_{row:06d}_{col:06d}", row, col)
            report.progress(CUTTING_SHARE * (done + 1) / len(positions), f"tile {done + 1} of {len(positions)}")
        cutter.check_any()
        report.progress(CUTTING_SHARE, "looking for an offset of labels and images")
        offset = label_offset.estimate(pairs)
        index = {
            "tile_px": job.tile_px,
            "stride_px": stride_px,
            "min_valid": job.min_valid,
            "pixel_m": pairs[0].pixel_m,
            "seed": job.seed,
            "synthetic": any(pair.synthetic for pair in pairs),
            "attribution": sorted({text for pair in pairs for text in pair.attribution}),
            "sources": _sources(job, pairs, clips),
            "offset_m": offset.to_json() if offset else None,
        }
    entries = cutter.split()
    writer.write(folder, entries, index)
    if offset:
        report.log(
            label_offset.warning(offset.to_json()) or f"No offset of labels and images found in {offset.places} places."
        )
    report.progress(1.0)
    counts = writer.counts(entry.tile.split for entry in entries)
    report.log("tiles: " + ", ".join(f"{count} {split}" for split, count in counts.items()))


def _sources(job: protocol.BuildDataset, pairs: Sequence[Pair], clips: Path | None) -> list[dict[str, Any]]:
    """The index's entry on the rasters; those that were clipped with the paths that they will have in the output."""

    def final_path(path: str) -> str:
        return str(Path(job.output).absolute() / CLIPPED / Path(path).name) if Path(path).parent == clips else path

    images = job.image or ("",) * len(job.label)
    return [
        {"image": final_path(image), "label": final_path(label), "synthetic": pair.synthetic}
        for image, label, pair in zip(images, job.label, pairs)
    ]


def build(job: protocol.BuildDataset, report: protocol.Reporter) -> None:
    """Write the data set folder, whole or not at all, after `check`.

    BackendError where the rasters do not fit each other or the job, where no tile is valid, and on a full disk.
    """
    output = Path(job.output).absolute()
    folder = protocol.partial_path(output)
    shutil.rmtree(folder, ignore_errors=True)
    check_writable(folder / layout.INDEX)
    clips = extent_clips.open_folder(job, report) if job.extents else None
    try:
        if clips:
            job = extent_clips.clip_extents(job, clips, report.part(0.0, CLIPPING_SHARE))
            report = report.part(CLIPPING_SHARE, 1.0)
        else:
            images, labels = pairing.rasters_of(job.image), pairing.rasters_of(job.label)
            labels = pairing.labels_by_place(images, labels, report.log) if images else labels
            job = replace(job, image=images, label=labels)
            _check_labels(job, report)
        _cut_and_write(job, folder, clips, report)
        with writer.disk_errors(output.parent):
            if clips:
                (clips / extent_clips.ORIGIN).unlink()
                os.replace(clips, folder / CLIPPED)
            if output.is_dir():
                output.rmdir()
            os.replace(folder, output)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if clips and not any(clips.glob("[0-9]*.tif")):
            shutil.rmtree(clips, ignore_errors=True)
