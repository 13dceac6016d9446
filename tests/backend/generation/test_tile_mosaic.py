"""Tiles side by side: where they lie, what lies beyond them, and what is kept of blocks that cross them."""

import numpy as np
import pytest

from backend.datasets import writer
from backend.datasets.spatial_split import Footprint
from backend.generation import tile_mosaic
from backend.generation.tile_mosaic import REACH_PX
from backend.geo import legend
from backend.protocol import BackendError
from backend.tiling.lattice import Box
from backend.tiling.regions import BoxRegions
from tests.backend.rasters import write_raster

SIZE = 20


def tiles(folder, *corners, crs="EPSG:32618"):
    """Entries of tiles with these left and top metres, each of labels of its own."""
    entries = []
    for number, (left, top) in enumerate(corners):
        codes = np.random.default_rng(number).choice(legend.CODES, (1, SIZE, SIZE))
        place = Footprint(str(number), crs, (left, top - SIZE, left + SIZE, top))
        entry = writer.entry(place, legend.to_index(codes[0]))
        write_raster(folder / entry.files["label"], codes, left, top, nodata=0, crs=crs)
        entries.append(entry)
    return entries


def test_regions_are_of_one_crs_and_one_part_of_the_world():
    places = [(32618, 0), (32618, 20.4), (32618, 9e5), (32619, 0)]
    prints = [Footprint(str(x), f"EPSG:{crs}", (x, 80, x + SIZE, 100)) for crs, x in places]
    regions = tile_mosaic.regions([writer.entry(tile, np.zeros((1, 1), np.uint8)) for tile in prints], 1.0, SIZE)
    worlds = [("EPSG:32618", 2), ("EPSG:32618", 1), ("EPSG:32619", 1)]
    assert [(region.crs, len(region.tiles)) for region in regions] == worlds
    assert [tile.box for tile in regions[0].tiles] == [Box(-100, 0, SIZE, SIZE), Box(-100, 20, SIZE, SIZE)]
    assert regions[0].boxes(10) == [Box(-10, 0, 2, 2), Box(-10, 2, 2, 2)]


def test_labels_go_on_beyond_the_tiles_as_their_nearest_pixel(tmp_path):
    (region,) = tile_mosaic.regions(tiles(tmp_path, (0, 100), (20, 100), (60, 60)), 1.0, SIZE)
    window = Box(-110, -10, 90, 100)
    indices = tile_mosaic.label_source(tmp_path, region).read(window)
    known = {}
    for tile in region.tiles:
        label = tile_mosaic.read_label(tmp_path, tile)
        assert (indices[tile.box.slices_in(window)] == label).all()
        known |= {(tile.box.row + r, tile.box.col + c): label[r, c] for r in range(SIZE) for c in range(SIZE)}
    places = np.array(list(known))
    for row, col in ((-110, -10), (-70, 35), (-75, 55), (-21, 89), (-100, 50)):
        distance = ((places - (row, col)) ** 2).sum(1)
        nearest = {known[tuple(place)] for place in places[distance == distance.min()]}
        assert indices[row - window.row, col - window.col] in nearest
    beyond = tile_mosaic.label_source(tmp_path, region).read(Box(-100, -REACH_PX - 2, 1, 4))
    assert (beyond[0] == legend.IGNORE).tolist() == [True, True, False, False]


def test_a_label_of_another_size_is_damage(tmp_path):
    entries = tiles(tmp_path, (0, 100))
    write_raster(tmp_path / entries[0].files["label"], np.full((1, 5, 5), 10, np.uint8), nodata=0)
    (region,) = tile_mosaic.regions(entries, 1.0, SIZE)
    with pytest.raises(BackendError, match=r"damaged.*5 x 5 pixels"):
        tile_mosaic.read_label(tmp_path, region.tiles[0])


def test_a_strip_keeps_what_tiles_share_with_blocks_and_goes_on(tmp_path):
    boxes = [Box(0, 0, 20, 20), Box(0, 20, 20, 20), Box(50, 55, 19, 20)]
    world = np.random.default_rng(0).integers(0, 255, (3, 96, 96), dtype=np.uint8)
    blocks = [Box(row, col, 32, 32) for row in (0, 32, 64) for col in (0, 32, 64)]
    for begun, part in ((0, blocks[:4]), (4, blocks[4:])):
        strip = tile_mosaic.Strip(tmp_path / "strip", boxes, 3, "one")
        assert strip.done == {(block.row, block.col) for block in blocks[:begun]}
        for block in part:
            strip.write(block, world[(slice(None), *block.slices_in(Box(0, 0, 96, 96)))])
        strip.store.close()
    strip = tile_mosaic.Strip(tmp_path / "strip", boxes, 3, "one")
    assert len(strip.done) == 9
    for number, box in enumerate(boxes):
        assert (strip.read(number) == world[(slice(None), *box.slices_in(Box(0, 0, 96, 96)))]).all()
    strip.store.remove()


def test_boxes_as_an_area():
    boxes = [Box(0, 0, 10, 10), Box(100, -40, 5, 30)]
    area, rows, cols = BoxRegions(boxes), np.arange(-32, 160, 16), np.arange(-64, 64, 16)
    touched = area.any_inside(rows, cols, 16)
    for i, row in enumerate(rows):
        for j, col in enumerate(cols):
            inside = area.inside(Box(int(row), int(col), 16, 16))
            assert inside.any() == touched[i, j]
    assert area.inside(Box(-5, -45, 200, 200)).sum() == 100 + 150
