"""Training jobs of the generators: every stage, on made-up tiles, into a folder that generates."""

import numpy as np
import pytest

from backend import checkpoint
from backend.area import Everywhere
from backend.field import Source
from backend.generators import controlnet, latent_diffusion, spade
from backend.jobs import trainimage, trainlandcover
from backend.lattice import Box
from backend.protocol import BackendError, TrainImage, TrainLandCover, silent
from backend.rendering import Output, render
from tests.backend import packed

BRIEFLY = 0.005  # minutes: a step or a few


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return str(packed.write(tmp_path_factory.mktemp("packed"), {"naip": 153, "usgs": 76}, count=3))


TREES = Source("trees", lambda box: np.zeros((box.height, box.width), np.uint8))


def rendered(field, region):
    """The blocks of a region of a field that can be rendered."""
    found = []
    render([Output(field, region, Everywhere(), 1.0, lambda box, pixels: found.append((box, pixels)))], "", silent())
    assert all(pixels.dtype == np.uint8 and pixels.shape[-2:] == (box.height, box.width) for box, pixels in found)
    return found


def test_landcover(dataset, tmp_path, ear):
    folder = str(tmp_path / "model")
    job = TrainLandCover(dataset, folder, ("autoencoder", "denoiser"), (BRIEFLY, BRIEFLY), batch=2)
    assert trainlandcover.run(job, ear) == {"output": folder}
    generator = latent_diffusion.LandCoverGenerator(folder)
    assert set(generator.index["figures"]) == {"autoencoder", "denoiser"}
    assert all(indices.max() < 11 for _, indices in rendered(generator.field("w", 1, 2), Box(0, 0, 20, 30)))
    assert ear.events("progress")[-1].fraction == 1


@pytest.mark.parametrize(
    ("generator", "module", "stages"),
    [("controlnet", controlnet, ("autoencoder", "denoiser")), ("spade", spade, ("painter",))],
)
def test_image(dataset, tmp_path, generator, module, stages):
    folder = str(tmp_path / "model")
    job = TrainImage(dataset, folder, generator, stages, (BRIEFLY,) * len(stages), batch=2)
    trainimage.run(job, silent())
    field = module.ImageGenerator(folder).field("w", 1, 2, TREES)
    assert all(image.shape[0] == 3 for _, image in rendered(field, Box(3, 5, 40, 50)))
    assert not list((tmp_path / "model").rglob("*.bin")) + list((tmp_path / "model").rglob("*.pt"))


def test_stages_of_another_generator_are_refused(dataset, tmp_path):
    with pytest.raises(BackendError, match="STAGES of spade are some of painter"):
        trainimage.run(TrainImage(dataset, str(tmp_path / "m"), "spade", ("denoiser",), (1.0,)), silent())
    with pytest.raises(BackendError, match="as many MINUTES"):
        trainlandcover.run(TrainLandCover(dataset, str(tmp_path / "m"), ("denoiser",), ()), silent())
    assert not (tmp_path / "m" / checkpoint.INDEX).exists()


def test_a_denoiser_without_its_autoencoder_is_named(dataset, tmp_path):
    message = "its autoencoder is missing or damaged"
    with pytest.raises(BackendError, match=message):
        trainlandcover.run(TrainLandCover(dataset, str(tmp_path / "m"), ("denoiser",), (BRIEFLY,)), silent())
    with pytest.raises(BackendError, match=message):
        job = TrainImage(dataset, str(tmp_path / "m"), "controlnet", ("denoiser",), (BRIEFLY,))
        trainimage.run(job, silent())
