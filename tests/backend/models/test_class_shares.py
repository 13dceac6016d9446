"""Class shares asked of the land cover generator: guidance, the rest that is left to the model, and the world lock."""

import json

import numpy as np
import pytest
import rasterio
import torch

from backend.geo import legend
from backend.jobs import generatelandcover, generatescene
from backend.models import diffusion, landcover
from backend.models.landcover import LandCoverGenerator, ShareRequest, share_planes
from backend.protocol import BackendError, Extent, GenerateLandCover, GenerateScene, silent
from backend.tiling.lattice import Box


@pytest.fixture(scope="module")
def generator():
    return LandCoverGenerator("landcover")


def extent(left=376_000, bottom=4_700_000, width=640, height=640):
    return Extent(left, bottom, left + width, bottom + height, "EPSG:32618")


def generated(path, place=None, **fields):
    job = GenerateLandCover(place or extent(), str(path), **{"seed": 3, "steps": 2, **fields})
    generatelandcover.run(job, silent())
    with rasterio.open(path) as source:
        return source.read(1), source.tags()


def test_guidance_pushes_from_the_hidden_to_the_shown_condition():
    passes = []

    def predict(noisy, times, condition):
        passes.append(len(noisy))
        assert len(noisy) == len(times) == len(condition)
        return noisy + condition

    noisy, times = torch.ones(3, 1, 2, 2), torch.zeros(3)
    shown, hidden = torch.full((3, 1, 2, 2), 5.0), torch.full((3, 1, 2, 2), 2.0)
    found = [diffusion.guided(predict, shown, hidden, scale)(noisy, times).unique().item() for scale in (1, 3, 0)]
    assert found == [6, 1 + 2 + 3 * (5 - 2), 3]
    assert passes == [3, 6, 6], "both guesses in one pass, and one alone where nothing is pushed"


def test_what_is_not_asked_for_is_left_to_the_model(generator):
    whole = generator._whole({10: 60, 80: 0})
    assert sum(whole) == pytest.approx(1) and whole[0] == pytest.approx(0.6) and whole[7] == 0
    assert all(
        share > 0 for index, share in enumerate(whole) if int(legend.CODES[index]) in generator.seen if index != 7
    )
    assert not any(whole[index] for index, code in enumerate(legend.CODES) if int(code) not in generator.seen)
    assert generator._whole({10: 25, 50: 75})[4] == pytest.approx(0.75)
    assert generator._whole({}) == (0.0,) * legend.COUNT


def test_the_rest_follows_the_training_data(generator, monkeypatch):
    monkeypatch.setitem(generator.index, "shares", {"10": 0.5, "30": 0.3, "80": 0.2})
    whole = dict(zip(legend.LEGEND, generator._whole({10: 50})))
    assert whole[30] == pytest.approx(0.3) and whole[80] == pytest.approx(0.2) and whole[50] == 0
    with pytest.raises(BackendError, match="sum to 50 percent, and the model knows no other class"):
        generator._whole({10: 20, 30: 20, 80: 10})


def test_planes_say_whether_shares_are_given():
    planes = share_planes(torch.tensor([[0.0] * 11, [0.5, 0.5] + [0.0] * 9]), 4)
    assert planes.shape == (2, 12, 4, 4) and not planes[0].any()
    assert (planes[1, 0] == 0.5).all() and (planes[1, 11] == 1).all()


def test_the_mix_follows_what_is_asked_for(tmp_path):
    for code in (10, 80):
        data, tags = generated(tmp_path / f"{code}.tif", shares={code: 90.0}, guidance_scale=1.5)
        assert (data == code).mean() > 0.6
        settings = json.loads(tags["LANDFORGE_SETTINGS"])
        assert settings["shares"] == {str(code): 90.0} and settings["guidance_scale"] == 1.5


def test_shares_keep_the_world_lock(tmp_path):
    asked = {"shares": {30: 50.0, 50: 30.0}, "guidance_scale": 2.0}
    whole, _ = generated(tmp_path / "whole.tif", extent(width=1500, height=900), **asked)
    part, _ = generated(tmp_path / "part.tif", extent(376_500, 4_700_200, 700, 400), **asked)
    assert (whole[30:70, 50:120] == part).all()
    other, _ = generated(tmp_path / "other.tif", extent(376_500, 4_700_200, 700, 400))
    assert (other != part).any()


def test_a_scene_tells_its_shares(tmp_path):
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
    ("fields", "said"),
    [
        ({"shares": {11: 20.0}}, "no class 11"),
        ({"shares": {10: 80.0, 20: 30.0}}, "sum to 110 percent"),
        ({"shares": {10: -1.0}}, "percentage from 0 to 100"),
        ({"guidance_scale": 0.5}, "GUIDANCE_SCALE must lie between 1 and 20, not 0.5"),
        ({"guidance_scale": float("nan")}, "GUIDANCE_SCALE must lie"),
    ],
)
def test_shares_that_are_none_are_refused(refusal, fields, said):
    assert said in refusal(generatelandcover.run, GenerateLandCover, extent(), **fields)


def test_what_a_window_would_miss_is_added_to_what_it_is_told(generator, monkeypatch):
    told = []
    network = generator.networks["denoiser"]

    def listening(noisy, times):
        told.append(noisy[0, 4:15, 0, 0].float().numpy())
        return network(noisy, times)

    monkeypatch.setitem(generator.networks, "denoiser", listening)
    asked = np.array(generator._whole({10: 50, 80: 50}))
    would = torch.zeros(1, legend.COUNT)
    would[0, 0], would[0, 7], would[0, 4] = 0.6, 0.2, 0.2  # too little water, and built-up land that nobody asked for
    monkeypatch.setattr(generator, "_shares_in", lambda latents: would)
    size = generator.index["window"]
    denoise = generator.denoiser([Box(0, 0, size, size)], ShareRequest(tuple(asked), 1.0, "w", 1))
    with torch.inference_mode():
        for time in (999, 990):
            denoise(torch.randn(1, 4, size, size), torch.full((1,), time))
        assert all(each == pytest.approx(asked) for each in told), "nothing can be read from pure noise"
        told.clear()
        denoise = generator.denoiser([Box(0, 0, size, size)], ShareRequest(tuple(asked), 1.0, "w", 1))
        for time in (900, 800):
            denoise(torch.randn(1, 4, size, size), torch.full((1,), time))
    assert len(told) == 3, "looked at once, at the first step of a phase"
    assert told[0] == pytest.approx(asked) and np.array_equal(told[1], told[2])
    assert told[1][7] > 0.6 and told[1][0] < 0.4 and told[1][4] == 0 and told[1].sum() == pytest.approx(1, abs=0.01)


def test_the_sampler_is_asked_once_a_step_without_shares(generator, monkeypatch):
    sizes = []
    network = generator.networks["denoiser"]

    def counting(noisy, times):
        sizes.append(len(noisy))
        return network(noisy, times)

    monkeypatch.setitem(generator.networks, "denoiser", counting)
    size = generator.index["window"]
    windows = [Box(0, 0, size, size)] * 2
    noisy, times = torch.randn(2, 4, size, size), torch.full((2,), 500)
    for shares in ({}, {10: 100.0}):
        denoise = generator.denoiser(windows, ShareRequest(generator._whole(shares), 3.0, "w", 1))
        with torch.inference_mode():
            for _ in range(2):
                assert denoise(noisy, times).shape == noisy.shape
    assert sizes == [2, 2, 4, 4, 4], "with them twice, and once more where a phase begins"


def test_compositions_are_locked_to_the_world_and_change_over_kilometres():
    known = np.eye(legend.COUNT).tolist()
    lattice = landcover.WINDOW * 3 // 4

    def along(count, seed=1, world="EPSG:32618"):
        boxes = [Box(5000, number * lattice, landcover.WINDOW, landcover.WINDOW) for number in range(count)]
        return np.stack([landcover.composition(known, box, world, seed) for box in boxes])

    found = along(200)
    assert np.allclose(found.sum(1), 1) and (found >= 0).all() and np.array_equal(found, along(200))
    assert not np.array_equal(found, along(200, seed=2)) and not np.array_equal(found, along(200, world="EPSG:32619"))
    pure = found.max(1) > 0.9
    assert 0.4 < pure.mean() < 0.95, "most windows have one composition, some mix two"
    assert len(set(found.argmax(1))) > 8, "and many are found"
    assert (found.argmax(1)[1:] == found.argmax(1)[:-1]).mean() > 0.6, "neighbours mostly agree"
    assert not landcover.composition([], Box(0, 0, 64, 64), "w", 0).any()


def test_a_window_is_asked_for_the_class_shares_of_the_nearest_place(generator, monkeypatch):
    woods, water = (tuple(map(float, row)) for row in np.eye(legend.COUNT)[[0, 7]])
    size = landcover.WINDOW
    places = (landcover.ShareAnchor(32, 32, woods), landcover.ShareAnchor(32, 288, water))
    boxes = [Box(0, col, size, size) for col in (0, 32, 128, 192, 1280)]
    found = [landcover.nearest(places, box) for box in boxes]
    assert [each[0] for each in found] == pytest.approx([1, 1, 0.5, 0, 0], abs=1e-4)
    assert [each[7] for each in found] == pytest.approx([0, 0, 0.5, 1, 1], abs=1e-4)
    kept = []
    monkeypatch.setattr(LandCoverGenerator, "_kept_to", lambda self, asked, *strength: kept.append((asked, strength)))
    generator.denoiser(boxes, ShareRequest((0.0,) * legend.COUNT, 1.0, "w", 1, places))
    assert np.allclose(kept[0][0].numpy(), found) and kept[0][1] == (1.5, 2.0)
