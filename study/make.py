"""The whole study: `python study/make.py DATA OUT [KEY=VALUE ...]`, resumable at any point.

DATA is a data set of 'Build data set', a folder of `image/` and `label/` with rasters of the same names, or the
training data of the bundled weights, of which what these have not seen is tested on. From it come the four standard
sets, a model of each architecture on each of them, the cross-test of all, the quality of the synthetic images, and the
mixture study. What is finished is not made again. study.json is the recipe, with an architecture's own settings beside
its name: one without a trained encoder needs more epochs. KEY=VALUE replaces what it says in every job that has the
key, and `site_share` of the training data's sites: `epochs=5 crops=500 site_share=0.2` fits the study to whatever time
there is.
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
    """A job by its id and fields; the file is there once it is done, None of one that goes on by itself.

    `own` are settings in the recipe that are this step's alone.
    """

    job: str
    fields: dict[str, Any]
    done: Optional[Path]
    own: dict[str, Any] = dataclasses.field(default_factory=dict)


def rasters(data: Path) -> dict[str, tuple[str, ...]]:
    """The images and labels of a folder, by the same names; BackendError where there are none."""
    labels = sorted((data / "label").glob("*.tif"))
    images = [data / "image" / path.name for path in labels]
    if not labels or not all(path.is_file() for path in images):
        raise BackendError(
            f"{data} is no data set, and not a folder of image/ and label/ with rasters (.tif) of the same names."
        )
    return {"image": tuple(map(str, images)), "label": tuple(map(str, labels))}


def steps(data: Path, out: Path, recipe: dict[str, Any]) -> Iterator[Step]:
    """The chain of jobs, each on what those before it have made."""
    dataset = data
    if not (data / INDEX).is_file():
        dataset = out / "dataset"
        yield Step("builddataset", {**rasters(data), "output": str(dataset)}, dataset / INDEX)
    sets = {name: str(out / "sets" / name) for name in recipe["sets"]}
    yield Step(
        "buildstandardsets", {"dataset": str(dataset), "output": str(out / "sets")}, out / "sets" / "real" / INDEX
    )
    models = []
    for architecture, own in recipe["architectures"].items():
        for name, folder in sets.items():
            model = out / "models" / f"{architecture}_{name}"
            models.append(str(model))
            fields = {"dataset": (folder,), "architecture": architecture, "output": str(model)}
            yield Step("trainsegmentation", fields, model / "report.html", own)
    table = out / "crosstest"
    fields = {"model": tuple(models), "dataset": tuple(sets.values()), "output": str(table)}
    yield Step("crosstest", fields, table / "crosstest.html")
    real, made = (sets["real"],), tuple(folder for name, folder in sets.items() if name != "real")
    quality = {"real": real, "synthetic": made, "crosstest": str(table), "output": str(out / "imagequality")}
    yield Step("imagequality", quality, out / "imagequality" / "imagequality.html")
    added = tuple(sets[name] for name in recipe["added"])
    mixtures = {"real": real, "synthetic": added, "output": str(out / "mixturestudy")}
    yield Step("mixturestudy", mixtures, None)  # its page is written after every model


def job_of(step: Step, recipe: dict[str, Any], changes: dict[str, Any], where: str) -> Any:
    """A step as a job of this device."""
    cls = protocol.JOBS[step.job]
    known = {field.name for field in dataclasses.fields(cls)}
    asked = {key: value for key, value in changes.items() if key in known}
    fields = {**recipe[step.job], **step.own, **asked, **step.fields}
    return cls(**{key: device.setting(value, where) for key, value in fields.items()})


def main(data: Path, out: Path, changes: dict[str, Any]) -> int:
    """Run what is not done yet, step after step."""
    reporter, where = Reporter(sys.stdout), device.best().type
    recipe = json.loads((HERE / "study.json").read_text(encoding="utf-8"))
    try:
        if tiles.is_training_data(data):
            data, source = out / "dataset", data
            if not (data / INDEX).is_file():
                tiles.build(source, data, reporter, device.setting({**recipe, **changes}["site_share"], where))
        for step in steps(data, out, recipe):
            if step.done and step.done.exists():
                reporter.log(f"{step.job}: {step.done} is there")
                continue
            reporter.log(f"{step.job}: {step.fields['output']}")
            job = job_of(step, recipe, changes, where)
            importlib.import_module(f"backend.jobs.{step.job}").run(job, reporter)
    except BackendError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def parsed(changes: list[str]) -> dict[str, Any]:
    """KEY=VALUE as typed; a value is a number or a list in JSON, or a word."""
    found: dict[str, Any] = {}
    for change in changes:
        key, sign, value = change.partition("=")
        if not sign:
            sys.exit(f"{change!r} is no KEY=VALUE, for instance epochs=5.")
        try:
            found[key] = json.loads(value)
        except ValueError:
            found[key] = value
    return found


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), parsed(sys.argv[3:])))
