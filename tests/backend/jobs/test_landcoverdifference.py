"""Two maps of any grid to a difference: every pixel right, areas right, all three outputs or none."""

import csv

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin
from rasterio.warp import Resampling, reproject

from backend.geo import legend
from backend.jobs import landcoverdifference
from backend.metrics import difference
from backend.protocol import BackendError, LandCoverDifference, silent
from tests.backend.rasters import write_raster

OUTPUTS = {"output": "out.tif", "output_table": "out.csv", "output_report": "out.html"}


@pytest.fixture
def maps():
    """(60, 80) codes of patches, and the same with a corner of water and one without data."""
    rng = np.random.default_rng(5)
    one = rng.choice(np.array([10, 30, 40, 50], np.uint8), (6, 8)).repeat(10, 0).repeat(10, 1)
    other = one.copy()
    other[:20, :20], other[-10:, -10:] = 80, 0
    return one, other


def compare(folder, reference, compared, reporter=None):
    job = LandCoverDifference(str(reference), str(compared), **{k: str(folder / v) for k, v in OUTPUTS.items()})
    outputs = landcoverdifference.run(job, reporter or silent())
    assert outputs == {name: str(folder / file) for name, file in OUTPUTS.items()}
    with rasterio.open(job.output) as source:
        return source.read(1), source.tags(), list(csv.DictReader((folder / "out.csv").open(encoding="utf-8")))


def landcover(path, codes, pixel=10.0, **options):
    return write_raster(path, codes[None], pixel=pixel, **options)


def test_on_one_grid(tmp_path, maps, reporter):
    one, other = maps
    paths = landcover(tmp_path / "a.tif", one), landcover(tmp_path / "b.tif", other)
    values, tags, rows = compare(tmp_path, *paths, reporter)
    expected = difference.pair_values(legend.to_index(one), legend.to_index(other))
    assert (values == expected).all() and (values[-10:, -10:] == 0).all()
    assert sum(float(row["reference_ha"]) for row in rows) == pytest.approx((one.size - 100) / 100)  # 100 px a hectare
    water = next(row for row in rows if row["code"] == "80")
    assert float(water["compared_ha"]) == 4 and float(water["reference_ha"]) == 0
    assert "a.tif" in tags["TIFFTAG_IMAGEDESCRIPTION"] and tags["LANDFORGE_COMPARED"] == "b.tif"
    assert "agree on" in reporter.events("log")[-1].message and "b.tif" in (tmp_path / "out.html").read_text()


def test_the_legend_is_that_of_the_pairs_found(tmp_path, maps):
    one, other = maps
    compare(tmp_path, landcover(tmp_path / "a.tif", one), landcover(tmp_path / "b.tif", other))
    sidecar = (tmp_path / "out.tif.aux.xml").read_text(encoding="utf-8")
    assert "agree: Cropland" in sidecar and "→ Permanent water bodies" in sidecar and "Mangroves" not in sidecar
    with rasterio.open(tmp_path / "out.tif") as source:
        water = difference.pair_values(legend.to_index(one[:1, :1]), legend.to_index(other[:1, :1]))[0, 0]
        assert source.colormap(1)[water][:3] == legend.rgb(80) and source.colormap(1)[0][3] == 0


def test_a_finer_map_of_another_crs_comes_to_the_references_grid(tmp_path, maps):
    """Warped to degrees at a fifth of the pixel size and compared with itself, a map agrees but at its borders."""
    one, _ = maps
    reference = landcover(tmp_path / "a.tif", one)
    with rasterio.open(reference) as source:
        west, south, east, north = rasterio.warp.transform_bounds(source.crs, "EPSG:4326", *source.bounds)
        step = 2e-5
        height, width = int((north - south) / step) + 1, int((east - west) / step) + 1
        fine = np.zeros((1, height, width), np.uint8)
        place = from_origin(west, north, step, step)
        reproject(
            rasterio.band(source, 1), fine, dst_transform=place, dst_crs="EPSG:4326", resampling=Resampling.nearest
        )
    compared = write_raster(tmp_path / "b.tif", fine, west, north, step, "EPSG:4326")
    values, _, rows = compare(tmp_path, reference, compared)
    agree = sum(float(row["agree_ha"]) for row in rows)
    assert values.shape == one.shape and agree == pytest.approx(48, rel=0.04)


def test_degrees_are_measured_on_the_ellipsoid(tmp_path):
    """At 60 degrees north a degree of longitude is half as wide as at the equator."""
    codes = np.full((100, 100), 10, np.uint8)
    areas = []
    for name, top in (("equator", 0.05), ("north", 60.05)):
        folder = tmp_path / name
        path = landcover(folder / "a.tif", codes, pixel=0.001, left=9.0, top=top, crs="EPSG:4326")
        _, _, rows = compare(folder, path, path)
        areas.append(float(rows[0]["agree_ha"]))
    assert areas[0] == pytest.approx(111.32 * 110.574, rel=1e-3)  # of 0.1 by 0.1 degrees, in ha
    assert areas[1] == pytest.approx(55.800 * 111.412, rel=1e-3)


def test_blocks_leave_no_trace(tmp_path, maps, monkeypatch, reporter):
    paths = [landcover(tmp_path / f"{name}.tif", codes) for name, codes in zip("ab", maps)]
    single_block = compare(tmp_path, *paths)
    monkeypatch.setattr(difference, "BLOCK_ROWS", 17)
    monkeypatch.setattr(difference, "BLOCK_COLS", 23)
    parts = compare(tmp_path, *paths, reporter)
    assert (parts[0] == single_block[0]).all() and parts[2] == single_block[2]
    fractions = [event.fraction for event in reporter.events("progress")]
    assert len(fractions) == 16 and fractions[-1] == 1 and fractions == sorted(fractions)


def test_bad_input_is_said_and_leaves_nothing(tmp_path, maps):
    good = landcover(tmp_path / "in" / "a.tif", maps[0])
    bad = {
        "no ground in common": landcover(tmp_path / "in" / "far.tif", maps[0], left=600_000),
        r"3 band\(s\)": write_raster(tmp_path / "in" / "rgb.tif", np.repeat(maps[0][None], 3, 0), pixel=10.0),
        "has no CRS": landcover(tmp_path / "in" / "nowhere.tif", maps[0], crs=None),
        "ESA WorldCover does not have: 3": landcover(tmp_path / "in" / "other.tif", np.full((60, 80), 3, np.uint8)),
        "does not exist": tmp_path / "in" / "none.tif",
    }
    out = tmp_path / "out"
    for words, path in bad.items():
        for pair in ((good, path), (path, good)):
            with pytest.raises(BackendError, match=words):
                compare(out, *pair)
            assert not out.exists() or list(out.iterdir()) == []
