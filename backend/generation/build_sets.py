"""Build the four standard data sets of a study: a copy of a real one, and three synthetic ones on its tiles."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import shutil
from pathlib import Path

from backend.datasets import label_offset, layout, writer
from backend.generation import styles, tile_mosaic
from backend.generation.image_generators import load_image_generator
from backend.generation.standard_sets import RealSet, SetBuilder, SetSpec, percentages
from backend.geo import legend
from backend.geo.block_store import StoreHeldError
from backend.geo.raster import check_writable
from backend.models import base
from backend.models.landcover import LandCoverGenerator
from backend.protocol import BackendError, BuildStandardSets, Reporter, known_word, partial_path, unfinished_path
from backend.tiling.render import duration

SETTINGS = "standardsets.json"
REAL = "real"
COPIED = ("image", "label", layout.MANIFEST, layout.ITEMS, layout.INDEX)


def _open_real(job: BuildStandardSets) -> RealSet:
    """The real data set; BackendError where it has no images or its tiles have no place."""
    folder = Path(job.dataset)
    if not (folder / layout.INDEX).is_file():
        packed = (folder / layout.PACKED_INDEX).is_file()
        reason = "is packed, and packed tiles have lost their places" if packed else f"has no {layout.INDEX}"
        raise BackendError(f"{folder} {reason}. Choose a data set that 'Build data set' wrote.")
    with layout.damage_errors(folder):
        index, entries = writer.read(folder)
        if not entries:
            raise BackendError(f"The data set {folder} holds no tiles.")
        if not all(entry.has_image for entry in entries):
            raise layout.no_images_error(folder)
        if not all(entry.tile.crs for entry in entries):
            raise BackendError(f"The tiles of {folder} have no CRS, so their places are unknown. Build it again.")
        regions = tile_mosaic.regions(entries, float(index["pixel_m"]), int(index["tile_px"]))
        return RealSet(folder, index, entries, regions)


def _load_specs(job: BuildStandardSets, real: RealSet) -> dict[str, SetSpec]:
    """The synthetic sets by name; BackendError for a model of another kind or another GSD."""
    controlnet = load_image_generator("controlnet", job.controlnet_model)
    spade = load_image_generator("spade", job.spade_model)
    landcover = base.load(LandCoverGenerator, job.landcover_model)
    for generator in (controlnet, spade):
        if abs(real.pixel_m / generator.pixel_m - 1) > layout.SAME_GSD_TOLERANCE:
            raise BackendError(
                f"The tiles of {real.folder} have pixels of {real.pixel_m:g} m, but {generator.name} paints at "
                f"{generator.pixel_m:g} m. Resample images and labels to that and build the data set again."
            )
    anchors = real.share_anchors() if job.composition == "real" else {}
    return {
        "controlnet": SetSpec(controlnet),
        "spade": SetSpec(spade),
        "synthetic": SetSpec(controlnet, landcover, anchors),
    }


def _unfinished_folder(job: BuildStandardSets, real: RealSet, specs: dict[str, SetSpec], report: Reporter) -> Path:
    """The folder beside the output in which the sets are built: that of an earlier run with the same settings, or new.

    BackendError where the output is not empty or the disk is too full.
    """
    output = Path(job.output).absolute()
    if output.is_file() or (output.is_dir() and any(output.iterdir())):
        raise BackendError(f"The output {output} is not empty. Choose a new folder.")
    work = unfinished_path(output)
    listed = b"".join((real.folder / name).read_bytes() for name in (layout.INDEX, layout.MANIFEST))
    settings = {
        **dataclasses.asdict(job),
        "dataset": str(real.folder.absolute()),
        "dataset_sha256": hashlib.sha256(listed).hexdigest(),
        "tags": {name: spec.tags(job, real) for name, spec in specs.items()},
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


def _log_plan(real: RealSet, specs: dict[str, SetSpec], report: Reporter) -> None:
    """Log what will be built, and what the real set lacks for it."""
    report.log(f"{len(real.entries):,} tiles of {real.folder.name} in {len(real.regions):,} region(s), to four sets.")
    if real.index.get("synthetic"):
        report.log(f"Note: {real.folder} says that it is synthetic itself; its copy is called 'real' all the same.")
    if warning := label_offset.warning(real.index.get("offset_m")):
        report.log(f"{warning} Painted images lie on their labels, so that they do not compare with these.")
    tile_styles = {style for region in real.regions for style in region.styles}
    for name in ("controlnet", "spade"):
        generator = specs[name].image_generator
        if note := styles.unseen_classes_note(generator):
            report.log(f"{name}: {note}")
        if unknown := sorted(word for word in tile_styles if not known_word(word, styles.known_styles(generator))):
            report.log(f"{name} knows no style {', '.join(unknown)}, which tiles have; it leaves these words aside.")
    count = sum(map(len, specs["synthetic"].anchors.values()))
    shares = percentages(real.class_shares)
    mix = ", ".join(f"{legend.LEGEND[int(code)][0]} {share:g} %" for code, share in shares.items())
    report.log(
        f"Synthetic land cover is asked for the class shares of the real tiles at each of {count:,} places; those of "
        f"all training tiles: {mix}."
        if count
        else "Synthetic land cover is asked for no class shares: its model decides."
    )


def _copy_real(real: RealSet, work: Path) -> None:
    """Copy the real set, unless an earlier run has."""
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
                for entry in real.entries:
                    shutil.copyfile(real.folder / entry.files[name], partial / entry.files[name])
            elif source.is_file():
                shutil.copyfile(source, target)
        partial.replace(final)


def _estimate(builders: list[SetBuilder], report: Reporter) -> list[float]:
    """Log how much there is to compute and how long it will take; returns each set's share of the time."""
    estimates = []
    for number, builder in enumerate(builders):
        report.progress(number / len(builders), f"{builder.name}: counting windows")
        windows, seconds = builder.estimate()
        estimates.append((windows, seconds))
        report.log(f"{builder.name}: {windows:,} windows" + (f", about {duration(seconds)}." if seconds else "."))
    total_seconds = sum(seconds for _, seconds in estimates)
    if total_seconds:
        report.log(f"All together about {duration(total_seconds)} from now on.")
    costs = [seconds if total_seconds else windows for windows, seconds in estimates]
    return [cost / (sum(costs) or 1) for cost in costs]


def build_standard_sets(job: BuildStandardSets, report: Reporter) -> dict[str, str]:
    """Write the four data sets into the output, all or none; a run with the same settings continues an interrupted one.

    `real` is a copy. `controlnet` and `spade` have its labels and images generated on them. `synthetic` has land cover
    generated on the 10 m pixels of the same ground, and ControlNet's image on it. Images have the styles of the real
    tile that their generator knows. Windows lie on the world's lattice, so that a tile equals what 'Generate image'
    generates there on the same map.
    """
    real = _open_real(job)
    specs = _load_specs(job, real)
    for spec in specs.values():
        spec.lazy_rasters(job, real, real.regions[0])  # raises a model's errors before anything is written
    work = _unfinished_folder(job, real, specs, report)
    _log_plan(real, specs, report)
    builders = [SetBuilder(job, real, name, spec, work) for name, spec in specs.items()]
    builders = [builder for builder in builders if not builder.finished]
    try:
        _copy_real(real, work)
        done = 0.05
        for builder, share in zip(builders, _estimate(builders, report.part(0, done))):
            builder.build(report.part(done, done + 0.95 * share))
            done += 0.95 * share
    except StoreHeldError as error:
        raise BackendError(f"Another run is writing {job.output}. Wait for it or choose another output.") from error
    output = Path(job.output).absolute()
    with writer.disk_errors(output.parent):
        for path in set(work.iterdir()) - {work / name for name in (SETTINGS, REAL, *specs)}:
            shutil.rmtree(path)
        if output.is_dir():
            output.rmdir()
        os.replace(work, output)
    for name in (REAL, *specs):
        report.log(f"{name}: {output / name}")
    return {"output": job.output}
