"""The model card says what was seen, what was not, and how good it is."""

from backend.evaluation.card import model_card

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
