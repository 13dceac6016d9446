"""Sets of synthetic images compared with a real set: every metric with its sanity check."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import combinations

import torch

from backend.metrics import image_distances
from backend.metrics.features import INCEPTION, OWN, Encoder, FeatureExtractor, inception
from backend.metrics.image_sets import ImageSet, Matches, matches
from backend.metrics.sanity_check import CHANGES, Finding, Kind, changed
from backend.protocol import Reporter

BATCH = 8
MAX_PAIRS = 256  # metrics of pairs need fewer images than those of sets
CLASSES = "classes"

Progress = Callable[[int], None]
"""Called with the number of images that were just processed."""
Checks = dict[str, tuple[float, dict[str, float]]]
"""By metric: its value between halves of the real images, and its value for each change."""
PairMeasure = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
Features = dict[str, torch.Tensor]
"""Features by network, and under CLASSES the logarithm of each class's probability."""


def compare(
    real: ImageSet, synthetic: Sequence[ImageSet], seed: int, report: Reporter
) -> tuple[list[Finding], Mapping[str, Matches], list[str]]:
    """All findings, the matching images of the real and each synthetic set by its name, and remarks for the reader."""
    network, reason = inception()
    remarks: list[str] = []
    matched = {images.name: _matches(real, images, "LPIPS and SSIM", remarks) for images in synthetic}
    pairs = [(one, other, _matches(one, other, "Variety", remarks)) for one, other in combinations(synthetic, 2)]
    count, checks = len(real.images), 1 + len(CHANGES)
    total = (checks + len(synthetic)) * count
    total += sum(2 * (1 + checks) * min(len(own), MAX_PAIRS) for own in matched.values())
    total += sum(min(len(own), MAX_PAIRS) + checks * min(count, MAX_PAIRS) for *_, own in pairs if own)
    comparison = Comparison(real, Encoder(), network, seed, _ImageCounter(report, total).add)
    remarks += _remarks_on_features(reason, comparison.features)
    findings: list[Finding] = []
    for images in synthetic:
        findings += comparison.of_sets(images)
        if matched[images.name]:
            findings += comparison.of_pairs(images, matched[images.name])
    findings += [comparison.variety(one, other, own) for one, other, own in pairs if own]
    return findings, matched, remarks


class _ImageCounter:
    """Reports progress by the images processed, and once an estimate of the total time."""

    def __init__(self, report: Reporter, total: int) -> None:
        self.report, self.total, self.done, self.start = report, total, 0, time.monotonic()

    def add(self, images: int) -> None:
        early, self.done = self.done < 4 * BATCH, self.done + images
        self.report.progress(min(self.done / self.total, 0.99), f"{self.done:,} of {self.total:,} looks at images")
        if early and self.done >= 4 * BATCH:
            minutes = (time.monotonic() - self.start) / self.done * self.total / 60
            self.report.log(f"{self.total:,} looks at images: about {minutes:.1f} minutes on this machine.")


def _matches(one: ImageSet, other: ImageSet, metrics: str, remarks: list[str]) -> Matches:
    """The matching images of two sets; a remark on them, or on `metrics` not being applicable, goes to `remarks`."""
    own, remark = matches(one, other)
    if remark:
        remarks.append(f"{remark}." if own else f"{metrics} not applicable: {remark}.")
    return own


def _remarks_on_features(reason: str, features: Features) -> list[str]:
    """Remarks on the networks; `reason` says why Inception is not available, if it is not."""
    remarks = [
        "IS rests on the land cover classes that the bundled segmentation model reads, LPIPS on its encoder without "
        "learned weights: Inception's classes and LPIPS's own weights are not at hand. Neither compares with published "
        "values.",
    ]
    if reason:
        remarks.append(
            f"Inception features were not available ({reason}), so FID and KID rest on the project's own encoder and "
            "cannot be compared with published values."
        )
    count, width = features[OWN if reason else INCEPTION].shape
    needed = image_distances.FID_IMAGES_PER_FEATURE * width
    if count < needed:
        remarks.append(
            f"FID of {count} tiles is biased upward: {needed:,} would be needed for {width:,} features. "
            "Compare it with real halves, and with FID of as many tiles only; KID has no such bias."
        )
    return remarks


class Comparison:
    """Compares sets with a real one, whose features and those of its changed images are computed once.

    Features of the own encoder are scaled to the mean and deviation of the real images. `inception` is None where it
    is not available.
    """

    def __init__(
        self, real: ImageSet, encoder: Encoder, inception: FeatureExtractor | None, seed: int, progress: Progress
    ) -> None:
        self.real, self.encoder, self.inception, self.seed, self.progress = real, encoder, inception, seed, progress
        self.centre, self.scale = torch.tensor(0.0), torch.tensor(1.0)
        self.features = self.features_of(real.images)
        self.centre, self.scale = self.features[OWN].mean(0), self.features[OWN].std(0).clamp(min=1e-6)
        self.features[OWN] = (self.features[OWN] - self.centre) / self.scale
        self.changed = {change: self.features_of(changed(real.images, change)) for change in CHANGES}

    def features_of(self, images: torch.Tensor) -> Features:
        """The features of images, (n, 3, s, s) uint8, by each network."""
        parts: dict[str, list[torch.Tensor]] = {}
        for batch in images.split(BATCH):
            own, log_classes = self.encoder.vectors(batch)
            parts.setdefault(OWN, []).append(own)
            parts.setdefault(CLASSES, []).append(log_classes)
            if self.inception:
                parts.setdefault(INCEPTION, []).append(self.inception(batch))
            self.progress(len(batch))
        features = {name: torch.cat(batches) for name, batches in parts.items()}
        return {**features, OWN: (features[OWN] - self.centre) / self.scale}

    def of_sets(self, synthetic: ImageSet) -> Iterator[Finding]:
        """FID, KID and IS."""
        features = self.features_of(synthetic.images)
        for network in filter(features.__contains__, (INCEPTION, OWN)):
            yield from self._distances(synthetic, features, network)
        yield self._inception_score(synthetic, features)

    def of_pairs(self, synthetic: ImageSet, matched: Matches) -> Iterator[Finding]:
        """LPIPS and SSIM of synthetic images and the matching real ones."""
        real, other = (torch.tensor(numbers) for numbers in zip(*matched[:MAX_PAIRS]))
        for metric, network, measure in self._pair_measures():
            distances = self._measured(measure, self.real.images[real], synthetic.images[other])
            yield self._pair_finding(synthetic.name, metric, network, measure, distances, real)

    def variety(self, one: ImageSet, other: ImageSet, matched: Matches) -> Finding:
        """LPIPS between matching images of two synthetic sets, such as those of two seeds."""
        first, second = (torch.tensor(numbers) for numbers in zip(*matched[:MAX_PAIRS]))
        metric, network, measure = self._pair_measures()[0]
        distances = self._measured(measure, one.images[first], other.images[second])
        name = f"{one.name} and {other.name}"
        return self._pair_finding(name, f"variety ({metric})", network, measure, distances, None)

    @cache  # noqa: B019 (a comparison lives as long as its job)
    def _checks(self, network: str) -> Checks:
        """FID and KID between the real images' halves, and between them and themselves after each change."""
        real = self.features[network]
        changes = {change: features[network] for change, features in self.changed.items()}
        fids = {change: image_distances.fid(real, features) for change, features in changes.items()}
        kids = {change: self._kid(real, features) for change, features in changes.items()}
        fid, kid = (
            image_distances.between_halves(measure, real, self.seed) for measure in (image_distances.fid, self._kid)
        )
        return {"FID": (fid, fids), "KID": (kid, kids)}

    def _kid(self, one: torch.Tensor, other: torch.Tensor) -> float:
        return image_distances.kid(one, other, self.seed)[0]

    def _distances(self, synthetic: ImageSet, features: Features, network: str) -> Iterator[Finding]:
        real, other, checks = self.features[network], features[network], self._checks(network)
        spread = image_distances.spread(image_distances.fid, (real, other), self.seed)
        values = {"FID": (image_distances.fid(real, other), spread), "KID": image_distances.kid(real, other, self.seed)}
        for metric, (value, spread) in values.items():
            yield Finding(synthetic.name, metric, network, len(other), value, spread, value, *checks[metric])

    def _inception_score(self, synthetic: ImageSet, features: Features) -> Finding:
        def score(log_classes: torch.Tensor) -> float:
            return image_distances.inception_score(log_classes, self.seed)

        def distance(one: torch.Tensor, other: torch.Tensor) -> float:
            return abs(score(one) - score(other))

        real, other = self.features[CLASSES], features[CLASSES]
        changes = {change: distance(own[CLASSES], real) for change, own in self.changed.items()}
        spread = image_distances.spread(lambda a, b: score(a) - score(b), (real, other), self.seed)
        halves = image_distances.between_halves(distance, real, self.seed)
        figures = (len(other), score(other), spread, distance(other, real), halves)
        return Finding(synthetic.name, "IS", f"{OWN}, land cover classes", *figures, changes, of_real=score(real))

    def _pair_measures(self) -> list[tuple[str, str, PairMeasure]]:
        """Metric, features and measure, larger for more different images."""
        return [
            ("LPIPS formula", OWN, self.encoder.distance),
            ("SSIM", "pixels", lambda one, other: 1 - image_distances.ssim(one, other)),
        ]

    def _measured(self, measure: PairMeasure, one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        """(n,) the measure of pairs of images, in batches."""
        parts = []
        for first, second in zip(one.split(BATCH), other.split(BATCH)):
            parts.append(measure(first, second))
            self.progress(len(first))
        return torch.cat(parts)

    def _pair_finding(
        self,
        name: str,
        metric: str,
        network: str,
        measure: PairMeasure,
        distances: torch.Tensor,
        matched: torch.Tensor | None,
    ) -> Finding:
        """The finding of pairwise distances; `matched` are the real images of the pairs, None for a variety."""
        real = self.real.images[:MAX_PAIRS] if matched is None else self.real.images[matched]
        changes = {change: float(self._measured(measure, real, changed(real, change)).mean()) for change in CHANGES}
        halves = float(self._measured(measure, real, real.roll(len(real) // 2, 0)).mean())
        distance, error = float(distances.mean()), float(distances.std() / max(len(distances), 1) ** 0.5)
        value = 1 - distance if metric == "SSIM" else distance
        kind: Kind = "pairs" if matched is not None else "variety"
        return Finding(name, metric, network, len(distances), value, error, distance, halves, changes, kind)
