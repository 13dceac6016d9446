"""Class shares requested of the land cover generator: guidance, the classes without a request, and the world lock."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import rasterio
import torch

from backend.geo import legend
from backend.jobs import generatelandcover, generatescene
from backend.models import diffusion, landcover
from backend.models.landcover import LandCoverConditioning, LandCoverGenerator, condition_planes
from backend.protocol import BackendError, Extent, GenerateLandCover, GenerateScene, silent
from backend.tiling.lattice import Box


@pytest.fixture(scope="module")
def generator():
    return LandCoverGenerator("landcover")


def request_of(shares, guidance_scale=1.0, anchors=()):
    return LandCoverConditioning(tuple(shares), guidance_scale, "w", 1, anchors)


def extent(left=376_000, bottom=4_700_000, width=640, height=640):
    return Extent(left, bottom, left + width, bottom + height, "EPSG:32618")


def generated(path, place=None, **fields):
    job = GenerateLandCover(place or extent(), str(path), **{"seed": 3, "steps": 2, **fields})
    generatelandcover.run(job, silent())
    with rasterio.open(path) as source:
        return source.read(1), source.tags()


def test_guidance_extrapolates_from_the_null_condition_to_the_condition():
    passes = []

    def predict(noisy, times, condition):
        passes.append(len(noisy))
        assert len(noisy) == len(times) == len(condition)
        return noisy + condition

    noisy, times = torch.ones(3, 1, 2, 2), torch.zeros(3)
    condition, null_condition = torch.full((3, 1, 2, 2), 5.0), torch.full((3, 1, 2, 2), 2.0)
    denoisers = [diffusion.guided(predict, condition, null_condition, scale) for scale in (1, 3, 0)]
    assert [denoise(noisy, times).unique().item() for denoise in denoisers] == [6, 1 + 2 + 3 * (5 - 2), 3]
    assert passes == [3, 6, 6], "both predictions in one pass; without guidance the conditional one alone"


def test_the_rest_of_the_shares_is_divided_among_the_classes_that_the_model_knows(generator):
    shares = generator._complete({10: 60, 80: 0})
    assert sum(shares) == pytest.approx(1) and shares[0] == pytest.approx(0.6) and shares[7] == 0
    by_code = dict(zip(legend.CODES.tolist(), shares))
    assert all(by_code[code] > 0 for code in generator.trained_codes if code != 80)
    assert not any(share for code, share in by_code.items() if code not in generator.trained_codes)
    assert generator._complete({10: 25, 50: 75})[4] == pytest.approx(0.75)
    assert generator._complete({}) == (0.0,) * legend.COUNT


def test_the_rest_follows_the_training_data(generator, monkeypatch):
    monkeypatch.setitem(generator.index, "shares", {"10": 0.5, "30": 0.3, "80": 0.2})
    shares = dict(zip(legend.LEGEND, generator._complete({10: 50})))
    assert shares[30] == pytest.approx(0.3) and shares[80] == pytest.approx(0.2) and shares[50] == 0
    with pytest.raises(BackendError, match="sum to 50 percent, and the model knows no other class"):
        generator._complete({10: 20, 30: 20, 80: 10})


def test_planes_say_whether_shares_are_given():
    shares, styles = torch.tensor([[0.0] * 11, [0.5, 0.5] + [0.0] * 9]), torch.tensor([[0, 1], [1, 0]])
    planes = condition_planes(shares, styles, 4, 6)
    assert planes.shape == (2, 14, 4, 6) and not planes[0, :12].any()
    assert (planes[1, 0] == 0.5).all() and (planes[1, 11] == 1).all()
    assert torch.equal(planes[:, 12:, 0, 0], styles.float())


@pytest.mark.parametrize("patch", [1, 2])
def test_the_denoiser_takes_cells_one_by_one_or_in_patches_as_its_configuration_says(patch):
    class Doubling(torch.nn.Module):
        config = SimpleNamespace(out_channels=4 * patch**2)

        def forward(self, inputs, times):
            assert inputs.shape == (2, 4 * patch**2 + 12 + 3, 8 // patch, 8 // patch)
            return SimpleNamespace(sample=2 * inputs[:, : 4 * patch**2])

    noisy = torch.randn(2, 4, 8, 8)
    predicted = landcover.predict_v(Doubling(), noisy, torch.zeros(2), torch.zeros(2, 11), torch.zeros(2, 3))
    assert torch.equal(predicted, 2 * noisy), "each cell is back in its place"


def test_compositions_are_those_of_the_styles():
    woods, water = np.eye(legend.COUNT)[[0, 7]].tolist()
    index = {"compositions": {"temperate": [woods], "tropical": [water]}}
    assert landcover.compositions(index, ["temperate", "2018"]) == [woods]
    assert landcover.compositions(index, []) == [woods, water]
    assert landcover.compositions({"compositions": [woods]}, ["temperate"]) == [woods], "the index of an older model"
    assert landcover.composition_styles(index) == ["temperate", "tropical"]
    for plain in ({}, {"compositions": [woods]}, {"compositions": {"": [woods]}}):
        assert landcover.composition_styles(plain) == []


def test_the_generated_shares_follow_the_request(tmp_path):
    for code in (10, 80):
        data, tags = generated(tmp_path / f"{code}.tif", shares={code: 90.0}, guidance_scale=1.5)
        assert (data == code).mean() > 0.6
        settings = json.loads(tags["LANDFORGE_SETTINGS"])
        assert settings["shares"] == {str(code): 90.0} and settings["guidance_scale"] == 1.5


def test_shares_keep_the_world_lock(tmp_path):
    request = {"shares": {30: 50.0, 50: 30.0}, "guidance_scale": 2.0}
    whole, _ = generated(tmp_path / "whole.tif", extent(width=1500, height=900), **request)
    part, _ = generated(tmp_path / "part.tif", extent(376_500, 4_700_200, 700, 400), **request)
    assert (whole[30:70, 50:120] == part).all()
    other, _ = generated(tmp_path / "other.tif", extent(376_500, 4_700_200, 700, 400))
    assert (other != part).any()


def test_a_scene_records_its_shares(tmp_path):
    paths = [str(tmp_path / name) for name in ("cover.tif", "image.tif")]
    job = GenerateScene(extent(width=60, height=60), *paths, "spade", 1, 2, {80: 100.0}, 1.5)
    generatescene.run(job, silent())
    settings = []
    for path in paths:
        with rasterio.open(path) as source:
            settings.append(json.loads(source.tags()["LANDFORGE_SETTINGS"]))
    assert settings[0]["shares"] == settings[1]["landcover_shares"] == {"80": 100.0}
    assert settings[0]["guidance_scale"] == settings[1]["landcover_guidance_scale"] == 1.5


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"shares": {11: 20.0}}, "no class 11"),
        ({"shares": {10: 80.0, 20: 30.0}}, "sum to 110 percent"),
        ({"shares": {10: -1.0}}, "percentage from 0 to 100"),
        ({"guidance_scale": 0.5}, "GUIDANCE_SCALE must lie between 1 and 20, not 0.5"),
        ({"guidance_scale": float("nan")}, "GUIDANCE_SCALE must lie"),
    ],
)
def test_invalid_shares_are_refused(refusal, fields, message):
    assert message in refusal(generatelandcover.run, GenerateLandCover, extent(), **fields)


def test_the_shares_that_a_window_would_miss_are_added_to_its_condition(generator, monkeypatch):
    conditions = []
    network = generator.networks["denoiser"]
    first = network.config.out_channels  # the channel of the first share

    def recording(noisy, times):
        conditions.append(noisy[0, first:, 0, 0][: legend.COUNT].float().numpy())
        return network(noisy, times)

    recording.config = network.config
    monkeypatch.setitem(generator.networks, "denoiser", recording)
    requested = np.array(generator._complete({10: 50, 80: 50}))
    predicted = torch.zeros(1, legend.COUNT)
    predicted[0, 0], predicted[0, 7], predicted[0, 4] = 0.6, 0.2, 0.2  # too little water; built-up was not requested
    monkeypatch.setattr(generator, "_decoded_shares", lambda latents: predicted)
    size = generator.index["window"]
    denoise = generator.denoiser([Box(0, 0, size, size)], request_of(requested))
    with torch.inference_mode():
        for time in (999, 990):
            denoise(torch.randn(1, 4, size, size), torch.full((1,), time))
        assert all(shares == pytest.approx(requested) for shares in conditions), "pure noise shows no shares"
        conditions.clear()
        denoise = generator.denoiser([Box(0, 0, size, size)], request_of(requested))
        for time in (900, 800):
            denoise(torch.randn(1, 4, size, size), torch.full((1,), time))
    assert len(conditions) == 3, "the shares are measured once, at the first step of a phase"
    first, corrected, last = conditions
    assert first == pytest.approx(requested) and np.array_equal(corrected, last)
    assert corrected[7] > 0.6 and corrected[0] < 0.4 and corrected[4] == 0
    assert corrected.sum() == pytest.approx(1, abs=0.01)


def test_without_shares_the_network_is_called_once_a_step(generator, monkeypatch):
    sizes = []
    network = generator.networks["denoiser"]

    def counting(noisy, times):
        sizes.append(len(noisy))
        return network(noisy, times)

    counting.config = network.config
    monkeypatch.setitem(generator.networks, "denoiser", counting)
    size = generator.index["window"]
    windows = [Box(0, 0, size, size)] * 2
    noisy, times = torch.randn(2, 4, size, size), torch.full((2,), 500)
    for shares in ({}, {10: 100.0}):
        denoise = generator.denoiser(windows, request_of(generator._complete(shares), 3.0))
        with torch.inference_mode():
            for _ in range(2):
                assert denoise(noisy, times).shape == noisy.shape
    assert sizes == [2, 2, 4, 4, 4], "with shares twice, and once more at the first step of a phase"


def test_random_shares_are_locked_to_the_world_and_change_over_kilometres():
    compositions = np.eye(legend.COUNT).tolist()
    window = landcover.WINDOW_PX

    def along(count, seed=1, world="EPSG:32618"):
        boxes = [Box(10_000, number * window * 3 // 4, window, window) for number in range(count)]
        return np.stack([landcover.random_shares(compositions, box, world, seed) for box in boxes])

    shares = along(200)
    assert np.allclose(shares.sum(1), 1) and (shares >= 0).all() and np.array_equal(shares, along(200))
    assert not np.array_equal(shares, along(200, seed=2)) and not np.array_equal(shares, along(200, world="EPSG:32619"))
    pure = shares.max(1) > 0.9
    assert 0.4 < pure.mean() < 0.95, "most windows have one composition, some mix two"
    assert len(set(shares.argmax(1))) > 8, "and many compositions occur"
    assert (shares.argmax(1)[1:] == shares.argmax(1)[:-1]).mean() > 0.6, "neighbours mostly agree"
    assert not landcover.random_shares([], Box(0, 0, 128, 128), "w", 0).any()


def test_a_window_is_conditioned_on_the_class_shares_of_the_nearest_anchor(generator, monkeypatch):
    woods, water = (tuple(map(float, row)) for row in np.eye(legend.COUNT)[[0, 7]])
    size = landcover.WINDOW
    anchors = (landcover.ShareAnchor(64, 64, woods), landcover.ShareAnchor(64, 576, water))
    boxes = [Box(0, col, size, size) for col in (0, 32, 128, 192, 1280)]
    shares = np.stack([landcover.anchored_shares(anchors, box.scaled(generator.cell_px)) for box in boxes])
    assert shares[:, 0] == pytest.approx([1, 1, 0.5, 0, 0], abs=1e-4)
    assert shares[:, 7] == pytest.approx([0, 0, 0.5, 1, 1], abs=1e-4)
    calls = []
    monkeypatch.setattr(LandCoverGenerator, "_share_corrected", lambda self, *arguments: calls.append(arguments))
    generator.denoiser(boxes, request_of((0.0,) * legend.COUNT, 1.0, anchors))
    ((requested, _, *strength),) = calls
    assert np.allclose(requested.numpy(), shares) and strength == [1.5, 2.0]
