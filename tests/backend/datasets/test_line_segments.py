"""Line segments: the borders of buildings and roads are drawn, woods and faint or short edges are not."""

import cv2
import numpy as np

from backend.datasets.line_segments import draw_line_segments


def grey(luminance, noise=3.0):
    """(h, w, 3) uint8 of one luminance in all bands, with some noise."""
    noisy = luminance + np.random.default_rng(0).normal(0, noise, luminance.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)[..., None].repeat(3, -1)


def roof(size, contrast):
    luminance = np.full((96, 96), 90.0)
    luminance[20 : 20 + size, 30 : 30 + size] += contrast
    return grey(luminance)


def outline(size):
    square = np.zeros((96, 96), np.uint8)
    cv2.rectangle(square, (30, 20), (29 + size, 19 + size), 1)
    return square


def test_the_outline_of_a_roof_is_drawn_where_it_is():
    lines, expected, wide = draw_line_segments(roof(40, 70)), outline(40), np.ones((5, 5), np.uint8)
    assert lines.shape == (96, 96) and lines.dtype == np.uint8 and set(np.unique(lines)) == {0, 1}
    assert cv2.dilate(lines, wide)[expected == 1].mean() > 0.85, "nearly all of the outline has a line within 2 px"
    assert cv2.dilate(expected, wide)[lines == 1].all(), "and no line is elsewhere"
    assert lines.sum() < 1.2 * expected.sum(), "lines are one pixel wide"


def test_short_and_faint_edges_are_left_out():
    assert not draw_line_segments(roof(8, 70)).any()
    assert draw_line_segments(roof(8, 70), min_length_m=5).any()
    assert not draw_line_segments(roof(40, 10)).any()


def test_noise_and_tree_crowns_have_hardly_any_lines():
    rng = np.random.default_rng(1)
    noise, crowns = rng.normal(100, 35, (256, 256)), np.full((256, 256), 40.0)
    for _ in range(3000):
        centre, radius = rng.integers(0, 256, 2).tolist(), int(rng.integers(3, 7))
        cv2.circle(crowns, centre, radius, color=float(rng.uniform(50, 130)), thickness=-1)
    for texture in (noise, crowns):
        assert draw_line_segments(grey(texture)).mean() < 0.005


def test_a_flat_image_and_one_read_only_have_no_lines():
    image = np.full((64, 64, 3), 80, np.uint8)[:, ::-1]
    image.flags.writeable = False
    assert not draw_line_segments(image).any()
