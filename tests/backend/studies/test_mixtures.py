"""Mixtures: so many of either, the smaller in the larger, and real val tiles alone."""

from pathlib import Path

import numpy as np
import pytest

from backend.datasets.layout import ArrayTile
from backend.datasets.reader import TileSet
from backend.studies.mixtures import Mixture, mixtures, portion, training_sets


def tiles(name, train, size=32, val=1):
    label = np.zeros((size, size), np.uint8)
    splits = ["train"] * train + ["val"] * val + ["test"]
    tiles_of_set = [ArrayTile(split, label, label, f"{name}{number}") for number, split in enumerate(splits)]
    return TileSet(Path(name), 1.0, name == "made", tiles_of_set)


def names(sets, split):
    return [tile.name for tiles in sets for tile in tiles.tiles if tile.split == split]


@pytest.mark.parametrize(
    "mixture, real, synthetic, mix",
    [
        (Mixture(0, 1), 0, 8, ()),
        (Mixture(0.25, 0.75), 2, 6, (0.25, 0.75)),
        (Mixture(1, 0), 8, 0, ()),
        (Mixture(1, 1), 8, 8, (1, 1)),
        (Mixture(1, 3), 8, 20, (1, 3)),
        (Mixture(0.01, 0.99), 1, 8, (0.01, 0.99)),
    ],
)
def test_the_sets_of_a_training(mixture, real, synthetic, mix):
    sets, own_mix = training_sets(mixture, tiles("real", 8), tiles("made", 20), 32, 0)
    assert own_mix == mix and names(sets, "val") == ["real8"] and not names(sets, "test")
    own = names(sets, "train")
    assert [sum(name.startswith(kind) for name in own) for kind in ("real", "made")] == [real, synthetic]
    assert len(sets) == len(mix or [1]) and len(set(own)) == len(own)


def test_tiles_count_by_their_area():
    sets, _ = training_sets(Mixture(0.5, 0.5), tiles("real", 8), tiles("made", 20, size=64), 32, 0)
    assert len(names(sets, "train")) == 4 + 1, "a tile of 64 px holds four crops of 32"


def test_a_larger_portion_holds_the_smaller_and_another_seed_takes_others():
    own = tiles("real", 20).tiles[:20]
    portions = [{tile.name for tile in portion(own, count, 32, 0)} for count in range(22)]
    assert [len(tiles) for tiles in portions] == [*range(21), 20]
    assert all(small <= large for small, large in zip(portions, portions[1:]))
    assert {tile.name for tile in portion(own, 10, 32, 1)} != portions[10]


def test_names_are_of_the_mixture():
    all_mixtures = mixtures([100, 0, 12.5, 0], [3, 0, 0.5])
    assert [mixture.name for mixture in all_mixtures] == ["real0", "real12.5", "real100", "plus0.5", "plus3"]
    assert [mixture.label for mixture in all_mixtures][1:4] == ["12.5 % real", "100 % real", "real + 0.5x synthetic"]
