"""What generating jobs share: an image generator by name, provenance, and the way of a field into a GeoTIFF."""

from __future__ import annotations

import hashlib
import importlib
from typing import Any

import numpy as np

from backend.geo import legend, provenance
from backend.geo.raster import RasterWriter
from backend.models import base
from backend.protocol import BackendError, Reporter
from backend.tiling import landcover_input
from backend.tiling.lattice import Box
from backend.tiling.lazy_raster import LazyRaster
from backend.tiling.regions import Everywhere, RegionOfInterest
from backend.tiling.render import Output

SETTINGS = ("window", "stride", "phases", "guidance_scale")


def load_generator(generator: str, name: str) -> Any:
    """The image generator of a name ('controlnet', 'spade'), with a model's weights or its bundled ones."""
    module = importlib.import_module(f"backend.models.{generator}")
    return base.load(module.ImageGenerator, name or generator)


def known_styles(generator: Any) -> list[str]:
    """The styles that a generator has learned; those without any know none."""
    return list(generator.index.get("styles", []))


def styles_of(generator: Any, style: str, seed: int) -> tuple[str, ...]:
    """The styles to paint in: those that are asked for, parted by commas, and what the seed adds to them.

    What is left open is drawn among the looks of the generator's training tiles that hold what is asked for, so that
    other seeds are other places, and all of one are of the same camera. BackendError for a style that the generator
    does not know.
    """
    styles = _words(style)
    known = known_styles(generator)
    for foreign in styles:
        if foreign not in known:
            raise BackendError(
                f"The image generator {generator.name} knows no style {foreign!r}. Choose among: "
                f"{', '.join(known) or 'none'}."
            )
    looks = [(_words(look), share) for look, share in sorted(generator.index.get("style_combinations", {}).items())]
    fitting = [(words, share) for words, share in looks if set(styles) <= set(words)]
    return _drawn(fitting, seed) if fitting else styles


def _words(style: str) -> tuple[str, ...]:
    return tuple(sorted({part.strip() for part in style.split(",")} - {""}))


def _drawn(looks: list[tuple[tuple[str, ...], float]], seed: int) -> tuple[str, ...]:
    """One of several looks, by their shares."""
    number = int.from_bytes(hashlib.sha256(f"look {seed}".encode()).digest()[:8], "big") / 2**64
    shares = np.cumsum([share for _, share in looks])
    return looks[int(np.searchsorted(shares, number * shares[-1], side="right"))][0]


def look_note(styles: tuple[str, ...], style: str) -> str:
    """What is said of the styles where the seed has drawn some; empty where it has not."""
    drawn = [word for word in styles if word not in _words(style)]
    return f"Style: {', '.join(styles)} ({', '.join(drawn)} drawn by the seed; STYLE asks for one)." if drawn else ""


def notes(generator: Any, styles: tuple[str, ...], style: str) -> list[str]:
    """What is said before an image is painted in `styles`, where `style` was asked for."""
    return [note for note in (look_note(styles, style), unseen_note(generator)) if note]


def unseen_note(generator: Any) -> str:
    """What is said of the classes that an image generator has not seen; empty where there are none."""
    looks = legend.unseen(generator.seen)
    pairs = (f"{legend.LEGEND[code][0]} as {legend.LEGEND[look][0]}" for code, look in looks.items())
    return f"Classes that the generator has never seen are painted as others: {', '.join(pairs)}." if looks else ""


def tags_of(generator: Any, seed: int, steps: int, **more: Any) -> dict[str, str]:
    """The provenance of what a generator makes: all that it depends on beside its place."""
    settings = {
        "steps": steps,
        "steps_taken": generator.taken(steps),
        "generator": generator.index["landforge"],
        **more,
    }
    settings |= {key: generator.index[key] for key in SETTINGS if key in generator.index}
    credited = "; ".join(generator.index.get("data", {}).get("attribution", []))
    tags = provenance.synthetic(generator.name, generator.digest, seed, settings)
    return {**tags, **({"LANDFORGE_ATTRIBUTION": credited} if credited else {})}


def landcover_output(field: LazyRaster, writer: RasterWriter, area: RegionOfInterest, report: Reporter) -> Output:
    """A field of class indices as WorldCover codes in a raster; nodata outside the area. Blocks are reported."""
    region = landcover_input.box_of_grid(writer.box)

    def write(box: Box, indices: np.ndarray) -> None:
        codes = legend.to_code(indices)
        if not isinstance(area, Everywhere):
            codes[~area.inside(box)] = legend.NODATA
        writer.write(codes, box.row - region.row, box.col - region.col)
        report.preview(writer.path, writer.preview())

    return _output(field, writer, area, write)


def image_output(field: LazyRaster, writer: RasterWriter, area: RegionOfInterest, report: Reporter) -> Output:
    """A field of RGB in a raster; masked outside the area. Blocks are reported."""
    region = landcover_input.box_of_grid(writer.box)

    def write(box: Box, image: np.ndarray) -> None:
        inside = None
        if not isinstance(area, Everywhere):
            inside = area.inside(box)
            image = np.where(inside, image, 0)
        writer.write(image, box.row - region.row, box.col - region.col, inside)
        report.preview(writer.path, writer.preview())

    return _output(field, writer, area, write)


def _output(field: LazyRaster, writer: RasterWriter, area: RegionOfInterest, write: Any) -> Output:
    region = landcover_input.box_of_grid(writer.box)
    done = frozenset((row + region.row, col + region.col) for row, col in writer.done)
    return Output(field, region, area, writer.box.resolution.x, write, done)


def announce(report: Reporter, *writers: RasterWriter) -> None:
    """Say how large the outputs will be, and what an earlier run has left to go on from."""
    for writer in writers:
        report.log(f"{writer.path.name}: {writer.size()}.")
        if writer.done:
            report.log(
                f"{writer.path.name}: an earlier run left {len(writer.done):,} finished blocks; going on from them."
            )
            report.preview(writer.path, writer.preview())


def resumed(field: LazyRaster, *inputs: str) -> str:
    """What finished blocks depend on beside tags and grid: where blocks lie, and the inputs' own texts."""
    return " ".join([str(field.box(0, 0)), *inputs])
