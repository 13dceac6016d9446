"""The metrics behave as their definitions say."""

import numpy as np
import pytest
import torch

from backend.metrics import image_distances


def features(count, seed, shift=0.0, width=8):
    return torch.randn(count, width, generator=torch.Generator().manual_seed(seed)) + shift


def test_fid_of_two_normal_clouds():
    real, other = features(4000, 1), features(4000, 2, shift=2.0)
    assert image_distances.fid(real, other) == pytest.approx(8 * 2.0**2, rel=0.05)
    assert image_distances.fid(real, real) == pytest.approx(0, abs=1e-3)


def test_fid_of_few_points_is_the_same_in_fewer_dimensions():
    from torchmetrics.image.fid import _compute_fid

    real, other = features(20, 1, width=200).double(), features(24, 2, 0.5, width=200).double()
    moments = [moment for cloud in (real, other) for moment in (cloud.mean(0), cloud.T.cov())]
    assert image_distances.fid(real, other) == pytest.approx(float(_compute_fid(*moments)), rel=1e-3)


def test_kid_is_unbiased_and_the_seed_decides():
    real, same, far = features(200, 1), features(200, 2), features(200, 3, shift=1.0)
    near, spread = image_distances.kid(real, same, 0)
    assert abs(near) < 3 * spread / 10**0.5 + 0.2 and image_distances.kid(real, far, 0)[0] > 10 * abs(near)
    before = torch.random.get_rng_state()
    assert image_distances.kid(real, far, 5) == image_distances.kid(real, far, 5)
    assert image_distances.kid(real, far, 5) != image_distances.kid(real, far, 6)
    assert torch.equal(before, torch.random.get_rng_state())


def test_the_inception_score_counts_sure_and_varied_classes():
    sure = torch.eye(4).repeat(50, 1).clamp(1e-6).log()
    assert image_distances.inception_score(sure, 0) == pytest.approx(4, rel=0.1)
    assert image_distances.inception_score(sure[:1].repeat(200, 1), 0) == pytest.approx(1, abs=1e-4)


def test_the_spread_is_the_standard_error():
    """Told from one pair of sets, it is how much the measure of many pairs varies."""
    pairs = [(features(120, 2 * n), features(120, 2 * n + 1, shift=0.7)) for n in range(40)]
    for measure, estimate in (
        (image_distances.fid, lambda pair: image_distances.spread(image_distances.fid, pair, 0)),
        (lambda *pair: image_distances.kid(*pair, 0)[0], lambda pair: image_distances.kid(*pair, 0)[1]),
    ):
        varies = np.std([measure(*pair) for pair in pairs], ddof=1)
        assert np.mean([estimate(pair) for pair in pairs[:12]]) == pytest.approx(varies, rel=0.4)


def test_chance_leaves_more_of_fid_the_fewer_the_images():
    few, many = (image_distances.between_halves(image_distances.fid, features(count, 1), 0) for count in (40, 400))
    assert few > 4 * many > 0


def test_ssim():
    images = torch.randint(0, 256, (3, 3, 32, 32), dtype=torch.uint8)
    assert image_distances.ssim(images, images).tolist() == pytest.approx([1, 1, 1])
    assert image_distances.ssim(images, 255 - images).max() < 0.2
