"""Splits by geography: neighbours together, no shared ground, the seed's choice."""

from collections import Counter, defaultdict

from rasterio.warp import transform_bounds

from backend.datasets.spatial_split import Footprint, split_by_ground


def grid(count, size=512, step=512, crs="EPSG:32618", left=500_000.0, bottom=4_000_000.0, name="a"):
    return [
        Footprint(
            f"{name}{i}_{j}",
            crs,
            (left + i * step, bottom + j * step, left + i * step + size, bottom + j * step + size),
        )
        for i in range(count)
        for j in range(count)
    ]


def overlaps(one, other):
    return (
        min(one.bounds[2], other.bounds[2]) - max(one.bounds[0], other.bounds[0]) > 1
        and min(one.bounds[3], other.bounds[3]) - max(one.bounds[1], other.bounds[1]) > 1
    )


def test_shares_and_seed():
    tiles = grid(24)
    split = split_by_ground(tiles, 0.15, 0.15, seed=1)
    counts = Counter(tile.split for tile in split)
    assert len(split) == 576 and 80 <= counts["val"] <= 110 and 80 <= counts["test"] <= 110
    assert split == split_by_ground(tiles, 0.15, 0.15, seed=1)
    assert split != split_by_ground(tiles, 0.15, 0.15, seed=2)


def test_blocks_stay_whole():
    blocks = defaultdict(set)
    for tile in split_by_ground(grid(24, left=2048.0 * 200, bottom=2048.0 * 2000), 0.2, 0.2, seed=0):
        blocks[tile.bounds[0] // 2048, tile.bounds[1] // 2048].add(tile.split)
    assert all(len(splits) == 1 for splits in blocks.values()) and len(blocks) == 36


def test_few_tiles_still_give_every_split():
    assert {tile.split for tile in split_by_ground(grid(2), 0.15, 0.15, seed=0)} == {"train", "val", "test"}
    assert [tile.split for tile in split_by_ground(grid(1), 0.15, 0.15, seed=0)] == ["train"]
    assert {tile.split for tile in split_by_ground(grid(4), 0.0, 0.0, seed=0)} == {"train"}


def test_overlapping_tiles_never_straddle_splits():
    split = split_by_ground(grid(20, step=200), 0.2, 0.2, seed=3)
    assert {tile.split for tile in split} == {"train", "val", "test"} and len(split) < 400
    assert not any(one.split != other.split and overlaps(one, other) for one in split for other in split)


def test_two_years_of_one_place_also_in_another_zone():
    first = grid(8, left=780_000.0)
    again = []
    for tile in grid(8, left=780_000.0, name="b"):
        left, bottom, right, top = transform_bounds(tile.crs, "EPSG:32619", *tile.bounds)
        x, y = (left + right) / 2, (bottom + top) / 2
        again.append(Footprint(tile.name, "EPSG:32619", (x - 256, y - 256, x + 256, y + 256)))
    split = {tile.name: tile.split for tile in split_by_ground(first + again, 0.2, 0.2, seed=0)}
    pairs = [(split.get(f"a{i}_{j}"), split.get(f"b{i}_{j}")) for i in range(8) for j in range(8)]
    assert all(one == other for one, other in pairs if one and other)
    assert sum(bool(one and other) for one, other in pairs) > 10
