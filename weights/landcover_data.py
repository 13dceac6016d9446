"""The land cover maps of the bundled weights: their styles, held-out blocks and weights, and how they are packed.

`worldcover/` holds ESA WorldCover at 10 m, `landcover_30m/` US land cover at 30 m. Maps in degrees are projected to
UTM, because a pixel at 50 degrees north is half as wide as it is high. The small ones are packed in further rotations,
whose held-out pixels are unknown, so that a model does not learn the few places by heart.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from odc.geo.crs import CRS
from rasterio.warp import Resampling, reproject, transform_bounds

from backend.datasets.layout import LANDCOVER_PIXEL_M as PIXEL_M
from backend.datasets.layout import PACKED_INDEX
from backend.geo import legend
from backend.protocol import BackendError, Reporter

HELD_OUT_PERCENT = 15
NO_STYLE = ""
"""Of maps at 30 m: they are learned from, and never generated."""
STYLE_WEIGHTS = {"tropical": 0.35, "temperate": 0.3, "semiarid": 0.15, NO_STYLE: 0.2}
"""The share of each style's maps among the training crops; US maps at 30 m weigh with the temperate ones."""


@dataclass(frozen=True)
class LandCoverMap:
    """A map's style, the side of its held-out blocks in pixels, and further rotations in degrees.

    `held_out` has row and column of the blocks; None leaves the choice to a checksum, which holds out 15 percent.
    """

    style: str
    block_px: int = 512
    held_out: tuple[tuple[int, int], ...] | None = None
    angles: tuple[int, ...] = ()


SMALL = (30, 60)  # with the turns by 90 degrees and reflections of every crop, 24 orientations
MAPS = {
    "ecuador_west": LandCoverMap("tropical"),
    "sao_tome": LandCoverMap("tropical"),
    "koblenz_de": LandCoverMap("temperate", 192, ((768, 340),), SMALL),
    "lumberton_nc_us": LandCoverMap("temperate", 192, ((330, 120),), SMALL),
    "berlin_de": LandCoverMap("temperate", held_out=(), angles=SMALL),
    "rotterdam_nl": LandCoverMap("temperate", held_out=(), angles=SMALL),
    "hongkong_cn": LandCoverMap("temperate", held_out=(), angles=SMALL),
    "beledweyne_so": LandCoverMap("semiarid", 256, angles=SMALL),
    "boorowa_au": LandCoverMap("semiarid", held_out=(), angles=SMALL),
    "cdl_kansas": LandCoverMap(NO_STYLE, held_out=()),
    "nlcd_augusta_ga": LandCoverMap(NO_STYLE, held_out=()),
    "nlcd_connecticut": LandCoverMap(NO_STYLE, held_out=()),
    "nlcd_frederick_md": LandCoverMap(NO_STYLE, held_out=()),
    "nlcd_rhode_island": LandCoverMap(NO_STYLE, held_out=()),
}
"""The maps by file name; a further map in the folders has no style and blocks of 512 pixels."""


EQUATORIAL_DEGREES = 10
"""Up to this latitude the pixels of a map in degrees are square enough to be used as they are."""


@dataclass(frozen=True)
class _Grid:
    """A grid of 10 m pixels: its CRS, transform and shape."""

    crs: str
    transform: Affine
    shape: tuple[int, int]


def _turned_grid(source: rasterio.DatasetReader, angle: int) -> _Grid:
    """A grid of 10 m in UTM over a map, turned by `angle` degrees around the map's centre."""
    centre = ((source.bounds.left + source.bounds.right) / 2, (source.bounds.bottom + source.bounds.top) / 2)
    utm = str(CRS.utm(*centre))
    west, south, east, north = transform_bounds(source.crs, utm, *source.bounds)
    width, height = (east - west) / PIXEL_M, (north - south) / PIXEL_M
    cosine, sine = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    shape = (round(width * sine + height * cosine), round(width * cosine + height * sine))
    transform = (
        Affine.translation((west + east) / 2, (south + north) / 2)
        @ Affine.rotation(angle)
        @ Affine.scale(PIXEL_M, -PIXEL_M)
        @ Affine.translation(-shape[1] / 2, -shape[0] / 2)
    )
    return _Grid(utm, transform, shape)


def _warped(array: np.ndarray, source: _Grid, target: _Grid) -> np.ndarray:
    """An array of one grid on another one, by nearest neighbour; 0 where it has no pixels."""
    warped = np.zeros(target.shape, dtype=np.uint8)
    places = {"src_transform": source.transform, "src_crs": source.crs}
    places |= {"dst_transform": target.transform, "dst_crs": target.crs}
    reproject(array, warped, resampling=Resampling.nearest, **places)
    return warped


def _held_out_blocks(name: str, shape: tuple[int, ...], settings: LandCoverMap) -> list[list[int]]:
    """Row and column of the held-out blocks; the checksum of a block's place is the same on every machine."""
    if settings.held_out is not None:
        return [list(block) for block in settings.held_out]
    block_px = settings.block_px
    return [
        [row, col]
        for row in range(0, shape[0] - block_px + 1, block_px)
        for col in range(0, shape[1] - block_px + 1, block_px)
        if zlib.crc32(f"{name}_{row}_{col}".encode()) % 100 < HELD_OUT_PERCENT
    ]


def _pack_map(path: Path, target: Path) -> dict[str, dict[str, Any]]:
    """Write the arrays of a map, one for each of its angles; returns their entries in `packed.json` by name."""
    settings = MAPS.get(path.stem, LandCoverMap(NO_STYLE))
    with rasterio.open(path) as source:
        codes = source.read(1)
        grid = _Grid(source.crs.to_wkt(), source.transform, codes.shape)
        latitude = max(abs(source.bounds.bottom), abs(source.bounds.top))
        if source.crs.is_geographic and latitude > EQUATORIAL_DEGREES:
            upright = _turned_grid(source, 0)
            codes, grid = _warped(codes, grid, upright), upright
        blocks = _held_out_blocks(path.stem, codes.shape, settings)
        entries = {path.stem: {"held_out_blocks": blocks, "block_px": settings.block_px}}
        np.save(target / f"{path.stem}_landcover.npy", legend.to_index(codes))
        for row, col in blocks:
            codes[row : row + settings.block_px, col : col + settings.block_px] = legend.NODATA
        for angle in settings.angles:
            name = f"{path.stem}_{angle}"
            turned = _warped(codes, grid, _turned_grid(source, angle))
            np.save(target / f"{name}_landcover.npy", legend.to_index(turned))
            entries[name] = {"held_out_blocks": [], "block_px": settings.block_px}
    return {name: {**entry, "style": settings.style} for name, entry in entries.items()}


def pack(source: Path, target: Path, report: Reporter) -> Path:
    """Pack all maps in `worldcover/` and `landcover_30m/` of a folder; returns the packed folder.

    An entry's `emphasis` is the factor on its pixels by which the maps of a style get the style's weight. Raises
    BackendError where there is no map.
    """
    paths = sorted([*(source / "worldcover").glob("*.tif"), *(source / "landcover_30m").glob("*.tif")])
    if not paths:
        raise BackendError(f"{source} is no training data folder: it holds no worldcover/*.tif.")
    target.mkdir(parents=True, exist_ok=True)
    entries, pixels = dict[str, dict[str, Any]](), dict[str, int]()
    for number, path in enumerate(paths):
        report.progress(number / len(paths), f"packing {path.stem}")
        entries |= _pack_map(path, target)
    for name, entry in entries.items():
        labelled = np.load(target / f"{name}_landcover.npy", mmap_mode="r") != legend.IGNORE
        pixels[entry["style"]] = pixels.get(entry["style"], 0) + int(labelled.sum())
    for entry in entries.values():
        style = entry["style"]
        if weight := STYLE_WEIGHTS.get(style):
            entry["emphasis"] = weight * sum(pixels.values()) / pixels[style]
    (target / PACKED_INDEX).write_text(json.dumps({"pixel_m": PIXEL_M, "landcover": entries}))
    return target
