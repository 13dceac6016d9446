"""The judge that sees through a frozen encoder: what it learns, what it teaches, what stays as it is."""

import numpy as np
import pytest
import torch

from backend.geo import legend
from backend.models import architectures
from backend.protocol import BackendError
from backend.training import projected_discriminator
from backend.training.projected_discriminator import ProjectedDiscriminator

CONDITIONS = 2


@pytest.fixture
def judge():
    torch.manual_seed(0)
    return ProjectedDiscriminator(CONDITIONS)


def told(count=4, px=64, first=1.0):
    planes = torch.zeros(count, CONDITIONS, px, px)
    planes[:, 0], planes[:, 1] = first, 1 - first
    return planes


def pictures(level, count=4, px=64):
    return (level + 0.1 * torch.randn(count, 3, px, px)).clamp(-1, 1)


def learn(judge, made, real, conditions, steps=60):
    """The judge's loss at the beginning and after some steps."""
    optimizer, losses = torch.optim.Adam(judge.parameters(), 2e-3, betas=(0.5, 0.99)), []
    for _ in range(steps):
        with torch.no_grad():
            planes = conditions()
            judge.opinion(made(), planes, real(), planes)
        loss = judge.loss()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses[0], sum(losses[-5:]) / 5


def test_it_tells_colours_apart(judge):
    """A batch norm of each kind for itself would hide that all that is made is too dark."""
    first, last = learn(judge, lambda: pictures(-0.6), lambda: pictures(0.4), told)
    assert last < 0.5 * first


def test_it_asks_for_what_was_told(judge):
    """Bright and dark are both real, but not everywhere: what is made is the same, under the other condition."""

    def conditions():
        return torch.cat([told(2), told(2, first=0.0)])

    def real():
        return torch.cat([pictures(0.5, 2), pictures(-0.5, 2)])

    first, last = learn(judge, lambda: real().flip(0), real, conditions, 100)
    assert last < 0.7 * first


def test_its_maker_learns_from_it_and_the_encoder_does_not_change(judge):
    eyes = [weight.clone() for weight in judge.eyes[0].parameters()]
    mixing = [weight.clone() for weight in judge.mixing.parameters()]
    made = pictures(0.0).requires_grad_(True)
    judge.opinion(made, told(), pictures(0.3), told()).backward()
    assert made.grad is not None and made.grad.abs().sum() > 0
    learn(judge, lambda: pictures(0.0), lambda: pictures(0.3), told, 2)
    for before, now in ((eyes, judge.eyes[0].parameters()), (mixing, judge.mixing.parameters())):
        assert all(torch.equal(a, b) for a, b in zip(before, now))
    assert not any(name.startswith("eyes") for name in judge.state_dict()), "the encoder is no part of a checkpoint"


def test_tiles_smaller_than_a_window_are_judged(judge):
    assert torch.isfinite(judge.opinion(pictures(0.0, 1), told(1), pictures(0.1, 1), told(1)))


def test_it_looks_from_afar_and_from_close_with_heads_for_each(judge, monkeypatch):
    """Enlarged, a part of half the side has as many pixels as the whole."""
    looks = []

    def look(images, zoom):
        looks.append((zoom, images.shape[-1] * zoom))
        return ProjectedDiscriminator._look(judge, images, zoom)

    monkeypatch.setattr(judge, "_look", look)
    for _ in range(16):
        judge.opinion(pictures(0.0), told(), pictures(0.3), told())
        judge.zero_grad()
        judge.loss().backward()
        used = [any(weight.grad is not None for weight in heads.parameters()) for heads in judge.heads]
        assert used == [zoom == looks[-1][0] for zoom in projected_discriminator.ZOOMS]
    assert set(looks) == {(zoom, 56) for zoom in projected_discriminator.ZOOMS}


def test_it_asks_for_two_pictures_of_each_map():
    planes = torch.arange(5.0)[:, None, None, None]
    assert projected_discriminator.repeat_conditions(planes).flatten().tolist() == [0, 1, 2, 0, 1]
    assert projected_discriminator.repeat_conditions(planes[:1]).flatten().tolist() == [0]


def test_looks_are_asked_for_that_no_tile_of_such_ground_has():
    torch.manual_seed(0)
    landcover = torch.rand(200, legend.COUNT, 4, 4)
    styles = torch.arange(200.0)[:, None, None, None].expand(-1, 2, 4, 4)
    found = projected_discriminator.shuffle_styles(torch.cat([landcover, styles], 1))
    assert torch.equal(found[:, : legend.COUNT], landcover)
    looks = found[:, legend.COUNT :, :1, :1]
    assert torch.equal(found[:, legend.COUNT :], looks.expand(-1, -1, 4, 4))
    others = looks[:, 0, 0, 0] != torch.arange(200)
    assert torch.equal(looks[others], ((styles[others] - 1) % 200)[:, :, :1, :1])
    assert others.float().mean() == pytest.approx(projected_discriminator.MINGLED, abs=0.1)


def test_two_pictures_of_a_map_are_to_differ_as_real_ones_do():
    """The likeness of pairs alone counts, and it costs nothing more once they are as far apart as real images."""
    real = torch.randn(4, 8, 6, 6)
    once, twice = torch.randn(2, 8, 6, 6), torch.randn(4, 8, 6, 6)
    same = once.repeat(2, 1, 1, 1).requires_grad_(True)
    assert projected_discriminator._alike(same, real).item() == pytest.approx(
        np.log(projected_discriminator.APART / projected_discriminator.SAME)
    )
    assert projected_discriminator._alike(twice, real) < 0.2 and projected_discriminator._alike(2 * twice, real) == 0
    half_alike = torch.cat([2 * twice[:1], once[:1], 2 * twice[2:3], once[:1]])
    assert projected_discriminator._alike(half_alike, real) > 1, (
        "one pair's difference does not make up for another's likeness"
    )
    assert projected_discriminator._alike(once[:1], real) == 0, "one picture has no other"
    near = (same.detach() + 0.1 * twice).requires_grad_(True)
    projected_discriminator._alike(near, real).backward()
    moved = near.detach() - near.grad
    assert (moved[:2] - moved[2:]).abs().mean() > (near[:2] - near[2:]).abs().mean()


def test_two_pictures_of_a_map_are_seen_in_one_light():
    """Another light for each would pass for variety: a forest would look as different as it need be."""
    torch.manual_seed(1)
    images, _ = projected_discriminator._varied(pictures(0.0, 2).repeat(2, 1, 1, 1), told(), 1)
    assert torch.equal(images[:2], images[2:]) and (images[0].mean() - images[1].mean()).abs() > 0.01


def test_the_encoder_can_be_another(tmp_path):
    encoder = architectures.build("unet", projected_discriminator.ENCODER).encoder
    from safetensors.torch import save_file

    save_file({key: value.contiguous() for key, value in encoder.state_dict().items()}, tmp_path / "e.safetensors")
    deep = ProjectedDiscriminator(CONDITIONS, str(tmp_path / "e.safetensors"))
    assert len(deep.heads[0]) == 1 + len(ProjectedDiscriminator(CONDITIONS).heads[0]), (
        "the bundled model's ends a scale earlier"
    )
    with pytest.raises(BackendError, match=r"missing\.safetensors cannot be loaded"):
        ProjectedDiscriminator(CONDITIONS, str(tmp_path / "missing.safetensors"))
