"""Synthetic land cover beside real: figures of their windows, with how far chance could move them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from backend.geo import legend
from backend.metrics.landcover_windows import Cut
from backend.metrics.near_duplicates import NEAR, Ground, lively, nearest

RESAMPLES = 1000
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
CLOSE = 0.1
LOOKED = 100  # windows of which copies are looked for; each is held to all of the ground


@dataclass(frozen=True)
class Comparison:
    """A figure of real and of synthetic windows: both means, and the interval of their ratio (95 percent)."""

    name: str
    unit: str
    real: np.ndarray
    synthetic: np.ndarray
    low: float
    high: float

    @property
    def ratio(self) -> float:
        """The synthetic mean over the real one; NaN where that is 0."""
        return _over(mean(self.synthetic), mean(self.real))

    @property
    def verdict(self) -> tuple[str, str]:
        """'good', 'care' or 'bad', and what the ratio says, in words."""
        if not np.isfinite([self.ratio, self.low, self.high]).all():
            return "care", "Nothing to compare: the real windows show none."
        if self.low <= 1 <= self.high:
            return "good", "As in real land cover, as far as so many windows can say."
        if abs(self.ratio - 1) <= CLOSE:
            return "care", f"Within {CLOSE:.0%} of real land cover."
        return "bad", f"{self.ratio:.2f} times real land cover's."

    def told(self) -> dict[str, Any]:
        """The comparison as JSON or a row of CSV."""
        means = {"real": mean(self.real), "synthetic": mean(self.synthetic)}
        figures = {**means, "ratio": self.ratio, "ratio_low": self.low, "ratio_high": self.high}
        for name, values in (("real", self.real), ("synthetic", self.synthetic)):
            found = zip(QUANTILES, quantiles(values))
            figures |= {f"{name}_q{round(100 * q):02d}": value for q, value in found}
        rounded = {key: round(float(value), 5) if np.isfinite(value) else None for key, value in figures.items()}
        return {"figure": self.name, "unit": self.unit, **rounded, "verdict": self.verdict[1]}


def mean(values: np.ndarray) -> float:
    """The mean of the finite values; NaN where there is none."""
    found = values[np.isfinite(values)]
    return float(found.mean()) if len(found) else float("nan")


def quantiles(values: np.ndarray) -> np.ndarray:
    """The QUANTILES of the finite values; NaN where there is none."""
    found = values[np.isfinite(values)]
    return np.quantile(found, QUANTILES) if len(found) else np.full(len(QUANTILES), np.nan)


def _over(one: float, other: float) -> float:
    return float(one / other) if other > 0 else float("nan")


def compared(name: str, unit: str, real: np.ndarray, synthetic: np.ndarray, seed: int) -> Comparison:
    """The comparison of (n,) and (m,) figures of windows; its interval by resampling whole windows (Efron 1979)."""
    rng = np.random.default_rng(seed)
    above, below = (_means(values, rng) for values in (synthetic, real))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = above / below
    ratios = ratios[np.isfinite(ratios)]
    low, high = np.quantile(ratios, [0.025, 0.975]) if len(ratios) else (np.nan, np.nan)
    return Comparison(name, unit, real, synthetic, float(low), float(high))


def _means(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    found = values[np.isfinite(values)]
    if not len(found):
        return np.full(RESAMPLES, np.nan)
    return found[rng.integers(len(found), size=(RESAMPLES, len(found)))].mean(1)


def shares(windows: np.ndarray) -> np.ndarray:
    """(n, COUNT) the share of each class in (n, s, s) windows, of what is known."""
    counts = np.stack([np.bincount(one.ravel(), minlength=256)[: legend.COUNT] for one in windows])
    return counts / counts.sum(1, keepdims=True)


def of_classes(real: np.ndarray, synthetic: np.ndarray, seed: int) -> Iterator[Comparison]:
    """The shares of the classes that either shows, in percent."""
    one, other = shares(real), shares(synthetic)
    for index in np.flatnonzero(one.sum(0) + other.sum(0)):
        name = f"{legend.CODES[index]} {legend.NAMES[index]}"
        yield compared(name, "percent of the ground", 100 * one[:, index], 100 * other[:, index], seed)


@dataclass(frozen=True)
class Copies:
    """How near synthetic windows come to real ground, (n,), and real ones to other real ground, (m,), as `nearest`.

    `share` of the real ground was looked at.
    """

    synthetic: np.ndarray
    real: np.ndarray
    share: float = 1.0

    @property
    def verdict(self) -> str:
        """In words."""
        if not len(self.synthetic) or not len(self.real):
            return "Too few windows of several classes, on ground apart from one another, to look for copies."
        ours, theirs = ((found < NEAR).mean() for found in (self.synthetic, self.real))
        told = f"{ours:.1%} of {len(self.synthetic)} synthetic windows differ from a place in it"
        beside = f"{theirs:.1%} of {len(self.real)} real ones do from another"
        lead = "Near copies" if ours > theirs + CLOSE / 2 else "No copies"
        where = "all of the real ground" if self.share == 1 else f"{self.share:.0%} of the real ground"
        return f"{lead} in {where}: {told} in less than {NEAR:.0%} of their cells, {beside}."

    def told(self) -> dict[str, Any]:
        """As JSON: the smallest and the median distance of each, the share of near copies."""
        found: dict[str, Any] = {"verdict": self.verdict, "share_of_the_ground": round(self.share, 4)}
        for name, values in (("synthetic", self.synthetic), ("real", self.real)):
            if len(values):
                found[name] = {
                    "windows": len(values),
                    "smallest": round(float(values.min()), 4),
                    "median": round(float(np.median(values)), 4),
                    "near": round(float((values < NEAR).mean()), 4),
                }
        return found


def copies(real: Cut, synthetic: Cut, grounds: Sequence[Ground], share: float, tick: Callable[[float], None]) -> Copies:
    """The nearest places of the real ground, of which a share is given, for the first LOOKED windows of both."""
    seen, made = (np.flatnonzero(lively(one.windows))[:LOOKED] for one in (real, synthetic))
    return Copies(
        nearest(synthetic.windows[made], grounds, tick=lambda done: tick(done / 2)),
        nearest(real.windows[seen], grounds, [real.corners[one] for one in seen], lambda done: tick(0.5 + done / 2)),
        share,
    )
