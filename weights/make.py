"""Rebuild the bundled weights: `python weights/make.py DATA [RECIPE ...]`, resumable at any point.

DATA is a folder with `naip/`, `rural/`, `usgs/` and `worldcover/`, laid out as the model cards say. Each recipe in this
folder is a job of the backend; its model lands in `backend/bundled/`. Needs the packages of requirements.in here.
"""

import shutil
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

import efficientnet_lite0  # noqa: E402

from backend import packing  # noqa: E402
from backend.__main__ import load_job, run  # noqa: E402
from backend.protocol import Reporter  # noqa: E402

RECIPES = ("landcover", "controlnet", "spade", "segmentation")
WORK = Path(".weights")


def main(data: Path, recipes: tuple[str, ...]) -> int:
    """Pack the tiles, run each recipe, and put what it made in its place, without its checkpoints."""
    reporter = Reporter(sys.stdout)
    if not (WORK / "packed" / packing.INDEX).is_file():
        packing.pack(data, WORK / "packed", reporter)
    encoder = WORK / "encoder" / "efficientnet_lite0.safetensors"
    if not encoder.is_file():
        efficientnet_lite0.main(encoder)
    for recipe in recipes or RECIPES:
        path = str(HERE / f"{recipe}.json")
        if run(path, reporter):
            return 1
        target = HERE.parent / "backend" / "bundled" / recipe
        for part in Path(load_job(path).output).iterdir():
            if part.name not in ("checkpoints", "README.md"):  # the bundled cards are written by hand
                copy = shutil.copytree if part.is_dir() else shutil.copyfile
                copy(part, target / part.name, **({"dirs_exist_ok": True} if part.is_dir() else {}))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), tuple(sys.argv[2:])))
