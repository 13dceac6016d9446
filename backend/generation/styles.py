"""The styles that a job generates in: those that it names, completed by its seed.

An image model lists the combinations of styles that its training tiles have, a land cover model only climates. A scene
has one look: one set of words, of which each model takes those that it knows, or the nearest climate.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Union

import numpy as np

from backend.geo import legend
from backend.models import landcover
from backend.protocol import BackendError, is_climate, known_word, known_words, style_words

if TYPE_CHECKING:
    from backend.generation.image_generators import ImageGenerator

    Generator = Union[ImageGenerator, landcover.LandCoverGenerator]

Words = tuple[str, ...]
LEAST_FIT = 0.5
"""The fit to a map, relative to the best one, below which a combination of styles is not drawn."""


@dataclass(frozen=True)
class SceneStyles:
    """The words of a scene's look, and the styles that its image model and its land cover model take for them."""

    words: Words
    image: Words
    landcover: Words


def known_styles(generator: Generator) -> list[str]:
    """The styles that a generator was trained with."""
    return list(generator.index.get("styles", []))


def choose_styles(
    generator: ImageGenerator, style: str, seed: int, shares: np.ndarray | None = None, is_complete: bool = False
) -> Words:
    """The styles of an image: those in `style`, comma-separated, and, unless it is complete, those that the seed adds.

    The seed draws one of the style combinations of the generator's training tiles, among those that contain the styles
    of the job, so that other seeds give other places and all windows of one image look alike. With the class `shares`
    (COUNT) of the map, combinations are drawn as far as they fit it. Raises BackendError for a style without a
    `known_word`.
    """
    known = known_styles(generator)
    _check_known(style_words(style), known, f"The image generator {generator.name} knows")
    requested = known_words(style_words(style), known)
    return requested if is_complete else _draw_combination(generator, requested, seed, lambda _: shares)


def choose_landcover_styles(generator: landcover.LandCoverGenerator, style: str, seed: int) -> Words:
    """The styles of a land cover map: those in `style`, else a climate of the model that the seed draws.

    A model without styles ignores them. Raises BackendError for a style without a `known_word`.
    """
    known = known_styles(generator)
    if not known:
        return ()
    _check_known(style_words(style), known, f"The land cover generator {generator.name} knows")
    return known_words(style_words(style), known) or _draw_climate(generator, seed)


def choose_scene_styles(
    image_generator: ImageGenerator,
    landcover_generator: landcover.LandCoverGenerator,
    style: str,
    seed: int,
    shares: Mapping[int, float] | None = None,
    is_complete: bool = False,
) -> SceneStyles:
    """The styles of a scene: those in `style` and, unless it is complete, those that the seed adds as for an image.

    Combinations with a climate of both models go first, and they are drawn as far as they fit the requested class
    `shares`, percentages by code, else the mean map of the climate. Raises BackendError for a style of which neither
    model has a `known_word`.
    """
    image_known, landcover_known = known_styles(image_generator), known_styles(landcover_generator)
    requested = style_words(style)
    _check_known(requested, sorted({*image_known, *landcover_known}), "The models of the scene know")
    landcover_only = {word for word in requested if word in landcover_known and word not in image_known}
    replaced = {known_word(word, image_known) for word in landcover_only}

    def scene_words(image_words: Words) -> set[str]:
        return (set(image_words) - replaced) | landcover_only

    def expected_shares(image_words: Words) -> np.ndarray | None:
        if shares:
            percent = np.array([shares.get(code, 0.0) for code in legend.LEGEND])
            return percent / max(percent.sum(), 1e-9)
        climates = known_words(scene_words(image_words), landcover_known)
        compositions = landcover.compositions(landcover_generator.index, climates)
        return np.mean(compositions, axis=0) if compositions else None

    image_words = known_words(requested, image_known)
    if not is_complete:
        image_words = _draw_combination(image_generator, image_words, seed, expected_shares, landcover_known)
    words = scene_words(image_words)
    if not known_words(words, landcover_known):
        words |= set(_draw_climate(landcover_generator, seed))
    return SceneStyles(tuple(sorted(words)), known_words(words, image_known), known_words(words, landcover_known))


def _check_known(words: Words, known: Collection[str], subject: str) -> None:
    for word in words:
        if not known_word(word, known):
            raise BackendError(f"{subject} no style {word!r}. Choose among: {', '.join(known) or 'none'}.")


def _draw_combination(
    generator: ImageGenerator,
    requested: Words,
    seed: int,
    shares_of: Callable[[Words], np.ndarray | None],
    preferred: Collection[str] = (),
) -> Words:
    """One of the generator's style combinations that contain the requested styles; these where there is none.

    Each has a probability proportional to its share of the training tiles and its fit to the class shares (COUNT) that
    `shares_of` returns. Those with a style among `preferred` go first.
    """
    listed = sorted(generator.index.get("style_combinations", {}).items())
    combinations = [(style_words(text), share) for text, share in listed if set(requested) <= set(style_words(text))]
    combinations = [(words, share) for words, share in combinations if set(words) & set(preferred)] or combinations
    if not combinations:
        return requested
    fits = np.array([_fit(generator, words, shares_of(words)) for words, _ in combinations])
    weights = np.array([share for _, share in combinations])
    if fits.max() > 0:
        weights = weights * fits * (fits >= LEAST_FIT * fits.max())
    totals = np.cumsum(weights)
    return combinations[int(np.searchsorted(totals, _random("look", seed) * totals[-1], side="right"))][0]


def _fit(generator: ImageGenerator, words: Words, shares: np.ndarray | None) -> float:
    """The share of a map, of class shares (COUNT), whose classes the climate of a combination was learned on."""
    if shares is None:
        return 1.0
    classes = generator.index.get("style_classes") or {}
    climates = [word for word in words if is_climate(word)] or words
    codes = {code for word in climates for code in classes.get(word, legend.CODES.tolist())}
    return float(shares[np.isin(legend.CODES, list(codes))].sum())


def _draw_climate(generator: landcover.LandCoverGenerator, seed: int) -> Words:
    """One of a land cover model's climates, all with the same probability; none for a model without styles."""
    climates = landcover.composition_styles(generator.index)
    return (climates[int(_random("climate", seed) * len(climates))],) if climates else ()


def _random(purpose: str, seed: int) -> float:
    return int.from_bytes(hashlib.sha256(f"{purpose} {seed}".encode()).digest()[:8], "big") / 2**64


def image_notes(generator: ImageGenerator, style: str, words: Words) -> list[str]:
    """The log lines before an image is generated in the styles `words`, where the job's style is `style`."""
    requested = ", ".join(known_words(style_words(style), known_styles(generator)))
    replaced = _replaced_notes("image", generator, style_words(style))
    drawn, unseen = drawn_styles_note(words, requested), unseen_classes_note(generator)
    return [*replaced, *(note for note in (drawn, unseen) if note)]


def landcover_notes(generator: landcover.LandCoverGenerator, style: str, words: Words) -> list[str]:
    """The log lines before a land cover map is generated in the styles `words`, where the job's style is `style`."""
    requested = ", ".join(known_words(style_words(style), known_styles(generator)))
    drawn = drawn_styles_note(words, requested)
    return [*_landcover_style_notes(generator, style, style_words(style)), *([drawn] if drawn else [])]


def scene_notes(
    image_generator: ImageGenerator, landcover_generator: landcover.LandCoverGenerator, style: str, look: SceneStyles
) -> list[str]:
    """The log lines before a scene is generated in a look, where the job's style is `style`."""
    requested = style_words(style)
    words = sorted({*requested, *look.words})
    taken = {word for generator in (image_generator, landcover_generator) for word in known_styles(generator)}
    drawn = drawn_styles_note(look.words, ", ".join([*requested, *known_words(requested, taken)]))
    return [
        *_replaced_notes("image", image_generator, words),
        *_landcover_style_notes(landcover_generator, style, words),
        *(note for note in (drawn, unseen_classes_note(image_generator)) if note),
    ]


def _landcover_style_notes(generator: landcover.LandCoverGenerator, style: str, words: Sequence[str]) -> list[str]:
    if not known_styles(generator):
        return [f"The land cover generator {generator.name} has no styles: STYLE leaves it as it is."] if style else []
    return _replaced_notes("land cover", generator, words)


def _replaced_notes(kind: str, generator: Generator, words: Sequence[str]) -> list[str]:
    """A log line for each climate that a generator does not know."""
    known, notes = known_styles(generator), []
    for word in words:
        if is_climate(word) and word not in known:
            nearest = known_word(word, known)
            taken = f"; it takes the nearest that it knows, {nearest}" if nearest else ""
            notes.append(f"The {kind} generator {generator.name} has no style {word!r}{taken}.")
    return notes


def drawn_styles_note(styles: Words, style: str) -> str:
    """A log line with the styles that the seed has drawn; empty where there are none."""
    drawn = [word for word in styles if word not in style_words(style)]
    return f"Style: {', '.join(styles)} ({', '.join(drawn)} drawn by the seed; STYLE asks for one)." if drawn else ""


def unseen_classes_note(generator: ImageGenerator) -> str:
    """A log line on the classes that a generator replaces by others because its training data had none of them."""
    fallbacks = legend.unseen(generator.trained_codes)
    pairs = (f"{legend.LEGEND[code][0]} as {legend.LEGEND[other][0]}" for code, other in fallbacks.items())
    return f"Classes that the generator has never seen are painted as others: {', '.join(pairs)}." if fallbacks else ""
