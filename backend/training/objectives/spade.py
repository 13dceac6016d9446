"""The training objective of the SPADE image generator."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from backend.models import spade
from backend.models.conditioning import CONDITIONS, ImageConditions
from backend.training import random_noise
from backend.training.generator import Batch, Objective
from backend.training.objectives.image_adversary import PREVIEW_COLUMNS, ImageAdversary, preview, random_conditions


class AdversarialTraining(Objective):
    """Hinge losses of a generator and a discriminator; there is no reconstruction loss.

    For the second half of the training the norms' running statistics are frozen and used, as in inference. A generator
    trained on the statistics of each batch alone gives garish colours with the running ones.
    """

    optimizer_keys = ("generator", "discriminator")
    learning_rate = 2e-4
    freeze_statistics_at = 0.5
    columns = PREVIEW_COLUMNS

    def __init__(self, generator: spade.SpadeNetwork, style_table: torch.Tensor, encoder_weights: str = "") -> None:
        super().__init__()
        self.generator = generator
        self.adversary = ImageAdversary(style_table, encoder_weights)
        self.norms = [module for module in generator.modules() if isinstance(module, nn.BatchNorm2d)]

    def freeze_statistics(self) -> None:
        """Stop updating the norms' running statistics, and normalise by them."""
        for norm in self.norms:
            norm.eval()

    def trained_module(self, optimizer_key: str) -> nn.Module:
        """The generator or the discriminator."""
        return self.generator if optimizer_key == "generator" else self.adversary

    def generate(self, conditions: ImageConditions) -> torch.Tensor:
        """RGB (n, 3, h, w) in -1..1 under conditions, from random noise."""
        planes = conditions.planes(self.adversary.style_table, CONDITIONS)
        count, _, height, width = planes.shape
        rows, cols = height // spade.CELL_PX, width // spade.CELL_PX
        coarse_shape = count, spade.COARSE_CHANNELS, rows // spade.COARSE, cols // spade.COARSE
        coarse = torch.randn(coarse_shape, device=planes.device)
        coarse[:, : spade.SMOOTH_CHANNELS] = random_noise.smooth(
            (count, spade.SMOOTH_CHANNELS, *coarse_shape[2:]), spade.SMOOTH_CELLS, planes.device
        )
        fine = torch.randn(count, spade.FINE_CHANNELS, rows, cols, device=planes.device)
        parcels = random_noise.parcels((count, spade.PARCEL_PLANES, rows, cols), spade.PARCEL_CELLS, planes.device)
        fine = torch.cat([fine, parcels], dim=1)
        return conditions.keep_known(self.generator(coarse.to(planes), fine.to(planes), planes))

    def forward(self, batch: Batch, optimizer_key: str) -> tuple[torch.Tensor, dict[str, float]]:
        """`pixels`, `one_hot`, `styles` and `lines` of `recipes.image.batches` to the loss of that optimizer."""
        if optimizer_key == "discriminator":
            return self.adversary.discriminator.loss(), {}
        real = random_conditions(batch)
        conditions = self.adversary.generated_conditions(real, batch["pixels"])
        return self.adversary.generator_loss(self.generate(conditions), conditions, batch["pixels"], real)

    def preview(self, batch: Batch) -> list[np.ndarray]:  # noqa: D102
        return preview(batch, self.generate)
