"""Images and labels are paired by place, whatever the order of their names; crossed and partial pairs are refused."""

import numpy as np
import pytest
import rasterio
from pyproj import Transformer
from rasterio.control import GroundControlPoint
from rasterio.crs import CRS

from backend.datasets import pairing
from backend.protocol import BackendError
from tests.backend.rasters import write_raster

SIDE = 64


def rasters(folder, names, lefts, crs="EPSG:32618"):
    """Rasters of SIDE x SIDE metres by name, with their left edges."""
    data = np.full((1, SIDE, SIDE), 10, np.uint8)
    return [
        str(write_raster(folder / f"{name}.tif", data, 500_000.0 + left, crs=crs)) for name, left in zip(names, lefts)
    ]


@pytest.fixture
def folders(tmp_path):
    return tmp_path / "image", tmp_path / "label"


@pytest.mark.parametrize("step", [1000, 64, 32])
def test_names_that_sort_differently_are_paired_by_place(folders, step):
    images = rasters(folders[0], ["tile_1", "tile_1_b"], [0, step])
    labels = rasters(folders[1], ["tile_1_b_mask", "tile_1_mask"], [step, 0])
    notes = []
    assert pairing.labels_by_place(images, labels, notes.append) == (labels[1], labels[0])
    assert len(notes) == 1 and "paired by place, for instance tile_1.tif with tile_1_mask.tif" in notes[0]


def test_labels_of_one_place_are_paired_by_name_and_else_by_order(folders):
    images = rasters(folders[0], ["a_2019", "a_2021"], [0, 0])
    labels = rasters(folders[1], ["a_2021_lc", "a_2019_lc"], [0, 0])
    assert pairing.labels_by_place(images, labels, print) == (labels[1], labels[0])
    others = rasters(folders[1], ["x", "y"], [0, 0])
    assert pairing.labels_by_place(images, others, print) == tuple(others)


def test_one_label_serves_all_images(folders):
    images, labels = rasters(folders[0], ["a", "b"], [0, 500]), rasters(folders[1], ["c"], [0])
    assert pairing.labels_by_place(images, labels, print) == (labels[0], labels[0])


def test_an_image_that_no_label_covers_by_half_is_refused(folders):
    images, labels = rasters(folders[0], ["a", "b"], [0, 500]), rasters(folders[1], ["a", "b"], [0, 540])
    with pytest.raises(BackendError, match=r"No label covers the image .*b\.tif: .* covers 3[78]% of it"):
        pairing.labels_by_place(images, labels, print)


def test_two_images_of_one_label_beside_another_label_are_refused(folders):
    images, labels = rasters(folders[0], ["a", "b"], [0, 8]), rasters(folders[1], ["c", "d"], [4, 900])
    with pytest.raises(BackendError, match=r"a\.tif and b\.tif lie on one label, .*c\.tif"):
        pairing.labels_by_place(images, labels, print)


def test_rasters_of_two_crs_are_paired(folders):
    images = rasters(folders[0], ["a", "b"], [0, 500])
    west, north = Transformer.from_crs(32618, 4326, always_xy=True).transform(499_990.0, 4_000_010.0)
    in_degrees = write_raster(
        folders[1] / "wgs84.tif", np.full((1, 50, 50), 10, np.uint8), west, north, 0.00002, "EPSG:4326"
    )
    labels = [rasters(folders[1], ["b"], [500])[0], str(in_degrees)]
    assert pairing.labels_by_place(images, labels, print) == (labels[1], labels[0])


def test_control_points_and_longitudes_beyond_180_are_places(folders):
    images = rasters(folders[0], ["a", "b"], [0, 500])
    west, north = Transformer.from_crs(32618, 4326, always_xy=True).transform(499_990.0, 4_000_010.0)
    label = np.full((1, 50, 50), 10, np.uint8)
    beyond = write_raster(folders[1] / "beyond.tif", label, west + 360, north, 0.00002, "EPSG:4326")
    by_points = folders[1] / "points.tif"
    with rasterio.open(by_points, "w", driver="GTiff", count=1, height=50, width=50, dtype="uint8") as target:
        target.write(label)
        corners = [(row, col) for row in (0, 50) for col in (0, 50)]
        points = [GroundControlPoint(row, col, 500_490 + 2 * col, 4_000_010 - 2 * row) for row, col in corners]
        target.gcps = (points, CRS.from_epsg(32618))
    assert pairing.labels_by_place(images, [str(by_points), str(beyond)], print) == (str(beyond), str(by_points))


def test_folders_give_their_rasters(folders):
    paths = rasters(folders[0], ["b", "a"], [0, 500])
    (folders[0] / "notes.txt").write_text("no raster")
    assert pairing.rasters_of([str(folders[0]), "other.tif"]) == (*sorted(paths), "other.tif")
    folders[1].mkdir()
    with pytest.raises(BackendError, match="holds no raster"):
        pairing.rasters_of([str(folders[1])])
