"""Rebuild the bundled weights: `python weights/make.py DATA [RECIPE ...]`, resumable at any point.

DATA is a folder with `naip/`, `rural/`, `usgs/` and `worldcover/`, laid out as the model cards say, or a folder that
was packed from it, which needs no GDAL. Each recipe in this folder is a job of the backend, with minutes and batch by
device; its model lands in `backend/bundled/`. Needs the packages of requirements.in here.
"""

import importlib
import json
import shutil
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from backend import protocol  # noqa: E402
from backend.datasets.layout import PACKED_INDEX  # noqa: E402
from backend.models import device  # noqa: E402
from backend.protocol import BackendError, Reporter  # noqa: E402

RECIPES = ("landcover", "controlnet", "spade", "segmentation")
WORK = Path(".weights")
NO_PART = ("checkpoints", "samples", "report.html", "README.md")  # the bundled cards are written by hand


def job_of(recipe: str, packed: Path, where: str) -> Any:
    """A recipe as a job on packed tiles; what it gives by device is that of 'cuda' or, elsewhere, of 'cpu'."""
    fields = json.loads((HERE / f"{recipe}.json").read_text(encoding="utf-8"))
    cls = protocol.JOBS[fields.pop("job")]
    fields |= {"dataset": [str(packed)], "output": str(WORK / recipe)}
    return cls(**{key: device.setting(value, where) for key, value in fields.items()})


def _pack(data: Path, reporter: Reporter) -> Path:
    """The packed folder of the data."""
    if (data / PACKED_INDEX).is_file():
        return data
    packed = WORK / "packed"
    if not (packed / PACKED_INDEX).is_file():
        from weights import training_data  # reads GeoTIFFs

        training_data.pack(data, packed, reporter)
    return packed


def _bundle(job: Any, target: Path) -> None:
    """Put what a job made in its place, without what only its training needs."""
    for part in Path(job.output).iterdir():
        if part.is_dir() and part.name not in NO_PART:
            shutil.copytree(part, target / part.name, dirs_exist_ok=True)
        elif part.name not in NO_PART:
            shutil.copyfile(part, target / part.name)


def main(data: Path, recipes: tuple[str, ...]) -> int:
    """Pack the tiles, run each recipe, and put what it made in its place."""
    reporter = Reporter(sys.stdout)
    try:
        packed = _pack(data, reporter)
        for recipe in recipes or RECIPES:
            job = job_of(recipe, packed, device.best().type)
            weights = getattr(job, "encoder_weights", "")
            if weights and not Path(weights).is_file():
                importlib.import_module("weights.efficientnet_lite0").main(Path(weights))
            importlib.import_module(f"backend.jobs.{protocol.job_name(job)}").run(job, reporter)
            _bundle(job, HERE.parent / "backend" / "bundled" / recipe)
    except BackendError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), tuple(sys.argv[2:])))
