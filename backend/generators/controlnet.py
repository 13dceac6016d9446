"""Aerial images at 1 m by latent diffusion with a ControlNet on land cover (Zhang et al. 2023)."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

import numpy as np
import torch
from diffusers import AutoencoderKL, ControlNetModel, UNet2DConditionModel
from torch import nn
from torch.nn import functional

from backend import classes, diffusion, latent_model, rgb
from backend.field import Field, Input, Patch, Source
from backend.lattice import Box
from backend.training import perceptual
from backend.training.judge import Judge
from backend.training.loop import Batch, Objective

KIND = "controlnet"
PIXEL_M = 1.0
CELL_PX = 4
CHANNELS = 4
WINDOW = 32  # latent cells, 128 m
PHASES = 6  # with fewer, each window gives a meadow a tone of its own
KL_WEIGHT = 1e-6
PERCEPTUAL_WEIGHT = 0.5
JUDGE_WEIGHT, FEATURE_WEIGHT = 0.05, 4.0
HIDDEN_SHARE = 0.1
GUIDANCE_SCALE = 3.0  # how far the image is pushed towards its land cover (Ho and Salimans 2022); 1 is not at all


def new_autoencoder() -> AutoencoderKL:
    """An untrained autoencoder: (n, 3, h, w) RGB in -1..1 to (n, 4, h/4, w/4) latents and back."""
    return latent_model.new_autoencoder(3, CHANNELS, (32, 64, 80), 16, WINDOW * CELL_PX)


def new_denoiser() -> UNet2DConditionModel:
    """An untrained denoiser of (n, 4, 32, 32) noisy latents; land cover reaches it through the ControlNet alone."""
    return UNet2DConditionModel(
        sample_size=WINDOW,
        in_channels=CHANNELS,
        out_channels=CHANNELS,
        down_block_types=("DownBlock2D", "DownBlock2D", "AttnDownBlock2D"),
        mid_block_type="UNetMidBlock2D",
        up_block_types=("AttnUpBlock2D", "UpBlock2D", "UpBlock2D"),
        block_out_channels=(64, 64, 96),  # CPUs multiply whole blocks of 32 channels
        layers_per_block=1,
        norm_num_groups=8,
        attention_head_dim=16,
        cross_attention_dim=8,
    )


def new_controlnet(denoiser: UNet2DConditionModel) -> ControlNetModel:
    """A ControlNet of (n, 11, h * 4, w * 4) one-hot land cover, its encoder copied from the denoiser's."""
    return ControlNetModel.from_unet(
        denoiser, conditioning_channels=classes.COUNT, conditioning_embedding_out_channels=(16, 32, 48)
    )


class Autoencoding(Objective):
    """Mean absolute error, perceptual distance where it can be had, and a trace of KL divergence."""

    learning_rate = 1e-3
    columns = ("real", "through the autoencoder")

    def __init__(self, autoencoder: AutoencoderKL) -> None:
        super().__init__()
        self.autoencoder = autoencoder
        self.distance = [perceptual.distance()]  # in a list: it is no part of what is trained and saved

    def trained(self, turn: str) -> nn.Module:
        """The autoencoder."""
        return self.autoencoder

    def forward(self, batch: Batch, turn: str) -> tuple[torch.Tensor, dict[str, float]]:
        """`image` (n, 3, h, w) in -1..1 to the loss of its reconstruction."""
        posterior = self.autoencoder.encode(batch["image"]).latent_dist
        loss, figures = self.compared(self.autoencoder.decode(posterior.sample()).sample, batch["image"])
        return loss + KL_WEIGHT * posterior.kl().mean(), figures

    def compared(self, again: torch.Tensor, image: torch.Tensor) -> tuple[torch.Tensor, dict[str, float]]:
        """How far an image (n, 3, h, w) that came back is from what it was."""
        loss = functional.l1_loss(again.float(), image)
        figures = {"absolute": loss.item()}
        if self.distance[0] is not None:  # of one image in six: it costs more than all the rest
            felt = self.distance[0].to(again.device)(again[::6], image[::6]).mean()
            loss, figures["perceptual"] = loss + PERCEPTUAL_WEIGHT * felt, felt.item()
        return loss, figures

    def shown(self, batch: Batch) -> list[np.ndarray]:  # noqa: D102
        again = self.autoencoder.decode(self.autoencoder.encode(batch["image"]).latent_dist.mode()).sample
        return [rgb.pictures(batch["image"]), rgb.pictures(again)]


class Decoding(Autoencoding):
    """The decoder alone, its norms frozen: pixels then depend on what lies around them, not on their window.

    A judge asks for the texture that the absolute error smooths away.
    """

    turns = ("loss", "judge")
    learning_rate = 4e-4

    def __init__(self, autoencoder: AutoencoderKL) -> None:
        super().__init__(autoencoder)
        self.judge = Judge(3)

    def trained(self, turn: str) -> nn.Module:
        """The decoder or its judge; the latents stay what the denoiser has learned."""
        return self.judge if turn == "judge" else self.autoencoder.decoder

    def forward(self, batch: Batch, turn: str) -> tuple[torch.Tensor, dict[str, float]]:
        """`image` (n, 3, h, w) in -1..1 to the loss of the turn."""
        image = batch["image"]
        with torch.no_grad():
            latents = self.autoencoder.encode(image).latent_dist.mode()
        if turn == "judge":
            with torch.no_grad():
                again = self.autoencoder.decode(latents).sample
            return self.judge.loss(again, image), {}
        again = self.autoencoder.decode(latents).sample
        loss, figures = self.compared(again, image)
        fooled, matched = self.judge.opinion(again, image)
        return loss + JUDGE_WEIGHT * (fooled + FEATURE_WEIGHT * matched), {**figures, "features": matched.item()}


class Denoising(Objective):
    """v-prediction on cached latents, denoiser and ControlNet together; land cover is hidden now and then.

    The autoencoder is not trained: it shows the latents.
    """

    learning_rate = 6e-4
    columns = ("land cover", "real", "generated on it")

    def __init__(self, denoiser: UNet2DConditionModel, controlnet: ControlNetModel, autoencoder: AutoencoderKL) -> None:
        super().__init__()
        self.parts = nn.ModuleDict({"denoiser": denoiser, "controlnet": controlnet})
        self.scheduler = diffusion.schedule()
        self.decoder = [autoencoder]  # in a list: it is no part of what is trained and saved

    def trained(self, turn: str) -> nn.Module:
        """Both networks."""
        return self.parts

    def forward(self, batch: Batch, turn: str) -> tuple[torch.Tensor, dict[str, float]]:
        """`latents` (n, 4, h, w) scaled, `one_hot` (n, 11, 4h, 4w) to the loss of the predicted v."""
        shown = (torch.rand(len(batch["latents"]), device=batch["latents"].device) > HIDDEN_SHARE).float()
        landcover = batch["one_hot"] * shown[:, None, None, None]

        def denoise(noisy: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
            return controlled(self.parts["denoiser"], self.parts["controlnet"], noisy, times, landcover)

        return diffusion.v_loss(denoise, self.scheduler, batch["latents"]), {}

    def shown(self, batch: Batch) -> list[np.ndarray]:  # noqa: D102
        autoencoder, one_hot = self.decoder[0], batch["one_hot"]
        predict = partial(controlled, self.parts["denoiser"], self.parts["controlnet"])
        denoise = diffusion.guided(predict, one_hot, torch.zeros_like(one_hot), GUIDANCE_SCALE)
        real = latent_model.decoded(autoencoder, batch["latents"])
        made = latent_model.drawn(autoencoder, denoise, batch["latents"])
        return [classes.pictures(one_hot.cpu().numpy()), rgb.pictures(real), rgb.pictures(made)]


def controlled(
    denoiser: nn.Module, controlnet: nn.Module, noisy: torch.Tensor, times: torch.Tensor, landcover: torch.Tensor
) -> torch.Tensor:
    """The denoiser's v with the ControlNet's residuals of one-hot land cover; neither attends to a text."""
    down, mid = controlnet(noisy, times, None, controlnet_cond=landcover, return_dict=False)
    return denoiser(noisy, times, None, down_block_additional_residuals=down, mid_block_additional_residual=mid).sample


class ImageGenerator(latent_model.LatentGenerator):
    """A trained ControlNet stack, ready to paint any region of the world's 1 m grid."""

    kind, pixel_m = KIND, PIXEL_M
    components: ClassVar = {"denoiser": UNet2DConditionModel, "controlnet": ControlNetModel}

    def __init__(self, name: str = KIND) -> None:
        super().__init__(name)
        # The embedding of land cover is the same at every step: it is taken out and computed once a window.
        self._embedding = self.networks["controlnet"].controlnet_cond_embedding
        self.networks["controlnet"].controlnet_cond_embedding = nn.Identity()

    def denoiser(self, windows: list[Box], control: tuple[Any, ...], *conditions: Patch) -> diffusion.Denoise:  # noqa: D102
        (landcover,) = conditions
        found = [classes.painted(landcover.read(window.scaled(CELL_PX)), self.seen) for window in windows]
        one_hot = np.stack(found)
        shown = self._embedding(self.placed(one_hot))
        hidden = self._embedding(self.placed(np.zeros_like(one_hot[:1]))).expand_as(shown)
        parts = self.networks["denoiser"], self.networks["controlnet"]

        def predict(noisy: torch.Tensor, times: torch.Tensor, embedded: torch.Tensor) -> torch.Tensor:
            return controlled(*parts, self.placed(noisy), times, embedded.contiguous(memory_format=torch.channels_last))

        return diffusion.guided(predict, shown, hidden, self.index["guidance_scale"])

    def field(self, world: str, seed: int, steps: int, landcover: Field | Source, coarse: int = 1) -> Field:
        """The image of the world, (3, height, width) uint8 RGB at 1 m, on land cover of pixels `coarse` m wide."""
        return self.rendered(world, seed, steps, (Input(landcover, CELL_PX, coarse),), rgb.to_bytes)
