"""Straight edges of aerial images: the borders of roads, buildings and fields, which land cover at 10 m cannot show."""

from __future__ import annotations

import cv2
import numpy as np

MIN_LENGTH_M = 12.0  # of a segment: shorter ones outline tree crowns
MIN_CONTRAST = 16.0  # grey levels between both sides of a segment
SIDE_M = 1.5  # from a segment to where its sides are compared


def draw_line_segments(image: np.ndarray, min_length_m: float = MIN_LENGTH_M) -> np.ndarray:
    """The straight edges of a (height, width, 3) uint8 RGB image at 1 m: (height, width) uint8, 1 on 1 px wide lines.

    A line segment detector runs on the luminance; short and faint segments are left out.
    """
    luminance = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY)
    # with advanced refinement alone the detector counts false alarms, which leaves out most segments in woods
    segments, *_ = cv2.createLineSegmentDetector(cv2.LSD_REFINE_ADV).detect(luminance)
    drawn = np.zeros(luminance.shape, dtype=np.uint8)
    for ends in [] if segments is None else segments.reshape(-1, 2, 2):
        if np.linalg.norm(ends[1] - ends[0]) >= min_length_m and _contrast(luminance, ends) >= MIN_CONTRAST:
            first, last = np.rint(ends).astype(int).tolist()
            cv2.line(drawn, first, last, color=1)
    return drawn


def _contrast(luminance: np.ndarray, ends: np.ndarray) -> float:
    """The median difference in grey levels between both sides of a segment, its ends (2, 2) as x and y."""
    along = ends[1] - ends[0]
    length = np.linalg.norm(along)
    across = SIDE_M / length * np.array([-along[1], along[0]])
    points = ends[0] + np.linspace(0, 1, int(length))[:, None] * along
    x, y = np.stack([points - across, points + across], axis=-1).astype(np.float32).transpose(1, 0, 2)
    sides = cv2.remap(luminance.astype(np.float32), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return abs(float(np.median(sides[:, 1] - sides[:, 0])))
