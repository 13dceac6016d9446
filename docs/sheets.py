"""Draw the contact sheets of the bundled generators in `docs/images`: `make sheets`.

- `wide_ground_GENERATOR.png`: land cover of one class, a row for each class, a column for each look.
- `town_GENERATOR.png`: an invented town without and with its roads and houses as vector layers.
- `detail_GENERATOR.png`: an invented farm, its land cover at 10 m and at 1 m, and the image painted on each.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import rasterio
import shapely
from rasterio.features import rasterize
from rasterio.transform import from_origin

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from backend.generation.image_generators import load_image_generator  # noqa: E402
from backend.geo import legend  # noqa: E402
from backend.jobs import generateimage  # noqa: E402
from backend.protocol import GenerateImage, silent  # noqa: E402
from backend.reports import contact_sheet  # noqa: E402

GENERATORS = ("spade", "controlnet")
CRS, LEFT, TOP = "EPSG:32615", 500_000, 4_500_000
SIDE_M = 256
WIDE_CODES = (10, 20, 30, 40, 50, 60, 80)
TREE, GRASS, CROP, BUILT, WATER = 10, 30, 40, 50, 80


def point(x: float, y: float) -> tuple[float, float]:
    """Metres east and south of a map's upper left corner as coordinates in CRS."""
    return LEFT + x, TOP - y


def write_map(path: Path, codes: np.ndarray) -> str:
    """Write class codes (h, w), which cover SIDE_M x SIDE_M, as a GeoTIFF; returns its path."""
    pixel_m = SIDE_M / len(codes)
    profile = dict(driver="GTiff", count=1, height=len(codes), width=len(codes), dtype="uint8", nodata=0)
    with rasterio.open(path, "w", crs=CRS, transform=from_origin(LEFT, TOP, pixel_m, pixel_m), **profile) as target:
        target.write(codes.astype(np.uint8), 1)
    return str(path)


def write_features(path: Path, shapes: list[shapely.Geometry], **fields: str) -> str:
    """Write geometries in CRS as GeoJSON with the same fields; returns its path."""
    features = [
        {"type": "Feature", "properties": fields, "geometry": json.loads(shapely.to_geojson(shape))} for shape in shapes
    ]
    crs = {"type": "name", "properties": {"name": f"urn:ogc:def:crs:{CRS.replace(':', '::')}"}}
    path.write_text(json.dumps({"type": "FeatureCollection", "crs": crs, "features": features}), encoding="utf-8")
    return str(path)


def paint(folder: Path, landcover: str, generator: str, seed: int = 0, **layers: str) -> np.ndarray:
    """(SIDE_M, SIDE_M, 3) uint8: the image that 'Generate image' paints on a map of that side."""
    output = folder / "image.tif"
    output.unlink(missing_ok=True)
    generateimage.run(GenerateImage(landcover, str(output), generator, seed=seed, **layers), silent())
    with rasterio.open(output) as source:
        return source.read((1, 2, 3))[:, :SIDE_M, :SIDE_M].transpose(1, 2, 0)


def wide_ground(folder: Path, generator: str) -> np.ndarray:
    """The sheet of land cover of one class."""
    looks = sorted(load_image_generator(generator).index.get("style_combinations", {"": 1.0}))
    columns = []
    for look in looks:
        maps = (write_map(folder / "map.tif", np.full((SIDE_M, SIDE_M), code)) for code in WIDE_CODES)
        columns.append(np.stack([paint(folder, landcover, generator, style=look) for landcover in maps]))
    return contact_sheet.sheet(columns)


def town_layers(folder: Path) -> dict[str, str]:
    """Roads and houses of an invented town, as files by the job's fields."""
    main_road = shapely.LineString([point(-50, 150), point(90, 128), point(190, 140), point(320, 120)])
    streets = [
        shapely.LineString([point(x, y) for x, y in line])
        for line in (
            [(40, -40), (52, 130)],
            [(128, -40), (132, 133), (120, 300)],
            [(205, 138), (214, 300)],
            [(46, 62), (130, 56), (300, 66)],
            [(122, 220), (212, 226), (300, 215)],
        )
    ]
    roads = shapely.union_all([main_road, *streets])
    rng, houses = np.random.default_rng(4), list[shapely.Geometry]()
    for street in streets:
        for at in np.arange(12, street.length, 19):
            start, ahead = street.interpolate(at), street.interpolate(at + 1)
            direction = np.array([ahead.x - start.x, ahead.y - start.y])
            across = np.array([-direction[1], direction[0]])
            for side in (-1, 1):
                centre = np.array([start.x, start.y]) + side * rng.uniform(14, 18) * across
                width, depth = rng.uniform(9, 13), rng.uniform(8, 11)
                corners = [
                    centre + sx * width / 2 * direction + sy * depth / 2 * across
                    for sx, sy in ((-1, -1), (1, -1), (1, 1), (-1, 1))
                ]
                house = shapely.Polygon(corners)
                if house.distance(roads) > 5 and all(house.distance(other) > 3 for other in houses):
                    houses.append(house)
    return {
        "roads": write_features(folder / "roads.geojson", [main_road, *streets], highway="residential"),
        "buildings": write_features(folder / "houses.geojson", houses),
    }


def town(folder: Path, generator: str) -> np.ndarray:
    """The sheet of the town: land cover, painted without and with its layers, for two seeds."""
    codes = np.full((26, 26), BUILT)
    codes[[4, 9, 10, 18, 21, 22], [15, 3, 4, 20, 8, 8]] = TREE
    codes[16:18, 2:6] = GRASS
    landcover, layers = (
        write_map(folder / "town.tif", codes.repeat(10, 0).repeat(10, 1)[:SIDE_M, :SIDE_M]),
        town_layers(folder),
    )
    rows = [
        [paint(folder, landcover, generator, seed), paint(folder, landcover, generator, seed, **layers)]
        for seed in (0, 1)
    ]
    picture = legend.picture(legend.to_index(codes.astype(np.uint8))).repeat(10, 0).repeat(10, 1)[:SIDE_M, :SIDE_M]
    return contact_sheet.sheet([np.stack([picture] * 2), *(np.stack(column) for column in zip(*rows))])


def farm() -> np.ndarray:
    """(SIDE_M, SIDE_M) class codes at 1 m of a farm: a drive, houses, a pond, trees, a hedge, two fields."""
    trees = [
        shapely.Point(x, y).buffer(r)
        for x, y, r in ((60, 70, 7), (82, 58, 5), (112, 92, 6), (150, 60, 8), (170, 80, 5))
    ]
    shapes = [
        (shapely.box(0, 150, 120, 256), CROP),
        (shapely.box(128, 158, 256, 256), CROP),
        (shapely.LineString([(0, 148), (124, 150), (126, 256)]).buffer(3), TREE),
        (shapely.Polygon([(180, 20), (225, 12), (240, 50), (215, 85), (185, 60)]).buffer(8), WATER),
        *((tree, TREE) for tree in trees),
        (shapely.LineString([(256, 135), (140, 130), (100, 118)]).buffer(3), BUILT),
        (shapely.box(70, 95, 92, 108), BUILT),
        (shapely.box(105, 112, 125, 126), BUILT),
    ]
    return rasterize(shapes, (SIDE_M, SIDE_M), fill=GRASS, dtype="uint8")


def detail(folder: Path, generator: str) -> np.ndarray:
    """The sheet of the farm: its land cover at 10 m and 1 m, and the images of two seeds painted on each."""
    fine = farm()
    cells = legend.majority_downsample(legend.to_index(fine), 10)
    coarse = legend.to_code(np.pad(cells, (0, 1), mode="edge")).repeat(10, 0).repeat(10, 1)[:SIDE_M, :SIDE_M]
    rows = []
    for name, codes in (("coarse", coarse), ("fine", fine)):
        landcover = write_map(folder / f"{name}.tif", codes)
        images = [paint(folder, landcover, generator, seed) for seed in (0, 1)]
        rows.append([legend.picture(legend.to_index(codes)), *images])
    return contact_sheet.sheet([np.stack(column) for column in zip(*rows)])


def main(target: Path) -> int:
    """Draw all sheets."""
    for generator in GENERATORS:
        for draw in (wide_ground, town, detail):
            with tempfile.TemporaryDirectory() as folder:
                contact_sheet.write_png(target / f"{draw.__name__}_{generator}.png", draw(Path(folder), generator))
            print(f"{draw.__name__}_{generator}.png", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images"))
