"""Layers: lazy rasters that are rendered into files."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np
from odc.geo.geobox import GeoBox

from backend.geo import legend
from backend.geo.raster import Kind, RasterWriter
from backend.protocol import Reporter
from backend.tiling.landcover_input import box_of_grid
from backend.tiling.lattice import Box
from backend.tiling.lazy_raster import LazyRaster
from backend.tiling.regions import Everywhere, RegionOfInterest
from backend.tiling.render import Output, render


@dataclass(frozen=True)
class Layer:
    """A lazy raster and the file that it becomes.

    `raster` has class indices for the kind `classes` and (3, height, width) uint8 for `rgb`. Pixels outside `area` are
    nodata, or masked. `identity` is a text that says what the pixels depend on beside grid and tags: an interrupted run
    continues only where it is the same.
    """

    raster: LazyRaster
    grid: GeoBox
    kind: Kind
    tags: dict[str, str]
    area: RegionOfInterest
    identity: str
    legend_name: str = "worldcover"

    def writer(self, path: str) -> RasterWriter:
        """The layer's file, to be opened as a context; it keeps the finished blocks of an interrupted run."""
        resume = resume_identity(self.raster, self.identity)
        return RasterWriter(path, self.grid, self.kind, self.tags, resume, self.legend_name)

    def output(self, writer: RasterWriter, report: Reporter) -> Output:
        """The blocks that are not in the file yet; each is reported when it is written."""
        region = box_of_grid(self.grid)

        def write(box: Box, pixels: np.ndarray) -> None:
            values = legend.to_code(pixels) if self.kind == "classes" else pixels
            inside = None
            if not isinstance(self.area, Everywhere):
                inside = self.area.inside(box)
                values = np.where(inside, values, np.uint8(legend.NODATA))
            writer.write(values, box.row - region.row, box.col - region.col, inside)
            report.preview(writer.path, writer.preview())

        done = frozenset((row + region.row, col + region.col) for row, col in writer.done)
        return Output(self.raster, region, self.area, self.grid.resolution.x, write, done)


def write_layers(layers: Sequence[tuple[str, Layer]], scheduler: str, report: Reporter) -> None:
    """Render layers into their files, all or none of which appear.

    A layer without a path is computed only as far as the others read it. `scheduler` is the address of a Dask
    scheduler, or empty.
    """
    written = [(path, layer) for path, layer in layers if path]
    with ExitStack() as stack:  # nested, so that none appears where any fails or is cancelled
        writers = [stack.enter_context(layer.writer(path)) for path, layer in written]
        for writer in writers:
            _announce(writer, report)
        outputs = [layer.output(writer, report) for (_, layer), writer in zip(written, writers)]
        render(outputs, scheduler, report)


def _announce(writer: RasterWriter, report: Reporter) -> None:
    """Log the size of an output, and what an interrupted run has left of it."""
    report.log(f"{writer.path.name}: {writer.size()}.")
    if writer.done:
        report.log(f"{writer.path.name}: an earlier run left {len(writer.done):,} finished blocks; going on from them.")
        report.preview(writer.path, writer.preview())


def resume_identity(raster: LazyRaster, *inputs: str) -> str:
    """What finished blocks depend on beside tags and grid: where blocks lie, and texts that identify the inputs."""
    return " ".join([str(raster.box(0, 0)), *inputs])
