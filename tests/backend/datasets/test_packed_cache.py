"""The data of generators: data sets are packed once, at one GSD, and unusable ones are refused."""

import csv
import json
import re
import shutil

import numpy as np
import pytest

from backend.datasets import packed_cache
from backend.datasets.layout import write_stack
from backend.datasets.line_segments import draw_line_segments
from backend.datasets.packed import PackedLandCover, PackedTiles
from backend.geo import legend
from backend.jobs import builddataset
from backend.protocol import BackendError, BuildDataset, silent
from tests.backend.labelled_images import image_and_label, read_tile, write_dataset
from tests.backend.packed_tiles import write_random_tiles
from tests.backend.rasters import read_raster, write_raster

CROP_PX = 128


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """25 tiles of 64 px of 1 m."""
    return write_dataset(tmp_path_factory.mktemp("built"))


@pytest.fixture
def copy(built, tmp_path):
    shutil.copytree(built, tmp_path / "copy")
    return tmp_path / "copy"


def labels_alone(folder, pixel_m=10.0, size=600, tile_px=150, label=None):
    """A data set cut from one label raster."""
    codes = image_and_label(size, size)[1] if label is None else label
    path = write_raster(folder / "label.tif", codes, pixel=pixel_m, nodata=0)
    builddataset.run(BuildDataset((str(path),), str(folder / "data"), tile_px=tile_px), silent())
    return str(folder / "data")


def prepare(datasets, what, cache, report=None):
    """The packed and checked data of data sets, its class counts and its entry in a model's index."""
    report = report or silent()
    folders = packed_cache.packed_folders(datasets, what, cache, report)
    data = PackedTiles(folders) if what == "tiles" else PackedLandCover(folders)
    counts = packed_cache.check_training_data(data, datasets, CROP_PX, report)
    return data, counts, packed_cache.index_entry(datasets, data, counts, CROP_PX)


def test_tiles_of_one_metre_are_packed_as_they_are(built, tmp_path):
    data, counts, entry = prepare((built,), "tiles", tmp_path)
    with open(f"{built}/manifest.csv", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] in ("train", "val")]
    ((group, numbers),) = data.groups.values()
    assert group.images.shape == (len(rows), 64, 64, 3)
    assert [rows[number]["split"] for number in numbers] == ["train"] * len(numbers)
    tile = read_tile(built, rows[0]["name"])
    assert (group.images[0] == tile[0]).all() and (group.labels[0] == legend.to_index(tile[1])).all()
    assert group.fine is None and group.lines.any()
    assert (group.lines == [draw_line_segments(image) for image in group.images]).all()
    assert entry["codes"] == [10, 50, 80] and entry["gsd_m"] == [1.0] and not entry["synthetic"]
    assert counts.sum() == len(numbers) * 64 * 64


@pytest.mark.parametrize(("pixel_m", "size"), [(0.6, 76), (2.0, 256)])
def test_another_gsd_is_resampled_once(tmp_path, reporter, pixel_m, size):
    built = write_dataset(tmp_path, tile_px=128, pixel=pixel_m)
    for _ in range(2):
        data, _, entry = prepare((built,), "tiles", tmp_path / "cache", reporter)
    ((group, _),) = data.groups.values()
    assert group.images.shape[1:] == (size, size, 3) and group.labels.shape[1:] == (size, size)
    assert entry["gsd_m"] == [pixel_m]
    assert sum("packing" in event.message for event in reporter.events("log")) == 1
    assert set(np.unique(group.labels)) == set(legend.to_index(np.array([10, 50, 80], np.uint8)))
    red = group.images[..., 0][group.labels == legend.to_index(np.array([50], np.uint8))]
    assert abs(float(red.mean()) - 180) < 12, "image and label lie on one another"


def test_labels_of_ten_metres_alone(tmp_path):
    data, _, entry = prepare((labels_alone(tmp_path),), "landcover", tmp_path / "cache")
    (group,) = data.groups.values()
    arrays, held = group.classes, group.held_out
    assert arrays.shape[1:] == (150, 150) and arrays.dtype == np.uint8
    assert entry["shares"].keys() == {"10", "50", "80"} and entry["crops"]["train"] == (~held).sum() // 150**2
    assert entry["gsd_m"] == [10.0] and entry["names"] == ["data"]


def test_finer_labels_become_ten_metres_by_majority(tmp_path):
    label = np.full((1, 1400, 1400), 10, np.uint8)
    label[:, :, 5:] = 50  # half of the first column of cells, less than half of none
    label[:, :, 12:] = 80
    label[:, 700:] = 30
    data, _, entry = prepare((labels_alone(tmp_path, 1.0, tile_px=1400, label=label),), "landcover", tmp_path / "c")
    (group,) = data.groups.values()
    arrays = group.classes
    assert arrays.shape == (1, 140, 140)
    assert arrays[0, 0, :4].tolist() == [0, 7, 7, 7] and (arrays[0, 70:] == 2).all()
    assert entry["gsd_m"] == [1.0]


def test_labels_of_packed_tiles_become_land_cover(tmp_path):
    folder = tmp_path / "packed"
    folder.mkdir()
    label = np.random.default_rng(0).choice(np.array([0, 4], np.uint8), (3, 130, 130)).repeat(10, 1).repeat(10, 2)
    write_stack(folder / "x_label.npy", 3, label)
    write_stack(folder / "x_image.npy", 3, np.stack([label] * 3, -1))
    (folder / "packed.json").write_text(
        json.dumps({"pixel_m": 1.0, "tiles": {"x": {"split": ["train", "val", "train"]}}})
    )
    data, _, _ = prepare((str(folder),), "landcover", tmp_path / "cache")
    arrays = np.concatenate([group.classes for group in data.groups.values()])
    assert (np.sort(arrays.reshape(3, -1), 0) == np.sort(label[:, ::10, ::10].reshape(3, -1), 0)).all()


def test_several_data_sets_share_an_index_entry(built, tmp_path):
    index = json.loads((shutil.copytree(built, tmp_path / "two") / "dataset.json").read_text())
    index |= {"synthetic": True, "attribution": ["somebody"]}
    (tmp_path / "two" / "dataset.json").write_text(json.dumps(index))
    data, _, entry = prepare((built, str(tmp_path / "two")), "tiles", tmp_path / "cache")
    assert list(data.groups) == ["0_tiles", "1_tiles"]
    assert entry["names"] == ["dataset", "two"] and entry["synthetic"] and entry["attribution"] == ["somebody"]


def test_tiles_without_enough_labels_are_left_out(copy, tmp_path, reporter):
    manifest = copy / "manifest.csv"
    rows = list(csv.DictReader(manifest.open(newline="")))
    for row in rows[:5]:
        row["valid"] = "0.6"
    for row in rows:
        row["style"] = row["name"].replace("_", "")
    with open(manifest, "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    data, _, _ = prepare((str(copy),), "tiles", tmp_path / "cache", reporter)
    ((arrays, _),) = data.groups.values()
    used = [row for row in rows[5:] if row["split"] in ("train", "val")]
    assert arrays.styles == [[row["style"]] for row in used], "each tile has its own styles"
    assert any("tiles are left out, less than 90% of them is labelled" in e.message for e in reporter.events("log"))


def test_a_single_class_of_images_is_logged(tmp_path, reporter):
    image, label = image_and_label(256, 256)
    pair = [write_raster(tmp_path / f"{n}.tif", d) for n, d in (("i", image), ("l", np.full_like(label, 40)))]
    builddataset.run(BuildDataset((str(pair[1]),), str(tmp_path / "d"), (str(pair[0]),), tile_px=64), silent())
    prepare((str(tmp_path / "d"),), "tiles", tmp_path / "cache", reporter)
    assert any(
        "a single class, 40 Cropland: the generator will know no other" in e.message for e in reporter.events("log")
    )


def rewritten(copy, tile, change, **place):
    """The copy, one of its labels written anew."""
    path = next(iter(sorted((copy / "label").iterdir()))) if tile is None else copy / "label" / tile
    codes = read_raster(path)
    write_raster(path, change(codes), nodata=0, **place)
    return str(copy)


def bad(copy, tmp_path):
    """(what, data sets, what for, message)"""
    other = lambda name: shutil.copytree(copy, tmp_path / name)  # noqa: E731
    yield "none", (), "tiles", "No data set was given"
    yield "nothing", (str(tmp_path),), "tiles", "is not a data set"
    sizes = rewritten(other("sizes"), None, lambda codes: codes[:, :40])
    yield "sizes", (sizes,), "tiles", r"64 x 40 pixels of 1 m, those of its data set 64 x 64 of 1 m"
    gsd = rewritten(other("gsd"), None, lambda codes: codes, pixel=2.0)
    yield "GSD", (gsd,), "tiles", r"64 x 64 pixels of 2 m, those of its data set 64 x 64 of 1 m"
    legend = rewritten(other("legend"), None, lambda codes: codes + 1)
    yield "legend", (legend,), "tiles", "has the code 11, which is not in WorldCover's legend"
    yield "small", (str(copy),), "landcover", r"are 6 pixels wide at land cover's 10 m, .* tiles of 1280 pixels or more"
    coarse = labels_alone(tmp_path / "coarse", 30.0, 300, 150)
    yield "coarse", (coarse,), "landcover", "have pixels of 30 m, but land cover is learned at 10 m"
    alone = labels_alone(tmp_path / "alone")
    yield "labels alone", (alone,), "tiles", "holds labels alone, but images are needed"
    one = labels_alone(tmp_path / "one", label=np.full((1, 600, 600), 30, np.uint8))
    yield "one class", (one,), "landcover", "a single class, 30 Grassland: there is nothing to learn"
    empty = other("empty")
    text = (empty / "manifest.csv").read_text()
    (empty / "manifest.csv").write_text(text.replace(",train,", ",test,").replace(",val,", ",test,"))
    yield "no tiles", (str(empty),), "tiles", "holds no tiles to train on"
    held = other("held")
    (held / "manifest.csv").write_text(text.replace(",train,", ",val,"))
    yield "no training tiles", (str(held),), "tiles", "hold no 'train' tiles"
    (other("index") / "dataset.json").write_text("{")
    yield "index", (str(tmp_path / "index"),), "tiles", "is damaged"
    shutil.rmtree(other("gone") / "image")
    yield "gone", (str(tmp_path / "gone"),), "tiles", "does not exist"
    packed = write_random_tiles(tmp_path / "packed", [40])
    yield "packed, small", (str(packed),), "tiles", "tiles are 40 m wide, but training needs 64"
    index = json.loads((packed / "packed.json").read_text())
    shutil.copytree(packed, tmp_path / "coarse_packed")
    (tmp_path / "coarse_packed" / "packed.json").write_text(json.dumps({**index, "pixel_m": 2.0}))
    yield "packed, GSD", (str(tmp_path / "coarse_packed"),), "tiles", "pixels of 2 m, but image generators learn at 1 m"
    (tmp_path / "hollow").mkdir()
    (tmp_path / "hollow" / "packed.json").write_text("{}")
    yield "packed, empty", (str(tmp_path / "hollow"),), "landcover", "holds no land cover"
    yield "packed, no images", (str(tmp_path / "hollow"),), "tiles", "holds no image tiles"


def test_unusable_training_data_is_refused(copy, tmp_path):
    for what, datasets, wanted, message in bad(copy, tmp_path):
        cache = tmp_path / "cache" / what
        with pytest.raises(BackendError) as caught:
            prepare(datasets, wanted, cache)
        assert re.search(message, str(caught.value)), f"{what}: {caught.value}"
        assert not list(cache.glob(".*")), what


def test_a_full_disk_is_an_error(built, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("backend.datasets.pack.write_stack", full)
    with pytest.raises(BackendError, match=r"No space left on device.*Check the space"):
        prepare((built,), "tiles", tmp_path / "cache")
    assert not list((tmp_path / "cache").iterdir())


def test_a_rebuilt_data_set_has_another_hash(copy):
    before = packed_cache.dataset_hashes((str(copy),))
    (copy / "manifest.csv").write_text((copy / "manifest.csv").read_text().replace(",val,", ",train,"))
    assert packed_cache.dataset_hashes((str(copy),)) != before
