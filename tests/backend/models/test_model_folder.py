"""Models as objects: loaded once, anew when their folder changes, and called elsewhere by name."""

import json
import os

import cloudpickle
import numpy as np
import pytest

from backend.generation.image_generators import load_image_generator
from backend.models import base, device, model_folder
from backend.models.landcover import LandCoverGenerator
from backend.models.segmentation import SegmentationModel
from backend.protocol import BackendError
from backend.tiling.lazy_raster import LazyRaster, RasterSource


class Weights(base.Model):
    """A model of one file, which is what it holds."""

    kind = "tiny"

    def __init__(self, name):
        super().__init__(name)
        self.weights = (self.folder / "weights.safetensors").read_bytes()

    def place(self, *arguments):
        return (self, *arguments)


@pytest.fixture
def folder(tmp_path):
    """A model folder whose name no other test has."""
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
    found = base.load(Weights, str(folder))
    assert base.load(Weights, str(folder)) is found
    assert found.weights == b"first" and found.index["landforge"] == "tiny"
    assert found.digest == model_folder.model_hash(folder)


def test_a_folder_by_another_way_to_it_is_the_same_model(folder, monkeypatch):
    found = base.load(Weights, str(folder))
    monkeypatch.chdir(folder.parent)
    assert base.load(Weights, "model") is found
    assert found.name == str(folder)


def test_a_folder_that_changed_is_loaded_anew(folder):
    found = base.load(Weights, str(folder))
    change(folder)
    again = base.load(Weights, str(folder))
    assert again is not found and again.weights == b"second"
    change(folder, b"third!")
    (folder / model_folder.INDEX).write_text(json.dumps({"landforge": "other"}))
    with pytest.raises(BackendError, match="is a other model, but a tiny model"):
        base.load(Weights, str(folder))


def test_another_device_has_its_own(folder, monkeypatch):
    found = base.load(Weights, str(folder))
    monkeypatch.setattr(device, "best", lambda: device.torch.device("meta"))
    assert base.load(Weights, str(folder)).device.type == "meta"
    monkeypatch.undo()
    assert base.load(Weights, str(folder)) is found


def test_few_are_kept(folder, tmp_path):
    found = base.load(Weights, str(folder))
    for number in range(base.CACHED_MODELS):
        other = tmp_path / str(number)
        other.mkdir()
        (other / "weights.safetensors").write_bytes(b"other")
        model_folder.write_index(other, "tiny")
        base.load(Weights, str(other))
    assert base.load(Weights, str(folder)) is not found


def test_a_call_travels_by_the_models_name(folder):
    found = base.load(Weights, str(folder))
    sent = cloudpickle.dumps(found.call(Weights.place, 7))
    assert b"first" not in sent and len(sent) < 1000
    assert cloudpickle.loads(sent)(8, 9) == (found, 7, 8, 9)


def test_a_call_loads_the_model_once_where_it_arrives(folder, monkeypatch):
    sent = cloudpickle.dumps(base.load(Weights, str(folder)).call(Weights.place))
    base._loaded.cache_clear()
    arrived = cloudpickle.loads(sent)
    ((found,), (again,)) = arrived(), cloudpickle.loads(sent)()
    assert found is again is base.load(Weights, str(folder))


def test_a_bundled_model_is_found_wherever_landforge_lies(monkeypatch, folder, tmp_path):
    monkeypatch.setattr(model_folder, "BUNDLED", folder.parent)
    found = base.load(Weights, "model")
    sent = cloudpickle.dumps(found.call(Weights.place))
    assert found.name == "model" and str(folder).encode() not in sent
    (tmp_path / "elsewhere").mkdir()
    folder.rename(tmp_path / "elsewhere" / "model")
    base._loaded.cache_clear()
    monkeypatch.setattr(model_folder, "BUNDLED", tmp_path / "elsewhere")
    assert cloudpickle.loads(sent)()[0].folder == tmp_path / "elsewhere" / "model"


def test_a_running_job_keeps_the_model_that_it_began_with(folder):
    call = base.load(Weights, str(folder)).call(Weights.place)
    change(folder)
    assert call()[0].weights == b"first"


def test_a_worker_with_another_model_says_so(folder):
    sent = cloudpickle.dumps(base.load(Weights, str(folder)).call(Weights.place))
    base._loaded.cache_clear()
    change(folder)
    for _ in range(2):
        with pytest.raises(BackendError, match="A worker of the cluster has another model"):
            cloudpickle.loads(sent)()


def test_a_worker_without_the_model_says_so(folder):
    sent = cloudpickle.dumps(base.load(Weights, str(folder)).call(Weights.place))
    base._loaded.cache_clear()
    (folder / model_folder.INDEX).unlink()
    with pytest.raises(BackendError, match="is not a Landforge model"):
        cloudpickle.loads(sent)()


def computes(field):
    """What computes a field's windows and those of its inputs."""
    yield field.op.compute
    for source in field.inputs:
        if isinstance(source.raster, LazyRaster):
            yield from computes(source.raster)


def test_what_the_bundled_models_send_is_small():
    landcover = base.load(LandCoverGenerator, "landcover").lazy_raster("w", 1, 12)
    painters = [load_image_generator(name) for name in ("spade", "controlnet")]
    image = RasterSource("image", np.zeros)
    fields = [*(painter.lazy_raster("w", 1, 12, landcover, 10) for painter in painters)]
    fields.append(base.load(SegmentationModel, "segmentation").lazy_raster(image))
    found = [compute for field in fields for compute in computes(field)]
    assert len(found) > 10
    assert max(len(cloudpickle.dumps(compute)) for compute in found) < 1000
    assert {cloudpickle.loads(cloudpickle.dumps(compute)) for compute in found} == set(found)


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
