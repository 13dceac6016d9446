"""The C library keeps freed memory for the next tensors, and returns it on request."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
CODE = """
import resource, torch
from backend.models import device

def faults(do):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    do()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

def resident():
    line, = (line for line in open("/proc/self/status") if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1e3

def work():
    tensors = []
    for _ in range(50):
        tensors.append(torch.ones(6, 1000, 1000))  # 24 MB
        tensors = tensors[-20:]

work()
without = faults(work)
device.keep_freed_memory()
work()
kept, full = faults(work), resident()
device.return_freed_memory()
print(without, kept, full, resident())
"""


@pytest.mark.skipif(sys.platform != "linux" or not hasattr(os, "confstr"), reason="the C library must be glibc")
def test_freed_memory_is_kept_and_returned():
    if "glibc" not in (os.confstr("CS_GNU_LIBC_VERSION") or ""):
        pytest.skip("the C library must be glibc")
    ended = subprocess.run([sys.executable, "-c", CODE], cwd=ROOT, capture_output=True, text=True, check=True)
    without, kept, full, after = map(float, ended.stdout.split())
    assert kept < without / 10, "pages are reused"
    assert full - after > 200
