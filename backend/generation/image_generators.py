"""Image generators by the names that jobs have for them."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Union, cast

from backend.models import base

if TYPE_CHECKING:
    from backend.models import controlnet, spade

    ImageGenerator = Union[controlnet.ImageGenerator, spade.ImageGenerator]


def image_generator_class(generator: str) -> type[ImageGenerator]:
    """The class of an image generator: 'controlnet' or 'spade'. Its module is imported only when it is needed."""
    module: Any = importlib.import_module(f"backend.models.{generator}")
    return cast("type[ImageGenerator]", module.ImageGenerator)


def load_image_generator(generator: str, model: str = "") -> ImageGenerator:
    """An image generator with the weights of `model`, a name or a folder; with its bundled ones where that is empty."""
    return base.load(image_generator_class(generator), model or generator)
