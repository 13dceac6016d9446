"""The paths of outputs: partial ones while a job writes them, the files beside them, and the check against inputs."""

from __future__ import annotations

import contextlib
import dataclasses
import glob
import html
import os
import re
import shutil
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .errors import BackendError

CHECKPOINTS = "checkpoints"
"""The folder in a training's output with files that only the training itself needs."""

INDEXES = ("dataset.json", "packed.json", "model_index.json")
"""The files that make a folder a data set, a packed data set or a model."""

REPORTS = ("CrossTest", "ImageQuality", "LandCoverRealism")
"""The jobs that add a page and tables to their output folder, which may hold other things."""

WORDS = (
    "architecture",
    "area",
    "bands",
    "encoder",
    "grid_crs",
    "roads_width",
    "scheduler",
    "stretch",
    "style",
    "water_width",
)
"""The fields of text that are never paths, even where a file in the working directory has the same name."""

BUNDLED = Path(__file__).resolve().parent.parent / "bundled"
"""The folder of the models that come with Landforge, which jobs give by name."""

RASTER_SUFFIXES = frozenset((".tif", ".tiff", ".img", ".png", ".jpg", ".jpeg", ".jp2", ".bmp", ".gif", ".webp", ".vrt"))
_BESIDE = re.compile(r"(\.(ovr|msk))*(\.aux\.xml|\.xml|\.aux|\.rrd|\.vat\.(dbf|cpg))?", re.IGNORECASE)
_VRT_SOURCE = re.compile(r"<Source(?:Filename|Dataset)([^>]*)>([^<]+)<")


def partial_path(final: str | Path) -> Path:
    """The path at which an output is written until it is complete: beside its final path, with the same suffix.

    It follows from the final path, so that a process that kills a job can remove its partial outputs.
    """
    final = Path(final)
    return final.with_name(f".{final.stem}.part{final.suffix}")


def unfinished_path(final: str | Path) -> Path:
    """The folder beside an output with its finished blocks, from which a later run continues."""
    return Path(final).with_name(f".{Path(final).stem}.unfinished")


def partial_paths(job: Any) -> list[Path]:
    """The existing partial outputs of a job, to be removed after a cancel or a crash."""
    paths = []
    for _, value in _outputs(job):
        name = glob.escape(f".{Path(value).stem}.part")
        paths += sorted({*Path(value).parent.glob(name), *Path(value).parent.glob(f"{name}.*")})
    return paths


def remove_partials(job: Any) -> None:
    """Delete the partial outputs of a job that did not finish, but nothing that is one of its inputs."""
    partials = partial_paths(job)
    inputs = [path for _, path in _inputs(job)] if partials else []
    for path in partials:
        if any(_is_inside(source, path) for source in inputs):
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):  # on Windows another process may have it open
                path.unlink()


def _world_suffixes(suffix: str) -> set[str]:
    """The suffixes of files that have a raster's stem and belong to it, such as .tfw and .wld to .tif."""
    letters = suffix.lower().lstrip(".")
    return {f".{letters[:1]}{letters[-1:]}w", f".{letters}w", ".wld", ".aux", ".rrd"} if letters else set()


def sidecars(path: str | Path) -> list[Path]:
    """The files beside a raster that describe its pixels: overviews, masks, statistics, tables and world files.

    A file that another raster of the same stem may own, such as a.wld beside a.tif and a.png, is not among them.
    """
    path = Path(path).absolute()
    fold = str.casefold if ignores_case(path.parent) else str
    own, stem = fold(path.name), fold(path.stem)
    try:
        siblings = sorted(
            entry.name for entry in os.scandir(path.parent) if entry.is_file() and fold(entry.name) != own
        )
    except OSError:
        return []
    of_stem = {name: Path(name).suffix.lower() for name in siblings if fold(Path(name).stem) == stem}
    others = RASTER_SUFFIXES.intersection(of_stem.values())
    owned = _world_suffixes(path.suffix).difference(*map(_world_suffixes, others))
    return [
        path.with_name(name)
        for name in siblings
        if (fold(name).startswith(own) and _BESIDE.fullmatch(name, len(own))) or of_stem.get(name) in owned
    ]


def ignores_case(folder: Path) -> bool:
    """Whether names in a folder are the same in upper and lower case, as far as an entry of it or its own name shows.

    Nothing is written.
    """
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        names = (entry.name for entry in entries if entry.name.isascii() and entry.name.swapcase() != entry.name)
        for name in names:
            return _is_same_existing(folder / name, folder / name.swapcase())
    if folder.name.swapcase() != folder.name:
        return _is_same_existing(folder, folder.with_name(folder.name.swapcase()))
    return folder != folder.parent and ignores_case(folder.parent)


def _is_same_existing(one: str | Path, other: str | Path) -> bool:
    try:
        return os.path.samefile(one, other)
    except (OSError, ValueError):
        return False


def _existing_ancestor(path: Path) -> Path:
    return next((parent for parent in (path, *path.parents) if parent.exists()), path)


def same_file(one: str | Path, other: str | Path) -> bool:
    """Whether two paths lead to one file: also through links, by '..' or, where the disk ignores case, in other case.

    Files that do not exist yet are compared by the places that the paths lead to.
    """
    if _is_same_existing(one, other):
        return True
    places = [Path(os.path.realpath(path)) for path in (one, other)]
    if places[0] == places[1]:
        return True
    folded = [unicodedata.normalize("NFC", str(place)).casefold() for place in places]
    if folded[0] != folded[1]:
        return False
    ancestors = [_existing_ancestor(place) for place in places]
    return _is_same_existing(*ancestors) and ignores_case(ancestors[0])


def _is_inside(path: str | Path, folder: str | Path) -> bool:
    """Whether a path leads into an existing folder, or to it."""
    place = Path(os.path.realpath(path))
    return any(_is_same_existing(parent, folder) for parent in (place, *place.parents))


def _outputs(job: Any) -> list[tuple[str, str]]:
    """The job's outputs: names and paths of the fields that begin with `output`."""
    values = ((spec.name, getattr(job, spec.name)) for spec in dataclasses.fields(job))
    return [(name, value) for name, value in values if name.startswith("output") and value]


def _named_paths(text: str) -> Iterator[str]:
    """The existing files and folders that a text leads GDAL to: `path|layername=a`, `file://path`, /vsizip/path/a."""
    text = re.sub(r"^file:/+(?=[A-Za-z]:)|^file://(?=/)", "", text)
    for candidate in (text, text.partition("|")[0]):
        if os.path.exists(candidate):
            yield candidate
            return
    if archive := re.match(r"(?:/vsi\w+/|\w+://)+(?:[^/!]*,)?(.*)", text):
        inner = Path(archive[1].partition("!")[0].partition("?")[0])
        if existing := next((path for path in (inner, *inner.parents) if path.is_file()), None):
            yield str(existing)


def _vrt_sources(path: str, depth: int = 8) -> Iterator[str]:
    """The files that a VRT reads, also through other VRTs."""
    if depth == 0 or Path(path).suffix.lower() != ".vrt" or not Path(path).is_file():
        return
    text = Path(path).read_text(encoding="utf-8", errors="replace")
    for attributes, source in _VRT_SOURCE.findall(text):
        source = html.unescape(source.strip())
        relative = re.search(r"relativeToVRT\s*=\s*[\"']1", attributes)
        for name in _named_paths(str(Path(path).parent / source) if relative else source):
            yield name
            yield from _vrt_sources(name, depth - 1)


def _inputs(job: Any) -> Iterator[tuple[str, str]]:
    """Names and paths of a job's inputs: of all texts in its fields that lead to existing files or folders."""
    for spec in dataclasses.fields(job):
        if spec.name.startswith("output") or spec.name in WORDS or "Literal" in str(spec.type):
            continue
        value = getattr(job, spec.name)
        for text in value if isinstance(value, tuple) else (value,):
            if not isinstance(text, str) or not text:
                continue
            is_bundled = Path(text).name == text and (BUNDLED / text).is_dir()
            for path in [str(BUNDLED / text)] if is_bundled else _named_paths(text):
                yield spec.name, path
                yield from ((spec.name, source) for source in _vrt_sources(path))


def check_outputs(job: Any) -> None:
    """BackendError where an output of a job would replace or change one of its inputs, or another output.

    Nothing is written. An output folder may be resumed, and a page of figures may join other files; but an output must
    not lie in a data set or model that is an input, nor a data set, training or study around one.
    """
    outputs, inputs = _outputs(job), list(_inputs(job))
    for number, (name, output) in enumerate(outputs):
        if re.match(r"\w{2,}:/|/vsi", output):
            raise BackendError(f"The output {output} is an address. Give the path of a file or folder on a disk.")
        for other_name, other in outputs[:number]:
            if same_file(output, other):
                raise BackendError(f"{other_name} and {name} are the same file, {output}. Choose another for one.")
        beside = sidecars(output)
        for input_name, path in inputs:
            if problem := _conflict(output, beside, path, type(job).__name__ in REPORTS):
                raise BackendError(f"{problem} ({input_name.upper()}). Choose another output.")


def _conflict(output: str, beside: list[Path], path: str, is_report: bool) -> str:
    """What an output, with the files that are removed with it, would do to an input; empty where it leaves it alone."""
    if Path(path).is_dir():
        if any((Path(path) / index).is_file() for index in INDEXES) and _is_inside(output, path):
            return f"The output {output} lies in the folder {path}, which is an input"
    elif same_file(output, path):
        return f"The output {output} is the input {path} itself"
    elif same_file(Path(output).absolute().parent, Path(path).absolute().parent) and (
        any(same_file(output, file) for file in sidecars(path)) or any(same_file(file, path) for file in beside)
    ):
        return f"The output {output} would replace a part of the input {path}"
    if any(_is_inside(path, folder) for folder in (partial_path(output), unfinished_path(output))):
        return f"The input {path} lies where a run leaves the unfinished parts of the output {output}"
    if not is_report and Path(output).is_dir() and _is_inside(path, output):
        return f"The output folder {output} holds the input {path}"
    return ""
