"""The generators' networks without the engine: the forward passes of a plan, on tensors prepared beforehand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch

from backend.generation.image_generators import load_image_generator
from backend.geo import legend
from backend.models import base, controlnet, device, landcover, spade
from backend.models.conditioning import plane_count
from backend.models.image_inputs import ImageInputs
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


def plan(model: Any, km: float) -> RenderPlan:
    """The plan of a model's rendering of a square; nothing is read or written."""

    def unread(*_: Any) -> Any:
        raise AssertionError("a plan reads and writes no pixels")

    source = RasterSource("input", unread)
    if isinstance(model, SegmentationModel):
        raster = model.lazy_raster(source)
    else:
        raster = model.lazy_raster(scenery.CRS, 0, STEPS, *([] if model.kind == "landcover" else [ImageInputs(source)]))
    pixel_m = model.index["pixel_m"]
    return RenderPlan([Output(raster, scenery.region(km, pixel_m), Everywhere(), pixel_m, unread)])


def passes(plan: RenderPlan) -> float:
    """The number of forward passes of a plan."""
    return sum(len(mask) * raster.passes for raster, mask in plan.windows.items())


def bare(model: Any, plan: RenderPlan) -> Pass:
    """All forward passes of a plan, in batches of the engine's sizes, but without its padding."""
    prepared: dict[tuple[LazyRaster, int], Pass] = {}
    order = [(raster, size) for raster, mask in plan.windows.items() for size in _batches(raster, mask)]
    with torch.inference_mode():
        for raster, size in dict.fromkeys(order):
            prepared[raster, size] = _forward(model, raster, size)
            prepared[raster, size]()  # the first pass of a size is slow

    def run() -> None:
        with torch.inference_mode():
            for raster, size in order:
                prepared[raster, size]()
            synchronise()

    return run


def synchronise() -> None:
    """Wait for a GPU, where there is one."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def _batches(raster: LazyRaster, mask: WindowMask) -> Iterator[int]:
    """The number of windows in each batch; a batch never spans two blocks."""
    side, batch = raster.op.side, raster.op.batch
    for count in Counter((row // side, col // side) for row, col in mask.indices()).values():
        yield from (min(batch, count - first) for first in range(0, count, batch))


def _forward(model: Any, raster: LazyRaster, count: int) -> Pass:
    """All forward passes that a lazy raster needs for a batch of `count` windows."""
    if isinstance(model, SegmentationModel):
        side = LATTICE.window + 2 * MARGIN
        return partial(_segment, model, torch.randint(0, 256, (count, 3, side, side), dtype=torch.uint8))
    cells = raster.op.lattice.window + 2 * raster.op.margin
    if model.kind == "spade":
        return partial(model.network, *_spade_inputs(model, count, cells))
    latents = model.to_device(torch.randn(count, model.autoencoder.config.latent_channels, cells, cells))
    if raster.op.scale > 1:
        return partial(model.autoencoder.decode, latents)
    steps, times = round(raster.passes), torch.full((count,), 500, device=model.device)
    if model.kind == "controlnet":
        one_hot = model.to_device(torch.rand(count + 1, _planes(model), *[cells * controlnet.CELL_PX] * 2))
        predictions = 1 if model.index["guidance_scale"] == 1 else 2
        return partial(
            _controlled, model, latents.repeat(predictions, 1, 1, 1), times.repeat(predictions), one_hot, steps
        )
    shares, styles = (torch.zeros(count, size) for size in (legend.COUNT, len(model.index.get("styles", []))))
    inputs = latents, times, shares.to(model.device), styles.to(model.device)
    return partial(_repeat, steps, partial(landcover.predict_v, model.networks["denoiser"], *inputs))


def _repeat(count: int, call: Pass) -> None:
    for _ in range(count):
        call()


def _segment(model: SegmentationModel, pixels: torch.Tensor) -> None:
    with device.autocast(model.device):
        model.segmenter(pixels.to(model.device))


def _planes(model: Any) -> int:
    """The number of an image generator's condition planes."""
    return plane_count(len(model.index["styles"]), model.conditions)


def _spade_inputs(model: Any, count: int, cells: int) -> list[torch.Tensor]:
    fine_channels = spade.FINE_CHANNELS + model.network.config.parcels
    shapes = [(spade.COARSE_CHANNELS, cells // spade.COARSE), (fine_channels, cells)]
    shapes.append((_planes(model), cells * spade.CELL_PX))
    inputs = [torch.randn(count, channels, side, side) for channels, side in shapes]
    return [tensor.to(model.device, model.dtype, memory_format=torch.channels_last) for tensor in inputs]


def _controlled(model: Any, noisy: torch.Tensor, times: torch.Tensor, one_hot: torch.Tensor, steps: int) -> None:
    """Embed the land cover once, then run `steps` passes; with guidance, a pass has both predictions of a window."""
    embedded = model._embedding(one_hot)
    conditional, unconditional = embedded[:-1], embedded[-1:]
    both = torch.cat([conditional, unconditional.expand_as(conditional)])[: len(noisy)]
    both = both.contiguous(memory_format=torch.channels_last)
    parts = model.networks["denoiser"], model.networks["controlnet"]
    _repeat(steps, partial(controlnet.predict_v, *parts, noisy, times, both))
