"""The generators' networks by themselves: forward passes on prepared tensors, as many as a plan has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch

from backend.generation.image_generators import load_image_generator
from backend.geo import legend
from backend.models import base, controlnet, device, landcover, spade
from backend.models.segmentation import LATTICE, MARGIN, SegmentationModel
from backend.tiling.lattice import WindowMask
from backend.tiling.lazy_raster import LazyRaster, RasterSource
from backend.tiling.regions import Everywhere
from backend.tiling.render import Output, RenderPlan
from bench import scenery

GENERATORS = ("landcover", "controlnet", "spade", "segmentation")
STEPS = 12

Pass = Callable[[], Any]


def load(kind: str) -> Any:
    """The bundled model of a kind."""
    if kind == "landcover":
        return base.load(landcover.LandCoverGenerator, kind)
    return base.load(SegmentationModel, kind) if kind == "segmentation" else load_image_generator(kind)


def plan(found: Any, km: float) -> RenderPlan:
    """What a model's rendering of a square consists of; nothing is read or written."""

    def unread(*_: Any) -> Any:
        raise AssertionError("a plan reads and writes no pixels")

    source = RasterSource("input", unread)
    if isinstance(found, SegmentationModel):
        field = found.lazy_raster(source)
    else:
        field = found.lazy_raster(scenery.CRS, 0, STEPS, *([] if found.kind == "landcover" else [source]))
    pixel_m = found.index["pixel_m"]
    return RenderPlan([Output(field, scenery.region(km, pixel_m), Everywhere(), pixel_m, unread)])


def passes(plan: RenderPlan) -> float:
    """The forward passes of a plan: its windows by what each costs."""
    return sum(len(cover) * field.passes for field, cover in plan.windows.items())


def bare(found: Any, plan: RenderPlan) -> Pass:
    """All forward passes of a plan in the engine's batches, prepared; batches that it fills up are not filled here."""
    prepared: dict[tuple[LazyRaster, int], Pass] = {}
    order = [(field, size) for field, cover in plan.windows.items() for size in _batches(field, cover)]
    with torch.inference_mode():
        for field, size in dict.fromkeys(order):
            prepared[field, size] = _forward(found, field, size)
            prepared[field, size]()  # the first of a size is slow

    def run() -> None:
        with torch.inference_mode():
            for field, size in order:
                prepared[field, size]()
            synchronise()

    return run


def synchronise() -> None:
    """Wait for a GPU, where there is one."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def _batches(field: LazyRaster, cover: WindowMask) -> Iterator[int]:
    """The windows in each batch; a batch lies within a block."""
    side, batch = field.op.side, field.op.batch
    for count in Counter((row // side, col // side) for row, col in cover.indices()).values():
        yield from (min(batch, count - first) for first in range(0, count, batch))


def _forward(found: Any, field: LazyRaster, count: int) -> Pass:
    """All passes of a field's networks on a batch of so many windows."""
    if isinstance(found, SegmentationModel):
        side = LATTICE.window + 2 * MARGIN
        return partial(_segment, found, torch.randint(0, 256, (count, 3, side, side), dtype=torch.uint8))
    cells = field.op.lattice.window + 2 * field.op.margin
    if found.kind == "spade":
        return partial(found.network, *_painter_inputs(found, count, cells))
    latents = found.to_device(torch.randn(count, found.autoencoder.config.latent_channels, cells, cells))
    if field.op.scale > 1:
        return partial(found.autoencoder.decode, latents)
    steps, times = round(field.passes), torch.full((count,), 500, device=found.device)
    if found.kind == "controlnet":
        channels = legend.COUNT + len(found.index["styles"])
        one_hot = found.to_device(torch.rand(count + 1, channels, *[cells * controlnet.CELL_PX] * 2))
        guesses = 1 if found.index["guidance_scale"] == 1 else 2
        return partial(_controlled, found, latents.repeat(guesses, 1, 1, 1), times.repeat(guesses), one_hot, steps)
    planes = landcover.share_planes(torch.zeros(count, legend.COUNT, device=found.device), cells)
    noisy = found.to_device(torch.cat([latents.float(), planes], dim=1))
    return partial(_repeat, steps, partial(found.networks["denoiser"], noisy, times))


def _repeat(count: int, call: Pass) -> None:
    for _ in range(count):
        call()


def _segment(found: SegmentationModel, pixels: torch.Tensor) -> None:
    with device.autocast(found.device):
        found.segmenter(pixels.to(found.device))


def _painter_inputs(found: Any, count: int, cells: int) -> list[torch.Tensor]:
    shapes = [(spade.COARSE_CHANNELS, cells // spade.COARSE), (spade.FINE_CHANNELS, cells)]
    shapes.append((legend.COUNT + len(found.index["styles"]), cells * spade.CELL_PX))
    drawn = [torch.randn(count, channels, side, side) for channels, side in shapes]
    return [each.to(found.device, found.dtype, memory_format=torch.channels_last) for each in drawn]


def _controlled(found: Any, noisy: torch.Tensor, times: torch.Tensor, one_hot: torch.Tensor, steps: int) -> None:
    """Land cover is embedded once a batch; with guidance every step has both guesses in one pass."""
    embedded = found._embedding(one_hot)
    shown, hidden = embedded[:-1], embedded[-1:]
    told = torch.cat([shown, hidden.expand_as(shown)])[: len(noisy)].contiguous(memory_format=torch.channels_last)
    parts = found.networks["denoiser"], found.networks["controlnet"]
    _repeat(steps, partial(controlnet.predict_v, *parts, noisy, times, told))
