"""Run the whole study: `python study/make.py DATA OUT [KEY=VALUE ...]`, resumable at any point.

DATA is a data set of 'Build data set', a folder of `image/` and `label/` with rasters of the same names, or the
training data of the bundled weights, whose held-out sites are then the test set. The study builds the four standard
sets, trains a model of each architecture on each of them, cross-tests all models, measures the quality of the synthetic
images, and runs the mixture study. Finished steps are skipped. study.json has the settings of every job, and beside an
architecture's name its own: one without a pretrained encoder needs more epochs. KEY=VALUE replaces a setting in every
job that has the key; `site_share` limits the sites of the training data. `epochs=5 crops=500 site_share=0.2` shortens
the study.
"""

import dataclasses
import importlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

import tiles  # noqa: E402

from backend import protocol  # noqa: E402
from backend.datasets.layout import INDEX  # noqa: E402
from backend.models import device  # noqa: E402
from backend.protocol import BackendError, Reporter  # noqa: E402


@dataclass(frozen=True)
class Step:
    """A job's name and fields, and its own settings beside those of study.json.

    The file `done` exists once the step is finished; None for a job that resumes by itself.
    """

    job: str
    fields: dict[str, Any]
    done: Optional[Path]
    own: dict[str, Any] = dataclasses.field(default_factory=dict)


def rasters(data: Path) -> dict[str, tuple[str, ...]]:
    """The images of a folder and the labels of the same names; BackendError where there are none."""
    labels = sorted((data / "label").glob("*.tif"))
    images = [data / "image" / path.name for path in labels]
    if not labels or not all(path.is_file() for path in images):
        raise BackendError(
            f"{data} is no data set, and not a folder of image/ and label/ with rasters (.tif) of the same names."
        )
    return {"image": tuple(map(str, images)), "label": tuple(map(str, labels))}


def steps(data: Path, out: Path, settings: dict[str, Any]) -> Iterator[Step]:
    """The jobs in order; each uses the outputs of earlier ones. `settings` are those of study.json."""
    dataset = data
    if not (data / INDEX).is_file():
        dataset = out / "dataset"
        yield Step("builddataset", {**rasters(data), "output": str(dataset)}, dataset / INDEX)
    sets = {name: str(out / "sets" / name) for name in settings["sets"]}
    yield Step(
        "buildstandardsets", {"dataset": str(dataset), "output": str(out / "sets")}, out / "sets" / "real" / INDEX
    )
    models = []
    for architecture, own in settings["architectures"].items():
        for name, folder in sets.items():
            model = out / "models" / f"{architecture}_{name}"
            models.append(str(model))
            fields = {"dataset": (folder,), "architecture": architecture, "output": str(model)}
            yield Step("trainsegmentation", fields, model / "report.html", own)
    table = out / "crosstest"
    fields = {"model": tuple(models), "dataset": tuple(sets.values()), "output": str(table)}
    yield Step("crosstest", fields, table / "crosstest.html")
    real, synthetic = (sets["real"],), tuple(folder for name, folder in sets.items() if name != "real")
    quality = {"real": real, "synthetic": synthetic, "crosstest": str(table), "output": str(out / "imagequality")}
    yield Step("imagequality", quality, out / "imagequality" / "imagequality.html")
    added = tuple(sets[name] for name in settings["added"])
    mixtures = {"real": real, "synthetic": added, "output": str(out / "mixturestudy")}
    yield Step("mixturestudy", mixtures, None)  # its page is written after every model


def job_of(step: Step, settings: dict[str, Any], changes: dict[str, Any], device_type: str) -> Any:
    """The job of a step; settings that differ by device are those of `device_type`."""
    cls = protocol.JOBS[step.job]
    keys = {field.name for field in dataclasses.fields(cls)}
    own_changes = {key: value for key, value in changes.items() if key in keys}
    fields = {**settings[step.job], **step.own, **own_changes, **step.fields}
    return cls(**{key: device.setting(value, device_type) for key, value in fields.items()})


def main(data: Path, out: Path, changes: dict[str, Any]) -> int:
    """Run the steps that are not finished, and return the exit status."""
    reporter, device_type = Reporter(sys.stdout), device.best().type
    settings = json.loads((HERE / "study.json").read_text(encoding="utf-8"))
    try:
        if tiles.is_training_data(data):
            data, source = out / "dataset", data
            if not (data / INDEX).is_file():
                share = device.setting({**settings, **changes}["site_share"], device_type)
                tiles.build(source, data, reporter, share)
        for step in steps(data, out, settings):
            if step.done and step.done.exists():
                reporter.log(f"{step.job}: {step.done} is there")
                continue
            reporter.log(f"{step.job}: {step.fields['output']}")
            job = job_of(step, settings, changes, device_type)
            importlib.import_module(f"backend.jobs.{step.job}").run(job, reporter)
    except BackendError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def parse_changes(arguments: list[str]) -> dict[str, Any]:
    """The values of KEY=VALUE arguments by key; a value is a number or a list in JSON, or a word."""
    changes: dict[str, Any] = {}
    for argument in arguments:
        key, sign, value = argument.partition("=")
        if not sign:
            sys.exit(f"{argument!r} is no KEY=VALUE, for instance epochs=5.")
        try:
            changes[key] = json.loads(value)
        except ValueError:
            changes[key] = value
    return changes


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), parse_changes(sys.argv[3:])))
