"""Acquisition: uncertainty as the formulas say, and diversity by distance."""

import numpy as np
import pytest
import torch

from backend.datasets.layout import ArrayTile
from backend.geo import legend
from backend.protocol import silent
from backend.studies import acquisition
from backend.studies.acquisition import TileStatistics, k_centres, rank_tiles


def test_uncertainty_is_entropy_and_margin_of_labelled_pixels():
    logits = torch.full((1, legend.COUNT, 1, 3), -100.0)
    logits[0, 0, 0, 0] = 0  # certain
    logits[0, :2, 0, 1] = 0  # torn between two
    label = torch.tensor([[[0, 0, legend.IGNORE]]])
    entropy, margin = acquisition.pixel_uncertainty(logits, label)
    assert entropy == pytest.approx([0, np.log(2)], abs=1e-5) and margin == pytest.approx([1, 0], abs=1e-5)


def test_statistics_are_means_over_a_tile():
    label = np.zeros((40, 40), np.uint8)
    label[:10] = legend.IGNORE
    sure, torn = np.full((40, 40, 3), 200, np.uint8), np.zeros((40, 40, 3), np.uint8)
    unlabelled = ArrayTile("train", torn, np.full_like(label, legend.IGNORE))
    tiles = [ArrayTile("train", sure, label), ArrayTile("train", torn, label), unlabelled]

    def predict(image):
        logits = torch.zeros(len(image), legend.COUNT, *image.shape[2:])
        logits[:, 0] = image[:, 0]
        return logits, image.float().mean(dim=(2, 3))

    seen = acquisition.tile_statistics(predict, tiles, 32, silent())
    assert seen.entropy == pytest.approx([0, np.log(legend.COUNT), 0], abs=1e-5)
    assert seen.margin == pytest.approx([1, 0, 1], abs=1e-5)
    assert seen.features[:2, 0] == pytest.approx([200, 0])


def test_k_centres_are_the_farthest_from_the_training_tiles():
    features = np.array([[0.0], [1], [5], [5.1], [10]])
    assert k_centres(features, np.array([[0.0]]), 2) == ([4, 2], [10, 5])
    assert k_centres(features, np.array([[10.0]]), 1)[0] == [0]
    assert sorted(k_centres(features, np.zeros((0, 1)), 9)[0]) == [0, 1, 2, 3, 4], "each once, none twice"
    assert sorted(k_centres(np.zeros((3, 1)), np.zeros((1, 1)), 3)[0]) == [0, 1, 2], "twins too"


def test_each_measure_ranks_all_tiles_its_own_way():
    entropy, margin = np.array([0.9, 0.8, 0.7, 0.1, 0.2]), np.array([0.5, 0.1, 0.2, 0.3, 0.4])
    seen = TileStatistics(entropy, margin, np.array([[1.0], [1.1], [3.0], [90.0], [2.0]]))

    def first(measure, count):
        ranking = rank_tiles(measure, seen, np.array([[1.0]]), count)
        assert sorted(ranking.order) == list(range(5))
        chosen = ~np.isnan(ranking.distance)
        assert chosen.sum() == (count if measure in ("diversity", "combined") else 0)
        return ranking.order[:count].tolist()

    assert first("entropy", 2) == [0, 1] and first("margin", 2) == [1, 2]
    assert first("diversity", 2) == [3, 2], "however sure the model is of the farthest"
    assert first("combined", 1) == [2], "the farthest of the three most uncertain"
