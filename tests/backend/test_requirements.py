"""The requirement files: pinned with hashes, of one mind, and naming no server."""

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMPILED = ["backend/requirements.txt", "backend/requirements-torch.txt", "backend/requirements-uv.txt"]
OPTIONAL = {"stlpips_pytorch"}  # for training generators alone
COMPILED += ["tests/requirements.txt", "docs/requirements.txt"]


def pins(path):
    """Name and marker to version."""
    lines = re.findall(r"^([a-z0-9-]+)==([^ \\;]+) ?(;[^\\]*)?", (ROOT / path).read_text(), re.MULTILINE)
    return {(name, marker.strip(" ;")): version for name, version, marker in lines}


def inputs(path):
    return re.findall(r"^[a-z][a-z0-9-]*", (ROOT / path).read_text(), re.MULTILINE)


@pytest.mark.parametrize("path", COMPILED)
def test_every_requirement_is_pinned_with_hashes(path):
    text = re.sub(r"^ *#.*\n", "", (ROOT / path).read_text(), flags=re.MULTILINE)
    entries = [entry for entry in text.replace("\\\n", "").splitlines() if entry]
    assert entries
    for entry in entries:
        assert re.match(r"[a-z0-9-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", entry), entry


@pytest.mark.parametrize("path", [*COMPILED, *(path.replace(".txt", ".in") for path in COMPILED)])
def test_no_server_and_no_folder_is_named(path):
    assert not re.search(r"://|--(extra-)?index|--find-links|(^|\s)/", (ROOT / path).read_text())


def test_the_files_agree_with_one_another():
    first = pins("backend/requirements.txt")
    for path in ("backend/requirements-torch.txt", "tests/requirements.txt"):
        other = pins(path)
        shared = {key[0] for key in first} & {key[0] for key in other}
        assert shared
        for name in shared:
            assert {v for k, v in first.items() if k[0] == name} == {v for k, v in other.items() if k[0] == name}


def test_torch_is_in_its_own_file_and_whole_without_cuda_in_the_other():
    first = {name for name, _ in pins("backend/requirements.txt")}
    torch = {name for name, _ in pins("backend/requirements-torch.txt")}
    cuda = {name for name in torch if name.startswith(("nvidia-", "cuda-")) or name == "triton"}
    assert cuda and {"torch", "torchvision"} <= torch
    assert not first & ({"torch", "torchvision"} | cuda)
    assert torch - cuda - {"torch", "torchvision"} <= first


@pytest.mark.parametrize("path", COMPILED)
def test_all_that_is_asked_for_is_pinned(path):
    assert set(inputs(path.replace(".txt", ".in"))) <= {name for name, _ in pins(path)}


def test_all_that_the_backend_imports_is_asked_for():
    asked = inputs("backend/requirements.in") + inputs("backend/requirements-torch.in")
    known = (
        {name.replace("-", "_") for name in asked}
        | {"odc", "PIL", "cv2", "backend", *OPTIONAL}
        | sys.stdlib_module_names
    )
    for path in (ROOT / "backend").rglob("*.py"):
        for name in re.findall(r"^ *(?:from|import) ([a-z_A-Z0-9]+)", path.read_text(), re.MULTILINE):
            assert name in known, f"{path} imports {name}"
