"""The rasters that an image is conditioned on, and how a window's conditions are read from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from backend.geo import legend
from backend.models import rgb
from backend.models.conditioning import ImageConditions
from backend.tiling.lattice import Box
from backend.tiling.lazy_raster import Input, LazyRaster, Patch, RasterSource

LANDCOVER, FEATURES, KNOWN, STREETS = "landcover", "features", "known", "streets"
STREET_PLAN = "street_plan"
"""The entry of a model's index that is true where built-up ground without vector features gets a street plan."""
BUILT_UP = legend.index(50)


@dataclass(frozen=True)
class ImageInputs:
    """The rasters under an image of the world's grid; all but the land cover are optional.

    `landcover`: (h, w) uint8 class indices in pixels that are `coarse` of the image's wide. `features`: (2, h, w) uint8
    on the image's grid, the class indices of burnt vector features (IGNORE elsewhere), and 1 on lines. `known`:
    (4, h, w) uint8 on the image's grid, RGB and 255 where pixels are known, else 0. `streets`: (1, h, w) uint8 on the
    image's grid, 1 on lines that count on built-up ground only.
    """

    landcover: LazyRaster | RasterSource
    coarse: int = 1
    features: RasterSource | None = None
    known: RasterSource | None = None
    streets: RasterSource | None = None

    @property
    def _optional(self) -> dict[str, RasterSource]:
        rasters = {FEATURES: self.features, KNOWN: self.known, STREETS: self.streets}
        return {name: raster for name, raster in rasters.items() if raster is not None}

    def with_street_plan(self, index: Mapping[str, Any], world: str, seed: int) -> ImageInputs:
        """These inputs, with the street plan of a world and a seed where the model of an index draws it.

        It is drawn where there are no vector features.
        """
        if not index.get(STREET_PLAN) or self.features is not None:
            return self
        from backend.tiling.street_plan import street_plan  # with GDAL, which a training does without

        return replace(self, streets=street_plan(seed, world))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the rasters that there are, in the order of `inputs`."""
        return (LANDCOVER, *self._optional)

    def inputs(self, cell_px: int) -> tuple[Input, ...]:
        """The rasters as a generator with cells of `cell_px` pixels reads them."""
        return (
            Input(self.landcover, cell_px, self.coarse),
            *(Input(raster, cell_px) for raster in self._optional.values()),
        )


@dataclass(frozen=True)
class ImageRequest:
    """What is the same in all windows of an image: its style vector, and the names of its inputs."""

    styles: tuple[float, ...]
    names: tuple[str, ...] = (LANDCOVER,)

    def conditions(self, boxes: Sequence[Box], patches: Sequence[Patch], seen: Sequence[int]) -> ImageConditions:
        """The conditions of the pixels in boxes of one size, from a patch of each input.

        `seen` are the class codes in the model's training data, see `legend.encode_condition`.
        """
        by_name = dict(zip(self.names, patches))
        features = [by_name[FEATURES].read(box) for box in boxes] if FEATURES in by_name else []
        classes = [by_name[LANDCOVER].read(box) for box in boxes]
        if features:
            classes = [np.where(burnt == legend.IGNORE, under, burnt) for under, (burnt, _) in zip(classes, features)]
        lines = [outlines[None] for _, outlines in features]
        if STREETS in by_name:
            lines = [by_name[STREETS].read(box) * (under == BUILT_UP) for box, under in zip(boxes, classes)]
        landcover = np.stack([legend.encode_condition(indices, seen) for indices in classes])
        return ImageConditions(
            torch.from_numpy(landcover),
            torch.tensor(self.styles, dtype=torch.float32).expand(len(boxes), -1),
            torch.from_numpy(np.stack(lines)).float() if lines else None,
            known_planes(by_name[KNOWN], boxes) if KNOWN in by_name else None,
        )


def known_planes(known: Patch, boxes: Sequence[Box]) -> torch.Tensor:
    """(n, 4, h, w) float32 RGB in -1..1 and mask of the known pixels in boxes; 0 where unknown."""
    pixels = np.stack([known.read(box) for box in boxes])
    mask = (pixels[:, 3:] > 0).astype(np.float32)
    return torch.from_numpy(np.concatenate([rgb.to_unit(pixels[:, :3]) * mask, mask], axis=1))
