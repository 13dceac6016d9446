"""The synthetic data sets of a study, generated on the tiles of a real one: their contents, and how they are built."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rasterio.transform import from_origin

from backend.datasets import writer
from backend.generation import styles, tags, tile_mosaic
from backend.generation.layers import resume_identity
from backend.generation.tile_mosaic import PlacedTile, Region, Strip
from backend.geo import grid, legend
from backend.models.image_inputs import ImageInputs
from backend.models.landcover import WINDOW_PX, LandCoverGenerator, ShareAnchor
from backend.protocol import BuildStandardSets, Reporter, known_words, partial_path, silent
from backend.tiling.lazy_raster import LazyRaster, Patch
from backend.tiling.render import LARGE_WINDOWS, Output, passes, render

if TYPE_CHECKING:
    from backend.generation.image_generators import ImageGenerator

Anchors = dict[str, tuple[ShareAnchor, ...]]
"""By CRS: the points whose class shares the synthetic land cover around them should have."""
COPIED_KEYS = ("tile_px", "stride_px", "min_valid", "pixel_m", "seed")
"""The index entries that a synthetic set copies from the real one."""


def percentages(shares: Sequence[float]) -> dict[str, float]:
    """Class shares (COUNT) as percentages by code, without the classes that have none."""
    percent = zip(legend.CODES, (round(100 * share, 2) for share in shares))
    return {str(code): share for code, share in percent if share}


def _anchor_entry(anchors: Anchors) -> dict[str, Any]:
    """Anchors as an entry of `dataset.json`: by CRS, x and y in metres and class shares; empty without anchors."""
    metres = grid.LANDCOVER_PIXEL_M
    listed = {
        crs: [
            {"at": [point.col * metres, -point.row * metres], "shares": percentages(point.shares)} for point in points
        ]
        for crs, points in anchors.items()
    }
    return {"places_asked": listed} if listed else {}


@dataclass(frozen=True)
class RealSet:
    """The real data set: its folder, index and tiles, and the regions in which its tiles lie."""

    folder: Path
    index: dict[str, Any]
    entries: list[writer.Entry]
    regions: list[Region]

    @property
    def pixel_m(self) -> float:
        """The pixel's side in metres."""
        return float(self.index["pixel_m"])

    @property
    def class_shares(self) -> tuple[float, ...]:
        """The class shares (COUNT) of the training tiles' valid pixels; of all tiles where none is for training."""
        counted = [entry for entry in self.entries if entry.tile.split == "train"] or self.entries
        pixels = np.sum([entry.valid * np.array(entry.shares) for entry in counted], axis=0)
        return tuple((pixels / (pixels.sum() or 1.0)).tolist())

    def share_anchors(self) -> Anchors:
        """For each window of land cover that has tiles, the mean place and class shares of its training tiles.

        A window without training tiles gets those of its other tiles.
        """
        factor = grid.LANDCOVER_PIXEL_M / self.pixel_m
        windows: dict[tuple[str, int, int, bool], list[np.ndarray]] = defaultdict(list)
        for region in self.regions:
            for tile in region.tiles:
                box, entry = tile.box, tile.entry
                centre = [(box.row + box.height / 2) / factor, (box.col + box.width / 2) / factor]
                pixels = entry.valid * np.array(entry.shares)
                key = (
                    region.crs,
                    int(centre[0] // WINDOW_PX),
                    int(centre[1] // WINDOW_PX),
                    entry.tile.split != "train",
                )
                windows[key].append(np.concatenate([centre, pixels]))
        anchors: dict[str, list[ShareAnchor]] = defaultdict(list)
        for (crs, row, col, held_out), tiles in sorted(windows.items()):
            centre_row, centre_col, *pixels = np.mean(tiles, axis=0).tolist()
            if sum(pixels) > 0 and not (held_out and (crs, row, col, False) in windows):
                shares = tuple(np.round(np.array(pixels) / sum(pixels), 4).tolist())
                anchors[crs].append(ShareAnchor(round(centre_row, 2), round(centre_col, 2), shares))
        return {crs: tuple(points) for crs, points in anchors.items()}


@dataclass(frozen=True)
class SetSpec:
    """How a set is generated: images on the real labels or, with a land cover generator, on synthetic land cover."""

    image_generator: ImageGenerator
    landcover_generator: LandCoverGenerator | None = None
    anchors: Anchors = field(default_factory=dict)

    def lazy_rasters(self, job: BuildStandardSets, real: RealSet, region: Region) -> dict[str, LazyRaster]:
        """The lazy rasters of a region by kind of tile, `label` and `image`; labels are rendered at 10 m."""
        image = partial(
            self.image_generator.lazy_raster, region.crs, job.seed, job.steps, styles=self.known_styles(region)
        )
        if self.landcover_generator is None:
            return {"image": image(ImageInputs(tile_mosaic.label_source(real.folder, region)))}
        anchors, words = self.anchors.get(region.crs, ()), self.landcover_styles(job, region)
        landcover = self.landcover_generator.lazy_raster(region.crs, job.seed, job.steps, anchors=anchors, styles=words)
        return {"label": landcover, "image": image(ImageInputs(landcover, self.factor))}

    def known_styles(self, region: Region) -> tuple[str, ...]:
        """The styles of a region that the image generator knows, or the nearest climates."""
        return known_words(region.styles, styles.known_styles(self.image_generator))

    def landcover_styles(self, job: BuildStandardSets, region: Region) -> tuple[str, ...]:
        """The land cover styles for a region's climates; one that the seed draws where the region has none of them."""
        if self.landcover_generator is None:
            return ()
        words = known_words(region.styles, styles.known_styles(self.landcover_generator))
        return styles.choose_landcover_styles(self.landcover_generator, ", ".join(words), job.seed)

    @property
    def factor(self) -> int:
        """The side of a pixel of synthetic land cover in pixels of the image."""
        return round(grid.LANDCOVER_PIXEL_M / self.image_generator.pixel_m)

    def tags(
        self, job: BuildStandardSets, real: RealSet, region: Region | None = None, **settings: Any
    ) -> dict[str, dict[str, str]]:
        """The provenance tags by kind of tile, with the land cover styles of a region; `settings` are the image's."""
        by_kind = {}
        landcover: dict[str, Any] = {"landcover": real.folder.name}
        if self.landcover_generator is not None:
            # tags have no room for all anchors
            digest = hashlib.sha256(json.dumps(self.anchors).encode()).hexdigest()
            recorded: dict[str, Any] = {"places_sha256": digest} if self.anchors else {}
            recorded |= {"style": self.landcover_styles(job, region)} if region else {}
            by_kind["label"] = tags.generator_tags(self.landcover_generator, job.seed, job.steps, **recorded)
            landcover = tags.landcover_settings(self.landcover_generator, job.seed, recorded)
        image = tags.generator_tags(self.image_generator, job.seed, job.steps, **landcover, **settings)
        return {**by_kind, "image": image}


class SetBuilder:
    """Builds one set in `folder`: renders each region into strips, one a kind of tile, and cuts the tiles out."""

    def __init__(self, job: BuildStandardSets, real: RealSet, name: str, spec: SetSpec, folder: Path) -> None:
        self.job, self.real, self.name, self.spec, self.folder = job, real, name, spec, folder

    @property
    def finished(self) -> bool:
        """Whether an earlier run has built the whole set."""
        return (self.folder / self.name).is_dir()

    @contextmanager
    def _strips(self, number: int) -> Iterator[tuple[dict[str, Strip], list[Output]]]:
        """The strips of a region, which a later run finds again, and the outputs that they still lack."""
        region = self.real.regions[number]
        with ExitStack() as closing, writer.disk_errors(self.folder):
            strips, outputs = {}, []
            for kind, raster in self.spec.lazy_rasters(self.job, self.real, region).items():
                factor, bands = (self.spec.factor, 1) if kind == "label" else (1, 3)
                identity = resume_identity(raster, self.name, str(number))
                folder = self.folder / f"{self.name}_{number}_{kind}"
                strips[kind] = Strip(folder, region.boxes(factor), bands, identity)
                closing.callback(strips[kind].store.close)
                outputs.append(strips[kind].output(raster, self.real.pixel_m * factor))
            yield strips, outputs

    def estimate(self) -> tuple[int, float]:
        """The number of windows that are still to be computed, and the seconds that they will take.

        To know the seconds, a first block is computed, and kept. They are 0 for a small set, which does not need an
        estimate, and on a cluster.
        """
        windows = total_passes = 0.0
        seconds_per_pass = 0.0
        for number in range(len(self.real.regions)):
            with self._strips(number) as (_, outputs):
                window_count, pass_count = passes(outputs)
                first = outputs[-1].first_block()
                if window_count >= LARGE_WINDOWS and first and not seconds_per_pass and not self.job.scheduler:
                    begun = time.monotonic()
                    render([first], "", silent())
                    seconds_per_pass = (time.monotonic() - begun) / passes([first])[1]
                windows, total_passes = windows + window_count, total_passes + pass_count
        return int(windows), seconds_per_pass * total_passes

    def build(self, report: Reporter) -> None:
        """Render what is missing and cut the tiles out; the set appears whole or not at all."""
        partial, count = partial_path(self.folder / self.name), len(self.real.regions)
        shutil.rmtree(partial, ignore_errors=True)
        entries: dict[str, writer.Entry] = {}
        for number, region in enumerate(self.real.regions):
            part, words = report.part(number / count, (number + 1) / count), self.spec.known_styles(region)
            tile_tags = self.spec.tags(self.job, self.real, region, style=words)
            with self._strips(number) as (strips, outputs):
                style = f", style {', '.join(words)}" if words else ""
                report.log(f"{self.name}, region {number + 1} of {count}: {len(region.tiles):,} tiles{style}")
                render(outputs, self.job.scheduler, part)
                for row, tile in enumerate(region.tiles):
                    pixels = {kind: strip.read(row) for kind, strip in strips.items()}
                    entries[tile.entry.tile.name] = self._write_tile(partial, tile, pixels, tile_tags)
        writer.write(partial, [entries[entry.tile.name] for entry in self.real.entries], self._index())
        with writer.disk_errors(self.folder):
            partial.replace(self.folder / self.name)
            for folder in self.folder.glob(f"{self.name}_*"):
                shutil.rmtree(folder)

    def _write_tile(
        self, folder: Path, tile: PlacedTile, pixels: dict[str, np.ndarray], tile_tags: dict[str, dict[str, str]]
    ) -> writer.Entry:
        """Write a tile's image and label at the real tile's place; returns its entry."""
        entry = tile.entry
        left, _, right, top = entry.tile.bounds
        pixel_m = (right - left) / tile.box.width
        place = (entry.tile.crs, from_origin(left, top, pixel_m, pixel_m))
        if "label" in pixels:
            coarse = Patch(pixels["label"][0], tile.box.coarsened(self.spec.factor), self.spec.factor)
            indices = coarse.read(tile.box)
            writer.write_tile(folder / entry.files["label"], legend.to_code(indices)[None], *place, tile_tags["label"])
            entry = writer.entry(entry.tile, indices, styles=entry.styles)
        else:
            indices = tile_mosaic.read_label(self.real.folder, tile)
            with writer.disk_errors(folder):
                (folder / "label").mkdir(parents=True, exist_ok=True)
                shutil.copyfile(self.real.folder / entry.files["label"], folder / entry.files["label"])
        image = np.where(indices == legend.IGNORE, np.uint8(0), pixels["image"])  # masked as generate_image masks it
        writer.write_tile(folder / entry.files["image"], image, *place, tile_tags["image"])
        return entry

    def _index(self) -> dict[str, Any]:
        """The entries of `dataset.json` beside those of every data set."""
        tile_tags, on_real = self.spec.tags(self.job, self.real), self.spec.landcover_generator is None
        generated = {
            kind: {key: value for key, value in by_key.items() if key.startswith("LANDFORGE_")}
            for kind, by_key in tile_tags.items()
        }
        label = str(self.real.folder) if on_real else "synthetic"
        return {
            **{key: self.real.index[key] for key in COPIED_KEYS if key in self.real.index},
            "synthetic": True,
            "attribution": self.real.index.get("attribution", []) if on_real else [],
            "sources": [{"image": f"synthetic: {self.spec.image_generator.name}", "label": label, "synthetic": True}],
            "made_from": str(self.real.folder),
            "generated": generated,
            **_anchor_entry(self.spec.anchors),
        }
