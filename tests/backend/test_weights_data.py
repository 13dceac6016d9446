"""Packing the training data of the bundled weights: 1 m arrays, class indices, splits by site."""

import csv

import numpy as np
import pytest
import rasterio

from backend.datasets.layout import read_packed_index
from backend.datasets.packed import PackedLandCover, PackedTiles
from backend.geo import legend
from backend.protocol import BackendError, silent
from weights import image_data, landcover_data


def write_tile(path, data, pixel_m=1.0):
    path.parent.mkdir(parents=True, exist_ok=True)
    transform = rasterio.transform.from_origin(500000, 4000000, pixel_m, pixel_m)
    profile = dict(driver="GTiff", count=len(data), height=data.shape[1], width=data.shape[2], dtype="uint8")
    with rasterio.open(path, "w", crs="EPSG:26910", transform=transform, **profile) as target:
        target.write(data)


@pytest.fixture
def source(tmp_path):
    rows = [{"name": f"town_{year}_{site}", "site": f"town_{site}"} for site in range(40) for year in (2016, 2018)]
    for row in rows:
        image = np.zeros((3, 50, 50), np.uint8)
        image[0] = np.arange(50)[None, :] * 5
        label = np.full((1, 50, 50), 10, np.uint8)
        label[:, :, 25:] = 50
        write_tile(tmp_path / "data/naip/image" / f"{row['name']}.tif", image, 0.6)
        write_tile(tmp_path / "data/naip/label" / f"{row['name']}.tif", label, 0.6)
    with open(tmp_path / "data/naip/index.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, ["name", "site"])
        writer.writeheader()
        writer.writerows(rows)
    cover = np.full((1, 1200, 1100), 30, np.uint8)
    cover[:, 100:200] = 7  # in no legend
    write_tile(tmp_path / "data/worldcover/somewhere.tif", cover, 10)
    return tmp_path / "data"


def test_tiles_are_averaged_to_one_metre_and_split_by_site(source, tmp_path):
    folder = image_data.pack(source, tmp_path / "packed", silent())
    arrays = PackedTiles((folder,)).groups["0_naip"].arrays
    images, labels = arrays.images, arrays.labels
    assert images.shape == (80, 30, 30, 3)
    expected = (np.arange(30) + 0.5) / 0.6 * 5 - 2.5
    assert np.abs(images[0, 10, :, 0].astype(float) - expected).max() <= 3
    assert (labels[0, :, :14] == 0).all() and (labels[0, :, 16:] == 4).all()
    entry = read_packed_index(folder)["tiles"]["naip"]
    sites = {}
    for name, split in zip(entry["names"], entry["split"]):
        sites.setdefault(name.split("_")[2], set()).add(split)
    assert all(len(splits) == 1 for splits in sites.values()), "one site's years lie in one split"
    assert {"train", "val"} == set(entry["split"])


def test_fine_labels_and_lines_lie_on_the_image(source, tmp_path):
    for label in sorted((source / "naip/label").glob("*.tif")):
        fine = np.full((1, 50, 50), 10, np.uint8)
        fine[:, 10:, 5:] = 50
        write_tile(source / "naip/label_fine" / label.name, fine, 0.6)
        image = np.full((3, 50, 50), 40, np.uint8)
        image[:, 10:, 5:] = 160
        write_tile(source / "naip/image" / label.name, image, 0.6)
    arrays = PackedTiles((image_data.pack(source, tmp_path / "packed", silent()),)).groups["0_naip"].arrays
    assert arrays.fine.shape == arrays.lines.shape == (80, 30, 30)
    assert (
        (arrays.fine[3, 6:, 3:] == 4).all() and (arrays.fine[3, :6] == 0).all() and (arrays.fine[3, :, :3] == 0).all()
    )
    rows, cols = np.nonzero(arrays.lines[3])
    assert len(rows) > 30 and (np.minimum(abs(rows - 6), abs(cols - 3)) <= 2).all()


def test_tiles_without_an_index_get_their_season_and_climate(tmp_path):
    for site in range(30):
        for season in ("summer", "autumn"):
            for kind, bands in (("image", 3), ("label", 1)):
                path = tmp_path / "data/naip_wv" / kind / f"wv_{site}_{season}.tif"
                write_tile(path, np.full((bands, 20, 20), 30, np.uint8))
    write_tile(tmp_path / "data/naip_desert/image/az_1.tif", np.full((3, 40, 40), 200, np.uint8))
    write_tile(tmp_path / "data/naip_desert/label/az_1.tif", np.array([[[60] * 4, [20] * 4] * 2], np.uint8), 10.0)
    folder = image_data.pack(tmp_path / "data", tmp_path / "packed", silent())
    entries = read_packed_index(folder)["tiles"]
    assert entries["naip_wv"]["names"][:2] == ["wv_0_autumn", "wv_0_summer"]
    assert entries["naip_wv"]["styles"] == [["temperate", "autumn"], ["temperate", "summer"]] * 30
    split = np.array(entries["naip_wv"]["split"]).reshape(30, 2)
    assert (split[:, 0] == split[:, 1]).all() and set(split[:, 0]) == {"train", "val"}, "seasons show the same ground"
    assert entries["naip_desert"]["styles"] == [["arid"]] and entries["naip_desert"]["emphasis"] < 1
    desert = np.load(folder / "naip_desert_label.npy")
    assert desert.shape == (1, 40, 40) and (desert[0, :10] == 5).all() and (desert[0, 10:20] == 1).all()
    assert not (folder / "naip_wv_fine.npy").exists()


def test_the_styles_of_a_tile_are_its_climate_and_year():
    assert image_data.styles_of({"city": "chico", "year": "2018"}, "naip") == ["semiarid", "2018"]
    assert image_data.styles_of({"name": "midwest_00"}, "rural") == ["temperate"]
    assert image_data.styles_of({"name": "forest01"}, "usgs") == []


def test_land_cover_becomes_indices(source, tmp_path):
    data = PackedLandCover((landcover_data.pack(source, tmp_path / "packed", silent()),))
    maps = data.groups["0_somewhere"].classes
    assert maps.shape == (1, 1200, 1100)
    assert maps[0, 0, 0] == 2 and maps[0, 150, 0] == legend.IGNORE


def test_small_maps_are_turned_without_their_held_out_ground(tmp_path, monkeypatch):
    """The held-out block is water, which no turned copy shows; a map in degrees has square pixels afterwards."""
    settings = landcover_data.LandCoverMap("temperate", 64, ((32, 16),), (45,))
    monkeypatch.setitem(landcover_data.MAPS, "small", settings)
    codes = np.full((200, 300), 10, np.uint8)
    codes[45:90, 60:120] = 80
    path = tmp_path / "data" / "worldcover" / "small.tif"
    path.parent.mkdir(parents=True)
    transform = rasterio.transform.from_origin(7.5, 50, 1 / 12_000, 1 / 12_000)
    profile = dict(driver="GTiff", count=1, height=200, width=300, dtype="uint8", crs="EPSG:4326", transform=transform)
    with rasterio.open(path, "w", **profile) as target:
        target.write(codes, 1)
    folder = landcover_data.pack(tmp_path / "data", tmp_path / "packed", silent())
    upright = np.load(folder / "small_landcover.npy")
    rows, cols = np.nonzero(upright != legend.IGNORE)
    assert np.ptp(rows) == pytest.approx(185, abs=4) and np.ptp(cols) == pytest.approx(179, abs=4), "10 m both ways"
    data = PackedLandCover((folder,))
    assert data.styles == ["temperate"] and set(data.groups) == {"0_small", "0_small_45"}
    held_out = data.groups["0_small"].held_out[0]
    assert held_out.sum() == 64 * 64 and (upright[held_out] == 7).any()
    turned = data.groups["0_small_45"].classes[0]
    assert 0.3 < (turned == 0).mean() < 0.6 and not (turned == 7).any()


def test_a_folder_without_data_is_refused(tmp_path):
    for module in (image_data, landcover_data):
        with pytest.raises(BackendError, match="no training data folder"):
            module.pack(tmp_path, tmp_path / "packed", silent())
