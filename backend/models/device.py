"""Where to compute, and in which precision."""

from __future__ import annotations

import ctypes
import os
import sys
from typing import Any

import torch

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of malloc.h
KEPT_BYTES = 2**30
LARGEST_KEPT_BYTES = 2**25  # glibc's own limit; still larger ones would not be found again, and pile up


def best() -> torch.device:
    """CUDA, then Apple's GPU, then the CPU; LANDFORGE_DEVICE overrides."""
    wanted = os.environ.get("LANDFORGE_DEVICE", "")
    if wanted:
        return torch.device(wanted)
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def setting(value: Any, kind: str) -> Any:
    """A recipe's value on a kind of device: where it is told by device that of 'cuda' or, elsewhere, of 'cpu'.

    Lists become tuples, as jobs have them.
    """
    if isinstance(value, dict):
        value = value.get(kind, value["cpu"])
    return tuple(value) if isinstance(value, list) else value


def keep_freed_memory() -> None:
    """Have the C library keep the memory of freed tensors for the next ones, where it is glibc.

    It would hand large blocks back to the system each time, and taking them anew, page by page, costs a third of a
    network's time on a CPU.
    """
    mallopt = _of_glibc("mallopt")
    if mallopt:
        mallopt(M_MMAP_THRESHOLD, LARGEST_KEPT_BYTES)
        mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)


def return_freed_memory() -> None:
    """Give what `keep_freed_memory` has kept back to the system, when there is nothing to do."""
    trim = _of_glibc("malloc_trim")
    if trim:
        trim(0)


def _of_glibc(function: str) -> Any:
    """A function of the C library; None where it has no such."""
    return getattr(ctypes.CDLL(None), function, None) if sys.platform == "linux" else None


def fast_bf16(device: torch.device) -> bool:
    """Whether bf16 is faster than fp32 there: GPUs since Ampere, CPUs with their own bf16 instructions."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu":
        return bool(getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)())
    return False


def dtype(device: torch.device) -> torch.dtype:
    """The dtype in which models run there."""
    return torch.bfloat16 if fast_bf16(device) else torch.float32


def autocast(device: torch.device) -> torch.autocast:
    """Mixed precision for training there."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=fast_bf16(device))


def batch_multiple(batch: int) -> int:
    """What a batch's size must be a multiple of, so that every window in it is computed to the same last bit.

    On a CPU the threads share a batch window by window; where they cannot, they split windows. A GPU chooses its
    algorithm by the size.
    """
    if best().type == "cpu":
        return min(torch.get_num_threads(), batch)
    return batch
