"""What both image generators are trained against: random conditions, the discriminator and the cost of repetition."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from backend.geo import legend
from backend.models import rgb
from backend.models.conditioning import LINES, ImageConditions, plane_count
from backend.training.generator import Batch
from backend.training.projected_discriminator import ProjectedDiscriminator, repeat_conditions
from backend.training.repetition import autocorrelation_peaks

STYLE_DROPOUT = 0.3  # the probability that a style of an image is dropped, so that each works without the others
ALL_STYLES_DROPOUT = 0.3  # the probability that all are: no style is the most common request
SHUFFLED_SHARE = 0.5  # of the generated images, whose styles are those of another example
NO_LINES_SHARE, ALL_LINES_SHARE = 0.4, 0.3  # of the examples; of the others some lines are hidden
LINE_BLOCK_PX = 16  # the side of the squares in which lines are hidden
STROKES = 3  # of a brush, in the examples whose known pixels are strokes
NOTHING_KNOWN_SHARE = 0.6  # of the examples, in which no pixels are known
SCORED = (LINES,)  # the conditions that the discriminator gets beside land cover and styles; known pixels it sees
REPETITION_WEIGHT, REPETITION_TOLERANCE = 20.0, 0.02  # of autocorrelation beyond that of the real image
EDGE_WEIGHT = 3.0  # of the lines without an edge
EDGE_CONTRAST, EDGE_PX = 0.2, 1  # of the range -1..1, 26 grey levels; how far off an edge may lie
LINE_REACH_PX, STRIP_PX = 4, 3.0  # along a line, and to its sides
PREVIEW_COLUMNS = ("land cover", "lines", "real", "generated on land cover", "with lines", "with the left half known")


def random_conditions(batch: Batch) -> ImageConditions:
    """The conditions of a batch of training images: styles and lines are dropped at random, no pixels are known."""
    styles, lines = batch["styles"], batch["lines"]
    styles = styles * (
        (torch.rand_like(styles) > STYLE_DROPOUT) & (torch.rand_like(styles[:, :1]) > ALL_STYLES_DROPOUT)
    )
    count, _, height, width = lines.shape
    choice = torch.rand(count, 1, 1, 1, device=lines.device)
    kept_share = torch.rand(count, 1, 1, 1, device=lines.device)
    kept_share = torch.where(choice < ALL_LINES_SHARE, 1.0, kept_share)
    kept_share = torch.where(choice > 1 - NO_LINES_SHARE, 0.0, kept_share)
    blocks = torch.rand(count, 1, -(-height // LINE_BLOCK_PX), -(-width // LINE_BLOCK_PX), device=lines.device)
    kept = functional.interpolate((blocks < kept_share).float(), scale_factor=LINE_BLOCK_PX)[..., :height, :width]
    return ImageConditions(batch["one_hot"], styles, lines * kept)


def random_known(pixels: torch.Tensor) -> torch.Tensor:
    """(n, 4, h, w) known pixels of images (n, 3, h, w): none, a rectangle, a half plane, strokes, or all but these."""
    count, _, height, width = pixels.shape
    masks = _random_masks(count, height, width, pixels.device)[:, None].to(pixels)
    return torch.cat([pixels * masks, masks], dim=1)


def _random_masks(count: int, height: int, width: int, target: torch.device) -> torch.Tensor:
    """(count, height, width) bool, true where pixels are known; all on the device, as a GPU waits for each transfer."""
    rows = torch.linspace(-1, 1, height, device=target)[:, None]
    cols = torch.linspace(-1, 1, width, device=target)
    chance, choice, inverse, row, col, tall, wide = torch.rand(7, count, 1, 1, device=target)
    rectangle = ((rows - (row - 0.5)).abs() < 0.25 + 0.5 * tall) & ((cols - (col - 0.5)).abs() < 0.25 + 0.5 * wide)
    angle = 2 * math.pi * row
    half_plane = rows * torch.sin(angle) + cols * torch.cos(angle) < 1.2 * (col - 0.5)
    top, left, bottom, right, thickness = torch.rand(5, count, STROKES, 1, 1, device=target)
    tall, wide = 2 * (bottom - top), 2 * (right - left)
    from_row, from_col = rows - (2 * top - 1), cols - (2 * left - 1)
    along = ((from_row * tall + from_col * wide) / (tall**2 + wide**2 + 1e-9)).clamp(0, 1)
    distance = torch.hypot(from_row - along * tall, from_col - along * wide)
    strokes = (distance < 0.1 + 0.25 * thickness).any(1)
    inside = torch.where(choice < 1 / 3, rectangle, torch.where(choice < 2 / 3, half_plane, strokes))
    return torch.where(inverse < 0.4, inside, ~inside) & (chance >= NOTHING_KNOWN_SHARE)


def missing_edges(images: torch.Tensor, lines: torch.Tensor | None) -> torch.Tensor:
    """The share of lines (n, 1, h, w) along which images (n, 3, h, w) lack an edge, a scalar from 0 to 1.

    An edge is a difference of EDGE_CONTRAST between the strips on both sides of a line, EDGE_PX away from it at most.
    The part that a weaker one lacks counts. Strips, because texture alone would have edges of single pixels everywhere.
    Without this cost lines are followed late: a few pixels hardly change what the discriminator sees.
    """
    if lines is None:
        return images.new_zeros(())
    along, across = _line_kernels(lines.device)
    directions = functional.conv2d(lines.float(), along, padding=LINE_REACH_PX).argmax(1, keepdim=True)
    grey = functional.pad(images.float().mean(1, keepdim=True), (LINE_REACH_PX,) * 4, mode="replicate")
    contrast = functional.max_pool2d(functional.conv2d(grey, across).abs(), 2 * EDGE_PX + 1, 1, EDGE_PX)
    missing = functional.relu(1 - contrast.gather(1, directions) / EDGE_CONTRAST) * lines
    return missing.sum() / lines.sum().clamp(min=1)


def _surplus_edges(images: torch.Tensor, real: torch.Tensor, lines: torch.Tensor | None) -> torch.Tensor:
    """By how much more images have edges along the lines of other examples than the real images, a scalar.

    Without this cost a generator would have edges everywhere and pass over its lines.
    """
    if lines is None:
        return images.new_zeros(())
    near = functional.max_pool2d(lines.float(), 2 * LINE_REACH_PX + 1, 1, LINE_REACH_PX)
    others = lines.roll(1, 0) * (1 - near)
    with torch.no_grad():
        of_real = missing_edges(real, others)
    return functional.relu(of_real - missing_edges(images, others))


def _line_kernels(device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Two kernels (8, 1, 9, 9) for eight directions, 22.5 degrees apart.

    The first are lines through the middle. The second compare the strips on both sides of these lines.
    """
    steps = torch.arange(-LINE_REACH_PX, LINE_REACH_PX + 1.0, device=device)
    rows, cols = torch.meshgrid(steps, steps, indexing="ij")
    angles = torch.arange(8, device=device)[:, None, None] * math.pi / 8
    aside = cols * torch.sin(angles) - rows * torch.cos(angles)
    along = (aside.abs() < 0.75).float()
    strip = (aside.abs() >= 0.75) & (aside.abs() < STRIP_PX) & (torch.hypot(rows, cols) <= LINE_REACH_PX + 0.5)
    sides = torch.stack([strip & (aside > 0), strip & (aside < 0)]).float()
    sides = sides / sides.sum((2, 3), keepdim=True)
    return (along / along.sum((1, 2), keepdim=True))[:, None], (sides[0] - sides[1])[:, None]


def preview(batch: Batch, generate: Callable[[ImageConditions], torch.Tensor]) -> list[np.ndarray]:
    """The columns PREVIEW_COLUMNS of a batch, (n, h, w, 3) uint8; `generate` makes images in -1..1 under conditions."""
    landcover, styles, lines, pixels = (batch[key] for key in ("one_hot", "styles", "lines", "pixels"))
    known = torch.ones_like(pixels[:, :1])
    known[..., known.shape[-1] // 2 :] = 0
    cases = (
        ImageConditions(landcover, styles),
        ImageConditions(landcover, styles, lines),
        ImageConditions(landcover, styles, lines, torch.cat([pixels * known, known], dim=1)),
    )
    drawn = rgb.pictures((1 - 2 * lines).expand(-1, 3, -1, -1))
    images = [rgb.pictures(image) for image in (pixels, *map(generate, cases))]
    return [legend.pictures(landcover.cpu().numpy()), drawn, *images]


class ImageAdversary(nn.Module):
    """The losses of images under conditions; a step calls `generator_loss` first, then `discriminator.loss`.

    `style_table` is `conditioning.style_table` of the model.
    """

    style_table: torch.Tensor

    def __init__(self, style_table: torch.Tensor, encoder_weights: str = "") -> None:
        super().__init__()
        self.discriminator = ProjectedDiscriminator(plane_count(len(style_table), SCORED), encoder_weights)
        self.register_buffer("style_table", style_table, persistent=False)

    def generated_conditions(self, real: ImageConditions, pixels: torch.Tensor) -> ImageConditions:
        """The conditions of the images to generate: those of the first half of real images (n, 3, h, w), twice.

        Some get the styles of another example, because users combine styles with land cover that no training tile of
        the style has, such as a coastal style inland. Pixels of the real images are known at random.
        """
        shuffled = torch.rand(len(real.styles), 1, device=pixels.device) < SHUFFLED_SHARE
        styles = torch.where(shuffled, real.styles.roll(1, 0), real.styles)
        lines = None if real.lines is None else repeat_conditions(real.lines)
        known = repeat_conditions(random_known(pixels))
        return ImageConditions(repeat_conditions(real.landcover), repeat_conditions(styles), lines, known)

    def generator_loss(
        self, generated: torch.Tensor, conditions: ImageConditions, real: torch.Tensor, real_conditions: ImageConditions
    ) -> tuple[torch.Tensor, dict[str, float]]:
        """The loss of generated images (n, 3, h, w) with the known pixels in place, beside real ones; and figures."""
        generated_planes, real_planes = (
            of_images.planes(self.style_table, SCORED) for of_images in (conditions, real_conditions)
        )
        unknown = 1 - conditions.known[:, 3].mean((1, 2)) if conditions.known is not None else None
        loss = self.discriminator.generator_loss(generated, generated_planes, real, real_planes, unknown)
        with torch.autocast(generated.device.type, enabled=False):
            half = (len(real) + 1) // 2  # of each pair, one image is enough
            with torch.no_grad():
                real_peaks = autocorrelation_peaks(real[:half])
            peaks = autocorrelation_peaks(generated[:half])
            repetition = functional.relu(peaks - real_peaks - REPETITION_TOLERANCE).mean()
            missing = missing_edges(generated, conditions.lines)
            surplus = _surplus_edges(generated, repeat_conditions(real), conditions.lines)
        figures = {"peak": peaks.mean().item(), "real_peak": real_peaks.mean().item(), "missing_edges": missing.item()}
        figures["surplus_edges"] = surplus.item()
        return loss + REPETITION_WEIGHT * repetition + EDGE_WEIGHT * (missing + surplus), figures
