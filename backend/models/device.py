"""The device and the precision to compute in, and what the C library does with freed memory."""

from __future__ import annotations

import ctypes
import os
import sys
from typing import Any

import torch

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # from malloc.h
KEPT_BYTES = 2**30
LARGEST_KEPT_BYTES = 2**25  # glibc's limit; larger freed blocks would not be reused and would pile up


def best() -> torch.device:
    """The device named by the environment variable LANDFORGE_DEVICE, else CUDA, else Apple's GPU, else the CPU."""
    name = os.environ.get("LANDFORGE_DEVICE", "")
    if name:
        return torch.device(name)
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def setting(value: Any, kind: str) -> Any:
    """A recipe's value for a device type such as 'cuda', 'mps' or 'cpu'.

    A dict holds one value for each device type; types that it lacks take the value of 'cpu'. Lists become tuples, the
    type of a job's fields.
    """
    if isinstance(value, dict):
        value = value.get(kind, value["cpu"])
    return tuple(value) if isinstance(value, list) else value


def keep_freed_memory() -> None:
    """Make glibc keep the memory of freed tensors for the next ones; no effect with another C library.

    By default glibc returns large blocks to the system. Getting them back page by page takes a third of a network's
    time on a CPU.
    """
    mallopt = _libc_function("mallopt")
    if mallopt:
        mallopt(M_MMAP_THRESHOLD, LARGEST_KEPT_BYTES)
        mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)


def return_freed_memory() -> None:
    """Return the memory kept by `keep_freed_memory` to the system; for a process that is idle."""
    trim = _libc_function("malloc_trim")
    if trim:
        trim(0)


def _libc_function(name: str) -> Any:
    """A function of Linux's C library; None where there is no such function."""
    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None


def fast_bf16(device: torch.device) -> bool:
    """Whether bf16 is faster than fp32 on a device: on GPUs since Ampere and on CPUs with bf16 instructions."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu":
        return bool(getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)())
    return False


def dtype(device: torch.device) -> torch.dtype:
    """The dtype of models' weights for inference on a device."""
    return torch.bfloat16 if fast_bf16(device) else torch.float32


def autocast(device: torch.device) -> torch.autocast:
    """The context of mixed precision for training on a device; disabled where bf16 is not faster than fp32."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=fast_bf16(device))


def batch_multiple(batch: int) -> int:
    """The number that batch sizes must be multiples of, so that a window's result is the same bits in every batch.

    CPU threads each take whole windows only if the windows divide evenly among them; otherwise they split windows. On a
    GPU the algorithm depends on the batch size, so all batches must have `batch` windows.
    """
    if best().type == "cpu":
        return min(torch.get_num_threads(), batch)
    return batch
