"""Data set folders: both kinds are read alike, and what is none is refused."""

import json
import shutil

import numpy as np
import pytest

from backend.datasets import layout, reader
from backend.geo import legend
from backend.protocol import BackendError
from tests.backend.labelled_images import read_tile, write_dataset
from tests.backend.packed_tiles import write_random_tiles


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("built"))


def test_both_kinds_are_read_alike(built, tmp_path):
    tiles = reader.open_tiles(built)
    assert tiles.pixel_m == 1.0 and not tiles.synthetic and len(tiles.tiles) == 25
    tile_image, tile_codes = read_tile(built, tiles.tiles[7].name)
    image, label = tiles.tiles[7].read(10, 20, 16, 8)
    assert np.array_equal(image, tile_image[10:26, 20:28])
    assert np.array_equal(legend.CODES[label], tile_codes[10:26, 20:28])
    folder = write_random_tiles(tmp_path / "packed")
    packed = reader.open_tiles(folder)
    image, label = packed.tiles[0].read(10, 20, 16, 8)
    assert np.array_equal(label, np.load(folder / "s40_label.npy")[0, 10:26, 20:28])
    assert image.shape == (16, 8, 3) and (image[..., 0] == label * 20).all()
    assert [tile.split for tile in packed.tiles] == ["train", "val"]


@pytest.mark.parametrize("damage", ["nothing", "index", "manifest", "empty", "key"])
def test_a_folder_that_is_no_data_set(built, tmp_path, damage):
    folder = tmp_path / "copy"
    shutil.copytree(built, folder)
    manifest = folder / layout.MANIFEST
    if damage == "nothing":
        (folder / layout.INDEX).unlink()
    elif damage == "index":
        (folder / layout.INDEX).write_text("{")
    elif damage == "manifest":
        manifest.unlink()
    elif damage == "empty":
        manifest.write_text(manifest.read_text().splitlines()[0])
    else:
        manifest.write_text(manifest.read_text().replace("split", "splat"))
    with pytest.raises(BackendError, match="not a data set" if damage == "nothing" else "is damaged|holds no tiles"):
        reader.open_tiles(folder)


def test_a_truncated_array_is_damage(tmp_path):
    folder = write_random_tiles(tmp_path / "packed")
    path = folder / "s40_label.npy"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(BackendError, match="is damaged"):
        reader.open_tiles(folder)


def test_a_tile_that_is_gone(built, tmp_path):
    shutil.copytree(built, tmp_path / "copy")
    for path in (tmp_path / "copy" / "label").iterdir():
        path.write_bytes(b"no raster")
    tiles = reader.open_tiles(tmp_path / "copy")
    with pytest.raises(BackendError, match="cannot be read"):
        tiles.tiles[0].read(0, 0, 64, 64)


def test_tiles_in_the_merged_legend(tmp_path):
    folder = write_random_tiles(tmp_path / "packed", (64,))
    plain, merged_set = reader.open_tiles(folder), reader.open_tiles(folder).merged("merged")
    assert plain.merged("worldcover") is plain
    for one, other in zip(plain.tiles, merged_set.tiles):
        assert (one.split, one.shape) == (other.split, other.shape)
        (image, label), (same, merged) = one.read(3, 5, 40, 30), other.read(3, 5, 40, 30)
        assert (
            (image == same).all() and (merged == legend.merged(label, "merged")).all() and len(np.unique(merged)) == 7
        )


def test_another_legend_is_refused(tmp_path):
    folder = write_dataset(tmp_path)
    path = tmp_path / "dataset" / "dataset.json"
    index = json.loads(path.read_text())
    path.write_text(json.dumps({**index, "legend": {**index["legend"], "10": "Water"}}))
    with pytest.raises(BackendError, match="another legend: its 10 is 'Water', which in WorldCover is 'Tree cover'"):
        reader.open_tiles(folder)
    path.write_text(json.dumps({**index, "legend": {"1": "Urban"}}))
    with pytest.raises(BackendError, match="its 1 is 'Urban', which in WorldCover is 'no class'"):
        reader.open_tiles(folder)
    del index["legend"]
    path.write_text(json.dumps(index))
    assert reader.open_tiles(folder).tiles
    packed = write_random_tiles(tmp_path / "packed")
    index = json.loads((packed / "packed.json").read_text())
    (packed / "packed.json").write_text(json.dumps({**index, "legend": {"10": "Water"}}))
    with pytest.raises(BackendError, match="another legend"):
        reader.open_tiles(packed)
