"""Synthetic land cover compared with real: figures of their windows with intervals, and near copies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from backend.geo import legend
from backend.metrics import landscape
from backend.metrics.landcover_windows import LandCoverRaster, WindowSample, draw_windows, map_blocks
from backend.metrics.near_duplicates import NEAR, MapBlock, nearest_distances, varied
from backend.protocol import BackendError, Reporter

RESAMPLES = 1000
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
CLOSE = 0.1  # relative difference
CHECKED_WINDOWS = 100  # compared with all of the searched ground
MIN_WINDOW_PX = 16
MIN_WINDOWS = 8
MAX_SEARCHED_PX = 64_000_000  # of real ground searched for copies: 6,400 km2 at 10 m
MAX_SEARCHED_WINDOWS = 5_000  # the same in window areas, which bounds the time


@dataclass(frozen=True)
class Comparison:
    """A figure of real and of synthetic windows, and the 95 % interval of the ratio of their means.

    `code` is the land cover class whose share the figure is.
    """

    name: str
    unit: str
    real: np.ndarray
    synthetic: np.ndarray
    low: float
    high: float
    code: int | None = None

    @property
    def by_kind(self) -> dict[str, np.ndarray]:
        """The figures of the windows by 'real' and 'synthetic'."""
        return {"real": self.real, "synthetic": self.synthetic}

    @property
    def real_mean(self) -> float:
        """The mean over the real windows."""
        return mean(self.real)

    @property
    def synthetic_mean(self) -> float:
        """The mean over the synthetic windows."""
        return mean(self.synthetic)

    @property
    def ratio(self) -> float:
        """The synthetic mean over the real one; NaN where that is 0."""
        return float(self.synthetic_mean / self.real_mean) if self.real_mean > 0 else float("nan")

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

    def row(self) -> dict[str, Any]:
        """The comparison for JSON or a row of CSV."""
        figures = {"real": self.real_mean, "synthetic": self.synthetic_mean}
        figures |= {"ratio": self.ratio, "ratio_low": self.low, "ratio_high": self.high}
        for kind, values in self.by_kind.items():
            figures |= {f"{kind}_q{round(100 * q):02d}": value for q, value in zip(QUANTILES, quantiles(values))}
        rounded = {key: round(float(value), 5) if np.isfinite(value) else None for key, value in figures.items()}
        return {"figure": self.name, "unit": self.unit, **rounded, "verdict": self.verdict[1]}


def mean(values: np.ndarray) -> float:
    """The mean of the finite values; NaN where there is none."""
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else float("nan")


def quantiles(values: np.ndarray) -> np.ndarray:
    """The QUANTILES of the finite values; NaN where there is none."""
    finite = values[np.isfinite(values)]
    return np.quantile(finite, QUANTILES) if len(finite) else np.full(len(QUANTILES), np.nan)


def compare(
    name: str, unit: str, real: np.ndarray, synthetic: np.ndarray, seed: int, code: int | None = None
) -> Comparison:
    """Compare (n,) and (m,) figures of windows; the interval is by resampling whole windows (Efron 1979)."""
    rng = np.random.default_rng(seed)
    synthetic_means, real_means = (_resampled_means(values, rng) for values in (synthetic, real))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = synthetic_means / real_means
    ratios = ratios[np.isfinite(ratios)]
    low, high = np.quantile(ratios, [0.025, 0.975]) if len(ratios) else (np.nan, np.nan)
    return Comparison(name, unit, real, synthetic, float(low), float(high), code)


def _resampled_means(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    finite = values[np.isfinite(values)]
    if not len(finite):
        return np.full(RESAMPLES, np.nan)
    return finite[rng.integers(len(finite), size=(RESAMPLES, len(finite)))].mean(1)


def class_shares(windows: np.ndarray) -> np.ndarray:
    """(n, COUNT) the share of each class in the known pixels of (n, s, s) windows."""
    counts = np.stack([np.bincount(window.ravel(), minlength=256)[: legend.COUNT] for window in windows])
    return counts / counts.sum(1, keepdims=True)


def compare_classes(real: np.ndarray, synthetic: np.ndarray, seed: int) -> Iterator[Comparison]:
    """The shares, in percent, of the classes that (n, s, s) real or (m, s, s) synthetic windows show."""
    ours, theirs = class_shares(real), class_shares(synthetic)
    for index in np.flatnonzero(ours.sum(0) + theirs.sum(0)):
        code = int(legend.CODES[index])
        name = f"{code} {legend.NAMES[index]}"
        yield compare(name, "percent of the ground", 100 * ours[:, index], 100 * theirs[:, index], seed, code)


def compare_landscapes(
    real: np.ndarray, synthetic: np.ndarray, pixel_m: float, seed: int, report: Reporter
) -> list[Comparison]:
    """Each landscape metric of (n, s, s) real and (m, s, s) synthetic windows."""
    ours = _landscape_metrics(real, pixel_m, report.part(0.1, 0.5))
    theirs = _landscape_metrics(synthetic, pixel_m, report.part(0.5, 0.8))
    return [compare(*title, ours[key], theirs[key], seed) for key, title in landscape.METRICS.items()]


def _landscape_metrics(windows: np.ndarray, pixel_m: float, report: Reporter) -> dict[str, np.ndarray]:
    """(n,) of each landscape metric."""
    figures = []
    for done, window in enumerate(windows):
        figures.append(landscape.metrics(window, pixel_m))
        report.progress((done + 1) / len(windows), f"landscape of window {done + 1} of {len(windows)}")
    return {key: np.array([own[key] for own in figures]) for key in landscape.METRICS}


@dataclass(frozen=True)
class Copies:
    """The distance of windows to the most similar place of real ground, as `nearest_distances` gives it.

    `synthetic` (n,), `real` (m,) to other real ground. `share` of the real ground was searched.
    """

    synthetic: np.ndarray
    real: np.ndarray
    share: float = 1.0

    @property
    def verdict(self) -> str:
        """The result in words."""
        if not len(self.synthetic) or not len(self.real):
            return "Too few windows of several classes, on ground apart from one another, to look for copies."
        ours, theirs = ((distances < NEAR).mean() for distances in (self.synthetic, self.real))
        lead = "Near copies" if ours > theirs + CLOSE / 2 else "No copies"
        ground = "all of the real ground" if self.share == 1 else f"{self.share:.0%} of the real ground"
        return (
            f"{lead} in {ground}: {ours:.1%} of {len(self.synthetic)} synthetic windows differ from a place in it in "
            f"less than {NEAR:.0%} of their cells, {theirs:.1%} of {len(self.real)} real ones do from another."
        )

    def summary(self) -> dict[str, Any]:
        """For JSON: the smallest and the median distance of each kind, and the share of near copies."""
        summary: dict[str, Any] = {"verdict": self.verdict, "share_of_the_ground": round(self.share, 4)}
        for kind, values in (("synthetic", self.synthetic), ("real", self.real)):
            if len(values):
                summary[kind] = {
                    "windows": len(values),
                    "smallest": round(float(values.min()), 4),
                    "median": round(float(np.median(values)), 4),
                    "near": round(float((values < NEAR).mean()), 4),
                }
        return summary


def find_copies(
    real: WindowSample,
    synthetic: WindowSample,
    blocks: Sequence[MapBlock],
    share: float,
    progress: Callable[[float], None],
) -> Copies:
    """Search blocks of the real ground for the first CHECKED_WINDOWS windows of both that show several classes.

    `share` of the ground is in the blocks; `progress` is called with the share of the search that is done.
    """
    ours, theirs = (np.flatnonzero(varied(sample.windows))[:CHECKED_WINDOWS] for sample in (synthetic, real))
    return Copies(
        nearest_distances(synthetic.windows[ours], blocks, progress=lambda done: progress(done / 2)),
        nearest_distances(
            real.windows[theirs],
            blocks,
            [real.positions[number] for number in theirs],
            lambda done: progress(0.5 + done / 2),
        ),
        share,
    )


@dataclass(frozen=True)
class Realism:
    """The result of `compare_maps`: the windows of `side` pixels, and what was compared."""

    side: int
    pixel_m: float
    real: WindowSample
    synthetic: WindowSample
    metrics: list[Comparison]
    shares: list[Comparison]
    copies: Copies


def compare_maps(
    real: Sequence[LandCoverRaster],
    synthetic: Sequence[LandCoverRaster],
    pixel_m: float,
    window_m: float,
    count: int,
    seed: int,
    report: Reporter,
) -> Realism:
    """Compare at most `count` windows of each of two maps, whose pixels are of one size.

    Raises BackendError where windows have fewer than MIN_WINDOW_PX pixels a side or there are fewer than MIN_WINDOWS.
    """
    side = _window_side(window_m, pixel_m)
    report.progress(0, "cutting windows")
    ours, theirs = (
        _drawn(rasters, side, window_m, count, seed, what, report)
        for rasters, what in ((real, "real"), (synthetic, "synthetic"))
    )
    metrics = compare_landscapes(ours.windows, theirs.windows, pixel_m, seed, report)
    shares = list(compare_classes(ours.windows, theirs.windows, seed))
    report.progress(0.8, "looking for copies")
    blocks, share = map_blocks(real, side, min(MAX_SEARCHED_PX, MAX_SEARCHED_WINDOWS * side**2), seed)
    search = report.part(0.8, 1)
    copies = find_copies(ours, theirs, blocks, share, lambda done: search.progress(done, "looking for copies"))
    return Realism(side, pixel_m, ours, theirs, metrics, shares, copies)


def _window_side(window_m: float, pixel_m: float) -> int:
    side = round(window_m / pixel_m)
    if side < MIN_WINDOW_PX:
        raise BackendError(
            f"A window of {window_m:g} m has {side} pixels of {pixel_m:g} m, but a landscape needs at least "
            f"{MIN_WINDOW_PX}. Use windows of {MIN_WINDOW_PX * pixel_m:g} m or more."
        )
    return side


def _drawn(
    rasters: Sequence[LandCoverRaster],
    side: int,
    window_m: float,
    count: int,
    seed: int,
    what: str,
    report: Reporter,
) -> WindowSample:
    sample = draw_windows(rasters, side, side, count, seed, what)
    report.log(f"{what}: {len(sample.windows)} windows of {side} pixels from {len(rasters)} rasters or tiles.")
    if len(sample.windows) < MIN_WINDOWS:
        raise BackendError(
            f"The {what} land cover gives only {len(sample.windows)} windows of {window_m:g} m without nodata, but at "
            f"least {MIN_WINDOWS} are needed. Use smaller windows or more ground."
        )
    return sample
