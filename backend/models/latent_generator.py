"""The base of the latent diffusion generators: autoencoders, frozen norms, the model folder, and rendering."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import reduce
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeAlias, TypeVar

import numpy as np
import torch
from diffusers import AutoencoderKL, DPMSolverMultistepScheduler
from torch import nn

from backend.models import device, diffusion, model_folder
from backend.models.base import Model
from backend.models.patch_autoencoder import PatchAutoencoder
from backend.protocol import BackendError
from backend.tiling import noise
from backend.tiling.lattice import Box, Lattice
from backend.tiling.lazy_raster import Input, LazyRaster, Patch, WindowOp, unchanged

DECODE_BATCH = 8  # windows; larger batches do not fit into a CPU's cache
PREVIEW_STEPS = 12
Autoencoder: TypeAlias = AutoencoderKL | PatchAutoencoder
Conditioning = TypeVar("Conditioning")
"""A frozen dataclass of what conditions a generator's denoiser, the same in all windows of a rendering."""


def new_autoencoder(
    pixel_channels: int, latent_channels: int, widths: tuple[int, ...], norm_groups: int, size_px: int
) -> AutoencoderKL:
    """An untrained autoencoder that downsamples by 2 ** (len(widths) - 1); `widths` are multiples of `norm_groups`."""
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


def cell_px(autoencoder: Autoencoder) -> int:
    """The side of a latent cell in pixels, the autoencoder's downsampling factor."""
    if isinstance(autoencoder, PatchAutoencoder):
        return int(autoencoder.config.patch_px)
    return int(2 ** (len(autoencoder.config.block_out_channels) - 1))


class Affine(nn.Module):
    """A scale and a shift for each channel: a normalisation with frozen statistics.

    Group normalisation uses each window's own statistics: the tone of a meadow would depend on the trees in its window
    and change from window to window.
    """

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(weight.detach().clone()), nn.Parameter(bias.detach().clone())

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """(n, channels, h, w) to the same shape."""
        return torch.addcmul(self.bias[:, None, None], features, self.weight[:, None, None])


def _group_norms(decoder: nn.Module) -> Iterator[tuple[nn.Module, str, nn.GroupNorm]]:
    for parent in list(decoder.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.GroupNorm):
                yield parent, name, child


def freeze_norms(decoder: nn.Module) -> None:
    """Replace each group normalisation by an `Affine` of its weight and bias, which `calibrate` has adapted."""
    for parent, name, norm in _group_norms(decoder):
        setattr(parent, name, Affine(norm.weight, norm.bias))


def calibrate(decoder: nn.Module, run: Callable[[], None]) -> None:
    """Fold the mean statistics of each group normalisation's inputs during `run` into its weight and bias."""
    moments: dict[nn.GroupNorm, list[torch.Tensor]] = {norm: [] for _, _, norm in _group_norms(decoder)}

    def measure(norm: nn.GroupNorm, inputs: tuple[torch.Tensor, ...]) -> None:
        groups = inputs[0].float().reshape(len(inputs[0]), norm.num_groups, -1)
        moments[norm].append(torch.stack([groups.mean((0, 2)), groups.square().mean((0, 2))]))

    if not moments:
        return
    hooks = [norm.register_forward_pre_hook(measure) for norm in moments]
    run()
    for hook in hooks:
        hook.remove()
    for norm, batches in moments.items():
        mean, square = torch.stack(batches).mean(0)
        repeats = norm.num_channels // norm.num_groups
        scale = norm.weight / (square - mean.square() + norm.eps).sqrt().repeat_interleave(repeats)
        norm.bias.data = norm.bias - mean.repeat_interleave(repeats) * scale
        norm.weight.data = scale.detach()


def save(
    folder: Path,
    kind: str,
    pixel_m: float,
    window: int,
    phases: int,
    figures: dict[str, Any],
    sampler: DPMSolverMultistepScheduler,
    **more: Any,
) -> None:
    """Write the sampler and the index, with `more` entries, into a folder of trained components: it is then a model."""
    sampler.save_pretrained(folder / "scheduler")
    stride = window * 3 // 4
    geometry = {"window": window, "stride": stride, "phases": phases}
    model_folder.write_index(folder, kind, pixel_m=pixel_m, **geometry, **more, figures=figures)


def decode(autoencoder: Autoencoder, latents: torch.Tensor) -> torch.Tensor:
    """Normalised latents (n, c, h, w) to pixels (n, channels, h * cell_px, w * cell_px)."""
    return autoencoder.decode(diffusion.denormalize(autoencoder, latents)).sample


def encode(autoencoder: Autoencoder, pixels: torch.Tensor) -> torch.Tensor:
    """Pixels (n, channels, h, w) to normalised latents (n, c, h / cell_px, w / cell_px)."""
    with torch.no_grad():
        return diffusion.normalize(autoencoder, autoencoder.encode(pixels).latent_dist.mode())


def sample(autoencoder: Autoencoder, denoise: diffusion.Denoise, like: torch.Tensor) -> torch.Tensor:
    """Pixels sampled in PREVIEW_STEPS from noise of the shape of `like`, latents (n, c, h, w)."""
    noise = torch.randn_like(like)
    latents = diffusion.run_steps(denoise, diffusion.sampler(), PREVIEW_STEPS, noise, range(PREVIEW_STEPS))
    return decode(autoencoder, latents)


class LatentGenerator(Model, Generic[Conditioning]):
    """A trained latent diffusion model, which renders any region of the world's grid at its GSD, `pixel_m`.

    `components` are the networks' classes by name and `autoencoder_class` that of the autoencoder. A block of `side` by
    `side` windows is denoised in one batch.
    """

    pixel_m: ClassVar[float]
    side: ClassVar[int] = 4
    components: ClassVar[dict[str, Any]]
    autoencoder_class: ClassVar[type[Autoencoder]] = AutoencoderKL

    def __init__(self, name: str) -> None:
        super().__init__(name)
        loaded = model_folder.components(
            self.folder,
            self.dtype,
            autoencoder=self.autoencoder_class,
            scheduler=DPMSolverMultistepScheduler,
            **self.components,
        )
        self.sampler: DPMSolverMultistepScheduler = loaded.pop("scheduler")
        if self.index.get("frozen_norms"):
            freeze_norms(loaded["autoencoder"].decoder)
        for network in loaded.values():
            network.to(self.device, memory_format=torch.channels_last).eval()
        self.autoencoder: Autoencoder = loaded.pop("autoencoder")
        self.cell_px = cell_px(self.autoencoder)
        self.networks = loaded

    def to_device(self, array: np.ndarray | torch.Tensor) -> torch.Tensor:
        """A batch (n, c, h, w) with the networks' device, dtype and memory layout."""
        return torch.as_tensor(array).to(self.device, self.dtype, memory_format=torch.channels_last)

    def denoiser(self, windows: list[Box], conditioning: Conditioning, *patches: Patch) -> diffusion.Denoise:
        """The denoising function of a batch of windows (boxes in latent cells).

        `patches` are the pixels of the rendering's inputs under the windows.
        """
        raise NotImplementedError

    def decoded_raster(
        self,
        world: str,
        seed: int,
        steps: int,
        inputs: tuple[Input, ...],
        conditioning: Conditioning,
        finish: Callable[[np.ndarray], np.ndarray],
        decoder_inputs: tuple[Input, ...] = (),
    ) -> LazyRaster:
        """The lazy raster of the model's decoded pixels over the whole world.

        `inputs` are the rasters whose patches the denoiser takes, `decoder_inputs` those of `decode`. `finish` converts
        blended pixels (channels, height, width) to the raster's values. Raises BackendError for fewer than one step.
        """
        if steps < 1:
            raise BackendError(f"STEPS must be at least 1, not {steps}.")
        steps = self.effective_steps(steps)
        lattice = Lattice(self.index["window"], self.index["stride"])
        latents: list[LazyRaster] = []
        phases = diffusion.phase_steps(steps, self.index["phases"])
        for phase, part in enumerate(phases):
            compute = self.call(type(self).phase, world, seed, steps, part, conditioning)
            op = WindowOp(
                lattice,
                compute,
                unchanged,
                phase,
                side=self.side,
                batch=self.side**2,
                batch_multiple=device.batch_multiple,
            )
            previous = tuple(map(Input, latents[-1:]))
            latents.append(LazyRaster(f"{self.kind} {phase}", op, (*previous, *inputs), float(len(part))))
        op = WindowOp(
            lattice,
            self.call(type(self).decode),
            finish,
            len(phases),
            scale=self.cell_px,
            side=self.side,
            batch=DECODE_BATCH,
            batch_multiple=device.batch_multiple,
        )
        return LazyRaster(self.kind, op, (Input(latents[-1]), *decoder_inputs))

    def phase(
        self,
        world: str,
        seed: int,
        steps: int,
        part: range,
        conditioning: Conditioning,
        windows: list[Box],
        *patches: Patch,
    ) -> np.ndarray:
        """(n, channels, window, window) float32 latents of a batch of windows after one phase's denoising steps.

        The first patch holds the previous phase's latents, except in the first phase, which starts from noise. The
        others are the denoiser's.
        """
        if part.start == 0:
            covered = reduce(Box.union, windows)
            patches = (Patch(self.noise(world, seed, covered), covered), *patches)
        start, *inputs = patches
        latents = torch.from_numpy(np.stack([start.read(window) for window in windows])).to(self.device)
        with torch.inference_mode():
            denoise = self.denoiser(windows, conditioning, *inputs)
            return diffusion.run_steps(denoise, self.sampler, steps, latents, part).cpu().numpy()

    def noise(self, world: str, seed: int, box: Box) -> np.ndarray:
        """The initial noise, (latent channels, height, width) float32 over a box of latent cells."""
        return noise.normal(seed, world, self.autoencoder.config.latent_channels, box)

    def decode(self, windows: list[Box], denoised: Patch) -> np.ndarray:
        """The pixels of a batch of windows, (n, channels, window * cell_px, window * cell_px) float32."""
        latents = torch.from_numpy(np.stack([denoised.read(window) for window in windows])).to(self.device)
        with torch.inference_mode():
            unscaled = self.to_device(diffusion.denormalize(self.autoencoder, latents))
            return self.autoencoder.decode(unscaled).sample.float().cpu().numpy()
