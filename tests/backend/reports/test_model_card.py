"""The model card says what was seen, what was not, and how good it is."""

import pytest

from backend.reports.model_card import generator_card, model_card

SCORES = {"miou": 0.5, "accuracy": 0.75, "classes": {"10": {"iou": 0.5, "f1": 0.667, "share": 0.4}}}
INDEX = {
    "architecture": "unet",
    "encoder": "resnet18",
    "encoder_weights": "",
    "parameters": 1_500_000,
    "pixel_m": 1.0,
    "best_epoch": 2,
    "data": {"names": ["mine"], "synthetic": True, "tiles": {"train": 3, "val": 1, "test": 0}, "codes": [10, 50]},
    "training": {"epochs": 4, "batch": 8},
    "figures": {"val": SCORES},
}


def test_card():
    text = model_card(INDEX, "A model")
    assert text.startswith("---\nlibrary_name: landforge\n") and "\n# A model\n" in text
    assert "Data sets: mine; some or all of them synthetic." in text
    assert "seen in training: 10 Tree cover, 50 Built-up." in text
    assert "cannot find: 20 Shrubland" in text
    assert "| 10 Tree cover | 40.0 % | 0.500 | 0.667 |" in text
    assert "Best epoch 2 of 4; batch 8;" in text and "Not intended" in text
    assert "synthetic" not in model_card({**INDEX, "data": {**INDEX["data"], "synthetic": False}}, "A model")


GENERATOR = {
    "landforge": "spade",
    "pixel_m": 1.0,
    "seen": [10, 50, 80],
    "shares": {"10": 0.25, "50": 0.75},
    "started_from": "my model: the first",
    "data": {
        "names": ["mine", "yours"],
        "gsd_m": [0.5, 1.0],
        "synthetic": False,
        "attribution": ["© somebody"],
        "crops": {"train": 1200, "val": 30},
        "codes": [10, 50],
    },
    "training": {"batch": 8, "learning_rate": None, "seed": 3, "minutes": 20.0},
    "figures": {"painter": {"steps": 120, "loss": 0.25}},
}


def test_a_generators_card():
    text = generator_card(GENERATOR, "A generator")
    front = text.split("---")[1]
    assert "license: other" in front and 'base_model: "my model: the first"' in front and "synthetic" in front
    assert "Data sets: mine, yours." in text and "1,200 train, 30 val" in text and "GSD: 0.5 m, 1 m" in text
    assert "Tree cover 25.0 %, Built-up 75.0 %" in text
    assert "only by the model that it started from: 80 Permanent water bodies" in text
    assert "never seen: 20 Shrubland" in text and "nearest look" in text
    assert "batch 8, seed 3, minutes 20.0" in text and "| painter | steps 120, loss 0.25 |" in text
    assert "Intended" in text and "Not intended" in text and "Data: © somebody" in text
    assert "Also the licence and the data of `my model: the first`" in text


@pytest.mark.parametrize("kind", ["landcover", "controlnet", "spade"])
def test_every_kind_has_a_card(kind):
    bare = {**GENERATOR, "landforge": kind, "started_from": ""}
    text = generator_card({**bare, "data": {**bare["data"], "attribution": [], "synthetic": True}}, "A generator")
    assert "Trained from nothing." in text and "some or all of them synthetic" in text and "base_model" not in text
    assert "not stated by the data sets" in text and ("nearest look" in text) is (kind != "landcover")
