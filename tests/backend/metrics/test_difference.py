"""The confusion of two maps: its legend, and its figures against a hand-made case."""

import numpy as np
import pytest

from backend.geo import legend
from backend.metrics import difference
from backend.metrics.difference import Difference

TREE, GRASS, WATER = (legend.to_index(np.array([code]))[0] for code in (10, 30, 80))


def test_each_pair_of_classes_has_a_value_that_is_no_land_cover():
    one, other = np.meshgrid(np.arange(legend.COUNT, dtype=np.uint8), np.arange(legend.COUNT, dtype=np.uint8))
    values = difference.pair_values(one, other)
    assert len(np.unique(values)) == legend.COUNT**2 and values.dtype == np.uint8
    assert not set(values.ravel().tolist()) & {difference.NODATA, *legend.CODES.tolist()}
    assert (difference.pair_counts(values) == 1).all()


def test_unknown_on_either_side_counts_nothing():
    ignore = np.array([legend.IGNORE, TREE, legend.IGNORE], np.uint8)
    assert (difference.pair_values(ignore, ignore[::-1])[[0, 2]] == difference.NODATA).all()
    assert difference.pair_counts(difference.pair_values(ignore, ignore)).sum() == 1


def test_the_legend_names_both_and_tints_agreement():
    present = np.zeros((legend.COUNT, legend.COUNT), bool)
    present[TREE, GRASS] = present[TREE, TREE] = True
    (agree, change) = difference.pair_legend(present).values()
    assert agree == ("agree: Tree cover", "CCE0CC") and change == ("Tree cover → Grassland", "FFFF4C")


def changed_map():
    """60 ha of trees, 40 of grass; the other map moves 10 each way and floods 10 ha of grass."""
    hectares = np.zeros((legend.COUNT, legend.COUNT))
    hectares[TREE, TREE], hectares[TREE, GRASS] = 50, 10
    hectares[GRASS, TREE], hectares[GRASS, GRASS], hectares[GRASS, WATER] = 10, 20, 10
    return Difference("real <1>.tif", "made.tif", hectares)


def test_figures():
    changed = changed_map()
    assert changed.total == 100 and changed.agreement == pytest.approx(0.7)
    assert changed.quantity == pytest.approx(0.1) and changed.allocation == pytest.approx(0.2)
    assert changed.by_class(TREE) == (60, 60, 50, pytest.approx(5 / 6), pytest.approx(5 / 6))
    one, other, both, of_reference, of_compared = changed.by_class(WATER)
    assert (one, other, both, of_compared) == (0, 10, 0, 0) and np.isnan(of_reference)
