"""What the figures depend on: the machine and the versions. Imports torch alone, so that it starts quickly."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

import torch

from backend.models import device


def machine() -> dict[str, Any]:
    """The machine and the versions that the figures depend on, as plain values, so that unpickling needs no torch."""
    cpu = Path("/proc/cpuinfo")
    models = [line for line in cpu.read_text().splitlines() if line.startswith("model name")] if cpu.exists() else []
    best = device.best()
    return {
        "cpu": models[0].split(":")[1].strip() if models else platform.processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "device": torch.cuda.get_device_name() if best.type == "cuda" else best.type,
        "dtype": str(device.dtype(best)).removeprefix("torch."),
        "torch": str(torch.__version__),
        "python": platform.python_version(),
        "system": platform.platform(),
    }
