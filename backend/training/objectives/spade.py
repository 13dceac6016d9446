"""What the training of the SPADE image generator minimises."""

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


class Painting(Objective):
    """Painter against judge, with hinge losses alone: nothing ties a painting to the one image that was taken there.

    In the end the norms' statistics are frozen as they are for painting: a batch of one kind of ground has others, and
    a painter that only knows its own batch's is garish without.
    """

    optimizer_keys = ("painter", "judge")
    learning_rate = 2e-4
    freeze_statistics_at = 0.5
    columns = ("land cover", "real", "painted on it")

    def __init__(self, painter: spade.SpadeNetwork, encoder_weights: str = "") -> None:
        super().__init__()
        self.painter = painter
        self.judge = projected_discriminator.ProjectedDiscriminator(
            legend.COUNT + painter.config.styles, encoder_weights
        )
        self.norms = [module for module in painter.modules() if isinstance(module, nn.BatchNorm2d)]

    def freeze_statistics(self) -> None:
        """Freeze the norms' statistics."""
        for norm in self.norms:
            norm.eval()

    def trained_module(self, optimizer_key: str) -> nn.Module:
        """The painter or its judge."""
        return self.painter if optimizer_key == "painter" else self.judge

    def paint(self, told: torch.Tensor) -> torch.Tensor:
        """(n, 11 + styles, h, w) land cover and styles, and fresh noise, to RGB (n, 3, h, w)."""
        count, _, height, width = told.shape
        rows, cols = height // spade.CELL_PX, width // spade.CELL_PX
        places = noise.random_boxes(
            torch.randint(2**31, (count, 3)).tolist(), rows // spade.COARSE, cols // spade.COARSE
        )
        coarse = torch.from_numpy(np.stack([spade.coarse_noise(seed, "training", box) for seed, box in places])).to(
            told
        )
        return self.painter(coarse, told.new_empty(count, spade.FINE_CHANNELS, rows, cols).normal_(), told)

    def forward(self, batch: Batch, optimizer_key: str) -> tuple[torch.Tensor, dict[str, float]]:
        """`pixels` (n, 3, h, w) in -1..1, `one_hot` (n, 11, h, w) and `styles` (n, s) to the loss of that optimizer."""
        if optimizer_key == "judge":
            return self.judge.loss(), {}
        told = condition_planes_with_dropout(batch["one_hot"], batch["styles"])
        asked = projected_discriminator.repeat_conditions(projected_discriminator.shuffle_styles(told))
        return self.judge.opinion(self.paint(asked), asked, batch["pixels"], told), {}

    def preview(self, batch: Batch) -> list[np.ndarray]:  # noqa: D102
        painted = self.paint(condition_planes(batch["one_hot"], batch["styles"]))
        return [legend.pictures(batch["one_hot"].cpu().numpy()), *map(rgb.pictures, (batch["pixels"], painted))]
