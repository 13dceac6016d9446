"""Land cover maps at 10 m by latent diffusion (Rombach et al. 2022).

The autoencoder encodes one-hot classes and is trained with cross-entropy. The denoiser can be conditioned on the class
shares of a window and on a style, as constant planes concatenated with the latents, with guidance by Ho and Salimans
(2022). It is trained as a diffusion model of many steps, then distilled to STEPS steps.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, cast

import numpy as np
import torch
from diffusers import AutoencoderKL, UNet2DModel
from torch import nn
from torch.nn import functional

from backend.geo import legend
from backend.models import diffusion, latent_generator
from backend.models.conditioning import style_vector
from backend.protocol import BackendError, check_shares
from backend.tiling import noise
from backend.tiling.lattice import Box
from backend.tiling.lazy_raster import LazyRaster, Patch

KIND = "landcover"
PIXEL_M = 10.0
CELL_PX = 2  # larger cells lose small patches of a class
CHANNELS = 4
WINDOW = 64  # latent cells
WINDOW_PX = WINDOW * CELL_PX  # 1.28 km
PATCH = 2  # cells along the side of a patch: the denoiser takes a patch's cells as channels, which is faster
PHASES = 4
STEPS, DISTILLED_PHASES = 4, 2  # the most denoising steps of a distilled model, and their phases
MAX_GUIDANCE_SCALE = 20.0
COMPOSITION_PX = 640  # 6.4 km: class shares of 5 km maps then vary as much as those of real maps
MIXING_SCALE = 0.05  # of squared distances in those units: how soon the nearest composition outweighs the others
COMPOSITIONS = 128  # of each style, stored in a model's index
FIRST_GUIDANCE = 1.5  # at least, of the first step of a distilled model, which decides on the layout
ANCHOR_GUIDANCE, ANCHOR_CORRECTION = 1.5, 2.0  # class shares of 2 x 15 km2 are then off by 2 percent instead of 16
PURE_NOISE_TIME = 960  # of 1,000 timesteps: noisier latents show nothing of a map yet
OWN_VOTE = 5.0  # of a pixel for its own class; the neighbours at its sides have 2 votes each, those at its corners 1
SHARE_PLANES = legend.COUNT + 1  # the shares, and one plane that is 1 where shares are given


def new_autoencoder() -> AutoencoderKL:
    """An untrained autoencoder: (n, 11, h, w) one-hot to (n, 4, h/2, w/2) latents and back to logits."""
    return latent_generator.new_autoencoder(legend.COUNT, CHANNELS, (16, 32), 8, WINDOW_PX)


def new_denoiser(styles: int) -> UNet2DModel:
    """An untrained denoiser of (n, 16 + 12 + styles, 32, 32): noisy latents in patches and condition planes to v."""
    return UNet2DModel(
        sample_size=WINDOW // PATCH,
        in_channels=CHANNELS * PATCH**2 + SHARE_PLANES + styles,
        out_channels=CHANNELS * PATCH**2,
        block_out_channels=(64, 64, 96),  # CPUs multiply whole blocks of 32 channels
        layers_per_block=1,
        down_block_types=("DownBlock2D", "DownBlock2D", "AttnDownBlock2D"),
        up_block_types=("AttnUpBlock2D", "UpBlock2D", "UpBlock2D"),
        norm_num_groups=8,
        attention_head_dim=16,
    )


def predict_v(
    denoiser: nn.Module, noisy: torch.Tensor, times: torch.Tensor, shares: torch.Tensor, styles: torch.Tensor
) -> torch.Tensor:
    """The v of noisy latents (n, 4, h, w) at timesteps (n,), under class shares (n, 11) and style vectors (n, s).

    The denoiser takes the cells one by one or in patches, as its configuration says.
    """
    patch = math.isqrt(cast("UNet2DModel", denoiser).config.out_channels // noisy.shape[1])
    cells = functional.pixel_unshuffle(noisy, patch)
    planes = condition_planes(shares, styles, *cells.shape[2:])
    inputs = torch.cat([cells, planes.to(cells)], dim=1).contiguous(memory_format=torch.channels_last)
    return functional.pixel_shuffle(denoiser(inputs, times).sample, patch)


def condition_planes(shares: torch.Tensor, styles: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """(n, 11) class shares and (n, styles) style vectors to (n, 12 + styles, height, width) planes.

    The plane after the shares is 1 where there are any; a row of zeros is the unconditional case.
    """
    has_shares = (shares.sum(1, keepdim=True) > 0).to(shares.dtype)
    values = torch.cat([shares, has_shares, styles.to(shares)], dim=1)
    return values[:, :, None, None].expand(-1, -1, height, width)


class ShareAnchor(NamedTuple):
    """A point of the world, in pixels, and the class shares (COUNT) around it."""

    row: float
    col: float
    shares: tuple[float, ...]


def random_shares(compositions: Sequence[Sequence[float]], window: Box, world: str, seed: int) -> np.ndarray:
    """(11,) class shares of a window, in pixels, where none are requested: those of a random training window.

    Unconditional windows agree with their neighbours on the mean of all maps, and every place looks alike. So the world
    is divided into Voronoi cells around jittered grid points, COMPOSITION_PX apart; each cell draws one of the model's
    `compositions`, and near a border two mix. Zeros, the unconditional case, for a model without compositions.
    """
    if not compositions:
        return np.zeros(legend.COUNT)
    row, col = _centre(window, COMPOSITION_PX)
    around = Box(math.floor(row) - 2, math.floor(col) - 2, 5, 5)
    normal = noise.normal(seed, f"{world} composition", 3, around)
    uniform = 0.5 + 0.5 * np.vectorize(math.erf)(normal.reshape(3, -1) / math.sqrt(2))
    rows, cols = (axis.ravel() + 0.1 + 0.8 * jitter for axis, jitter in zip(np.mgrid[0:5, 0:5], uniform[:2]))
    indices = np.minimum((uniform[2] * len(compositions)).astype(int), len(compositions) - 1)
    return _mixed((rows + around.row - row) ** 2 + (cols + around.col - col) ** 2, np.array(compositions)[indices])


def anchored_shares(anchors: Sequence[ShareAnchor], window: Box) -> np.ndarray:
    """(11,) class shares of the anchor nearest to the centre of a window in pixels; between two anchors theirs mix."""
    row, col = _centre(window, WINDOW_PX)
    rows, cols = (np.array([anchor[axis] for anchor in anchors]) / WINDOW_PX for axis in (0, 1))
    return _mixed((rows - row) ** 2 + (cols - col) ** 2, np.array([anchor.shares for anchor in anchors]))


def _centre(window: Box, unit: int) -> tuple[float, float]:
    return (window.row + window.height / 2) / unit, (window.col + window.width / 2) / unit


def _mixed(distance: np.ndarray, compositions: np.ndarray) -> np.ndarray:
    """(11,) mean of compositions (n, 11), weighted by a softmin of their squared distances (n,)."""
    weights = np.exp((distance.min() - distance) / MIXING_SCALE)
    return weights @ compositions / weights.sum()


def smoothed(probabilities: torch.Tensor, own: float) -> torch.Tensor:
    """Class probabilities (n, 11, h, w) smoothed by a 3 x 3 kernel with the weight `own` in its centre."""
    kernel = torch.tensor([[1.0, 2.0, 1.0], [2.0, own, 2.0], [1.0, 2.0, 1.0]])
    padded = functional.pad(probabilities.flatten(0, 1)[:, None], (1, 1, 1, 1), mode="replicate")
    return functional.conv2d(padded, (kernel / kernel.sum())[None, None]).view_as(probabilities)


def composition_styles(index: Mapping[str, Any]) -> list[str]:
    """The styles that a model's index has compositions of, sorted; empty for a model without styles."""
    listed = index.get("compositions", {})
    return sorted(set(listed) - {""}) if isinstance(listed, dict) else []


def compositions(index: Mapping[str, Any], styles: Sequence[str]) -> list[list[float]]:
    """The class shares (COUNT) of training windows in any of the styles; where there are none, of all windows."""
    listed = index.get("compositions", {})
    by_style: dict[str, list[list[float]]] = listed if isinstance(listed, dict) else {"": listed}
    chosen = [style for style in by_style if style in styles] or list(by_style)
    return [shares for style in chosen for shares in by_style[style]]


@dataclass(frozen=True)
class LandCoverConditioning:
    """What a rendering requests: `shares` (COUNT) in every window, else those near `anchors`, and styles by name.

    Where all shares are 0 and there are no anchors, each window gets a composition drawn by `seed` from those of the
    styles in the model's index.
    """

    shares: tuple[float, ...]
    guidance_scale: float
    world: str
    seed: int
    anchors: tuple[ShareAnchor, ...] = ()
    styles: tuple[str, ...] = ()


class LandCoverGenerator(latent_generator.LatentGenerator[LandCoverConditioning]):
    """A trained land cover model, which renders any region of the world's 10 m grid."""

    kind, pixel_m, side = KIND, PIXEL_M, 3
    components: ClassVar = {"denoiser": UNet2DModel}

    def denoiser(self, windows: list[Box], conditioning: LandCoverConditioning, *patches: Patch) -> diffusion.Denoise:  # noqa: D102
        windows_px = [window.scaled(self.cell_px) for window in windows]
        vector = style_vector(conditioning.styles, self.index.get("styles", []))
        styles = torch.tensor(vector, device=self.device).expand(len(windows), -1)
        if any(conditioning.shares):
            shares = torch.tensor(conditioning.shares, device=self.device).expand(len(windows), -1)
            return self._share_corrected(shares, styles, conditioning.guidance_scale)
        if conditioning.anchors:
            shares = self._stacked([anchored_shares(conditioning.anchors, window) for window in windows_px])
            return self._share_corrected(shares, styles, ANCHOR_GUIDANCE, ANCHOR_CORRECTION)
        listed, world, seed = compositions(self.index, conditioning.styles), conditioning.world, conditioning.seed
        shares = self._stacked([random_shares(listed, window, world, seed) for window in windows_px])
        return self._share_conditioned(shares, styles, 1.0)

    def _stacked(self, shares: list[np.ndarray]) -> torch.Tensor:
        return torch.tensor(np.stack(shares), dtype=torch.float32, device=self.device)

    def _share_conditioned(
        self, shares: torch.Tensor, styles: torch.Tensor, guidance_scale: float
    ) -> diffusion.Denoise:
        """The denoising function of windows conditioned on class shares (n, 11) and styles; guidance is by shares."""

        def predict(noisy: torch.Tensor, times: torch.Tensor, shares: torch.Tensor) -> torch.Tensor:
            repeated = styles.repeat(len(shares) // len(styles), 1)
            return predict_v(self.networks["denoiser"], noisy.to(self.dtype), times, shares, repeated)

        return diffusion.guided(predict, shares, torch.zeros_like(shares), guidance_scale)

    def _share_corrected(
        self, requested: torch.Tensor, styles: torch.Tensor, guidance_scale: float, correction: float = 1.0
    ) -> diffusion.Denoise:
        """The denoising function of windows whose condition is corrected, so that they reach the shares (n, 11).

        The denoiser follows shares loosely where training data has few like them. So at the first step of a phase the
        shares of each window's predicted map are measured, and `correction` times what is missing is added to the
        condition. The first phase has no correction: the map predicted from pure noise is a mean of all maps. A
        distilled model's first step is guided instead, by FIRST_GUIDANCE at least.
        """
        uncorrected = self._share_conditioned(requested, styles, guidance_scale)
        first_scale = max(guidance_scale, FIRST_GUIDANCE) if "steps" in self.index else guidance_scale
        first = self._share_conditioned(requested, styles, first_scale)
        chosen: diffusion.Denoise | None = None

        def corrected(noisy: torch.Tensor, times: torch.Tensor) -> diffusion.Denoise:
            predicted = diffusion.predict_clean(self.sampler, noisy, times, uncorrected(noisy, times))
            missing = requested - self._decoded_shares(predicted)
            shares = (requested + correction * missing).clamp(min=0) * (requested > 0)
            return self._share_conditioned(shares / shares.sum(1, keepdim=True), styles, guidance_scale)

        def denoise(noisy: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
            nonlocal chosen
            if chosen is None:
                chosen = first if times.max() >= PURE_NOISE_TIME else corrected(noisy, times)
            return chosen(noisy, times)

        return denoise

    def _decoded_shares(self, latents: torch.Tensor) -> torch.Tensor:
        """(n, 11) the class shares of the maps that normalised latents (n, c, h, w) decode to."""
        unscaled = self.to_device(diffusion.denormalize(self.autoencoder, latents))
        return torch.softmax(self.autoencoder.decode(unscaled).sample.float(), dim=1).mean((2, 3))

    def decode(self, windows: list[Box], denoised: Patch) -> np.ndarray:
        """The class probabilities of a batch of windows, (n, 11, window * cell_px, window * cell_px) float32.

        They are smoothed for a model whose denoiser makes more specks of single pixels than real maps have.
        """
        probabilities = torch.softmax(torch.from_numpy(super().decode(windows, denoised)), dim=1)
        own_vote = self.index.get("own_vote")
        return smoothed(probabilities, own_vote).numpy() if own_vote else probabilities.numpy()

    def lazy_raster(
        self,
        world: str,
        seed: int,
        steps: int,
        shares: Mapping[int, float] | None = None,
        guidance_scale: float = 1.0,
        anchors: Sequence[ShareAnchor] = (),
        styles: Sequence[str] = (),
    ) -> LazyRaster:
        """The land cover of the whole world: (height, width) uint8 class indices at 10 m.

        `shares` are percentages by class code, requested in every window; the rest is divided among the other classes
        as in the training data. `guidance_scale` is that of classifier-free guidance, 1 is none. Without `shares` each
        window gets those of the nearest of `anchors`, and without anchors random ones of the model's compositions.
        `styles` are some of the model's. Raises BackendError for invalid shares and for a guidance scale out of range.
        """
        if not 1 <= guidance_scale <= MAX_GUIDANCE_SCALE:
            raise BackendError(f"GUIDANCE_SCALE must lie between 1 and {MAX_GUIDANCE_SCALE:g}, not {guidance_scale:g}.")
        complete = self._complete(shares or {})
        conditioning = LandCoverConditioning(complete, guidance_scale, world, seed, tuple(anchors), tuple(styles))
        return self.decoded_raster(world, seed, steps, (), conditioning, legend.likeliest)

    def _complete(self, shares: Mapping[int, float]) -> tuple[float, ...]:
        """Shares (COUNT) of all classes that sum to 1, from percentages by code of some; zeros where there are none."""
        check_shares(dict(shares))
        if not shares:
            return (0.0,) * legend.COUNT
        training = self.index.get("shares") or {str(code): 1.0 for code in self.trained_codes}
        others = {code: 0.0 if code in shares else training.get(str(code), 0.0) for code in legend.LEGEND}
        rest, total = 1 - sum(shares.values()) / 100, sum(others.values())
        if rest > 1e-6 and not total:
            raise BackendError(
                f"The class shares sum to {100 - 100 * rest:g} percent, and the model knows no other class that could "
                "take the rest. Raise them to 100."
            )
        complete = {code: shares.get(code, 0.0) / 100 + rest * others[code] / (total or 1.0) for code in others}
        return tuple(complete[code] / sum(complete.values()) for code in others)
