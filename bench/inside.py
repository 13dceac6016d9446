"""Figures of the engine that are measured within one process, after imports and loading of models."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator
from functools import partial, reduce
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import rasterio.shutil
import torch
from rasterio.vrt import WarpedVRT
from torch.utils.flop_counter import FlopCounterMode

from backend import protocol
from backend.geo import grid, legend
from backend.jobs import clipworldcover, generateimage, generatelandcover, segmentimage
from backend.models import landcover, spade
from backend.models.image_inputs import ImageRequest
from backend.tiling.lattice import Box
from backend.tiling.lazy_raster import Patch
from bench import networks, scenery
from bench.figures import Figure, Size, in_turn
from tests.backend.seams import seam_ratio

UNLIMITED_KM2 = 1e9
MATMUL = 2048
SEAM = 1.06  # what tests/backend/tiling/test_seams.py allows to chance


class Rendering:
    """A generator's job over a square, whose input is created beforehand."""

    def __init__(self, kind: str, km: float, folder: Path) -> None:
        self.kind, self.km, self.output = kind, km, str(folder / f"{kind}.tif")
        self._input = folder / f"{kind} input.tif"
        if kind == "segmentation":
            scenery.image(self._input, round(1000 * km))
        elif kind != "landcover":
            scenery.landcover(self._input, km)

    def run(self, seed: int) -> None:
        """Run the whole job. Each run needs a new seed, because noise is cached in memory."""
        options: dict[str, Any] = {"output": self.output, "max_area_km2": UNLIMITED_KM2}
        report = protocol.silent()
        if self.kind == "landcover":
            job = protocol.GenerateLandCover(scenery.extent(self.km), seed=seed, steps=networks.STEPS, **options)
            generatelandcover.run(job, report)
        elif self.kind == "segmentation":
            segmentimage.run(protocol.SegmentImage(str(self._input), **options), report)
        else:
            options |= {"generator": self.kind, "seed": seed, "steps": networks.STEPS}
            generateimage.run(protocol.GenerateImage(str(self._input), **options), report)


def overhead(size: Size) -> Iterator[Figure]:
    """The seconds of whole jobs over those of the forward passes of the same windows, and per km2."""
    kms = {"landcover": 20.0, "controlnet": 1.0, "spade": 2.0, "segmentation": 2.0}
    if size == "quick":
        kms = {"landcover": 2.0, "controlnet": 0.2, "spade": 0.5, "segmentation": 0.5}
    with tempfile.TemporaryDirectory() as folder:
        for kind in networks.GENERATORS:
            yield from _overhead(Rendering(kind, kms[kind], Path(folder)), repeats=1 if size == "quick" else 2)


def _overhead(rendering: Rendering, repeats: int) -> Iterator[Figure]:
    model = networks.load(rendering.kind)
    Path(rendering.output).with_suffix("").mkdir()
    Rendering(rendering.kind, rendering.km / 4, Path(rendering.output).with_suffix("")).run(seed=-1)
    bare = networks.bare(model, networks.plan(model, rendering.km))
    job, alone = in_turn(repeats, rendering.run, lambda _: bare())
    # the target for segmentation is a throughput of 0.9 of the network's alone
    limit = 1 / 0.9 if rendering.kind == "segmentation" else 1.15
    yield Figure(f"overhead, {rendering.kind}", job, "s", alone, at_most=round(limit, 2))
    yield Figure(f"seconds per km2, {rendering.kind}", job / rendering.km**2, "s/km2")


def overlap(size: Size) -> Iterator[Figure]:
    """Forward passes of a rendering over those of tiles without overlap; counted, not computed."""
    for kind in networks.GENERATORS:
        model, km = networks.load(kind), (50.0 if kind == "landcover" else 5.0) / (2 if size == "quick" else 1)
        plan = networks.plan(model, km)
        last = list(plan.windows)[-1].op
        window_km = (last.lattice.window + 2 * last.margin) * last.scale * model.index["pixel_m"] / 1000
        tiles = (km / window_km) ** 2 * sum(raster.passes for raster in plan.windows)
        yield Figure(f"overlap, {kind}, {km:g} x {km:g} km", networks.passes(plan), "passes", tiles, at_most=2.3)


def denoiser(size: Size) -> Iterator[Figure]:
    """The denoisers' floating point operations per second, as a share of a matrix product's."""
    repeats = 3 if size == "quick" else 20
    for kind in ("landcover", "controlnet"):
        model = networks.load(kind)
        denoise = partial(*_denoising(model))  # guidance, casts and all
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            denoise()
        a, b = (torch.randn(MATMUL, MATMUL).to(model.device, model.dtype) for _ in range(2))
        with torch.inference_mode():
            batch, product = in_turn(
                repeats, partial(_synchronised, denoise), partial(_synchronised, partial(torch.mm, a, b))
            )
        rate, best = counter.get_total_flops() / batch / 1e9, 2 * MATMUL**3 / product / 1e9
        yield Figure(f"share of matmul rate, {kind} denoiser", rate, "GFLOP/s", best, at_least=0.5)


def _synchronised(call: Any, _: int) -> None:
    call()
    networks.synchronise()


def _denoising(model: Any) -> tuple[Any, torch.Tensor, torch.Tensor]:
    """One denoising step of a full batch of the engine: the function and its arguments."""
    first = next(iter(networks.plan(model, km=1.0).windows)).op
    lattice, windows = first.lattice, [first.lattice.box(0, col) for col in range(first.batch)]
    patches: list[Patch] = []
    conditioning: Any = landcover.LandCoverConditioning((0.0,) * legend.COUNT, 1.0, "bench", 0)
    if model.kind == "controlnet":
        conditioning = ImageRequest((0.0,) * len(model.index.get("styles", [])))
        ground = reduce(Box.union, windows).scaled(model.cell_px)
        indices = np.random.default_rng(0).integers(0, legend.COUNT, (ground.height, ground.width), dtype=np.uint8)
        patches = [Patch(indices, ground)]
    shape = (len(windows), model.autoencoder.config.latent_channels, lattice.window, lattice.window)
    with torch.no_grad():
        denoise = model.denoiser(windows, conditioning, *patches)
    return denoise, torch.randn(shape, device=model.device), torch.full((len(windows),), 500, device=model.device)


def seams(size: Size) -> Iterator[Figure]:
    """How much more a rendering changes across the borders of windows than beside them, in the worst of its phases."""
    kms = {"landcover": 20.0, "controlnet": 2.0, "spade": 2.0, "segmentation": 2.0}
    for kind in networks.GENERATORS:
        km = kms[kind] / (4 if size == "quick" else 1)
        with tempfile.TemporaryDirectory() as folder:
            rendering = Rendering(kind, km, Path(folder))
            rendering.run(seed=0)
            image = _pixels(rendering.output)
        model = networks.load(kind)
        region = scenery.region(km, model.index["pixel_m"])
        ops = [raster.op for raster in networks.plan(model, km).windows]
        # windows begin at borders of the networks' own patterns: SPADE's coarsest cells, the denoiser's patches
        apart = {"spade": spade.COARSE, "landcover": landcover.PATCH}.get(kind, 1)
        # the borders of all phases are visible in the last one's pixels
        ratios = [
            seam_ratio(image, region.row, region.col, ops[-1].lattice, phase, ops[-1].scale, apart)
            for phase in {op.phase % 2 for op in ops}
        ]
        yield Figure(f"seams, {kind}, {km:g} x {km:g} km", max(ratios), at_most=SEAM)


def _pixels(path: str) -> np.ndarray:
    """(channels, height, width) uint8 of a raster, classes as one-hot."""
    with rasterio.open(path) as source:
        pixels = source.read()
    return pixels if len(pixels) > 1 else legend.one_hot(legend.to_index(pixels[0])).astype(np.uint8)


def clip(size: Size) -> Iterator[Figure]:
    """The seconds of a WorldCover clip from a raster on disk over those of a plain warp of the extent into a COG."""
    km, repeats = (5.0, 1) if size == "quick" else (80.0, 2)
    with tempfile.TemporaryDirectory() as folder:
        layer = scenery.world_cover(Path(folder) / "layer.tif", 0.2 if size == "quick" else 1.5)
        with rasterio.open(layer) as source:
            extent = _centred(source.bounds, km)
        job = protocol.ClipWorldCover(extent, f"{folder}/clip.tif", "layer", layer=str(layer), max_area_km2=1e9)

        def run_clip(_: int) -> None:
            clipworldcover.run(job, protocol.silent())

        taken, plain = in_turn(repeats, run_clip, lambda _: _warped(layer, extent, f"{folder}/plain.tif"))
        yield Figure(f"clip of {km:g} x {km:g} km over a plain warp", taken, "s", plain)


def _centred(bounds: Any, km: float) -> protocol.Extent:
    """A square of about `km` kilometres around the centre of bounds in degrees."""
    lon, lat = (bounds.left + bounds.right) / 2, (bounds.top + bounds.bottom) / 2
    north = km / 111.2 / 2
    east = north / math.cos(math.radians(lat))
    return protocol.Extent(lon - east, lat - north, lon + east, lat + north, "EPSG:4326")


def _warped(layer: Path, extent: protocol.Extent, output: str) -> None:
    box = grid.geobox(extent, grid.LANDCOVER_PIXEL_M)
    place = dict(crs=str(box.crs), transform=box.affine, height=box.height, width=box.width)
    options = dict(COMPRESS="DEFLATE", OVERVIEW_RESAMPLING="MODE", NUM_THREADS="ALL_CPUS")
    with rasterio.open(layer) as source, WarpedVRT(source, **place) as warped:
        rasterio.shutil.copy(warped, output, driver="COG", **options)
