"""World-locked noise: the same place has the same noise, whichever box it is read in."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.tiling import noise
from backend.tiling.lattice import Box

places = st.integers(-300, 300)
sizes = st.integers(1, 150)


@settings(max_examples=40, deadline=None)
@given(places, places, sizes, sizes, places, places, sizes, sizes)
def test_boxes_agree_where_they_overlap(row, col, height, width, row2, col2, height2, width2):
    one, two = Box(row, col, height, width), Box(row2, col2, height2, width2)
    shared = one.intersection(two)
    first = noise.normal(5, "EPSG:32618", 2, one)[(slice(None), *shared.slices_in(one))]
    second = noise.normal(5, "EPSG:32618", 2, two)[(slice(None), *shared.slices_in(two))]
    assert first.shape == (2, shared.height, shared.width)
    assert np.array_equal(first, second)


def test_is_standard_normal_and_uncorrelated():
    drawn = noise.normal(1, "w", 4, Box(-256, -256, 512, 512)).reshape(4, -1)
    assert np.abs(drawn.mean(1)).max() < 0.01
    assert np.abs(drawn.std(1) - 1).max() < 0.01
    assert np.abs(np.corrcoef(drawn) - np.eye(4)).max() < 0.01
    square = drawn[0].reshape(512, 512)
    assert abs((square[:, 1:] * square[:, :-1]).mean()) < 0.01
    assert abs((square[64:] * square[:-64]).mean()) < 0.01, "blocks repeat"


def test_seeds_worlds_and_signs_of_coordinates_differ():
    box = Box(0, 0, 64, 64)
    drawn = [
        noise.normal(1, "EPSG:32618", 1, box),
        noise.normal(2, "EPSG:32618", 1, box),
        noise.normal(1, "EPSG:32617", 1, box),
        noise.normal(-1, "EPSG:32618", 1, box),
        noise.normal(1, "EPSG:32618", 1, Box(-64, 0, 64, 64)),
        noise.normal(1, "EPSG:32618", 1, Box(0, -64, 64, 64)),
    ]
    for number, first in enumerate(drawn):
        for second in drawn[number + 1 :]:
            assert abs((first * second).mean()) < 0.08


def test_is_the_same_on_every_machine():
    drawn = noise.normal(42, "EPSG:32618", 1, Box(1_000_000, -7, 1, 3))[0, 0]
    assert np.allclose(drawn, EXPECTED, atol=1e-6)


EXPECTED = [2.4745655, 2.1556923, 0.1616389]


@settings(max_examples=40, deadline=None)
@given(places, places, sizes, sizes, places, places, sizes, sizes)
def test_boxes_of_smooth_noise_agree_to_the_bit(row, col, height, width, row2, col2, height2, width2):
    one, two = Box(row, col, height, width), Box(row2, col2, height2, width2)
    shared = one.intersection(two)
    first, second = (
        noise.smooth(5, "EPSG:32618", 2, box, 48)[(slice(None), *shared.slices_in(box))] for box in (one, two)
    )
    assert np.array_equal(first, second)


def test_smooth_noise_is_standard_normal_and_changes_over_its_cells():
    drawn = noise.smooth(1, "w", 1, Box(-2000, -2000, 4000, 4000), 16)[0]
    assert abs(drawn.mean()) < 0.02 and abs(drawn.std() - 1) < 0.02
    assert np.abs(np.diff(drawn)).max() < 1, "nowhere a step"
    near, far = ((drawn[:, :-by] * drawn[:, by:]).mean() for by in (2, 40))
    assert near > 0.9 and abs(far) < 0.03


def test_parcels_are_constant_inside_sharp_borders_and_locked_to_the_world():
    box, part = Box(-90, 40, 200, 160), Box(-20, 100, 60, 70)
    parcels = noise.parcels(3, "w", 2, box, 40)
    assert parcels.shape == (3, 200, 160) and parcels.dtype == np.float32
    assert np.array_equal(noise.parcels(3, "w", 2, part, 40), parcels[(slice(None), *part.slices_in(box))])
    assert not np.array_equal(noise.parcels(4, "w", 2, box, 40), parcels)
    tones, border = parcels[:2], parcels[2]
    assert 12 < len(np.unique(tones[0])) < 45, "about one parcel for each square of 40 cells"
    changes = (np.diff(tones[0], axis=1) != 0) | (np.diff(tones[1], axis=1) != 0)
    assert changes.mean() < 0.06 and border[:, 1:][changes].min() > 0.5 and border.min() == 0
