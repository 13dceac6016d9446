"""Model cards, in Markdown with the YAML front matter that model hubs read; one writer for all kinds of models."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from backend.geo import legend

_ABOUT = {
    "landcover": (
        ["land cover", "latent diffusion"],
        "Latent diffusion of land cover maps in the ESA WorldCover legend: 11 classes at 10 m, windows of 1.28 km. An "
        "autoencoder on one-hot classes, and a denoiser that may be told the class shares of the window.",
        "land cover",
    ),
    "controlnet": (
        ["aerial imagery", "latent diffusion", "controlnet"],
        "Latent diffusion of aerial RGB at 1 m in windows of 128 m, steered by a land cover map in the ESA WorldCover "
        "legend: autoencoder, denoiser without text, and ControlNet.",
        "imagery",
    ),
    "spade": (
        ["aerial imagery", "spade", "gan"],
        "Aerial RGB at 1 m in one pass from a land cover map in the ESA WorldCover legend and noise (SPADE, trained as "
        "a GAN).",
        "imagery",
    ),
}


def _card(front: Mapping[str, Any], title: str, intro: str, sections: Mapping[str, str]) -> str:
    """A card from its front matter, of texts and lists of texts, and its sections by heading."""
    head = "\n".join(f"{key}: {_yaml(value)}" for key, value in front.items())
    body = "\n\n".join(f"## {heading}\n{text}" for heading, text in sections.items())
    return f"---\n{head}\n---\n\n# {title}\n\n{intro}\n\n{body}\n"


def _yaml(value: Any) -> str:
    """A text or a list of texts as YAML; quoted like JSON where YAML could read it otherwise."""
    if isinstance(value, list):
        return f"[{', '.join(map(_yaml, value))}]"
    return value if re.fullmatch(r"[A-Za-z][A-Za-z0-9_ .-]*", value) else json.dumps(value)


def _table(figures: dict[str, Any], legend_name: str) -> str:
    names = legend.names_of(legend_name)
    rows = [
        f"| {code} {names[int(code)]} | {100 * scores['share']:.1f} % | {scores['iou']:.3f} | {scores['f1']:.3f} |"
        for code, scores in figures["classes"].items()
    ]
    return "\n".join(["| class | share of the labels | IoU | F1 |", "|---|---|---|---|", *rows])


def _scores(index: dict[str, Any], legend_name: str) -> str:
    parts = []
    for split, figures in index["figures"].items():
        parts.append(
            f"On the `{split}` tiles: mIoU over the classes present {figures['miou']:.3f}, "
            f"pixel accuracy {figures['accuracy']:.3f}.\n\n{_table(figures, legend_name)}"
        )
    return "\n\n".join(parts)


def _listed(codes: list[int], legend_name: str = "worldcover") -> str:
    names = legend.names_of(legend_name)
    return ", ".join(f"{code} {names[code]}" for code in codes) or "none"


def _missing(codes: list[int], legend_name: str = "worldcover") -> list[int]:
    return [code for code in legend.codes_of(legend_name) if code not in codes]


def _sets(data: dict[str, Any]) -> str:
    kinds = "; some or all of them synthetic" if data["synthetic"] else ""
    return f"- Data sets: {', '.join(data['names'])}{kinds}."


def model_card(index: dict[str, Any], title: str) -> str:
    """The card of a segmentation model, from its `model_index.json`."""
    data, training, pixel = index["data"], index["training"], f"{index['pixel_m']:g} m"
    tiles = ", ".join(f"{count} {split}" for split, count in data["tiles"].items())
    settings = ", ".join(f"{key} {value}" for key, value in training.items() if key != "epochs")
    front = {
        "library_name": "landforge",
        "pipeline_tag": "image-segmentation",
        "tags": ["land-cover", "aerial-imagery", "segmentation", index["architecture"]],
    }
    encoder = f" with the encoder\n{index['encoder']} (weights at the start: {index['encoder_weights'] or 'none'})"
    legend_name = index.get("legend", "worldcover")
    joined = [name for name in legend.names_of(legend_name).values() if " + " in name]
    classes, merged = "the ESA WorldCover legend", ""
    if joined:
        classes = f"{len(legend.codes_of(legend_name))} classes merged from {classes}"
        merged = f"\n- Classes that are one for this model, under the first one's code: {'; '.join(joined)}."
    intro = (
        f"RGB aerial imagery at {pixel} to land cover in {classes}: {index['architecture']}"
        f"{encoder if index['encoder'] else ''}, {index['parameters'] / 1e6:.2f} M parameters, stored in fp16 as "
        "safetensors."
    )
    missing = _listed(_missing(data["codes"], legend_name), legend_name)
    sections = {
        "Data": f"""{_sets(data)}
- Tiles: {tiles}. Training saw the `train` tiles alone; the best epoch was chosen on `val`. Data sets of
  'Build data set' are split by blocks of ground, so that neighbours stay together.
- GSD: {pixel}. Imagery of another GSD is resampled to it first.
- Classes seen in training: {_listed(data["codes"], legend_name)}.
- Classes not seen, which this model cannot find: {missing}.{merged}""",
        "Scores": _scores(index, legend_name),
        "Use": """- Intended: a first land cover map of imagery like the training data's, to be checked by a person;
  experiments on the worth of training data.
- Not intended: decisions about people, property or safety; change statistics without an estimate of the error;
  places, seasons, sensors or pixel sizes far from the training data's.
- Limits: the labels' errors are learned with them; scores hold for ground like the `val` and `test` tiles'. Classes
  that cover a small share of the labels are the least certain.""",
        "Training": f"""Best epoch {index["best_epoch"]} of {training["epochs"]}; {settings}; AdamW, one-cycle learning
rate, cross-entropy and Dice, flips, quarter turns, slight changes of colour.""",
    }
    return _card(front, title, intro, sections)


def generator_card(index: dict[str, Any], title: str) -> str:
    """The card of a generator, from its `model_index.json`."""
    tags, about, product = _ABOUT[index["landforge"]]
    data = index["data"]
    base = {"base_model": index["started_from"]} if index["started_from"] else {}
    front = {"license": "other", "library_name": "landforge", **base, "tags": [*tags, "synthetic", "geospatial"]}
    sections = {
        "Data": _generator_data(index, data),
        "Training": _stages(index),
        "Use": f"""- Intended: plausible {product} for testing, teaching and augmentation.
- Not intended: any statement about a real place, and any use that hides that it is synthetic.
- Limits: it knows the mix and the look of its training data alone, wherever it is asked to generate. Figures say how
  well it learned, not how real its results look: look at them, in `report.html` and in QGIS.""",
        "Licence and attribution": _licence(index, data),
    }
    return _card(front, title, f"{about} Weights in fp16 as safetensors.", sections)


def _generator_data(index: dict[str, Any], data: dict[str, Any]) -> str:
    crops = ", ".join(f"{count:,} {split}" for split, count in data["crops"].items())
    shares = ", ".join(f"{legend.LEGEND[int(code)][0]} {100 * share:.1f} %" for code, share in index["shares"].items())
    gsd = ", ".join(f"{size:g} m" for size in data["gsd_m"])
    before = sorted(set(index["seen"]) - set(data["codes"]))
    unseen = f"- Classes never seen: {_listed(_missing(index['seen']))}."
    if index["landforge"] != "landcover":
        unseen += " They are painted as their nearest look, where that was seen."
    earlier = f"\n- Classes seen only by the model that it started from: {_listed(before)}." if before else ""
    return f"""{_sets(data)}
- Crops of a window's size: {crops}. Training saw the `train` part alone; `held_out` figures are of `val`. Data sets of
  'Build data set' are split by blocks of ground, so that neighbours stay together.
- GSD: {gsd}; the generator's is {index["pixel_m"]:g} m.
- Classes seen in training: {shares}.{earlier}
{unseen}
- Labels are land cover in WorldCover's legend as the data sets give it; their errors are learned with them."""


def _stages(index: dict[str, Any]) -> str:
    training = index["training"]
    settings = ", ".join(f"{key} {value}" for key, value in training.items() if value is not None)
    rows = [
        f"| {stage} | {', '.join(f'{name} {value:g}' for name, value in figures.items())} |"
        for stage, figures in index["figures"].items()
    ]
    origin = f"Fine-tuned from `{index['started_from']}`." if index["started_from"] else "Trained from nothing."
    turns = "Flips and quarter turns" + ("." if index["landforge"] == "landcover" else ", slight changes of colour.")
    return "\n".join([f"{origin} Settings: {settings}. {turns}", "", "| stage | figures |", "|---|---|", *rows])


def _licence(index: dict[str, Any], data: dict[str, Any]) -> str:
    attribution = data["attribution"] or ["not stated by the data sets; add it before you share the model"]
    lines = [
        "- Licence of the weights: yours to choose, within what the licences of the data allow; none is set yet.",
        *(f"- Data: {text}" for text in attribution),
    ]
    if index["started_from"]:
        lines.append(f"- Also the licence and the data of `{index['started_from']}`, from which it started.")
    return "\n".join(lines)
