"""The sets of a study that are painted on a real data set's tiles: what they are made of, and the making of each."""

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
from typing import Any

import numpy as np
from rasterio.transform import from_origin

from backend.datasets import writer
from backend.generation import outputs as raster_outputs
from backend.generation import tile_mosaic
from backend.generation.tile_mosaic import PlacedTile, Region, Strip
from backend.geo import grid, legend
from backend.models.landcover import CELL_PX, WINDOW, LandCoverGenerator, ShareAnchor
from backend.protocol import BuildStandardSets, Reporter, partial_path, silent
from backend.tiling.lazy_raster import LazyRaster, Patch
from backend.tiling.render import LARGE_WINDOWS, Output, passes, render

CELL_M = CELL_PX * grid.LANDCOVER_PIXEL_M
Places = dict[str, tuple[ShareAnchor, ...]]
"""The places of each world for whose class shares its synthetic land cover is asked."""
KEPT = ("tile_px", "stride_px", "min_valid", "pixel_m", "seed")
"""What the index of a painted set says as that of the real one does."""


def said(composition: Sequence[float]) -> dict[str, float]:
    """Class shares as percentages by code, of the classes that are there."""
    percent = zip(legend.CODES, (round(100 * share, 2) for share in composition))
    return {str(code): share for code, share in percent if share}


def _asked(places: Places) -> dict[str, Any]:
    """Places as `dataset.json` lists them, by CRS: x and y in metres, and class shares."""
    listed = {
        world: [{"at": [place.col * CELL_M, -place.row * CELL_M], "shares": said(place.shares)} for place in found]
        for world, found in places.items()
    }
    return {"places_asked": listed} if listed else {}


@dataclass(frozen=True)
class RealSet:
    """The real data set, read and checked."""

    folder: Path
    index: dict[str, Any]
    entries: list[writer.Entry]
    regions: list[Region]

    @property
    def pixel_m(self) -> float:
        """The pixel's side in metres."""
        return float(self.index["pixel_m"])

    @property
    def mix(self) -> tuple[float, ...]:
        """The class shares of all training tiles together, each by its labelled ground."""
        counted = [each for each in self.entries if each.tile.split == "train"] or self.entries
        ground = np.sum([each.valid * np.array(each.shares) for each in counted], axis=0)
        return tuple((ground / (ground.sum() or 1.0)).tolist())

    def places(self) -> Places:
        """Where tiles lie in one window of land cover, their middle and class shares: those of the training tiles.

        Only where none are for training, those of the others.
        """
        cell_px = CELL_M / self.pixel_m
        found: dict[tuple[str, int, int, bool], list[np.ndarray]] = defaultdict(list)
        for region in self.regions:
            for tile in region.tiles:
                box, entry = tile.box, tile.entry
                at = [(box.row + box.height / 2) / cell_px, (box.col + box.width / 2) / cell_px]
                ground = entry.valid * np.array(entry.shares)
                key = (region.world, int(at[0] // WINDOW), int(at[1] // WINDOW), entry.tile.split != "train")
                found[key].append(np.concatenate([at, ground]))
        places: dict[str, list[ShareAnchor]] = defaultdict(list)
        for (world, row, col, spare), tiles in sorted(found.items()):
            middle_row, middle_col, *ground = np.mean(tiles, axis=0).tolist()
            if sum(ground) > 0 and not (spare and (world, row, col, False) in found):
                shares = tuple(np.round(np.array(ground) / sum(ground), 4).tolist())
                places[world].append(ShareAnchor(round(middle_row, 2), round(middle_col, 2), shares))
        return {world: tuple(each) for world, each in places.items()}


@dataclass(frozen=True)
class SetSpec:
    """How a set is painted: on the real land cover or, with a cartographer, on land cover of its making."""

    painter: Any
    cartographer: LandCoverGenerator | None = None
    places: Places = field(default_factory=dict)

    def fields(self, job: BuildStandardSets, real: RealSet, region: Region) -> dict[str, LazyRaster]:
        """What is rendered of a region, by kind of tile; images count in pixels, land cover in its own."""
        world, styles = region.world, self.styles(region)
        paint = partial(self.painter.field, world, job.seed, job.steps, styles=styles)
        if self.cartographer is None:
            return {"image": paint(tile_mosaic.labels(real.folder, region))}
        landcover = self.cartographer.field(world, job.seed, job.steps, places=self.places.get(world, ()))
        return {"label": landcover, "image": paint(landcover, self.factor)}

    def styles(self, region: Region) -> tuple[str, ...]:
        """What the painter knows of a region's look."""
        return tuple(sorted(set(region.styles).intersection(raster_outputs.known_styles(self.painter))))

    @property
    def factor(self) -> int:
        """The side of a pixel of synthetic land cover in pixels of the image."""
        return round(grid.LANDCOVER_PIXEL_M / self.painter.pixel_m)

    def _asked(self) -> dict[str, str]:
        """What tags say of the places, which are too many for them."""
        if not self.places:
            return {}
        return {"places_sha256": hashlib.sha256(json.dumps(self.places).encode()).hexdigest()}

    def tags(self, job: BuildStandardSets, real: RealSet, **more: Any) -> dict[str, dict[str, str]]:
        """The provenance of what is made, by kind of tile; `more` of the image."""
        below: dict[str, Any] = {"landcover": real.folder.name}
        found = {}
        if self.cartographer is not None:
            asked = self._asked()
            found["label"] = raster_outputs.tags_of(self.cartographer, job.seed, job.steps, **asked)
            below = {"landcover": f"synthetic: {self.cartographer.name}, seed {job.seed}"}
            below |= {"landcover_sha256": self.cartographer.digest}
            below |= {f"landcover_{key}": value for key, value in asked.items()}
        return {**found, "image": raster_outputs.tags_of(self.painter, job.seed, job.steps, **below, **more)}


class Stage:
    """A set while it is painted: what is rendered of each region lies in strips of tiles, by kind of tile."""

    def __init__(self, job: BuildStandardSets, real: RealSet, name: str, recipe: SetSpec, work: Path) -> None:
        self.job, self.real, self.name, self.recipe, self.work = job, real, name, recipe, work

    @property
    def finished(self) -> bool:
        """Whether an earlier run has made the whole set."""
        return (self.work / self.name).is_dir()

    @contextmanager
    def strips(self, number: int) -> Iterator[tuple[dict[str, Strip], list[Output]]]:
        """The strips of a region, with what is still wanted for them; they stay for a later run."""
        region = self.real.regions[number]
        with ExitStack() as closing, writer.disk_errors(self.work):
            strips, outputs = {}, []
            for kind, field in self.recipe.fields(self.job, self.real, region).items():
                factor, bands = (self.recipe.factor, 1) if kind == "label" else (1, 3)
                identity = raster_outputs.resumed(field, self.name, str(number))
                folder = self.work / f"{self.name}_{number}_{kind}"
                strips[kind] = Strip(folder, region.boxes(factor), bands, identity)
                closing.callback(strips[kind].store.close)
                outputs.append(strips[kind].output(field, self.real.pixel_m * factor))
            yield strips, outputs

    def expected(self) -> tuple[int, float]:
        """How many windows are still to be computed, and the seconds that they will take.

        These are told by a first block, whose pixels are kept; 0 where that is not worth it, or done elsewhere.
        """
        windows = rate = cost = 0.0
        for number in range(len(self.real.regions)):
            with self.strips(number) as (_, outputs):
                found, first = passes(outputs), outputs[-1].first_block()
                if found[0] >= LARGE_WINDOWS and first and not rate and not self.job.scheduler:
                    begun = time.monotonic()
                    render([first], "", silent())
                    rate = (time.monotonic() - begun) / passes([first])[1]
                windows, cost = windows + found[0], cost + found[1]
        return int(windows), rate * cost

    def run(self, report: Reporter) -> None:
        """Paint what is missing and cut the tiles out; the set appears whole or not at all."""
        partial, count = partial_path(self.work / self.name), len(self.real.regions)
        shutil.rmtree(partial, ignore_errors=True)
        entries: dict[str, writer.Entry] = {}
        for number, region in enumerate(self.real.regions):
            part, styles = report.part(number / count, (number + 1) / count), self.recipe.styles(region)
            tags = self.recipe.tags(self.job, self.real, style=styles)
            with self.strips(number) as (strips, outputs):
                look = f", style {', '.join(styles)}" if styles else ""
                report.log(f"{self.name}, region {number + 1} of {count}: {len(region.tiles):,} tiles{look}")
                render(outputs, self.job.scheduler, part)
                for row, tile in enumerate(region.tiles):
                    found = {kind: strip.read(row) for kind, strip in strips.items()}
                    entries[tile.entry.tile.name] = self._cut(partial, tile, found, tags)
        writer.write(partial, [entries[each.tile.name] for each in self.real.entries], self._index())
        with writer.disk_errors(self.work):
            partial.replace(self.work / self.name)
            for folder in self.work.glob(f"{self.name}_*"):
                shutil.rmtree(folder)

    def _cut(
        self, folder: Path, tile: PlacedTile, found: dict[str, np.ndarray], tags: dict[str, dict[str, str]]
    ) -> writer.Entry:
        """Write a tile's image and label at the real tile's place."""
        entry = tile.entry
        left, _, right, top = entry.tile.bounds
        pixel = (right - left) / tile.box.width
        place = (entry.tile.crs, from_origin(left, top, pixel, pixel))
        if "label" in found:
            cells = Patch(found["label"][0], tile.box.coarsened(self.recipe.factor), self.recipe.factor)
            indices = cells.read(tile.box)
            writer.write_tile(folder / entry.files["label"], legend.to_code(indices)[None], *place, tags["label"])
            entry = writer.entry(entry.tile, indices, styles=entry.styles)
        else:
            indices = tile_mosaic.read_label(self.real.folder, tile)
            with writer.disk_errors(folder):
                (folder / "label").mkdir(parents=True, exist_ok=True)
                shutil.copyfile(self.real.folder / entry.files["label"], folder / entry.files["label"])
        image = np.where(indices == legend.IGNORE, np.uint8(0), found["image"])  # as where a map has no data
        writer.write_tile(folder / entry.files["image"], image, *place, tags["image"])
        return entry

    def _index(self) -> dict[str, Any]:
        """What `dataset.json` says beside what all data sets say."""
        tags, on_real = self.recipe.tags(self.job, self.real), self.recipe.cartographer is None
        made = {
            kind: {key: value for key, value in one.items() if key.startswith("LANDFORGE_")}
            for kind, one in tags.items()
        }
        label = str(self.real.folder) if on_real else "synthetic"
        return {
            **{key: self.real.index[key] for key in KEPT if key in self.real.index},
            "synthetic": True,
            "attribution": self.real.index.get("attribution", []) if on_real else [],
            "sources": [{"image": f"synthetic: {self.recipe.painter.name}", "label": label, "synthetic": True}],
            "made_from": str(self.real.folder),
            "generated": made,
            **_asked(self.recipe.places),
        }
