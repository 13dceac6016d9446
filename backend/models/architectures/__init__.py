"""Segmentation architectures, one file each: the file's stem is the architecture's name in menus, jobs and models.

A file defines `build(encoder, encoder_weights, classes, **sizes) -> nn.Module`, which returns a module from normalised
float RGB (N, 3, H, W) to logits (N, classes, H, W), H and W multiples of SIZE_STEP_PX. An architecture without a choice
of encoders sets HAS_ENCODER = False.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as to_bytes
from torch import nn

from backend.geo import legend
from backend.protocol import BackendError, partial_path

WEIGHTS = "model.safetensors"
SIZE_STEP_PX = 32
WINDOW_PX = 512
"""The side of the windows, margins included, in which whole images are segmented."""
IMPOSSIBLE = -1e4  # the logit of a class that is merged into another; minus infinity would have no gradient
IMAGENET = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}


def names() -> list[str]:
    """The names of the architectures, from the file names: nothing is imported."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem != "__init__")


def has_encoder(name: str) -> bool:
    """Whether an architecture has an encoder to choose; BackendError for an unknown name."""
    if name not in names():
        raise BackendError(f"There is no architecture {name!r}. Choose one of {', '.join(names())}.")
    return bool(getattr(importlib.import_module(f"{__name__}.{name}"), "HAS_ENCODER", True))


def check_crop(crop_px: int) -> None:
    """Raise BackendError where a crop of `crop_px` pixels a side does not fit the architectures."""
    if crop_px < SIZE_STEP_PX or crop_px % SIZE_STEP_PX:
        raise BackendError(f"The crop must be a multiple of {SIZE_STEP_PX} pixels, not {crop_px}.")


def _check_encoder(encoder: str) -> None:
    """Raise BackendError for an encoder that neither smp nor timm has: it would be fetched from a hub."""
    import timm
    from segmentation_models_pytorch.encoders import get_encoder_names

    known = encoder in get_encoder_names() or (
        encoder.startswith("tu-") and timm.is_model(encoder[3:].split(".")[0]) and ":" not in encoder
    )
    if not known:
        raise BackendError(
            f"There is no encoder {encoder!r}. Choose one of segmentation-models-pytorch, for instance resnet18, "
            "efficientnet-b0 or mit_b0, or 'tu-' and the name of a timm model."
        )


def _drop_unused(encoder: nn.Module) -> None:
    """Delete the blocks after the last feature, which timm's EfficientNets keep and compute at any depth."""
    inner: Any = getattr(encoder, "model", None)
    if isinstance(getattr(inner, "blocks", None), nn.Sequential) and hasattr(inner, "feature_info"):
        last = inner.feature_info.module_name()[-1]
        if last.startswith("blocks."):
            del inner.blocks[int(last.split(".")[1]) + 1 :]


def _load_encoder(encoder: nn.Module, path: str) -> None:
    try:
        state, keys = load_file(path), encoder.state_dict().keys()
        missing = keys - state.keys()
        if missing:
            raise BackendError(f"The weights in {path} belong to another encoder: {min(missing)} is missing.")
        encoder.load_state_dict({key: state[key] for key in keys})
    except (OSError, SafetensorError, RuntimeError) as error:
        raise BackendError(f"The encoder's weights {path} cannot be loaded: {error}") from error


def build(
    name: str, encoder: str, encoder_weights: str | None = None, count: int = legend.COUNT, **sizes: Any
) -> nn.Module:
    """A freshly initialised module of the architecture `name` with `count` classes.

    `encoder_weights` is None or '' for none, a name that smp knows ('imagenet', downloaded), or the path of a
    .safetensors file with the encoder's state. `sizes` are the architecture's own parameters, such as encoder_depth and
    decoder_channels. Raises BackendError for an unknown name, encoder or size, and for weights that cannot be loaded.
    """
    if has_encoder(name):
        _check_encoder(encoder)
    elif encoder or encoder_weights:
        raise BackendError(f"{name} has no encoder to choose. Leave the encoder and its weights empty.")
    from_file = bool(encoder_weights) and str(encoder_weights).endswith(".safetensors")
    download = (encoder_weights or None) if not from_file else None
    try:
        module = importlib.import_module(f"{__name__}.{name}").build(encoder, download, count, **sizes)
    except Exception as error:  # smp, timm and the hub raise many kinds
        if download:
            raise BackendError(
                f"The {download!r} weights of the encoder {encoder} could not be fetched ({type(error).__name__}). "
                "Check the network, or leave the encoder weights empty to start without."
            ) from error
        raise BackendError(f"{name} cannot be built with the encoder {encoder} and {sizes}: {error}") from error
    if not encoder:
        return module
    _drop_unused(module.encoder)
    if from_file:
        _load_encoder(module.encoder, str(encoder_weights))
    return module


def check_sizes(module: nn.Module, name: str, encoder: str, crop_px: int) -> None:
    """BackendError where a module cannot take the crops that it is trained on, or the windows of whole images.

    One forward pass each, in evaluation mode: it changes neither weights nor statistics.
    """
    training = module.training
    module.eval()
    for size_px, use in {crop_px: "crops", WINDOW_PX: "windows of whole images"}.items():
        try:
            with torch.inference_mode():
                shape = tuple(module(torch.zeros(1, 3, size_px, size_px)).shape)
            if shape != (1, legend.COUNT, size_px, size_px):
                raise ValueError(f"its result is {shape[-1]} px wide")
        except Exception as error:  # every encoder raises kinds of its own
            reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
            raise BackendError(
                f"{name} with the encoder {encoder!r} cannot take {use} of {size_px} px ({reason}). Choose an encoder "
                f"for images of any size, for instance resnet18{', or another crop size' if use == 'crops' else ''}."
            ) from error
    module.train(training)


def normalisation(encoder: str, encoder_weights: str | None) -> dict[str, list[float]]:
    """The mean and standard deviation of RGB in 0..1 that the encoder's weights were trained with."""
    from segmentation_models_pytorch.encoders import get_preprocessing_params

    named = encoder_weights and not encoder_weights.endswith(".safetensors")
    try:
        if encoder.startswith("tu-") or named:
            params = get_preprocessing_params(encoder, encoder_weights if named else "imagenet")
            return {key: [float(value) for value in params[key]] for key in IMAGENET}
    except (ValueError, KeyError, OSError):
        return IMAGENET
    return IMAGENET


def merge_classes(logits: torch.Tensor, legend_name: str) -> torch.Tensor:
    """Logits (N, COUNT, H, W) in a legend's classes: a merged class has the probability of all classes merged into it.

    The classes merged into another one have the logit IMPOSSIBLE.
    """
    merged_logits, codes, target_of = logits, legend.CODES.tolist(), legend.LEGENDS[legend_name]
    for target in set(target_of.values()):
        parts = [codes.index(code) for code in (target, *(code for code in target_of if target_of[code] == target))]
        merged = logits[:, parts].logsumexp(1, keepdim=True)
        index = torch.tensor(parts, device=logits.device)
        impossible = torch.full_like(merged, IMPOSSIBLE).expand(-1, len(parts) - 1, -1, -1)
        merged_logits = merged_logits.index_copy(1, index, torch.cat([merged, impossible], dim=1))
    return merged_logits


class Segmenter(nn.Module):
    """A module with its normalisation of RGB: (N, 3, H, W) uint8 to (N, COUNT, H, W) float32 logits.

    Classes that the legend merges into others are never the most likely.
    """

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, module: nn.Module, mean: list[float], std: list[float], legend_name: str = "worldcover") -> None:
        super().__init__()
        self.legend = legend_name
        self.module = module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.register_buffer("mean", 255 * torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", 255 * torch.tensor(std).view(1, 3, 1, 1), persistent=False)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Logits of images whose height and width are multiples of SIZE_STEP_PX."""
        normal = (image.float() - self.mean) / self.std
        return merge_classes(self.module(normal.contiguous(memory_format=torch.channels_last)).float(), self.legend)

    def with_features(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits, and (N, channels) float32 features: the encoder's deepest ones, averaged over the image."""
        outputs: list[Any] = []
        module: Any = self.module
        deepest = module.encoder if hasattr(module, "encoder") else module.stages[-1]  # LALE has no encoder
        hook = deepest.register_forward_hook(lambda *call: outputs.append(call[-1]))
        try:
            logits = self(image)
        finally:
            hook.remove()
        (features,) = outputs
        last = features if isinstance(features, torch.Tensor) else features[-1]
        return logits, last.float().mean(dim=(2, 3))


def save(folder: Path, module: nn.Module) -> None:
    """Write a module's weights in fp16, or fp32 where fp16 overflows; an existing file is replaced atomically."""
    state = {}
    for key, value in module.state_dict().items():
        value = value.detach().cpu().contiguous()
        half = value.half() if value.is_floating_point() else value
        state[key] = half if torch.isfinite(half).all() else value
    path = folder / WEIGHTS
    partial_path(path).write_bytes(to_bytes(state))  # save_file would write a file that only its owner can read
    partial_path(path).replace(path)


def load(folder: Path, index: dict[str, Any]) -> Segmenter:
    """The model of a segmentation model folder, in evaluation mode, fp32, on the CPU.

    `index` is the folder's, from `model_folder.find`: architecture, encoder, sizes, codes, pixel_m, mean, std, legend.
    Nothing is downloaded, and no code from the folder is executed. Raises BackendError where the index or the weights
    are missing or damaged, or do not fit each other.
    """
    try:
        if list(index["codes"]) != legend.CODES.tolist():
            raise BackendError(f"The model in {folder} knows other classes than the WorldCover legend.")
        if not (0 < float(index["pixel_m"]) < 1000 and len(index["mean"]) == len(index["std"]) == 3):
            raise ValueError("pixel_m, mean or std")
        sizes: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in index["sizes"].items()
        }
        module = build(index["architecture"], index["encoder"], None, **sizes)
        legend_name = index.get("legend", "worldcover")  # older models have no such entry
        if legend_name not in legend.LEGENDS:
            raise ValueError(f"legend {legend_name!r}")
        segmenter = Segmenter(module, index["mean"], index["std"], legend_name)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BackendError(f"The index of the model in {folder} is incomplete or damaged ({error!r}).") from error
    try:
        module.load_state_dict(load_file(folder / WEIGHTS))
    except (OSError, SafetensorError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise BackendError(f"The weights of the model in {folder} are missing or damaged ({reason}).") from error
    return segmenter.eval()
