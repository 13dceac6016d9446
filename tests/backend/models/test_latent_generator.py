"""Decoders with frozen norms give a pixel the same value in every window."""

import torch

from backend.models import latent_generator
from backend.models.landcover import LandCoverGenerator


def decoder():
    torch.manual_seed(0)
    model = latent_generator.new_autoencoder(3, 4, (8, 16, 16), 8, 32).eval()
    for parameter in model.decoder.parameters():  # initial biases are 0, which would hide an error in calibration
        torch.nn.init.normal_(parameter, std=0.2) if parameter.ndim == 1 else None
    return model.decoder


@torch.no_grad()
def test_a_decoder_calibrated_on_a_batch_decodes_it_as_before():
    network, latents = decoder(), torch.randn(1, 4, 16, 16)
    expected = network(latents)
    latent_generator.calibrate(network, lambda: network(latents))
    latent_generator.freeze_norms(network)
    assert not any(isinstance(module, torch.nn.GroupNorm) for module in network.modules())
    assert torch.allclose(network(latents), expected, atol=1e-4)


@torch.no_grad()
def test_only_a_frozen_decoder_is_the_same_in_every_window():
    network, latents, inside = decoder(), torch.randn(1, 4, 40, 40), slice(12, 28)
    latents[..., :12] *= 9  # in the large window only

    def difference():
        large, small = network(latents), network(latents[..., inside, inside])
        return (large[..., 48:112, 48:112] - small)[..., 28:36, 28:36].abs().max().item()

    assert difference() > 1e-2
    latent_generator.calibrate(network, lambda: network(latents))
    latent_generator.freeze_norms(network)
    assert difference() < 1e-4


@torch.no_grad()
def test_the_bundled_land_cover_decoder_is_frozen():
    generator = LandCoverGenerator("landcover")
    assert generator.index["frozen_norms"] is True
    assert not any(isinstance(module, torch.nn.GroupNorm) for module in generator.autoencoder.decoder.modules())
