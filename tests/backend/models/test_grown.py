"""Image models of before lines and known pixels: they get these conditions and generate as before until trained."""

import torch

from backend.geo import legend
from backend.models import controlnet, spade
from backend.models.conditioning import CONDITIONS, plane_count

STYLES = (2, None, 0)  # of the new network: the old one's third, a new one, the old one's first
FURTHER = plane_count(0, CONDITIONS) - legend.COUNT


def planes(size, styles):
    """The planes of random land cover and the styles, and the further ones of a network with all conditions."""
    landcover = torch.nn.functional.one_hot(torch.randint(legend.COUNT, (1, size, size)), legend.COUNT)
    style_planes = torch.tensor(styles)[None, :, None, None].expand(-1, -1, size, size)
    return torch.cat([landcover.movedim(3, 1).float(), style_planes], dim=1), torch.rand(1, FURTHER, size, size)


def old_network(styles):
    """A SPADE network without conditions, of random weights."""
    network = spade.SpadeNetwork(styles, (32, 32, 32, 32), detail=8)
    for values in network.parameters():
        torch.nn.init.normal_(values, std=0.1)
    return network


def test_a_grown_spade_network_generates_as_before():
    torch.manual_seed(0)
    old = old_network(3).eval()
    new = spade.grown(old, STYLES).eval()
    assert new.config.further == FURTHER and new.config.parcels == spade.PARCEL_PLANES
    assert new.config.detail == 8, "its widths are the old ones"
    coarse, fine = torch.randn(1, 16, 4, 4), torch.randn(1, spade.FINE_CHANNELS + spade.PARCEL_PLANES, 16, 16)
    before, _ = planes(64, [1.0, 0.0, 0.5])
    after = torch.cat([before[:, : legend.COUNT], torch.zeros(1, 3, 64, 64)], dim=1)
    after[:, legend.COUNT], after[:, legend.COUNT + 2] = 0.5, 1.0
    with torch.no_grad():
        image = old(coarse, fine[:, : spade.FINE_CHANNELS], before)
        grown = new(coarse, fine, torch.cat([after, torch.rand(1, FURTHER, 64, 64)], dim=1))
        other = after.clone()
        other[:, legend.COUNT + 1] = 1
        new_style = new(coarse, fine, torch.cat([other, torch.zeros(1, FURTHER, 64, 64)], dim=1))
    assert image.std() > 0.01 and torch.allclose(image, grown, atol=1e-3)
    assert torch.allclose(image, new_style, atol=1e-3), "a new style has no effect yet"


def test_what_a_grown_spade_network_has_gained_can_be_trained():
    torch.manual_seed(0)
    new = spade.grown(old_network(0), ())
    inputs = torch.randn(2, 16, 4, 4), torch.randn(2, 17, 16, 16), torch.rand(2, legend.COUNT + FURTHER, 64, 64)
    new(*inputs).square().mean().backward()
    gained = (
        new.blocks[0].convs[1].weight.grad,
        new.sketch.weight.grad,
        new.blocks[1].norms[0].shared[0].weight.grad[:, legend.COUNT + spade.CELL_CHANNELS :],
    )
    assert all(gradient.abs().max() > 0 for gradient in gained)


def test_a_grown_controlnet_controls_as_before():
    torch.manual_seed(0)
    denoiser = controlnet.new_denoiser()
    old = controlnet.ControlNetModel.from_unet(
        denoiser, conditioning_channels=legend.COUNT + 3, conditioning_embedding_out_channels=(16, 32, 48)
    ).eval()
    for layer in (old.controlnet_mid_block, old.controlnet_cond_embedding.conv_out):
        torch.nn.init.normal_(layer.weight)  # a ControlNet's output layers start at 0
    new = controlnet.grown(old, STYLES).eval()
    before, further = planes(128, [1.0, 0.0, 0.5])
    after = torch.cat([before[:, : legend.COUNT], torch.zeros(1, 3, 128, 128)], dim=1)
    after[:, legend.COUNT], after[:, legend.COUNT + 2] = 0.5, 1.0
    noisy, times = torch.randn(1, controlnet.CHANNELS, 32, 32), torch.tensor([500])
    with torch.no_grad():
        _, mid = old(noisy, times, None, controlnet_cond=before, return_dict=False)
        _, grown = new(noisy, times, None, controlnet_cond=torch.cat([after, further], dim=1), return_dict=False)
    assert mid.std() > 1e-3 and torch.allclose(mid, grown, rtol=1e-3, atol=1e-4)
