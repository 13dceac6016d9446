"""Train the bundled weights: `python weights/make.py DATA [RECIPE ...]`, resumable at any point.

DATA is a folder as `image_data.py` and `landcover_data.py` describe it, or one packed from it, for which no GDAL is
needed. A recipe is a JSON file of this folder: a training job of the backend, with minutes and batch for each device
type. Its model is copied to `backend/bundled/`. Needs the packages of requirements.in.
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
NOT_BUNDLED = ("checkpoints", "samples", "report.html", "README.md")  # the bundled model cards are written by hand


def job_of(recipe: str, packed: Path, device_type: str) -> Any:
    """A recipe's job on packed tiles, with the settings of 'cuda' or, for any other device type, of 'cpu'."""
    fields = json.loads((HERE / f"{recipe}.json").read_text(encoding="utf-8"))
    cls = protocol.JOBS[fields.pop("job")]
    fields |= {"dataset": [str(packed)], "output": str(WORK / recipe)}
    return cls(**{key: device.setting(value, device_type) for key, value in fields.items()})


def _pack(data: Path, recipe: str, reporter: Reporter) -> Path:
    """DATA itself where it is packed already, else the folder that a recipe's part of it is packed into."""
    if (data / PACKED_INDEX).is_file():
        return data
    kind = "landcover" if recipe == "landcover" else "image"
    packed = WORK / {"landcover": "packed_landcover", "image": "packed_images"}[kind]
    if not (packed / PACKED_INDEX).is_file():
        importlib.import_module(f"weights.{kind}_data").pack(data, packed, reporter)  # reads GeoTIFFs
    return packed


def _bundle(job: Any, target: Path) -> None:
    """Copy a job's model to the target folder, without the files that only its training needs."""
    for path in Path(job.output).iterdir():
        if path.name in NOT_BUNDLED:
            continue
        if path.is_dir():
            shutil.copytree(path, target / path.name, dirs_exist_ok=True)
        else:
            shutil.copyfile(path, target / path.name)


def main(data: Path, recipes: tuple[str, ...]) -> int:
    """Pack the tiles, run each recipe's job, and bundle its model; returns the exit status."""
    reporter = Reporter(sys.stdout)
    try:
        for recipe in recipes or RECIPES:
            job = job_of(recipe, _pack(data, recipe, reporter), device.best().type)
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
