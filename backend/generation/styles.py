"""The styles that an image is generated in: those that a job names, completed by its seed."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from backend.geo import legend
from backend.protocol import BackendError

if TYPE_CHECKING:
    from backend.generation.image_generators import ImageGenerator

Words = tuple[str, ...]


def known_styles(generator: ImageGenerator) -> list[str]:
    """The styles that a generator was trained with."""
    return list(generator.index.get("styles", []))


def choose_styles(generator: ImageGenerator, style: str, seed: int) -> Words:
    """The styles to generate in: those in `style`, comma-separated, and those that the seed adds to them.

    The seed draws one of the style combinations of the generator's training tiles, among those that contain the styles
    of the job, so that other seeds give other places and all windows of one image look alike. Raises BackendError for a
    style that the generator does not know.
    """
    styles = _words(style)
    known = known_styles(generator)
    for unknown in styles:
        if unknown not in known:
            raise BackendError(
                f"The image generator {generator.name} knows no style {unknown!r}. Choose among: "
                f"{', '.join(known) or 'none'}."
            )
    combinations = sorted(generator.index.get("style_combinations", {}).items())
    fitting = [(_words(text), share) for text, share in combinations if set(styles) <= set(_words(text))]
    return _draw(fitting, seed) if fitting else styles


def _words(style: str) -> Words:
    return tuple(sorted({part.strip() for part in style.split(",")} - {""}))


def _draw(combinations: list[tuple[Words, float]], seed: int) -> Words:
    """One of the combinations, each with a probability proportional to its share."""
    number = int.from_bytes(hashlib.sha256(f"look {seed}".encode()).digest()[:8], "big") / 2**64
    shares = np.cumsum([share for _, share in combinations])
    return combinations[int(np.searchsorted(shares, number * shares[-1], side="right"))][0]


def notes(generator: ImageGenerator, styles: Words, style: str) -> list[str]:
    """The log lines before an image is generated in `styles`, where the job's style is `style`."""
    return [note for note in (drawn_styles_note(styles, style), unseen_classes_note(generator)) if note]


def drawn_styles_note(styles: Words, style: str) -> str:
    """A log line with the styles that the seed has drawn; empty where there are none."""
    drawn = [word for word in styles if word not in _words(style)]
    return f"Style: {', '.join(styles)} ({', '.join(drawn)} drawn by the seed; STYLE asks for one)." if drawn else ""


def unseen_classes_note(generator: ImageGenerator) -> str:
    """A log line on the classes that a generator replaces by others because its training data had none of them."""
    fallbacks = legend.unseen(generator.trained_codes)
    pairs = (f"{legend.LEGEND[code][0]} as {legend.LEGEND[other][0]}" for code, other in fallbacks.items())
    return f"Classes that the generator has never seen are painted as others: {', '.join(pairs)}." if fallbacks else ""
