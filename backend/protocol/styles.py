"""The words of a style: climates, years and seasons."""

from __future__ import annotations

from collections.abc import Collection, Iterable

SEASONS = ("spring", "summer", "autumn", "winter")

NEAREST_CLIMATES = {
    "arid": ("semiarid", "inland"),
    "coastal": ("temperate", "humid"),
    "humid": ("temperate",),
    "inland": ("semiarid",),
    "semiarid": ("inland",),
    "temperate": ("humid",),
    "tropical": ("temperate", "humid"),
}
"""The climates that replace a climate where a model does not know it, the first one that it knows. `humid` and `inland`
are the former names of `temperate` and `semiarid`."""


def style_words(style: str) -> tuple[str, ...]:
    """The words of a comma-separated style, sorted."""
    return tuple(sorted({part.strip() for part in style.split(",")} - {""}))


def is_climate(word: str) -> bool:
    """Whether a word of a style is neither a year nor a season."""
    return not word.isdigit() and word not in SEASONS


def known_word(word: str, known: Collection[str]) -> str:
    """The word itself where a model knows it, else the nearest climate that it knows; empty where there is none."""
    return next((name for name in (word, *NEAREST_CLIMATES.get(word, ())) if name in known), "")


def known_words(words: Iterable[str], known: Collection[str]) -> tuple[str, ...]:
    """The `known_word` of each of the words, sorted; words without one are left out."""
    return tuple(sorted({known_word(word, known) for word in words} - {""}))
