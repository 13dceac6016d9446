"""The discriminator on a frozen encoder: what it learns, the generator's loss, and the weights that do not change."""

import numpy as np
import pytest
import torch

from backend.models import architectures
from backend.protocol import BackendError
from backend.training import projected_discriminator
from backend.training.projected_discriminator import ProjectedDiscriminator

CONDITIONS = 2


@pytest.fixture
def discriminator():
    torch.manual_seed(0)
    return ProjectedDiscriminator(CONDITIONS)


def condition(count=4, px=64, first=1.0):
    planes = torch.zeros(count, CONDITIONS, px, px)
    planes[:, 0], planes[:, 1] = first, 1 - first
    return planes


def images(level, count=4, px=64):
    return (level + 0.1 * torch.randn(count, 3, px, px)).clamp(-1, 1)


def learn(discriminator, generated, real, conditions, steps=60):
    """The discriminator's loss at the beginning and after some steps."""
    optimizer, losses = torch.optim.Adam(discriminator.parameters(), 2e-3, betas=(0.5, 0.99)), []
    for _ in range(steps):
        with torch.no_grad():
            planes = conditions()
            discriminator.generator_loss(generated(), planes, real(), planes)
        loss = discriminator.loss()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses[0], sum(losses[-5:]) / 5


def test_it_learns_a_difference_in_colour(discriminator):
    """Batch norms of real and generated images apart would hide that all generated ones are too dark."""
    first, last = learn(discriminator, lambda: images(-0.6), lambda: images(0.4), condition)
    assert last < 0.5 * first


def test_it_learns_whether_an_image_fits_its_condition(discriminator):
    """Bright and dark images are real, each under one condition; the generated ones have the other condition."""

    def conditions():
        return torch.cat([condition(2), condition(2, first=0.0)])

    def real():
        return torch.cat([images(0.5, 2), images(-0.5, 2)])

    first, last = learn(discriminator, lambda: real().flip(0), real, conditions, 100)
    assert last < 0.7 * first


def test_the_generator_gets_gradients_and_the_encoder_does_not_change(discriminator):
    encoder = [weight.clone() for weight in discriminator.encoder[0].parameters()]
    mixing = [weight.clone() for weight in discriminator.mixing.parameters()]
    generated = images(0.0).requires_grad_(True)
    discriminator.generator_loss(generated, condition(), images(0.3), condition()).backward()
    assert generated.grad is not None and generated.grad.abs().sum() > 0
    learn(discriminator, lambda: images(0.0), lambda: images(0.3), condition, 2)
    after = discriminator.encoder[0].parameters(), discriminator.mixing.parameters()
    for weights_before, weights_after in zip((encoder, mixing), after):
        assert all(torch.equal(a, b) for a, b in zip(weights_before, weights_after))
    saved = discriminator.state_dict()
    assert not any(name.startswith("encoder") for name in saved), "the encoder is no part of a checkpoint"


def test_tiles_smaller_than_a_window_have_a_loss(discriminator):
    loss = discriminator.generator_loss(images(0.0, 1), condition(1), images(0.1, 1), condition(1))
    assert torch.isfinite(loss)


def test_each_zoom_has_heads_of_its_own(discriminator, monkeypatch):
    """Enlarged by 2, a crop of half the side has as many pixels as the full crop."""
    zooms = []

    def features(images, zoom):
        zooms.append((zoom, images.shape[-1] * zoom))
        return ProjectedDiscriminator._features(discriminator, images, zoom)

    monkeypatch.setattr(discriminator, "_features", features)
    for _ in range(16):
        discriminator.generator_loss(images(0.0), condition(), images(0.3), condition())
        discriminator.zero_grad()
        discriminator.loss().backward()
        used = [any(weight.grad is not None for weight in heads.parameters()) for heads in discriminator.heads]
        assert used == [zoom == zooms[-1][0] for zoom in projected_discriminator.ZOOMS]
    assert set(zooms) == {(zoom, 56) for zoom in projected_discriminator.ZOOMS}


def test_each_condition_is_repeated_for_two_images_of_a_map():
    planes = torch.arange(5.0)[:, None, None, None]
    assert projected_discriminator.repeat_conditions(planes).flatten().tolist() == [0, 1, 2, 0, 1]
    assert projected_discriminator.repeat_conditions(planes[:1]).flatten().tolist() == [0]


def test_the_diversity_loss_ends_where_two_images_of_a_map_differ_as_real_ones_do():
    """It is computed per pair, and is 0 once the images of a pair are as far apart as real images."""
    real = torch.randn(4, 8, 6, 6)
    once, twice = torch.randn(2, 8, 6, 6), torch.randn(4, 8, 6, 6)
    same = once.repeat(2, 1, 1, 1).requires_grad_(True)
    loss = projected_discriminator._diversity_loss
    largest = np.log(projected_discriminator.DIVERSITY_TARGET / projected_discriminator.DIVERSITY_EPSILON)
    assert loss(same, real).item() == pytest.approx(largest)
    assert loss(twice, real) < 0.2 and loss(2 * twice, real) == 0
    half_alike = torch.cat([2 * twice[:1], once[:1], 2 * twice[2:3], once[:1]])
    assert loss(half_alike, real) > 1, "a pair that differs more does not compensate for one that is alike"
    assert loss(once[:1], real) == 0, "a single image has no pair"
    near = (same.detach() + 0.1 * twice).requires_grad_(True)
    loss(near, real).backward()
    moved = near.detach() - near.grad
    assert (moved[:2] - moved[2:]).abs().mean() > (near[:2] - near[2:]).abs().mean()


def test_two_images_of_a_map_get_the_same_colours():
    """Different colours would count as diversity, even of equal images."""
    torch.manual_seed(1)
    augmented, _ = projected_discriminator._augment(images(0.0, 2).repeat(2, 1, 1, 1), condition(), 1)
    assert torch.equal(augmented[:2], augmented[2:])
    assert (augmented[0].mean() - augmented[1].mean()).abs() > 0.01


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
