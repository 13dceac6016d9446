"""The condition planes of the image networks, and how a window's conditions are read from rasters."""

import numpy as np
import pytest
import torch

from backend.geo import legend
from backend.models.conditioning import KNOWN, LINES, ImageConditions, plane_count, style_table
from backend.models.image_inputs import FEATURES, LANDCOVER, STREETS, ImageInputs, ImageRequest
from backend.models.image_inputs import KNOWN as KNOWN_RASTER
from backend.tiling.lattice import Box
from backend.tiling.lazy_raster import Patch, RasterSource

TREE, CROP, BUILT, WATER = (legend.CODES.tolist().index(code) for code in (10, 40, 50, 80))
INDEX = {
    "styles": ["2020", "arid", "temperate"],
    "style_classes": {"arid": [50, 60], "temperate": [10, 40]},
    "borrowed_styles": {"arid": {"10": "temperate"}},
}


def landcover(*classes):
    """One-hot land cover (1, 11, 1, n)."""
    return torch.from_numpy(legend.one_hot(np.array([classes], np.uint8)))[None]


def test_a_style_applies_to_its_classes_and_borrows_on_others():
    table = style_table(INDEX)
    assert table.shape == (3, legend.COUNT, 3) and style_table({}).shape == (0, legend.COUNT, 0)
    styles = torch.tensor([[1.0, 1.0, 0.0]])  # 2020 and arid
    planes = ImageConditions(landcover(BUILT, TREE, CROP, legend.IGNORE), styles).style_planes(table)[0, :, 0]
    assert planes.tolist() == [
        [1, 1, 1, 0],  # 2020 lists no classes: it applies to all
        [1, 0, 0, 0],
        [0, 1, 0, 0],  # trees of temperate tiles; nothing is borrowed for cropland
    ]


def test_a_borrowed_style_that_is_requested_too_counts_once():
    planes = ImageConditions(landcover(TREE), torch.ones(1, 3)).style_planes(style_table(INDEX))
    assert planes.flatten().tolist() == [1, 0, 1]


def test_planes_of_conditions_that_a_model_takes_are_zero_where_there_are_none():
    conditions = ImageConditions(landcover(TREE, CROP), torch.zeros(1, 3))
    assert conditions.planes(style_table(INDEX)).shape[1] == plane_count(3, ()) == 14
    planes = conditions.planes(style_table(INDEX), (LINES, KNOWN))
    assert planes.shape[1] == plane_count(3, (LINES, KNOWN)) == 19 and not planes[:, 14:].any()


def test_lines_and_known_pixels_follow_land_cover_and_styles():
    lines = torch.tensor([[[[0.0, 1.0]]]])
    known = torch.tensor([[[[0.5, 0.0]], [[-0.5, 0.0]], [[1.0, 0.0]], [[1.0, 0.0]]]])
    conditions = ImageConditions(landcover(TREE, CROP), torch.zeros(1, 3), lines, known)
    planes = conditions.planes(style_table(INDEX), (LINES, KNOWN))
    assert torch.equal(planes[:, 14:15], lines) and torch.equal(planes[:, 15:], known)
    assert torch.equal(conditions.planes(style_table(INDEX), (KNOWN,))[:, 14:], known)
    image = torch.full((1, 3, 1, 2), 0.25)
    assert torch.equal(conditions.keep_known(image)[0, :, 0], torch.tensor([[0.5, 0.25], [-0.5, 0.25], [1.0, 0.25]]))


def patches(box):
    """Patches of land cover at 10 m, vector features at 1 m and known pixels at 1 m over a box of 1 m pixels."""
    features = np.full((2, box.height, box.width), legend.IGNORE, np.uint8)
    features[1] = 0
    features[:, 3, 4] = BUILT, 1
    known = np.zeros((4, box.height, box.width), np.uint8)
    known[:, 5, 6] = 255, 0, 128, 255
    coarse = Patch(np.full((2, 2), CROP, np.uint8), box.coarsened(10), 10)
    return coarse, Patch(features, box), Patch(known, box)


def test_a_request_reads_burnt_classes_lines_and_known_pixels():
    box = Box(0, 0, 20, 20)
    request = ImageRequest((0.0,), (LANDCOVER, FEATURES, KNOWN_RASTER))
    conditions = request.conditions([box], patches(box), legend.CODES.tolist())
    classes = conditions.landcover[0].int().argmax(0)
    assert classes[3, 4] == BUILT and (classes != CROP).sum() == 1
    assert conditions.lines[0, 0].nonzero().tolist() == [[3, 4]]
    assert conditions.known[0, 3].nonzero().tolist() == [[5, 6]]
    assert conditions.known[0, :3, 5, 6].tolist() == pytest.approx([1, -1, 128 / 127.5 - 1], abs=1e-6)
    assert not conditions.known[0, :3, 0, 0].any(), "black is -1, unknown is 0"


def test_only_the_inputs_that_there_are_become_conditions():
    source = RasterSource("land cover", lambda box: np.zeros((box.height, box.width), np.uint8))
    known = RasterSource("known", lambda box: np.zeros((4, box.height, box.width), np.uint8))
    inputs = ImageInputs(source, 10, known=known)
    assert inputs.names == (LANDCOVER, KNOWN_RASTER) and [i.coarse for i in inputs.inputs(4)] == [10, 1]
    box = Box(0, 0, 20, 20)
    coarse, _, pixels = patches(box)
    conditions = ImageRequest((), inputs.names).conditions([box], (coarse, pixels), legend.CODES.tolist())
    assert conditions.lines is None and conditions.known is not None


def test_the_street_plan_counts_on_built_up_ground_only_and_where_there_are_no_features():
    source = RasterSource("land cover", lambda box: np.zeros((box.height, box.width), np.uint8))
    features = RasterSource("features", lambda box: np.zeros((2, box.height, box.width), np.uint8))
    planned = ImageInputs(source).with_street_plan({"street_plan": True}, "w", 1)
    assert planned.names == (LANDCOVER, STREETS) and planned.streets.read(Box(0, 0, 300, 300)).any()
    assert ImageInputs(source).with_street_plan({}, "w", 1).names == (LANDCOVER,)
    assert ImageInputs(source, features=features).with_street_plan({"street_plan": True}, "w", 1).streets is None
    box = Box(0, 0, 2, 20)
    classes = np.full((2, 20), CROP, np.uint8)
    classes[:, 10:] = BUILT
    patches = Patch(classes, box), Patch(np.ones((1, 2, 20), np.uint8), box)
    conditions = ImageRequest((), planned.names).conditions([box], patches, legend.CODES.tolist())
    assert torch.equal(conditions.lines[0, 0] > 0, torch.from_numpy(classes == BUILT))
