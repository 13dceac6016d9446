"""Land cover maps at 10 m by latent diffusion (Rombach et al. 2022).

The autoencoder takes one-hot classes and is trained with cross-entropy; the denoiser may be told the class
shares of the window, as constant planes beside the latents (Ho and Salimans 2022 for the guidance).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
import torch
from diffusers import AutoencoderKL, UNet2DModel
from torch import nn
from torch.nn import functional

from backend.geo import legend
from backend.models import diffusion, latent_generator
from backend.protocol import BackendError, check_shares
from backend.tiling import noise
from backend.tiling.lattice import Box
from backend.tiling.lazy_raster import LazyRaster, Patch

KIND = "landcover"
PIXEL_M = 10.0
CELL_PX = 2  # larger cells lose the small patches of a map
CHANNELS = 4
WINDOW = 64  # latent cells, 128 px, 1.28 km
PHASES = 4
MAX_GUIDANCE_SCALE = 20.0
COMPOSED_CELLS = 320  # latent cells, 6.4 km: at it maps of 5 km differ in their mix as much as real ones do
MIXED_AT = 0.05  # squared distances, in these, over which two compositions mix
COMPOSITIONS = 128  # that an index holds
PLACES_GUIDANCE, PLACES_AMENDED = 1.5, 2.0  # with both the mix of 2 x 15 km2 of places is 2 percent off, else 16
ALL_NOISE = 960  # of 1,000 timesteps, from which nothing of a map is to be seen
OWN_VOTE = 5.0  # of a pixel for its class, beside 2 of each side's neighbour and 1 of each corner's
SHARE_PLANES = legend.COUNT + 1  # the shares, and one that says whether they are given


def new_autoencoder() -> AutoencoderKL:
    """An untrained autoencoder: (n, 11, h, w) one-hot to (n, 4, h/2, w/2) latents and back to logits."""
    return latent_generator.new_autoencoder(legend.COUNT, CHANNELS, (16, 32), 8, WINDOW * CELL_PX)


def new_denoiser() -> UNet2DModel:
    """An untrained denoiser of (n, 4 + 12, 64, 64): noisy latents and share planes to v."""
    return UNet2DModel(
        sample_size=WINDOW,
        in_channels=CHANNELS + SHARE_PLANES,
        out_channels=CHANNELS,
        block_out_channels=(64, 64, 80),  # CPUs multiply whole blocks of 32 channels
        layers_per_block=1,
        down_block_types=("DownBlock2D", "DownBlock2D", "AttnDownBlock2D"),
        up_block_types=("AttnUpBlock2D", "UpBlock2D", "UpBlock2D"),
        norm_num_groups=8,
        attention_head_dim=16,
    )


def predict_v(denoiser: nn.Module, noisy: torch.Tensor, times: torch.Tensor, planes: torch.Tensor) -> torch.Tensor:
    """The denoiser's v of noisy latents (n, 4, h, w) that is told class shares by planes (n, 12, h, w)."""
    return denoiser(torch.cat([noisy, planes], dim=1), times).sample


def share_planes(shares: torch.Tensor, size: int) -> torch.Tensor:
    """(n, 11) class shares to (n, 12, size, size) planes; a row that sums to 0 means that none are asked for."""
    given = (shares.sum(1, keepdim=True) > 0).to(shares.dtype)
    return torch.cat([shares, given], dim=1)[:, :, None, None].expand(-1, -1, size, size)


class ShareAnchor(NamedTuple):
    """Somewhere in the world, in latent cells, and the class shares (COUNT) around it."""

    row: float
    col: float
    shares: tuple[float, ...]


def composition(known: Sequence[Sequence[float]], window: Box, world: str, seed: int) -> np.ndarray:
    """(11,) the class shares of a window where none are asked for: some training window's, much the same over some km.

    Windows that are left to themselves agree with their neighbours on the mean of all, and every place looks alike. So
    the world is parted into cells about random points, each with a composition of its own; near the borders they mix.
    Zeros, which leave the window to itself, where none are `known`.
    """
    if not known:
        return np.zeros(legend.COUNT)
    row, col = _centre(window, COMPOSED_CELLS)
    around = Box(math.floor(row) - 2, math.floor(col) - 2, 5, 5)
    drawn = noise.normal(seed, f"{world} composition", 3, around)
    uniform = 0.5 + 0.5 * np.vectorize(math.erf)(drawn.reshape(3, -1) / math.sqrt(2))
    rows, cols = (axis.ravel() + 0.1 + 0.8 * jitter for axis, jitter in zip(np.mgrid[0:5, 0:5], uniform[:2]))
    chosen = np.array(known)[np.minimum((uniform[2] * len(known)).astype(int), len(known) - 1)]
    return _mixed((rows + around.row - row) ** 2 + (cols + around.col - col) ** 2, chosen)


def nearest(places: Sequence[ShareAnchor], window: Box) -> np.ndarray:
    """(11,) the class shares of the place nearest to a window's middle; those of two mix halfway between them."""
    row, col = _centre(window, WINDOW)
    rows, cols = (np.array([place[axis] for place in places]) / WINDOW for axis in (0, 1))
    return _mixed((rows - row) ** 2 + (cols - col) ** 2, np.array([place.shares for place in places]))


def _centre(window: Box, unit: int) -> tuple[float, float]:
    return (window.row + window.height / 2) / unit, (window.col + window.width / 2) / unit


def _mixed(distance: np.ndarray, compositions: np.ndarray) -> np.ndarray:
    """(11,) of compositions (n, 11) that of the least squared distance (n,), and somewhat of those about as near."""
    weights = np.exp((distance.min() - distance) / MIXED_AT)
    return weights @ compositions / weights.sum()


def smoothed(probabilities: torch.Tensor, own: float) -> torch.Tensor:
    """(n, 11, h, w) class probabilities, each pixel's the mean of its own and its eight neighbours'."""
    votes = torch.tensor([[1.0, 2.0, 1.0], [2.0, own, 2.0], [1.0, 2.0, 1.0]])
    around = functional.pad(probabilities.flatten(0, 1)[:, None], (1, 1, 1, 1), mode="replicate")
    return functional.conv2d(around, (votes / votes.sum())[None, None]).view_as(probabilities)


@dataclass(frozen=True)
class ShareRequest:
    """The class shares that a rendering requests: `shares` (COUNT) in every window, else those near `places`.

    Where all shares are 0 and there are no places, each window gets a composition drawn by `seed` from those in the
    model's index.
    """

    shares: tuple[float, ...]
    guidance_scale: float
    world: str
    seed: int
    places: tuple[ShareAnchor, ...] = ()


class LandCoverGenerator(latent_generator.LatentGenerator[ShareRequest]):
    """A trained land cover model, ready to render any region of the world's 10 m grid."""

    kind, pixel_m, side = KIND, PIXEL_M, 3
    components: ClassVar = {"denoiser": UNet2DModel}

    def denoiser(self, windows: list[Box], conditioning: ShareRequest, *patches: Patch) -> diffusion.Denoise:  # noqa: D102
        if any(conditioning.shares):
            shares = torch.tensor(conditioning.shares, device=self.device).expand(len(windows), -1)
            return self._kept_to(shares, conditioning.guidance_scale)
        if conditioning.places:
            shares = self._shares_of([nearest(conditioning.places, window) for window in windows])
            return self._kept_to(shares, PLACES_GUIDANCE, PLACES_AMENDED)
        known, world, seed = self.index.get("compositions", []), conditioning.world, conditioning.seed
        return self._told(self._shares_of([composition(known, window, world, seed) for window in windows]), 1.0)

    def _shares_of(self, found: list[np.ndarray]) -> torch.Tensor:
        return torch.tensor(np.stack(found), dtype=torch.float32, device=self.device)

    def _told(self, shares: torch.Tensor, guidance_scale: float) -> diffusion.Denoise:
        """The denoising function of windows that are told shares, (n, 11)."""
        shown, hidden = (share_planes(given, self.index["window"]) for given in (shares, torch.zeros_like(shares)))

        def predict(noisy: torch.Tensor, times: torch.Tensor, planes: torch.Tensor) -> torch.Tensor:
            return self.networks["denoiser"](self.placed(torch.cat([noisy, planes], dim=1)), times).sample

        return diffusion.guided(predict, shown, hidden, guidance_scale)

    def _kept_to(self, asked: torch.Tensor, guidance_scale: float, amended: float = 1.0) -> diffusion.Denoise:
        """The same, told more of what it would give too little of.

        The denoiser follows shares half-heartedly where training saw few like them. So at the first step of a phase
        each window's shares are read from what it would become, and what it misses is added, `amended` times, to what
        it is told. Not in the first phase: what pure noise would become in one step is a mean of all maps, not one of
        them.
        """
        plain = self._told(asked, guidance_scale)
        chosen: diffusion.Denoise | None = None

        def corrected(noisy: torch.Tensor, times: torch.Tensor) -> diffusion.Denoise:
            missed = asked - self._shares_in(diffusion.clean(self.sampler, noisy, times, plain(noisy, times)))
            told = (asked + amended * missed).clamp(min=0) * (asked > 0)
            return self._told(told / told.sum(1, keepdim=True), guidance_scale)

        def denoise(noisy: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
            nonlocal chosen
            if chosen is None:
                chosen = plain if times.max() >= ALL_NOISE else corrected(noisy, times)
            return chosen(noisy, times)

        return denoise

    def _shares_in(self, latents: torch.Tensor) -> torch.Tensor:
        """(n, 11) the class shares of scaled latents (n, 4, h, w)."""
        unscaled = self.placed(diffusion.scaled(self.autoencoder, latents, back=True))
        return torch.softmax(self.autoencoder.decode(unscaled).sample.float(), dim=1).mean((2, 3))

    def decode(self, windows: list[Box], denoised: Patch) -> np.ndarray:
        """The class probabilities of a batch of windows, (n, 11, window * 2, window * 2) float32.

        A vote of neighbours takes out specks of a pixel, which the denoiser leaves more of than there are.
        """
        probabilities = torch.softmax(torch.from_numpy(super().decode(windows, denoised)), dim=1)
        own = self.index.get("own_vote")
        return smoothed(probabilities, own).numpy() if own else probabilities.numpy()

    def field(
        self,
        world: str,
        seed: int,
        steps: int,
        shares: Mapping[int, float] | None = None,
        guidance_scale: float = 1.0,
        places: Sequence[ShareAnchor] = (),
    ) -> LazyRaster:
        """The land cover of the whole world: (height, width) uint8 class indices at 10 m.

        `shares` are the percentages asked for in every window, by code; what they leave is divided as in the
        training data. `guidance_scale` is how far they are pushed, 1 not at all. Raises BackendError for shares
        that are none and for a guidance scale below 1. Where no shares are asked for, each window is asked for those of
        the nearest of `places`, instead of what the model knows.
        """
        if not 1 <= guidance_scale <= MAX_GUIDANCE_SCALE:
            raise BackendError(f"GUIDANCE_SCALE must lie between 1 and {MAX_GUIDANCE_SCALE:g}, not {guidance_scale:g}.")
        request = ShareRequest(self._whole(shares or {}), guidance_scale, world, seed, tuple(places))
        return self.rendered(world, seed, steps, (), request, legend.likeliest)

    def _whole(self, shares: Mapping[int, float]) -> tuple[float, ...]:
        """Shares of all classes that sum to 1, as the denoiser was told in training; zeros where none are asked for."""
        check_shares(dict(shares))
        if not shares:
            return (0.0,) * legend.COUNT
        usual = self.index.get("shares") or {str(code): 1.0 for code in self.seen}
        left = {code: 0.0 if code in shares else usual.get(str(code), 0.0) for code in legend.LEGEND}
        rest, total = 1 - sum(shares.values()) / 100, sum(left.values())
        if rest > 1e-6 and not total:
            raise BackendError(
                f"The class shares sum to {100 - 100 * rest:g} percent, and the model knows no other class that could "
                "take the rest. Raise them to 100."
            )
        found = {code: shares.get(code, 0.0) / 100 + rest * left[code] / (total or 1.0) for code in left}
        return tuple(found[code] / sum(found.values()) for code in left)
