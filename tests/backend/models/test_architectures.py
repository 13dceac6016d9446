"""Every architecture builds, keeps the image size, and loads as saved; foreign and damaged folders are refused."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from backend.geo import legend
from backend.models import architectures, model_folder, segmentation
from backend.protocol import BackendError

SIZES = {"encoder_depth": 4, "decoder_channels": [16]}
INDEX = {"architecture": "deeplabv3plus", "encoder": "tu-tf_efficientnet_lite0", "sizes": SIZES}
INDEX |= {"codes": legend.CODES.tolist(), "pixel_m": 1.0, "mean": [0.5] * 3, "std": [0.5] * 3}


@pytest.fixture
def folder(tmp_path):
    torch.manual_seed(0)
    module = architectures.build(INDEX["architecture"], INDEX["encoder"], encoder_depth=4, decoder_channels=[16])
    architectures.save(tmp_path, module)
    model_folder.write_index(tmp_path, "segmentation", **INDEX)
    return tmp_path


def test_names_are_the_files():
    files = Path(architectures.__file__).parent.glob("[a-z]*.py")
    assert architectures.names() == sorted(path.stem for path in files)
    assert {"unet", "unetplusplus", "deeplabv3plus", "lale"} <= set(architectures.names())


def test_listing_imports_none():
    code = "import sys; from backend.models import architectures; architectures.names(); "
    code += "imported = ('backend.models.architectures.', 'segmentation_models'); "
    code += "print([name for name in sys.modules if name.startswith(imported)])"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[3])
    assert ended.stdout.strip() == "[]", ended.stderr


WITH_ENCODER = [name for name in architectures.names() if architectures.has_encoder(name)]


@pytest.mark.parametrize("name", WITH_ENCODER)
@pytest.mark.parametrize("encoder", ["resnet18", "tu-tf_efficientnet_lite0"])
def test_logits_have_the_image_size(name, encoder):
    module = architectures.build(name, encoder).eval()
    with torch.inference_mode():
        assert module(torch.zeros(1, 3, 64, 96)).shape == (1, legend.COUNT, 64, 96)


def test_lale_is_light_and_all_of_it_is_used():
    module = architectures.build("lale", "")
    assert 1.5e6 < sum(parameter.numel() for parameter in module.parameters()) < 1.7e6
    logits = module(torch.randn(2, 3, 64, 96))
    assert logits.shape == (2, legend.COUNT, 64, 96)
    logits.square().sum().backward()
    assert [key for key, value in module.named_parameters() if value.grad is None or not value.grad.any()] == []


@pytest.mark.parametrize("encoder", [("resnet18", ""), ("", "imagenet")])
def test_lale_takes_no_encoder(encoder):
    with pytest.raises(BackendError, match="has no encoder to choose"):
        architectures.build("lale", *encoder)


@pytest.mark.parametrize("name", WITH_ENCODER)
def test_blocks_below_the_last_feature_are_gone(name):
    module = architectures.build(name, "tu-tf_efficientnet_lite0", encoder_depth=4)
    module(torch.zeros(2, 3, 64, 64)).sum().backward()
    assert [key for key, value in module.named_parameters() if value.grad is None] == []


def test_an_encoder_of_one_image_size_is_refused_for_another():
    encoder = "tu-swin_tiny_patch4_window7_224"
    module = architectures.build("unet", encoder)
    for crop_px, words in {
        32: rf"unet with the encoder '{encoder}' cannot take crops of 32 px \(.*224.*resnet18, or another crop size\.",
        224: rf"unet with the encoder '{encoder}' cannot take windows of whole images of 512 px .*resnet18\.",
    }.items():
        with pytest.raises(BackendError, match=words):
            architectures.check_sizes(module, "unet", encoder, crop_px)


@pytest.mark.parametrize("name", architectures.names())
def test_trying_a_size_changes_nothing(name):
    module = architectures.build(name, "resnet18" if name in WITH_ENCODER else "")
    before = {key: value.clone() for key, value in module.state_dict().items()}
    random = torch.get_rng_state()
    architectures.check_sizes(module, name, "", 32)
    assert module.training and torch.equal(torch.get_rng_state(), random)
    assert all(torch.equal(value, before[key]) for key, value in module.state_dict().items())


def test_a_result_of_another_size_is_refused():
    with pytest.raises(BackendError, match="its result is 16 px wide"):
        architectures.check_sizes(torch.nn.Conv2d(3, legend.COUNT, 2, 2), "unet", "one", 32)


def test_the_windows_of_whole_images_are_those_that_are_tried():
    assert segmentation.LATTICE.window + 2 * segmentation.MARGIN == architectures.WINDOW_PX


def test_a_folder_comes_back_as_it_was_saved(folder):
    loaded = architectures.load(folder, json.loads((folder / "model_index.json").read_text()))
    torch.manual_seed(0)
    fresh = architectures.build(INDEX["architecture"], INDEX["encoder"], encoder_depth=4, decoder_channels=[16])
    for (key, value), (_, expected) in zip(loaded.module.state_dict().items(), fresh.state_dict().items()):
        assert torch.equal(value, expected.half().to(value.dtype)), key
    assert not loaded.training


def test_weights_that_fp16_cannot_hold_stay_fp32(folder):
    module = architectures.build(INDEX["architecture"], INDEX["encoder"], encoder_depth=4, decoder_channels=[16])
    module.encoder.model.bn1.running_var.fill_(1e6)
    architectures.save(folder, module)
    assert architectures.load(folder, INDEX).module.encoder.model.bn1.running_var[0] == 1e6


@pytest.mark.parametrize(
    "changed, message",
    [
        ({"architecture": "os"}, "no architecture 'os'"),
        ({"architecture": "../generators/spade"}, "no architecture"),
        ({"encoder": "tu-hf-hub:someone/model"}, "no encoder"),
        ({"encoder": "resnet18"}, "missing or damaged"),
        ({"encoder": None}, "incomplete or damaged"),
        ({"sizes": {"encoder_depth": 5}}, "missing or damaged"),
        ({"sizes": {"evil": 1}}, "cannot be built"),
        ({"sizes": None}, "incomplete or damaged"),
        ({"codes": [1, 2]}, "other classes"),
        ({"pixel_m": -1}, "incomplete or damaged"),
        ({"mean": [0.5]}, "incomplete or damaged"),
        ({"std": "abc"}, "incomplete or damaged"),
    ],
)
def test_a_foreign_index_is_refused(folder, changed, message):
    with pytest.raises(BackendError, match=message):
        architectures.load(folder, {**INDEX, **changed})


@pytest.mark.parametrize("key", INDEX)
def test_an_index_without_a_key_is_refused(folder, key):
    with pytest.raises(BackendError, match="incomplete or damaged"):
        architectures.load(folder, {name: value for name, value in INDEX.items() if name != key})


@pytest.mark.parametrize("damage", ["missing", "truncated", "pickle", "other"])
def test_damaged_weights_are_refused(folder, damage):
    path = folder / architectures.WEIGHTS
    if damage == "truncated":
        path.write_bytes(path.read_bytes()[:5000])
    elif damage == "pickle":
        torch.save({"a": torch.zeros(1)}, path)
    elif damage == "other":
        save_file({"a": torch.zeros(1)}, path)
    else:
        path.unlink()
    with pytest.raises(BackendError, match="missing or damaged"):
        architectures.load(folder, INDEX)


def test_weights_that_cannot_be_fetched(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(BackendError, match=r"could not be fetched.*leave the encoder weights empty"):
        architectures.build("unet", "resnet18", "imagenet")


def test_encoder_weights_from_a_file(tmp_path):
    donor = architectures.build("unet", "tu-tf_efficientnet_lite0", encoder_depth=4)
    path = tmp_path / "encoder.safetensors"
    save_file({key: value.clone() for key, value in donor.encoder.state_dict().items()}, path)
    module = architectures.build("unetplusplus", "tu-tf_efficientnet_lite0", str(path), encoder_depth=4)
    for key, value in donor.encoder.state_dict().items():
        assert torch.equal(value, module.encoder.state_dict()[key]), key
    with pytest.raises(BackendError, match="another encoder"):
        architectures.build("unet", "resnet18", str(path))
    with pytest.raises(BackendError, match="cannot be loaded"):
        architectures.build("unet", "resnet18", str(tmp_path / "none.safetensors"))


def test_a_merged_class_has_the_probability_of_its_parts():
    torch.manual_seed(0)
    logits = 3 * torch.randn(2, legend.COUNT, 4, 5)
    logits[0, :, 0, 0] = torch.tensor([0, 0, 2.0, 0, 2.5, 0, 0, 0, 2.0, 0, 0])  # wet and dry grass outvote built-up
    merged, probabilities = architectures.merge_classes(logits, "merged").softmax(1), logits.softmax(1)
    codes = legend.CODES.tolist()
    for code in codes:
        parts = [codes.index(code), *(codes.index(part) for part, target in legend.MERGED.items() if target == code)]
        expected = probabilities[:, parts].sum(1) if code not in legend.MERGED else torch.zeros(2, 4, 5)
        assert torch.allclose(merged[:, codes.index(code)], expected, atol=1e-6)
    assert probabilities[0, :, 0, 0].argmax() == 4 and merged[0, :, 0, 0].argmax() == 2
    assert torch.equal(architectures.merge_classes(logits, "worldcover"), logits)


def test_an_index_with_an_unknown_legend_is_refused(tmp_path):
    architectures.save(tmp_path, architectures.build("lale", ""))
    index = dict(architecture="lale", encoder="", sizes={}, codes=legend.CODES.tolist(), pixel_m=1.0)
    index |= dict(mean=[0.5] * 3, std=[0.25] * 3)
    assert architectures.load(tmp_path, index).legend == "worldcover", "older models have no legend"
    assert architectures.load(tmp_path, {**index, "legend": "merged"}).legend == "merged"
    with pytest.raises(BackendError, match="legend 'mine'"):
        architectures.load(tmp_path, {**index, "legend": "mine"})
