"""The linear autoencoder: its latents are principal components, and do not depend on where a patch lies."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from backend.models import model_folder
from backend.models.patch_autoencoder import PatchAutoencoder
from backend.protocol import BackendError


@pytest.fixture(scope="module")
def pixels():
    """Smooth images, like imagery of the ground."""
    rough = np.random.default_rng(0).normal(size=(24, 3, 12, 12)).astype(np.float32)
    return torch.nn.functional.interpolate(torch.from_numpy(rough), size=(48, 48), mode="bicubic").clamp(-1, 1) * 0.5


def fitted(pixels, channels):
    torch.manual_seed(0)
    autoencoder = PatchAutoencoder(3, channels, 4).eval()
    return autoencoder, autoencoder.fit(pixels)


@torch.no_grad()
def test_the_latents_are_principal_components(pixels):
    autoencoder, explained = fitted(pixels, 6)
    reconstructed = autoencoder(pixels).sample
    lost = float((reconstructed - pixels).square().mean() / pixels.var((0, 2, 3)).mean())
    assert 0.5 < explained < 1 and lost == pytest.approx(1 - explained, abs=0.01)
    latents = autoencoder.encode(pixels).latent_dist.mode().movedim(1, 0).flatten(1)
    assert latents.mean(1).abs().max() < 1e-3
    assert autoencoder.config.latents_mean == [0] * 6
    assert latents.std(1).tolist() == pytest.approx(autoencoder.config.latents_std, rel=1e-3)
    assert torch.allclose(torch.cov(latents), torch.diag(torch.cov(latents).diagonal()), atol=1e-3)
    assert fitted(pixels, 20)[1] > explained


@torch.no_grad()
def test_all_components_reconstruct_the_pixels(pixels):
    autoencoder, explained = fitted(pixels, 48)
    assert explained == pytest.approx(1) and torch.allclose(autoencoder(pixels).sample, pixels, atol=0.02)


@torch.no_grad()
def test_pixels_do_not_depend_on_their_window(pixels):
    autoencoder, _ = fitted(pixels, 6)
    latents = autoencoder.encode(pixels).latent_dist.mode()
    whole, part = (autoencoder.decode(window).sample for window in (latents, latents[:, :, 2:, 2:]))
    assert torch.allclose(whole[:, :, 24:, 24:], part[:, :, 16:, 16:], atol=1e-5)


def test_it_loads_as_it_was_saved(pixels, tmp_path):
    autoencoder, _ = fitted(pixels, 6)
    autoencoder.register_to_config(latents_mean=[0.0] * 6)
    autoencoder.save_pretrained(tmp_path)
    loaded = PatchAutoencoder.from_pretrained(tmp_path, use_safetensors=True, low_cpu_mem_usage=False)
    assert loaded.config.latents_mean == [0.0] * 6
    assert all(torch.equal(a, b) for a, b in zip(autoencoder.state_dict().values(), loaded.state_dict().values()))


def test_weights_of_another_architecture_are_refused(pixels, tmp_path):
    autoencoder, _ = fitted(pixels, 6)
    autoencoder.save_pretrained(tmp_path / "coder")
    (file,) = (tmp_path / "coder").glob("*.safetensors")
    weights = load_file(file)
    weights["decoder.first.weight"] = weights.pop("decoder.weight")
    save_file(weights, file)
    with pytest.raises(BackendError, match=r"its coder is missing or damaged .*decoder\.weight"):
        model_folder.components(tmp_path, torch.float32, coder=PatchAutoencoder)
