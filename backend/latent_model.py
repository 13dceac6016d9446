"""What the latent diffusion generators share beside the mathematics: their parts, their folder, how they render."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from diffusers import AutoencoderKL, DPMSolverMultistepScheduler

from backend import checkpoint, device, diffusion
from backend.lattice import Box, Lattice
from backend.protocol import BackendError, Reporter

BATCH = 8


def new_autoencoder(
    pixel_channels: int, latent_channels: int, widths: tuple[int, ...], norm_groups: int, size_px: int
) -> AutoencoderKL:
    """An untrained autoencoder, 2 ** (len(widths) - 1) times smaller inside; widths are multiples of `norm_groups`."""
    return AutoencoderKL(
        in_channels=pixel_channels,
        out_channels=pixel_channels,
        latent_channels=latent_channels,
        down_block_types=("DownEncoderBlock2D",) * len(widths),
        up_block_types=("UpDecoderBlock2D",) * len(widths),
        block_out_channels=widths,
        layers_per_block=1,
        norm_num_groups=norm_groups,
        sample_size=size_px,
        mid_block_add_attention=False,
    )


def save(folder: Path, kind: str, pixel_m: float, window: int, figures: dict[str, object], **more: float) -> None:
    """Write what makes a folder of trained components a model: the sampler and the index, with `more` entries."""
    config = diffusion.schedule().config
    DPMSolverMultistepScheduler.from_config(config, timestep_spacing="trailing").save_pretrained(folder / "scheduler")
    stride = window * 3 // 4
    geometry = {"window": window, "stride": stride, "phases": 4}
    checkpoint.write_index(folder, kind, pixel_m=pixel_m, **geometry, **more, figures=figures)


class LatentGenerator:
    """A trained latent model, ready to render any region of the world's grid at its GSD.

    `components` are the networks by name, `kind` what the model folder must hold, `cell_px` the side of a latent cell.
    """

    kind: ClassVar[str]
    pixel_m: ClassVar[float]
    cell_px: ClassVar[int]
    components: ClassVar[dict[str, Any]]

    def __init__(self, model: str = "") -> None:
        """Load a bundled model by name or a folder; raises BackendError where it is not one."""
        self.name = model or self.kind
        self.folder, self.index = checkpoint.find(self.name, self.kind)
        self.device = device.best()
        self.dtype = device.dtype(self.device)
        loaded = checkpoint.components(
            self.folder, self.dtype, autoencoder=AutoencoderKL, scheduler=DPMSolverMultistepScheduler, **self.components
        )
        self.scheduler = loaded.pop("scheduler")
        for network in loaded.values():
            network.to(self.device, memory_format=torch.channels_last).eval()
        self.autoencoder: AutoencoderKL = loaded.pop("autoencoder")
        self.networks = loaded

    def plan(self, steps: int) -> diffusion.WorldPlan:
        """The windows and phases of a rendering in so many steps; BackendError where they are none."""
        if steps < 1:
            raise BackendError(f"STEPS must be at least 1, not {steps}.")
        lattice = Lattice(self.index["window"], self.index["stride"])
        channels = self.autoencoder.config.latent_channels
        return diffusion.WorldPlan(lattice, steps, self.index["phases"], channels, self.cell_px)

    def reach(self, region_px: Box, steps: int) -> Box:
        """The world pixels on which a rendering of the region depends."""
        return self.plan(steps).reach(region_px)

    def placed(self, array: torch.Tensor) -> torch.Tensor:
        """A batch (n, c, h, w) as the networks take it."""
        return array.to(self.device, self.dtype, memory_format=torch.channels_last)

    def bands(
        self,
        region_px: Box,
        world: str,
        seed: int,
        steps: int,
        denoiser_of: Callable[[list[Box]], diffusion.Denoise],
        report: Reporter,
    ) -> Iterator[tuple[Box, np.ndarray]]:
        """Yield (box, (channels, height, width) float32) bands of decoded pixels that cover a region.

        `denoiser_of(boxes)` gives the denoising function of a batch of windows, boxes in latent cells.
        """
        plan = self.plan(steps)
        self.scheduler.set_timesteps(steps)

        def phase_of(latents: torch.Tensor, boxes: list[Box], part: range) -> torch.Tensor:
            return diffusion.run_steps(denoiser_of(boxes), self.scheduler, latents.to(self.device), part)

        yield from diffusion.render(plan, region_px, seed, world, phase_of, self._decode, BATCH, report)

    def _decode(self, latents: torch.Tensor, boxes: list[Box]) -> torch.Tensor:
        unscaled = diffusion.scaled(self.autoencoder, latents.to(self.device), back=True)
        return self.autoencoder.decode(self.placed(unscaled)).sample.float()
