"""A data set of some tiles of others is one like any other."""

import csv
import json
from pathlib import Path

import pytest

from backend.datasets import layout, reader, subset, writer
from backend.geo import legend
from backend.protocol import BackendError
from tests.backend.labelled_images import read_tile, write_dataset
from tests.backend.packed_tiles import write_random_tiles


@pytest.fixture(scope="module")
def pools(tmp_path_factory):
    folders = []
    for name in ("one", "other"):
        folder = tmp_path_factory.mktemp(name)
        folders.append(Path(write_dataset(folder)))
    return folders


def test_a_subset_keeps_the_rows_items_and_sources_of_its_tiles(pools, tmp_path):
    names = [layout.read_manifest(folder)[1][3]["name"] for folder in pools]
    picks = [subset.Pick(folder, name, f"{n}_{name}") for n, (folder, name) in enumerate(zip(pools, names))]
    for _ in range(2):  # the second takes the first one's place
        subset.write(tmp_path / "chosen", picks, chosen_by="entropy")
    tiles = reader.open_tiles(tmp_path / "chosen")
    assert [tile.name for tile in tiles.tiles] == [pick.new_name for pick in picks]
    for tile, pick in zip(tiles.tiles, picks):
        image, label = tile.read(0, 0, 64, 64)
        wanted, codes = read_tile(str(pick.folder), pick.name)
        assert (image == wanted).all() and (legend.to_code(label) == codes).all()
    index, rows = layout.read_manifest(tmp_path / "chosen")
    assert index["chosen_by"] == "entropy" and len(index["sources"]) == 2 and sum(index["counts"].values()) == 2
    assert list(rows[0]) == layout.COLUMNS and rows[0]["image"] == f"image/{picks[0].new_name}.tif"
    items = json.loads((tmp_path / "chosen" / layout.ITEMS).read_text())["features"]
    assert [item["id"] for item in items] == [pick.new_name for pick in picks]
    assert items[1]["assets"]["label"]["href"] == rows[1]["label"]
    assert [path.name for path in tmp_path.iterdir()] == ["chosen"]


def without_styles(folder):
    """An older data set, whose manifest says nothing of styles."""
    with open(folder / layout.MANIFEST, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    with open(folder / layout.MANIFEST, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, layout.COLUMNS[:-1], extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


def test_tiles_keep_their_styles(tmp_path):
    """Each its own, wherever they are said: in the manifest, or in the index of an older data set."""
    folders = []
    for name, style in (("one", "arid, 2018"), ("older", "")):
        (tmp_path / name).mkdir()
        folders.append(Path(write_dataset(tmp_path / name, style=style)))
    without_styles(folders[1])
    index = json.loads((folders[1] / layout.INDEX).read_text())
    (folders[1] / layout.INDEX).write_text(json.dumps({**index, "styles": ["coastal"]}))
    assert {each.styles for each in writer.read(folders[1])[1]} == {("coastal",)}
    picks = [
        subset.Pick(folder, layout.read_manifest(folder)[1][0]["name"], str(n)) for n, folder in enumerate(folders)
    ]
    for order in (picks, picks[::-1]):
        subset.write(tmp_path / "chosen", order)
        index, entries = writer.read(tmp_path / "chosen")
        assert {each.tile.name: each.styles for each in entries} == {"0": ("arid", "2018"), "1": ("coastal",)}
        assert "styles" not in index


def test_packed_tiles_and_mixed_sizes_are_refused(pools, tmp_path):
    packed = write_random_tiles(tmp_path / "packed")
    with pytest.raises(BackendError, match="packed holds packed tiles"):
        subset.check_built([packed])
    (tmp_path / "small").mkdir()
    small = Path(write_dataset(tmp_path / "small", tile_px=32))
    with pytest.raises(BackendError, match=r"tiles of different sizes: .*64 px, .*32 px"):
        subset.check_built([pools[0], small])
    subset.check_built(pools)
