"""Cut aligned image and label rasters, or labels alone, into tiles, split by geography, with a manifest."""

from __future__ import annotations

import json
import os
import re
import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from rasterio.windows import Window

from backend import protocol
from backend.datasets import label_offset, reader, writer
from backend.datasets.image_label_pairs import Pair, open_pairs
from backend.datasets.spatial_split import Footprint, split_by_ground
from backend.geo import class_raster, legend
from backend.geo.block_store import stamp
from backend.geo.raster import check_writable
from backend.protocol import BackendError
from backend.sources import clip

MOST_STYLES, MOST_LETTERS = 8, 24
CLIPPED, CLIPPING = "clipped", 0.7  # the folder, and the share of the progress
CLIPS = "clips.json"  # what the rasters of that folder were clipped of


def _styles(job: protocol.BuildDataset) -> list[str]:
    """The words for the look of all images; BackendError for what is no short word, too many, and without images."""
    found = list(dict.fromkeys(part.strip() for part in job.style.split(",") if part.strip()))
    for style in found:
        if not re.fullmatch(f"[A-Za-z0-9_-]{{1,{MOST_LETTERS}}}", style):
            raise BackendError(
                f"{style!r} is no style: use letters, digits, - and _, at most {MOST_LETTERS} of them, and part styles "
                "by commas: 'coastal, 2018'."
            )
    if len(found) > MOST_STYLES:
        raise BackendError(f"There are {len(found)} styles, but a data set has {MOST_STYLES} at most.")
    if found and not (job.image or job.extents):
        raise BackendError("A style is a look of images, but there are only labels. Leave it out, or give the images.")
    return found


def _check_job(job: protocol.BuildDataset) -> None:
    if job.extents and max(len(job.image), len(job.label)) > 1:
        raise BackendError(
            f"There are {len(job.image)} images and {len(job.label)} labels, but extents are clipped of one each at "
            "most. Give one, or none for the public sources; or give the rasters without extents."
        )
    if not job.extents and (not job.label or (job.image and len(job.image) != len(job.label))):
        raise BackendError(
            f"There are {len(job.image)} images and {len(job.label)} labels. Give one label for each image, in order, "
            "or labels alone; or extents to clip."
        )
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


class _Cutter:
    """Cuts pairs into tiles, and remembers why places were passed over."""

    def __init__(self, job: protocol.BuildDataset, folder: Path) -> None:
        self.job, self.folder, self.styles = job, folder, _styles(job)
        self.entries: list[writer.Entry] = []
        self.any_image = self.any_label = self.any_known = False
        self.most_valid = 0.0

    def cut(self, pair: Pair, name: str, row: int, col: int) -> None:
        """Write the tile at a place where enough of it is valid."""
        window = Window(col, row, self.job.tile_px, self.job.tile_px)
        raw = pair.codes(window)
        codes = class_raster.to_codes(raw)
        index = legend.to_index(codes)
        seen, known = pair.seen(window), index != legend.IGNORE
        valid = seen & known
        self.any_image |= bool(seen.any())
        self.any_label |= bool((raw != legend.NODATA).any())
        self.any_known |= bool(known.any())
        self.most_valid = max(self.most_valid, float(valid.mean()))
        if valid.mean() < self.job.min_valid:
            return
        tags = {"LANDFORGE_SYNTHETIC": "YES" if pair.synthetic else "NO"}
        place = (pair.label.crs, pair.label.window_transform(window), tags)
        if pair.image is not None:
            writer.write_tile(self.folder / "image" / f"{name}.tif", pair.rgb(window), *place)
        writer.write_tile(self.folder / "label" / f"{name}.tif", np.where(valid, codes, legend.NODATA)[None], *place)
        tile = Footprint(name, str(pair.label.crs), pair.label.window_bounds(window))
        labelled = np.where(valid, index, legend.IGNORE)
        self.entries.append(writer.entry(tile, labelled, pair.image is not None, self.styles))

    def check(self) -> None:
        """BackendError that says why there is no tile, where there is none."""
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
            f"No tile is valid enough: the best has {self.most_valid:.0%} valid pixels, but {self.job.min_valid:.0%} "
            "are asked for. Lower the least valid share or use smaller tiles."
        )

    def split(self) -> list[writer.Entry]:
        """The tiles with their splits; those that share ground with a held-out one are removed."""
        job = self.job
        kept = split_by_ground([each.tile for each in self.entries], job.val_share, job.test_share, job.seed)
        if not any(tile.split == "train" for tile in kept):
            raise BackendError(
                "The tiles overlap so much that none is left to train on apart from the held-out ones. Use a larger "
                "stride, smaller tiles or more ground."
            )
        placed = {tile.name: tile for tile in kept}
        for each in self.entries:
            if each.tile.name not in placed:
                for path in each.files.values():
                    (self.folder / path).unlink()
        return [replace(each, tile=placed[each.tile.name]) for each in self.entries if each.tile.name in placed]


def _clips(job: protocol.BuildDataset, report: protocol.Reporter) -> Path:
    """The folder beside the output to clip into, with what an earlier run has clipped of the same."""
    folder = protocol.unfinished_path(Path(job.output).absolute())
    layers = [stamp(path) if Path(path).exists() else path for path in (*job.image, *job.label)]
    told = [*map(asdict, job.extents), *layers, bool(job.image), job.landcover_source, job.year, job.pixel_m]
    text, known = json.dumps(told) + "\n", folder / CLIPS
    if known.is_file() and known.read_text(encoding="utf-8") == text:
        found = len(list(folder.glob("[0-9]*.tif")))
        report.log(f"An earlier run left {found:,} of {2 * len(job.extents):,} clipped rasters; going on from them.")
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    check_writable(known)
    with writer.disk_errors(folder.parent):
        known.write_text(text, encoding="utf-8")
    return folder


def _clipped(job: protocol.BuildDataset, folder: Path, report: protocol.Reporter) -> protocol.BuildDataset:
    """The job on rasters that are clipped of its extents into a folder, those that are there left as they are."""
    image_layer, label_layer, count = "".join(job.image), "".join(job.label), len(job.extents)
    image_source: Any = "layer" if image_layer else "planetarycomputer"
    label_source: Any = "layer" if label_layer else job.landcover_source
    images, labels = ([str(folder / f"{n:03d}_{kind}.tif") for n in range(count)] for kind in ("image", "label"))
    for number, (extent, image, label) in enumerate(zip(job.extents, images, labels)):
        report.log(f"Clipping extent {number + 1:,} of {count:,}.")
        first, second = (report.part((number + at) / count, (number + at + 0.5) / count) for at in (0, 0.5))
        naip = protocol.ClipNaip(extent, image, image_source, job.year, job.pixel_m, image_layer)
        worldcover = protocol.ClipWorldCover(extent, label, label_source, layer=label_layer)
        if not Path(image).is_file():
            clip.clip_naip(naip, first)
        if not Path(label).is_file():
            clip.clip_worldcover(worldcover, second)
    return replace(job, image=tuple(images), label=tuple(labels), extents=())


def _build(job: protocol.BuildDataset, folder: Path, clips: Path | None, report: protocol.Reporter) -> None:
    cutter, stride_px = _Cutter(job, folder), job.stride_px or job.tile_px
    with open_pairs(job.image, job.label, job.tile_px) as pairs:
        places = [
            (number, *place) for number, pair in enumerate(pairs) for place in pair.places(job.tile_px, stride_px)
        ]
        for done, (number, row, col) in enumerate(places):
            cutter.cut(pairs[number], f"{number:03d}_{row:06d}_{col:06d}", row, col)
            report.progress(0.9 * (done + 1) / len(places), f"tile {done + 1} of {len(places)}")
        cutter.check()
        report.progress(0.9, "looking for an offset of labels and images")
        offset = label_offset.offset(pairs)
        pixel_m, synthetic = pairs[0].pixel_m, [pair.synthetic for pair in pairs]
        attribution = sorted({text for pair in pairs for text in pair.attribution})
    entries = cutter.split()
    images = job.image or ("",) * len(job.label)
    output = Path(job.output).absolute()
    sources = [
        {"image": _in_the_end(image, clips, output), "label": _in_the_end(label, clips, output), "synthetic": made}
        for image, label, made in zip(images, job.label, synthetic)
    ]
    index = {
        "tile_px": job.tile_px,
        "stride_px": stride_px,
        "min_valid": job.min_valid,
        "pixel_m": pixel_m,
        "seed": job.seed,
        "synthetic": any(synthetic),
        "attribution": attribution,
        "sources": sources,
        "offset_m": offset.said() if offset else None,
    }
    writer.write(folder, entries, index)
    if offset:
        report.log(
            label_offset.warning(offset.said()) or f"No offset of labels and images found in {offset.places} places."
        )
    report.progress(1.0)
    report.log("tiles: " + ", ".join(f"{count} {split}" for split, count in writer.counts(entries).items()))


def _in_the_end(path: str, clips: Path | None, output: Path) -> str:
    """Where what is clipped will lie; other paths stay."""
    return str(output / CLIPPED / Path(path).name) if clips and Path(path).parent == clips else path


def run(job: protocol.BuildDataset, report: protocol.Reporter) -> dict[str, str]:
    """Write the data set folder, whole or not at all.

    Tiles lie every `stride_px` (0: side by side) from each image's first pixel; what is left at its right and lower
    edge is too small for a tile and not used. Images with more than three bands give their first three. What is
    clipped of extents stays in the folder, under `clipped`; a run that ends early leaves it beside the output, for the
    next one.
    """
    _check_job(job)
    output = Path(job.output).absolute()
    folder = protocol.partial_path(output)
    shutil.rmtree(folder, ignore_errors=True)
    check_writable(folder / reader.INDEX)
    clips = _clips(job, report) if job.extents else None
    try:
        if clips:
            job = _clipped(job, clips, report.part(0.0, CLIPPING))
            report = report.part(CLIPPING, 1.0)
        _build(job, folder, clips, report)
        with writer.disk_errors(output.parent):
            if clips:
                (clips / CLIPS).unlink()
                os.replace(clips, folder / CLIPPED)
            if output.is_dir():
                output.rmdir()
            os.replace(folder, output)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if clips and not any(clips.glob("[0-9]*.tif")):
            shutil.rmtree(clips, ignore_errors=True)
    return {"output": job.output}
