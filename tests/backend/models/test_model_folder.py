"""A model is loaded once, again when its folder changes, and called by name in other processes."""

import json
import os

import cloudpickle
import numpy as np
import pytest

from backend.generation.image_generators import load_image_generator
from backend.models import base, device, model_folder
from backend.models.image_inputs import ImageInputs
from backend.models.landcover import LandCoverGenerator
from backend.models.segmentation import SegmentationModel
from backend.protocol import BackendError
from backend.tiling.lazy_raster import LazyRaster, RasterSource


class Weights(base.Model):
    """A model whose weights are the bytes of one file."""

    kind = "tiny"

    def __init__(self, name):
        super().__init__(name)
        self.weights = (self.folder / "weights.safetensors").read_bytes()

    def echo(self, *arguments):
        return (self, *arguments)


@pytest.fixture
def folder(tmp_path):
    """A model folder of a path that no other test uses."""
    path = tmp_path / "model"
    path.mkdir()
    (path / "weights.safetensors").write_bytes(b"first")
    model_folder.write_index(path, "tiny")
    return path


def change(folder, content=b"second"):
    path = folder / "weights.safetensors"
    stamp = path.stat().st_mtime
    path.write_bytes(content)
    os.utime(path, (stamp + 2, stamp + 2))


def test_a_model_is_loaded_once(folder):
    model = base.load(Weights, str(folder))
    assert base.load(Weights, str(folder)) is model
    assert model.weights == b"first" and model.index["landforge"] == "tiny"
    assert model.digest == model_folder.model_hash(folder)


def test_a_relative_and_an_absolute_path_are_the_same_model(folder, monkeypatch):
    model = base.load(Weights, str(folder))
    monkeypatch.chdir(folder.parent)
    assert base.load(Weights, "model") is model
    assert model.name == str(folder)


def test_a_folder_that_changed_is_loaded_again(folder):
    model = base.load(Weights, str(folder))
    change(folder)
    changed = base.load(Weights, str(folder))
    assert changed is not model and changed.weights == b"second"
    change(folder, b"third!")
    (folder / model_folder.INDEX).write_text(json.dumps({"landforge": "other"}))
    with pytest.raises(BackendError, match="is a other model, but a tiny model"):
        base.load(Weights, str(folder))


def test_each_device_has_a_model_of_its_own(folder, monkeypatch):
    model = base.load(Weights, str(folder))
    monkeypatch.setattr(device, "best", lambda: device.torch.device("meta"))
    assert base.load(Weights, str(folder)).device.type == "meta"
    monkeypatch.undo()
    assert base.load(Weights, str(folder)) is model


def test_the_cache_has_a_limit(folder, tmp_path):
    model = base.load(Weights, str(folder))
    for number in range(base.CACHED_MODELS):
        other = tmp_path / str(number)
        other.mkdir()
        (other / "weights.safetensors").write_bytes(b"other")
        model_folder.write_index(other, "tiny")
        base.load(Weights, str(other))
    assert base.load(Weights, str(folder)) is not model


def test_a_call_is_pickled_with_the_models_name(folder):
    model = base.load(Weights, str(folder))
    sent = cloudpickle.dumps(model.call(Weights.echo, 7))
    assert b"first" not in sent and len(sent) < 1000
    assert cloudpickle.loads(sent)(8, 9) == (model, 7, 8, 9)


def test_calls_load_the_model_once_in_the_receiving_process(folder, monkeypatch):
    sent = cloudpickle.dumps(base.load(Weights, str(folder)).call(Weights.echo))
    base._loaded.cache_clear()
    received = cloudpickle.loads(sent)
    ((first,), (second,)) = received(), cloudpickle.loads(sent)()
    assert first is second is base.load(Weights, str(folder))


def test_a_bundled_model_is_sent_by_name_whatever_landforges_path(monkeypatch, folder, tmp_path):
    monkeypatch.setattr(model_folder, "BUNDLED", folder.parent)
    model = base.load(Weights, "model")
    sent = cloudpickle.dumps(model.call(Weights.echo))
    assert model.name == "model" and str(folder).encode() not in sent
    (tmp_path / "elsewhere").mkdir()
    folder.rename(tmp_path / "elsewhere" / "model")
    base._loaded.cache_clear()
    monkeypatch.setattr(model_folder, "BUNDLED", tmp_path / "elsewhere")
    assert cloudpickle.loads(sent)()[0].folder == tmp_path / "elsewhere" / "model"


def test_a_running_job_keeps_the_model_that_it_began_with(folder):
    call = base.load(Weights, str(folder)).call(Weights.echo)
    change(folder)
    assert call()[0].weights == b"first"


def test_a_worker_with_another_model_is_an_error(folder):
    sent = cloudpickle.dumps(base.load(Weights, str(folder)).call(Weights.echo))
    base._loaded.cache_clear()
    change(folder)
    for _ in range(2):
        with pytest.raises(BackendError, match="A worker of the cluster has another model"):
            cloudpickle.loads(sent)()


def test_a_worker_without_the_model_is_an_error(folder):
    sent = cloudpickle.dumps(base.load(Weights, str(folder)).call(Weights.echo))
    base._loaded.cache_clear()
    (folder / model_folder.INDEX).unlink()
    with pytest.raises(BackendError, match="is not a Landforge model"):
        cloudpickle.loads(sent)()


def calls(raster):
    """The calls that compute the windows of a lazy raster and of its inputs."""
    yield raster.op.compute
    for source in raster.inputs:
        if isinstance(source.raster, LazyRaster):
            yield from calls(source.raster)


def test_the_pickled_calls_of_the_bundled_models_are_small():
    landcover = base.load(LandCoverGenerator, "landcover").lazy_raster("w", 1, 12)
    generators = [load_image_generator(name) for name in ("spade", "controlnet")]
    image = RasterSource("image", np.zeros)
    rasters = [generator.lazy_raster("w", 1, 12, ImageInputs(landcover, 10)) for generator in generators]
    rasters.append(base.load(SegmentationModel, "segmentation").lazy_raster(image))
    sent = [call for raster in rasters for call in calls(raster)]
    assert len(sent) > 10
    assert max(len(cloudpickle.dumps(call)) for call in sent) < 1000
    assert {cloudpickle.loads(cloudpickle.dumps(call)) for call in sent} == set(sent)


@pytest.mark.parametrize("names", [("looks", "grounds"), ("style_combinations", "style_classes")])
def test_an_index_is_read_with_former_and_present_names_of_its_style_entries(folder, names):
    combinations, classes = {"2018, arid": 1.0}, {"arid": [10, 50]}
    model_folder.write_index(folder, "tiny", **dict(zip(names, (combinations, classes))))
    _, index = model_folder.find(str(folder), "tiny")
    assert index == {"landforge": "tiny", "style_combinations": combinations, "style_classes": classes}


def test_bundled_models_keep_their_style_entries():
    for kind, keys in (("controlnet", {"style_combinations", "style_classes"}), ("spade", {"style_combinations"})):
        _, index = model_folder.find(kind, kind)
        assert all(index[key] for key in keys)
