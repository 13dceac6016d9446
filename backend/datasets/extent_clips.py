"""Rasters clipped of a job's extents, in a folder beside the output that an interrupted run leaves for the next one."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from backend import protocol
from backend.datasets import writer
from backend.geo.block_store import stamp
from backend.geo.raster import check_writable
from backend.sources import clip

ORIGIN = "clips.json"  # the file with the extents and sources that the rasters were clipped of


def open_folder(job: protocol.BuildDataset, report: protocol.Reporter) -> Path:
    """The folder to clip into, with the rasters of an earlier run if its extents and sources were the same."""
    folder = protocol.unfinished_path(Path(job.output).absolute())
    layers = [stamp(path) if Path(path).exists() else path for path in (*job.image, *job.label)]
    origin = [*map(asdict, job.extents), *layers, bool(job.image), job.landcover_source, job.year, job.pixel_m]
    origin += [job.bands, job.stretch, job.legend]
    text, path = json.dumps(origin) + "\n", folder / ORIGIN
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        count = len(list(folder.glob("[0-9]*.tif")))
        report.log(f"An earlier run left {count:,} of {2 * len(job.extents):,} clipped rasters; going on from them.")
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    check_writable(path)
    with writer.disk_errors(folder.parent):
        path.write_text(text, encoding="utf-8")
    return folder


def clip_extents(job: protocol.BuildDataset, folder: Path, report: protocol.Reporter) -> protocol.BuildDataset:
    """Clip an image and a label of each extent that lacks them; returns the job on these rasters."""
    image_layer, label_layer, count = "".join(job.image), "".join(job.label), len(job.extents)
    image_source: Any = "layer" if image_layer else "planetarycomputer"
    label_source: Any = "layer" if label_layer else job.landcover_source
    images, labels = ([str(folder / f"{n:03d}_{kind}.tif") for n in range(count)] for kind in ("image", "label"))
    for number, (extent, image, label) in enumerate(zip(job.extents, images, labels)):
        report.log(f"Clipping extent {number + 1:,} of {count:,}.")
        image_part, label_part = (
            report.part((number + begin) / count, (number + begin + 0.5) / count) for begin in (0, 0.5)
        )
        naip = protocol.ClipNaip(
            extent, image, image_source, job.year, job.pixel_m, image_layer, bands=job.bands, stretch=job.stretch
        )
        worldcover = protocol.ClipWorldCover(extent, label, label_source, layer=label_layer, legend=job.legend)
        if not Path(image).is_file():
            clip.clip_naip(naip, image_part)
        if not Path(label).is_file():
            clip.clip_worldcover(worldcover, label_part)
    clipped = replace(job, image=tuple(images), label=tuple(labels), extents=())
    return replace(clipped, bands="", stretch="", legend="worldcover")  # the clips are RGB and WorldCover's codes
