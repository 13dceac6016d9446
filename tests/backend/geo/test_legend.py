"""The legend: codes, looks, votes and colours."""

import numpy as np

from backend import protocol
from backend.geo import legend


def test_both_sides_know_one_legend():
    assert tuple(legend.LEGEND) == protocol.WORLDCOVER_CODES


def test_votes_are_of_the_pixels_whose_centre_lies_in_the_cell():
    fine = np.zeros((25, 20), np.uint8)
    fine[:10, :6] = 4  # 60 of 100 votes
    fine[:10, 10:14] = 3
    fine[10:20, 10:] = legend.IGNORE
    fine[15, 15] = 7
    assert (legend.majority_downsample(fine, 10) == [[4, 0], [0, 7]]).all()
    assert legend.majority_downsample(np.full((10, 10), legend.IGNORE, np.uint8), 10) == legend.IGNORE
    assert legend.majority_downsample(np.zeros((9, 30), np.uint8), 10).shape == (0, 3)


def test_votes_at_a_factor_that_is_no_whole_number():
    fine = np.repeat(np.arange(3, dtype=np.uint8), 50)[None].repeat(50, 0)
    coarse = legend.majority_downsample(fine, 10 / 0.6)
    assert coarse.shape == (3, 9) and (coarse == np.arange(3).repeat(3)).all()


def test_an_unseen_class_is_painted_as_its_look():
    indices = legend.to_index(np.array([[70, 90, 10, 0]], np.uint8))
    painted = legend.encode_condition(indices, [10, 30, 60])
    assert (painted.argmax(0) == legend.to_index(np.array([[60, 30, 10, 10]], np.uint8))).all()
    assert painted.sum(0).tolist() == [[1, 1, 1, 0]]
    assert (legend.encode_condition(indices, [10, 70, 90])[:, 0, :2].argmax(0) == indices[0, :2]).all()
    assert legend.unseen([10]) == {95: 10}, "a look that was not seen helps nobody"


def test_a_class_is_painted_as_what_the_merged_legend_joins_it_to():
    """Both say what RGB cannot tell apart: moss, a low vegetation, is grassland in both."""
    merged_legend = legend.codes_of("merged")
    assert legend.unseen(merged_legend) == legend.MERGED and legend.MERGED[100] == 30
    codes = legend.to_index(np.array([list(legend.LEGEND)], np.uint8))
    assert (legend.encode_condition(codes, merged_legend).argmax(0) == legend.merged(codes, "merged")).all()


def test_pictures_have_the_official_colours():
    one_hot = legend.one_hot(legend.to_index(np.array([[[50, 80, 0]]], np.uint8)))
    assert legend.pictures(one_hot).tolist() == [[[list(legend.rgb(50)), list(legend.rgb(80)), [0, 0, 0]]]]


def test_the_merged_legend_has_seven_classes_and_keeps_codes_and_indices():
    codes = np.array([list(legend.LEGEND), [0] * 11], np.uint8)
    merged_codes = legend.to_code(legend.merged(legend.to_index(codes), "merged"))
    assert merged_codes[0].tolist() == [10, 20, 30, 40, 50, 60, 60, 80, 30, 10, 30] and not merged_codes[1].any()
    assert sorted(set(merged_codes[0].tolist())) == legend.codes_of("merged") and len(legend.codes_of("merged")) == 7
    assert (legend.merged(legend.to_index(codes), "worldcover") == legend.to_index(codes)).all()


def test_a_joined_class_is_called_by_all_its_parts():
    names = legend.names_of("merged")
    assert names[30] == "Grassland + Herbaceous wetland + Moss and lichen" and names[40] == "Cropland"
    assert legend.names_of("worldcover") == {code: name for code, (name, _) in legend.LEGEND.items()}
