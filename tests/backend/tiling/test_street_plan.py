"""The street plan of towns without vector layers: streets with houses, locked to the world."""

import cv2
import numpy as np

from backend.tiling import street_plan
from backend.tiling.lattice import Box


def lines(box, seed=1, world="EPSG:32618"):
    """(height, width) bool."""
    return street_plan.street_plan(seed, world).read(box)[0] > 0


def test_the_plan_of_a_place_depends_on_seed_and_world_alone():
    box, part = Box(-200, 300, 700, 400), Box(100, 450, 90, 130)
    whole = lines(box)
    assert whole.shape == (700, 400)
    assert np.array_equal(lines(part), whole[part.slices_in(box)])
    assert not np.array_equal(lines(part, seed=2), lines(part)) and not np.array_equal(
        lines(part, world="w"), lines(part)
    )


def test_streets_continue_across_the_borders_of_blocks():
    """A border of blocks cuts no line: lines end there no more often than elsewhere."""
    plan = lines(Box(0, 0, 1024, 1024))
    at_border = plan[:, 510:514].any(1).mean()
    elsewhere = np.mean([plan[:, col : col + 4].any(1).mean() for col in range(100, 500, 20)])
    assert 0.6 * elsewhere < at_border < 1.5 * elsewhere


def test_there_are_whole_houses_and_streets_between_them():
    plan = lines(Box(0, 0, 512, 512))
    assert 0.04 < plan.mean() < 0.15
    _, _, statistics, _ = cv2.connectedComponentsWithStats((~plan).astype(np.uint8), connectivity=4)
    sizes = statistics[1:, cv2.CC_STAT_AREA]
    assert ((sizes > 40) & (sizes < 220)).sum() > 80, "closed outlines of 9 to 12 by 10 to 15 m"
    assert (sizes > 2000).sum() > 10, "streets, and the blocks between them"
