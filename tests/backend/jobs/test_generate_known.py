"""Generating around known pixels: they stay to the bit, and the rest depends on them."""

import json

import numpy as np
import pytest
import rasterio

from backend.jobs import generateimage, regeneratearea
from backend.models import controlnet, diffusion, latent_generator, spade
from backend.protocol import BackendError, GenerateImage, RegenerateArea, silent
from tests.backend.rasters import read_raster, write_raster

LEFT, TOP = 376_000, 4_700_500
INDEX = {"seen": [10, 30, 50], "styles": [], "conditions": ["lines", "known"]}


def write_spade(folder):
    network = spade.new_network(0, (32, 32, 32, 32), 8)
    network.half().save_pretrained(folder / "painter")
    spade.save(folder, {}, **INDEX)


def write_controlnet(folder):
    denoiser, autoencoder = controlnet.new_denoiser(), controlnet.new_autoencoder()
    channels = controlnet.CHANNELS
    autoencoder.register_to_config(latents_mean=[0.0] * channels, latents_std=[1.0] * channels)
    components = {
        "autoencoder": autoencoder,
        "denoiser": denoiser,
        "controlnet": controlnet.new_controlnet(denoiser, 0),
    }
    for name, component in components.items():
        component.half().save_pretrained(folder / name)
    geometry = controlnet.PIXEL_M, controlnet.WINDOW, controlnet.PHASES
    sampler = diffusion.sampler(order=1)
    latent_generator.save(folder, "controlnet", *geometry, {}, sampler, guidance_scale=1.0, steps=2, **INDEX)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Untrained models that take known pixels, by generator."""
    folder = tmp_path_factory.mktemp("models")
    write_spade(folder / "spade")
    write_controlnet(folder / "controlnet")
    return {name: str(folder / name) for name in ("spade", "controlnet")}


@pytest.fixture
def inputs(tmp_path):
    """Land cover of 260 x 260 m, and an image over its western part with an unknown square."""
    cover = write_raster(tmp_path / "cover.tif", np.full((1, 26, 26), 30, np.uint8), LEFT, TOP, 10.0)
    pixels = np.random.default_rng(0).integers(1, 256, (3, 260, 150), dtype=np.uint8)
    pixels[:, 60:110, 50:120] = 0
    known = write_raster(tmp_path / "known.tif", pixels, LEFT, TOP, 1.0, nodata=0)
    return str(cover), str(known), pixels


@pytest.mark.parametrize("generator", ["spade", "controlnet"])
def test_known_pixels_stay_and_the_rest_is_generated(tmp_path, models, inputs, generator):
    cover, known, pixels = inputs
    images = []
    for name, fields in (("plain", {}), ("continued", {"known": known})):
        output = tmp_path / f"{name}.tif"
        job = GenerateImage(cover, str(output), generator, seed=1, steps=2, model=models[generator], **fields)
        generateimage.run(job, silent())
        images.append(read_raster(output))
    plain, continued = images
    mask = (pixels > 0).any(0)
    assert np.array_equal(continued[:, :, :150][:, mask], pixels[:, mask])
    assert not (continued[:, 60:110, 50:120] == 0).all(), "the unknown square is painted"
    assert plain.shape == continued.shape == (3, 260, 260)
    with rasterio.open(output) as source:
        assert json.loads(source.tags()["LANDFORGE_SETTINGS"])["known"] == "known.tif"


def test_what_is_painted_beside_known_pixels_depends_on_them(tmp_path, models, inputs):
    cover, known, _ = inputs
    images = []
    for name, path in (("plain", ""), ("continued", known)):
        output = tmp_path / f"{name}.tif"
        generateimage.run(GenerateImage(cover, str(output), seed=1, model=models["spade"], known=path), silent())
        images.append(read_raster(output).astype(int))
    difference = np.abs(images[0] - images[1]).max(0)
    assert difference[:, 150:170].any(), "just beside them"


def test_a_model_without_known_pixels_is_refused_and_so_is_repeating_such_an_image(
    tmp_path, models, inputs, monkeypatch
):
    cover, known, _ = inputs
    output = str(tmp_path / "image.tif")
    generateimage.run(GenerateImage(cover, output, model=models["spade"], known=known), silent())
    with pytest.raises(BackendError, match=r"continues the pixels of known.tif, which its tags do not hold"):
        regeneratearea.run(RegenerateArea(output, str(tmp_path / "again.tif")), silent())
    index = tmp_path / "old" / "model_index.json"
    write_spade(index.parent)
    entries = json.loads(index.read_text())
    del entries["conditions"]
    index.write_text(json.dumps(entries))
    with pytest.raises(BackendError, match="cannot continue known pixels"):
        generateimage.run(GenerateImage(cover, str(tmp_path / "o.tif"), model=str(index.parent), known=known), silent())
