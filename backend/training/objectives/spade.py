"""The training objective of the SPADE image generator."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from backend.geo import legend
from backend.models import rgb, spade
from backend.models.conditioning import condition_planes, condition_planes_with_dropout
from backend.tiling import noise
from backend.training import projected_discriminator
from backend.training.generator import Batch, Objective


class AdversarialTraining(Objective):
    """Hinge losses of a generator and a discriminator; there is no reconstruction loss.

    For the second half of the training the norms' running statistics are frozen and used, as in inference. A generator
    trained on the statistics of each batch alone gives garish colours with the running ones.
    """

    optimizer_keys = ("generator", "discriminator")
    learning_rate = 2e-4
    freeze_statistics_at = 0.5
    columns = ("land cover", "real", "painted on it")

    def __init__(self, generator: spade.SpadeNetwork, encoder_weights: str = "") -> None:
        super().__init__()
        self.generator = generator
        condition_channels = legend.COUNT + generator.config.styles
        self.discriminator = projected_discriminator.ProjectedDiscriminator(condition_channels, encoder_weights)
        self.norms = [module for module in generator.modules() if isinstance(module, nn.BatchNorm2d)]

    def freeze_statistics(self) -> None:
        """Stop updating the norms' running statistics, and normalise by them."""
        for norm in self.norms:
            norm.eval()

    def trained_module(self, optimizer_key: str) -> nn.Module:
        """The generator or the discriminator."""
        return self.generator if optimizer_key == "generator" else self.discriminator

    def generate(self, condition: torch.Tensor) -> torch.Tensor:
        """RGB (n, 3, h, w) in -1..1 of a condition (n, 11 + styles, h, w) and random noise."""
        count, _, height, width = condition.shape
        rows, cols = height // spade.CELL_PX, width // spade.CELL_PX
        seeds = torch.randint(2**31, (count, 3)).tolist()
        places = noise.random_boxes(seeds, rows // spade.COARSE, cols // spade.COARSE)
        coarse = np.stack([spade.coarse_noise(seed, "training", box) for seed, box in places])
        fine = condition.new_empty(count, spade.FINE_CHANNELS, rows, cols).normal_()
        return self.generator(torch.from_numpy(coarse).to(condition), fine, condition)

    def forward(self, batch: Batch, optimizer_key: str) -> tuple[torch.Tensor, dict[str, float]]:
        """`pixels` (n, 3, h, w) in -1..1, `one_hot` (n, 11, h, w) and `styles` (n, s) to the loss of that optimizer."""
        if optimizer_key == "discriminator":
            return self.discriminator.loss(), {}
        real_condition = condition_planes_with_dropout(batch["one_hot"], batch["styles"])
        shuffled = projected_discriminator.shuffle_styles(real_condition)
        condition = projected_discriminator.repeat_conditions(shuffled)
        generated = self.generate(condition)
        return self.discriminator.generator_loss(generated, condition, batch["pixels"], real_condition), {}

    def preview(self, batch: Batch) -> list[np.ndarray]:  # noqa: D102
        generated = self.generate(condition_planes(batch["one_hot"], batch["styles"]))
        return [legend.pictures(batch["one_hot"].cpu().numpy()), *map(rgb.pictures, (batch["pixels"], generated))]
