"""Sets of images beside a real set: every metric with its trust check."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache

import torch

from backend.metrics import image_distances
from backend.metrics.features import INCEPTION, OWN, Encoder, Vectors
from backend.metrics.image_sets import Images
from backend.metrics.sanity_check import CHANGES, Finding, Kind, changed

BATCH = 8
PAIRS = 256  # at most: pairwise metrics settle sooner than those of sets
CLASSES = "classes"

Tick = Callable[[int], None]
Checks = dict[str, tuple[float, dict[str, float]]]
"""By metric, its value between halves of the real images, and by change."""
Measure = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


Looks = dict[str, torch.Tensor]
"""Features by network, and under CLASSES the logarithm of each class's probability."""


class Comparison:
    """Measures sets against a real one. `tick` hears of so many images looked at."""

    def __init__(self, real: Images, encoder: Encoder, inception: Vectors | None, seed: int, tick: Tick) -> None:
        self.real, self.encoder, self.inception, self.seed, self.tick = real, encoder, inception, seed, tick
        self.centre, self.scale = torch.tensor(0.0), torch.tensor(1.0)
        self.looks = self.look(real.images)
        self.centre, self.scale = self.looks[OWN].mean(0), self.looks[OWN].std(0).clamp(min=1e-6)
        self.looks[OWN] = (self.looks[OWN] - self.centre) / self.scale
        self.changed = {change: self.look(changed(real.images, change)) for change in CHANGES}

    def look(self, images: torch.Tensor) -> Looks:
        """What the networks see in images."""
        found: dict[str, list[torch.Tensor]] = {}
        for batch in images.split(BATCH):
            own, seen = self.encoder.vectors(batch)
            found.setdefault(OWN, []).append(own)
            found.setdefault(CLASSES, []).append(seen)
            if self.inception:
                found.setdefault(INCEPTION, []).append(self.inception(batch))
            self.tick(len(batch))
        looks = {name: torch.cat(parts) for name, parts in found.items()}
        return {**looks, OWN: (looks[OWN] - self.centre) / self.scale}

    def of_sets(self, synthetic: Images) -> Iterator[Finding]:
        """FID, KID and IS."""
        looks = self.look(synthetic.images)
        for features in filter(self.looks.__contains__, (INCEPTION, OWN)):
            yield from self._distances(synthetic, looks, features)
        yield self._score(synthetic, looks)

    @cache  # noqa: B019 (a comparison lives as long as its job)
    def _of_real(self, features: str) -> Checks:
        """FID and KID of the real images' halves, and of themselves changed."""
        real = self.looks[features]
        looks = {name: look[features] for name, look in self.changed.items()}
        fids = {name: image_distances.fid(real, look) for name, look in looks.items()}
        kids = {name: self._kid(real, look) for name, look in looks.items()}
        fid, kid = (image_distances.by_chance(measure, real, self.seed) for measure in (image_distances.fid, self._kid))
        return {"FID": (fid, fids), "KID": (kid, kids)}

    def _kid(self, one: torch.Tensor, other: torch.Tensor) -> float:
        return image_distances.kid(one, other, self.seed)[0]

    def _distances(self, synthetic: Images, looks: Looks, features: str) -> Iterator[Finding]:
        real, made, checks = self.looks[features], looks[features], self._of_real(features)
        spread = image_distances.spread(image_distances.fid, (real, made), self.seed)
        found = {"FID": (image_distances.fid(real, made), spread), "KID": image_distances.kid(real, made, self.seed)}
        for metric, (value, spread) in found.items():
            yield Finding(synthetic.name, metric, features, len(made), value, spread, value, *checks[metric])

    def _score(self, synthetic: Images, looks: Looks) -> Finding:
        def score(log_classes: torch.Tensor) -> float:
            return image_distances.inception_score(log_classes, self.seed)

        def apart(one: torch.Tensor, other: torch.Tensor) -> float:
            return abs(score(one) - score(other))

        real, made = self.looks[CLASSES], looks[CLASSES]
        changes = {name: apart(look[CLASSES], real) for name, look in self.changed.items()}
        spread = image_distances.spread(lambda one, other: score(one) - score(other), (real, made), self.seed)
        chance, features = image_distances.by_chance(apart, real, self.seed), f"{OWN}, land cover classes"
        figures = (len(made), score(made), spread, apart(made, real), chance)
        return Finding(synthetic.name, "IS", features, *figures, changes, of_real=score(real))

    def of_pairs(self, synthetic: Images, matched: Sequence[tuple[int, int]]) -> Iterator[Finding]:
        """LPIPS and SSIM of images and the real images whose labels they were painted on, by their numbers."""
        ours, theirs = (torch.tensor(numbers) for numbers in zip(*matched[:PAIRS]))
        for metric, features, measure in self._measures():
            found = self._measured(measure, self.real.images[ours], synthetic.images[theirs])
            yield self._pairwise(synthetic.name, metric, features, measure, found, ours)

    def variety(self, one: Images, other: Images, matched: Sequence[tuple[int, int]]) -> Finding:
        """LPIPS between two sets painted on the same labels, such as two seeds'."""
        ours, theirs = (torch.tensor(numbers) for numbers in zip(*matched[:PAIRS]))
        metric, features, measure = self._measures()[0]
        found = self._measured(measure, one.images[ours], other.images[theirs])
        return self._pairwise(f"{one.name} and {other.name}", f"variety ({metric})", features, measure, found, None)

    def _measures(self) -> list[tuple[str, str, Measure]]:
        return [
            ("LPIPS formula", OWN, self.encoder.distance),
            ("SSIM", "pixels", lambda one, other: 1 - image_distances.ssim(one, other)),
        ]

    def _measured(self, measure: Measure, one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        found = []
        for first, second in zip(one.split(BATCH), other.split(BATCH)):
            found.append(measure(first, second))
            self.tick(len(first))
        return torch.cat(found)

    def _pairwise(
        self, name: str, metric: str, features: str, measure: Measure, found: torch.Tensor, chosen: torch.Tensor | None
    ) -> Finding:
        """The finding of a distance; `chosen` are the real images that belong to it."""
        real = self.real.images[:PAIRS] if chosen is None else self.real.images[chosen]
        changes = {change: float(self._measured(measure, real, changed(real, change)).mean()) for change in CHANGES}
        halves = float(self._measured(measure, real, real.roll(len(real) // 2, 0)).mean())
        distance, error = float(found.mean()), float(found.std() / max(len(found), 1) ** 0.5)
        value = 1 - distance if metric == "SSIM" else distance
        kind: Kind = "pairs" if chosen is not None else "variety"
        return Finding(name, metric, features, len(found), value, error, distance, halves, changes, kind)
