"""Decoders whose norms are frozen: the same pixels whatever else lies in the window."""

import torch

from backend.models import latent_generator
from backend.models.landcover import LandCoverGenerator


def decoder():
    torch.manual_seed(0)
    model = latent_generator.new_autoencoder(3, 4, (8, 16, 16), 8, 32).eval()
    for parameter in model.decoder.parameters():  # fresh biases are 0, which would hide a wrong fold
        torch.nn.init.normal_(parameter, std=0.2) if parameter.ndim == 1 else None
    return model.decoder


@torch.no_grad()
def test_frozen_on_one_batch_a_decoder_gives_what_it_gave_on_it():
    found, latents = decoder(), torch.randn(1, 4, 16, 16)
    expected = found(latents)
    latent_generator.calibrate(found, lambda: found(latents))
    latent_generator.freeze_norms(found)
    assert not any(isinstance(module, torch.nn.GroupNorm) for module in found.modules())
    assert torch.allclose(found(latents), expected, atol=1e-4)


@torch.no_grad()
def test_only_a_frozen_decoder_is_the_same_in_every_window():
    found, latents, inside = decoder(), torch.randn(1, 4, 40, 40), slice(12, 28)
    latents[..., :12] *= 9  # what one window sees and the other does not

    def change():
        whole, window = found(latents), found(latents[..., inside, inside])
        part = whole[..., 48:112, 48:112]
        return (part - window)[..., 28:36, 28:36].abs().max().item()

    assert change() > 1e-2
    latent_generator.calibrate(found, lambda: found(latents))
    latent_generator.freeze_norms(found)
    assert change() < 1e-4


@torch.no_grad()
def test_the_bundled_land_cover_decoder_is_frozen():
    generator = LandCoverGenerator("landcover")
    assert generator.index["frozen_norms"] is True
    assert not any(isinstance(module, torch.nn.GroupNorm) for module in generator.autoencoder.decoder.modules())
