"""Make the four standard data sets of a study from a real one: the same tiles, places and splits, painted anew."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import shutil
from pathlib import Path

from backend.datasets import label_offset, layout, writer
from backend.generation import outputs, tile_mosaic
from backend.generation.standard_sets import RealSet, SetSpec, Stage, said
from backend.geo import legend
from backend.geo.block_store import StoreHeldError
from backend.geo.raster import check_writable
from backend.models import base
from backend.models.landcover import LandCoverGenerator
from backend.protocol import BackendError, BuildStandardSets, Reporter, partial_path, unfinished_path
from backend.tiling.render import duration

SETTINGS = "standardsets.json"
REAL = "real"
COPIED = ("image", "label", layout.MANIFEST, layout.ITEMS, layout.INDEX)


def _open(job: BuildStandardSets) -> RealSet:
    """The data set; BackendError where nothing can be painted on it."""
    folder = Path(job.dataset)
    if not (folder / layout.INDEX).is_file():
        packed = (folder / layout.PACKED_INDEX).is_file()
        reason = "is packed, and packed tiles have lost their places" if packed else f"has no {layout.INDEX}"
        raise BackendError(f"{folder} {reason}. Choose a data set that 'Build data set' wrote.")
    with layout.damage_errors(folder):
        index, entries = writer.read(folder)
        if not entries:
            raise BackendError(f"The data set {folder} holds no tiles.")
        if not all(each.has_image for each in entries):
            raise layout.no_images_error(folder)
        if not all(each.tile.crs for each in entries):
            raise BackendError(f"The tiles of {folder} have no CRS, so their places are unknown. Build it again.")
        regions = tile_mosaic.regions(entries, float(index["pixel_m"]), int(index["tile_px"]))
        return RealSet(folder, index, entries, regions)


def _recipes(job: BuildStandardSets, real: RealSet) -> dict[str, SetSpec]:
    """The painted sets by name; BackendError for models that are none, and for one of another GSD."""
    controlnet = outputs.load_generator("controlnet", job.controlnet_model)
    spade = outputs.load_generator("spade", job.spade_model)
    cartographer = base.load(LandCoverGenerator, job.landcover_model)
    for painter in (controlnet, spade):
        if abs(real.pixel_m / painter.pixel_m - 1) > layout.SAME_GSD_TOLERANCE:
            raise BackendError(
                f"The tiles of {real.folder} have pixels of {real.pixel_m:g} m, but {painter.name} paints at "
                f"{painter.pixel_m:g} m. Resample images and labels to that and build the data set again."
            )
    places = real.places() if job.composition == "real" else {}
    return {
        "controlnet": SetSpec(controlnet),
        "spade": SetSpec(spade),
        "synthetic": SetSpec(controlnet, cartographer, places),
    }


def _prepare(job: BuildStandardSets, real: RealSet, recipes: dict[str, SetSpec], report: Reporter) -> Path:
    """The folder that the sets grow in, beside the output: of an earlier run with the same settings, or a new one."""
    output = Path(job.output).absolute()
    if output.is_file() or (output.is_dir() and any(output.iterdir())):
        raise BackendError(f"The output {output} is not empty. Choose a new folder.")
    work = unfinished_path(output)
    listed = b"".join((real.folder / name).read_bytes() for name in (layout.INDEX, layout.MANIFEST))
    settings = {
        **dataclasses.asdict(job),
        "dataset": str(real.folder.absolute()),
        "dataset_sha256": hashlib.sha256(listed).hexdigest(),
        "tags": {name: recipe.tags(job, real) for name, recipe in recipes.items()},
    }
    del settings["output"], settings["scheduler"]
    text = json.dumps(settings, indent=1) + "\n"
    if (work / SETTINGS).is_file() and (work / SETTINGS).read_text(encoding="utf-8") == text:
        report.log("An earlier run with these settings was interrupted: going on from what it left.")
        return work
    shutil.rmtree(work, ignore_errors=True)
    size = len(real.entries) * int(real.index["tile_px"]) ** 2
    check_writable(work / SETTINGS, 20.0 * size)  # four sets of four bytes a pixel, and one that grows
    (work / SETTINGS).write_text(text, encoding="utf-8")
    return work


def _say(real: RealSet, recipes: dict[str, SetSpec], report: Reporter) -> None:
    """What is going to be made of what."""
    report.log(f"{len(real.entries):,} tiles of {real.folder.name} in {len(real.regions):,} region(s), to four sets.")
    if real.index.get("synthetic"):
        report.log(f"Note: {real.folder} says that it is synthetic itself; its copy is called 'real' all the same.")
    if warning := label_offset.warning(real.index.get("offset_m")):
        report.log(f"{warning} Painted images lie on their labels, so that they do not compare with these.")
    looks = {style for region in real.regions for style in region.styles}
    for name in ("controlnet", "spade"):
        painter = recipes[name].painter
        if note := outputs.unseen_note(painter):
            report.log(f"{name}: {note}")
        if foreign := sorted(looks.difference(outputs.known_styles(painter))):
            report.log(f"{name} knows no style {', '.join(foreign)}, which tiles have; it leaves these words aside.")
    count = sum(map(len, recipes["synthetic"].places.values()))
    mix = ", ".join(f"{legend.LEGEND[int(code)][0]} {share:g} %" for code, share in said(real.mix).items())
    report.log(
        f"Synthetic land cover is asked for the class shares of the real tiles at each of {count:,} places; those of "
        f"all training tiles: {mix}."
        if count
        else "Synthetic land cover is asked for no class shares: its model decides."
    )


def _copy(real: RealSet, work: Path) -> None:
    """The real set, as it is."""
    final = work / REAL
    if final.is_dir():
        return
    partial = partial_path(final)
    shutil.rmtree(partial, ignore_errors=True)
    with writer.disk_errors(work):
        for name in COPIED:
            source, target = real.folder / name, partial / name
            if source.is_dir():
                target.mkdir(parents=True)
                for each in real.entries:
                    shutil.copyfile(real.folder / each.files[name], partial / each.files[name])
            elif source.is_file():
                shutil.copyfile(source, target)
        partial.replace(final)


def _estimate(stages: list[Stage], report: Reporter) -> list[float]:
    """Say how much there is to compute and how long it will be; the share of the whole that each stage takes."""
    found = []
    for number, stage in enumerate(stages):
        report.progress(number / len(stages), f"{stage.name}: counting windows")
        found.append(stage.expected())
        windows, seconds = found[-1]
        report.log(f"{stage.name}: {windows:,} windows" + (f", about {duration(seconds)}." if seconds else "."))
    whole = sum(seconds for _, seconds in found)
    if whole:
        report.log(f"All together about {duration(whole)} from now on.")
    parts = [seconds if whole else windows for windows, seconds in found]
    return [part / (sum(parts) or 1) for part in parts]


def run(job: BuildStandardSets, report: Reporter) -> dict[str, str]:
    """Write the four data sets into the output, all or none; interrupted, a run with the same settings goes on.

    `real` is a copy. `controlnet` and `spade` have its labels, and images painted on them. `synthetic` has land cover
    of the same ground's 10 m pixels from the generator, and ControlNet's image on it. Images have the style of the real
    tile, as far as a generator knows it. Windows lie on the world's lattice, so that a tile is what 'Generate image'
    paints there on the same map.
    """
    real = _open(job)
    recipes = _recipes(job, real)
    for recipe in recipes.values():
        recipe.fields(job, real, real.regions[0])  # what a model refuses, it refuses before anything is written
    work = _prepare(job, real, recipes, report)
    _say(real, recipes, report)
    stages = [Stage(job, real, name, recipe, work) for name, recipe in recipes.items()]
    stages = [stage for stage in stages if not stage.finished]
    try:
        _copy(real, work)
        begun = 0.05
        for stage, share in zip(stages, _estimate(stages, report.part(0, begun))):
            part = report.part(begun, begun + 0.95 * share)
            stage.run(part)
            begun += 0.95 * share
    except StoreHeldError as error:
        raise BackendError(f"Another run is writing {job.output}. Wait for it or choose another output.") from error
    output = Path(job.output).absolute()
    with writer.disk_errors(output.parent):
        for left in set(work.iterdir()) - {work / name for name in (SETTINGS, REAL, *recipes)}:
            shutil.rmtree(left)
        if output.is_dir():
            output.rmdir()
        os.replace(work, output)
    for name in (REAL, *recipes):
        report.log(f"{name}: {output / name}")
    return {"output": job.output}
