"""The conditions of the image networks: land cover, styles, lines and known pixels, as planes at the image's GSD.

Land cover is one-hot, and each style a plane on those classes that it applies to. Lines are the straight edges that
people built: borders of roads, buildings and fields. Known pixels are what is already there of an image.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from backend.geo import legend

LINES, KNOWN = "lines", "known"
CONDITIONS = (LINES, KNOWN)
"""The conditions beside land cover and styles; `conditions` in a model's index lists those that it takes."""
LINE_PLANES, KNOWN_PLANES = 1, 4  # known pixels are RGB in -1..1 and a mask


@dataclass(frozen=True)
class ImageConditions:
    """What a batch of n images of (h, w) pixels is conditioned on.

    `landcover` is one-hot (n, 11, h, w), 0 in all classes where unknown; `styles` (n, s) has a number for each style of
    the model; `lines` (n, 1, h, w) is 1 on lines; `known` (n, 4, h, w) is RGB in -1..1 and 1 where pixels are known,
    and 0 elsewhere. None stands for no lines, or no known pixels, anywhere.
    """

    landcover: torch.Tensor
    styles: torch.Tensor
    lines: torch.Tensor | None = None
    known: torch.Tensor | None = None

    def style_planes(self, style_table: torch.Tensor) -> torch.Tensor:
        """(n, s, h, w) the styles on the classes that they apply to; for the table see `style_table`."""
        applied = torch.einsum("ns,sct->nct", self.styles.to(style_table), style_table).clamp(max=1)
        return torch.einsum("nchw,nct->nthw", self.landcover.to(applied), applied)

    def planes(self, style_table: torch.Tensor, conditions: Sequence[str] = ()) -> torch.Tensor:
        """(n, `plane_count`, h, w) float: land cover, styles, then the planes of `conditions`, some of CONDITIONS."""
        styles = self.style_planes(style_table)
        planes = [self.landcover.to(styles), styles]
        count, _, height, width = self.landcover.shape
        for name, tensor, channels in ((LINES, self.lines, LINE_PLANES), (KNOWN, self.known, KNOWN_PLANES)):
            if name in conditions:
                planes.append(styles.new_zeros(count, channels, height, width) if tensor is None else tensor.to(styles))
        return torch.cat(planes, dim=1)

    def keep_known(self, images: torch.Tensor) -> torch.Tensor:
        """Images (n, 3, h, w) with the known pixels in their places."""
        return images if self.known is None else keep_known(images, self.known)


def keep_known(images: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """Images (n, 3, h, w) with the known pixels (n, 4, h, w), see `ImageConditions`, in their places."""
    mask = known[:, 3:]
    return images * (1 - mask) + known[:, :3] * mask


def plane_count(styles: int, conditions: Sequence[str]) -> int:
    """The number of planes of `ImageConditions.planes`."""
    channels = {LINES: LINE_PLANES, KNOWN: KNOWN_PLANES}
    return legend.COUNT + styles + sum(channels[name] for name in conditions)


def copy_planes(
    target: torch.Tensor, source: torch.Tensor, style_columns: Sequence[int | None], after_styles: int = 0
) -> None:
    """Copy a convolution's weights (out, planes, ...) to one that takes other styles and further planes.

    `style_columns` has a number for each style of the target: that of the source's, None for a new one. The planes are
    land cover, the styles, and `after_styles` planes that follow them in both. Weights of all other planes become 0.
    """
    source_styles = source.shape[1] - legend.COUNT - after_styles
    columns = [*range(legend.COUNT), *(c if c is None else legend.COUNT + c for c in style_columns)]
    columns += [legend.COUNT + source_styles + plane for plane in range(after_styles)]
    target.zero_()
    for column, source_column in enumerate(columns):
        if source_column is not None:
            target[:, column] = source[:, source_column]


def style_vector(styles: Sequence[str], known: Sequence[str]) -> tuple[float, ...]:
    """One value for each style that a model knows: 1 where it is among `styles`, else 0."""
    return tuple(float(name in styles) for name in known)


def style_table(index: Mapping[str, Any]) -> torch.Tensor:
    """(s, 11, s) float32 from a model's index: which style's plane is 1 on a class, where a style is requested.

    It is the style's own on the classes in its `style_classes`, or on all without such an entry. A style that was
    learned in towns alone would turn a wide meadow into scrub: on the classes that its training tiles lack, it borrows
    the plane of the style in its `borrowed_styles`, or has none.
    """
    styles, classes, borrowed = (index.get(key) or {} for key in ("styles", "style_classes", "borrowed_styles"))
    table = torch.zeros(len(styles), legend.COUNT, len(styles))
    for row, style in enumerate(styles):
        lenders = {int(code): lender for code, lender in borrowed.get(style, {}).items()}
        for column, code in enumerate(legend.CODES.tolist()):
            plane = style if code in classes.get(style, legend.CODES.tolist()) else lenders.get(code)
            if plane in styles:
                table[row, column, list(styles).index(plane)] = 1
    return table
