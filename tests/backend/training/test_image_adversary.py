"""The random conditions that image generators are trained under."""

import pytest
import torch

from backend.geo import legend
from backend.training.objectives import image_adversary
from backend.training.objectives.image_adversary import ImageAdversary, random_conditions, random_known


def batch(count=200, size=32):
    pixels = torch.linspace(-1, 1, count)[:, None, None, None].expand(-1, 3, size, size)
    one_hot = torch.zeros(count, legend.COUNT, size, size)
    one_hot[:, 0] = 1
    return {
        "pixels": pixels,
        "one_hot": one_hot,
        "styles": torch.ones(count, 2),
        "lines": torch.ones(count, 1, size, size),
    }


def test_every_condition_is_hidden_in_some_examples_and_shown_in_others():
    torch.manual_seed(0)
    conditions = random_conditions(batch())
    share = conditions.lines.mean((1, 2, 3))
    assert (share == 0).float().mean() == pytest.approx(image_adversary.NO_LINES_SHARE, abs=0.15)
    assert (share == 1).float().mean() == pytest.approx(image_adversary.ALL_LINES_SHARE, abs=0.15)
    assert ((share > 0) & (share < 1)).any()
    assert {tuple(row) for row in conditions.styles.tolist()} == {(0, 0), (0, 1), (1, 0), (1, 1)}
    assert conditions.known is None


def test_known_pixels_are_the_images_own():
    torch.manual_seed(0)
    pixels = batch()["pixels"]
    known = random_known(pixels)
    mask = known[:, 3:]
    assert torch.equal(known[:, :3], pixels * mask) and set(mask.unique().tolist()) == {0, 1}
    share = mask.mean((1, 2, 3))
    assert (share == 0).float().mean() == pytest.approx(image_adversary.NOTHING_KNOWN_SHARE, abs=0.15)
    assert share.max() > 0.6 and share[share > 0].min() < 0.4


def test_two_images_are_generated_of_each_condition_and_some_in_another_style():
    torch.manual_seed(0)
    examples = batch()
    examples["styles"] = torch.arange(400.0).reshape(200, 2)
    adversary = ImageAdversary(torch.zeros(2, legend.COUNT, 2))
    real = image_adversary.ImageConditions(examples["one_hot"], examples["styles"], examples["lines"])
    generated = adversary.generated_conditions(real, examples["pixels"])
    for planes in (generated.landcover, generated.styles, generated.lines, generated.known):
        assert torch.equal(planes[:100], planes[100:])
    own = (generated.styles[:100] == examples["styles"][:100]).all(1)
    other = (generated.styles[:100] == examples["styles"].roll(1, 0)[:100]).all(1)
    assert (own ^ other).all() and other.float().mean() == pytest.approx(image_adversary.SHUFFLED_SHARE, abs=0.15)


def test_texture_that_repeats_itself_more_than_the_real_costs(monkeypatch):
    adversary = ImageAdversary(torch.zeros(0, legend.COUNT, 0))
    monkeypatch.setattr(adversary.discriminator, "generator_loss", lambda *arguments: torch.zeros(()))
    noise = 0.3 * torch.randn(2, 3, 64, 64)
    stripes = torch.sin(torch.arange(64.0) / 2).expand(2, 3, 64, 64) + noise
    conditions = image_adversary.ImageConditions(torch.zeros(2, legend.COUNT, 64, 64), torch.zeros(2, 0))
    striped, _ = adversary.generator_loss(stripes, conditions, noise, conditions)
    plain, figures = adversary.generator_loss(noise, conditions, stripes, conditions)
    assert striped > 5 and plain == 0 and figures["real_peak"] > figures["peak"]


@pytest.mark.parametrize("turns", [0, 1])
@pytest.mark.parametrize("diagonal", [False, True])
def test_lines_without_an_edge_along_them_count_as_missing(turns, diagonal):
    rows, cols = torch.meshgrid(torch.arange(32), torch.arange(32), indexing="ij")
    across = rows - cols if diagonal else cols - 16
    lines = (across == 0).float()[None, None].rot90(turns, (2, 3))
    step = 0.5 * (across >= 0).float().expand(1, 3, 32, 32).rot90(turns, (2, 3))
    missing = image_adversary.missing_edges
    assert missing(0 * step, lines) == 1 and missing(step, lines) < 0.15 and missing(step, None) == 0
    assert missing(0.25 * step, lines) == pytest.approx(0.4, abs=0.2), "a weak edge counts in part"
    assert missing(step.rot90(1, (2, 3)), lines) > 0.7, "an edge across the line is none"
    checkers = 0.5 * ((rows + cols) % 2).expand(1, 3, 32, 32)
    assert missing(checkers, lines) > 0.7, "texture is no edge"
    assert missing(step, 0 * lines) == 0


def test_edges_where_no_line_is_cost_what_the_real_images_lack():
    lines = torch.zeros(2, 1, 32, 32)
    lines[0, ..., 8], lines[1, ..., 22] = 1, 1
    step = 0.5 * (torch.arange(32) >= 8).float().expand(2, 3, 32, 32)  # an edge on the first one's line in both images
    flat = torch.zeros(2, 3, 32, 32)
    surplus = image_adversary._surplus_edges
    assert surplus(step, flat, lines) == pytest.approx(0.5, abs=0.1), "in the second image it is not requested"
    assert surplus(flat, flat, lines) == surplus(step, step, lines) == surplus(flat, step, lines) == 0
    assert surplus(step, flat, None) == 0
