"""Class rasters of any kind are read as class indices; another legend and what is no class raster are refused."""

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.windows import Window

from backend.geo import class_raster, legend, other_legends
from backend.protocol import BackendError
from tests.backend.geo import raster_profiles
from tests.backend.geo.raster_profiles import CLASS_TYPES, SIDE, profiles
from tests.backend.rasters import write_raster

VALUES = (*map(int, legend.CODES), 0, 11, 101)


def read(path, legend_name="worldcover"):
    """The class indices of a raster, and its transform."""
    with class_raster.open_class_raster(path, "map", legend_name) as source:
        return class_raster.read_indices(source), source.transform


def check_profile(folder, profile):
    rng = np.random.default_rng(profile.seed)
    data = rng.choice(np.array(VALUES), (1, SIDE, SIDE)).astype(profile.dtype)
    if np.dtype(profile.dtype).kind == "f":
        data[0, :2] = np.nan
    path = raster_profiles.write(folder / f"{rng.integers(2**40)}.tif", profile, data)
    indices, transform = read(path)
    np.testing.assert_array_equal(indices, raster_profiles.class_indices(path))
    expected = raster_profiles.TRANSFORMS["north up" if profile.place == "points" else profile.place]
    assert transform.almost_equals(expected, 1e-6)


@settings(max_examples=100, deadline=None)
@given(profile=profiles(CLASS_TYPES))
def test_any_raster_reads_as_pixel_by_pixel(tmp_path_factory, profile):
    check_profile(tmp_path_factory.mktemp("classes"), profile)


@pytest.mark.slow
@settings(max_examples=2500, deadline=None)
@given(profile=profiles(CLASS_TYPES))
def test_any_of_many_rasters_reads_as_pixel_by_pixel(tmp_path_factory, profile):
    check_profile(tmp_path_factory.mktemp("classes"), profile)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "float32"])
def test_codes_become_indices_and_other_values_unknown(tmp_path, dtype):
    path = write_raster(tmp_path / "codes.tif", np.array([[[0, 10, 95], [100, 11, 255]]], dtype))
    with class_raster.open_class_raster(path, "map") as source:
        indices = class_raster.read_indices(source)
        assert class_raster.read_indices(source, Window(1, 0, 2, 1)).tolist() == [[0, 9]]
    assert indices.dtype == np.uint8
    assert indices.tolist() == [[legend.IGNORE, 0, 9], [10, legend.IGNORE, legend.IGNORE]]


def test_values_beyond_a_byte_do_not_wrap_around_to_codes(tmp_path):
    values = np.array([[[-246, 266, 10, -1]]], np.int32)  # as bytes the first two are 10
    path = write_raster(tmp_path / "codes.tif", values)
    assert read(path)[0].tolist() == [[legend.IGNORE, legend.IGNORE, 0, legend.IGNORE]]
    assert class_raster.to_codes(values).tolist() == [[[0, 0, 10, 0]]]


@pytest.mark.parametrize("values", [np.zeros((2, 4, 4), np.uint8), np.zeros((1, 4, 4), np.complex64)])
def test_several_bands_and_complex_numbers_are_refused(tmp_path, values):
    path = write_raster(tmp_path / "codes.tif", values)
    with pytest.raises(BackendError, match=r"The map .*codes\.tif has .* band\(s\) of .*one band of class codes"):
        class_raster.class_address(path, "map")


def test_fractions_are_refused(tmp_path):
    path = write_raster(tmp_path / "codes.tif", np.full((1, 4, 4), 10.5, np.float32))
    with pytest.raises(BackendError, match=r"fractions \(10\.5\).*Resample the original by nearest"):
        class_raster.check_codes(path, "map", print)


def test_masks_without_overviews_hold_in_reads_of_any_size(tmp_path):
    codes = np.full((1, 512, 512), 80, np.uint8)
    path = write_raster(tmp_path / "codes.tif", codes)
    with rasterio.open(path, "r+") as target:
        target.build_overviews([2, 4, 8], rasterio.enums.Resampling.nearest)
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=False), rasterio.open(path, "r+") as target:
        target.write_mask(np.tri(512, dtype=bool))
    with class_raster.open_class_raster(path, "map") as source:
        assert source.read(1, out_shape=(64, 64))[0, -1] == 0


LOOKS = {
    "nlcd": (11, 21, 22, 41, 42, 71, 82, 90),
    "esri": (1, 2, 4, 5, 7, 8, 11),
    "dynamicworld": (0, 1, 2, 3, 4, 5, 6, 7, 8),
    "corine": (111, 112, 211, 231, 311, 512),
}


@pytest.mark.parametrize("name", LOOKS)
def test_another_legend_is_recognised_and_refused_with_the_values(tmp_path, name):
    path = write_raster(tmp_path / "codes.tif", np.resize(np.array(LOOKS[name], np.int16), (1, 20, 20)))
    with pytest.raises(BackendError, match=other_legends.TITLES[name].replace(".", r"\.")) as refusal:
        class_raster.check_codes(path, "map", print, remedy="Set LEGEND to {}")
    assert ("Set LEGEND to" in str(refusal.value)) == (name in other_legends.TO_WORLDCOVER)
    assert f"{max(LOOKS[name]):g} (" in str(refusal.value) or "more" in str(refusal.value)


@pytest.mark.parametrize("name", ["nlcd", "esri", "dynamicworld"])
def test_a_legend_that_is_set_is_translated(tmp_path, name):
    values = np.resize(np.array(LOOKS[name], np.uint8), (1, 20, 20))
    path = write_raster(tmp_path / "codes.tif", values)
    counts = class_raster.check_codes(path, "map", print, name)
    expected = [[other_legends.TO_WORLDCOVER[name][int(value)] for value in row] for row in values[0]]
    assert legend.to_code(read(path, name)[0]).tolist() == expected
    assert counts.sum() == 400


def test_the_wrong_legend_is_refused(tmp_path):
    path = write_raster(tmp_path / "codes.tif", np.resize(np.array([10, 30, 40, 50, 60, 80], np.uint8), (1, 20, 20)))
    with pytest.raises(BackendError, match="They are ESA WorldCover's: leave LEGEND"):
        class_raster.check_codes(path, "map", print, "nlcd")


def test_a_few_unknown_values_are_logged_and_count_as_nodata(tmp_path):
    codes = np.full((1, 20, 20), 10, np.uint8)
    codes[0, 0, :3] = 77
    notes = []
    counts = class_raster.check_codes(write_raster(tmp_path / "codes.tif", codes), "map", notes.append)
    assert counts.tolist() == [397, *[0] * 10]
    assert len(notes) == 1 and "77 (0.8%)" in notes[0]


def test_nodata_that_a_cast_has_wrapped_does_not_count(tmp_path):
    codes = np.resize(np.array([10, 241], np.float32), (1, 20, 20))  # -9999 as a byte is 241
    path = write_raster(tmp_path / "codes.tif", codes, nodata=-9999)
    assert class_raster.check_codes(path, "map", print).sum() == 200


def test_only_values_inside_the_bounds_are_counted(tmp_path):
    codes = np.full((1, 20, 20), 10, np.uint8)
    codes[0, :, 10:] = 11
    path = write_raster(tmp_path / "codes.tif", codes, left=0.0, top=20.0)
    assert class_raster.check_codes(path, "map", print, bounds=(0, 0, 10, 20)).sum() == 200
    with pytest.raises(BackendError, match="11"):
        class_raster.check_codes(path, "map", print, bounds=(0, 0, 14, 20))


def test_large_rasters_are_sampled(tmp_path, monkeypatch):
    monkeypatch.setattr(class_raster, "COUNTED_PX", 400)
    monkeypatch.setattr(class_raster, "COUNTED_ROWS", 4)
    path = write_raster(tmp_path / "codes.tif", np.full((1, 80, 20), 10, np.uint8))
    assert class_raster.check_codes(path, "map", print).sum() == 400


@given(st.sampled_from(sorted(other_legends.TO_WORLDCOVER)))
def test_every_class_becomes_a_worldcover_class_or_nodata(name):
    assert set(other_legends.TO_WORLDCOVER[name].values()) <= {0, *map(int, legend.CODES)}


def test_longitudes_beyond_180_are_shifted(tmp_path):
    path = write_raster(tmp_path / "codes.tif", np.full((1, 4, 4), 10, np.uint8), 285.0, 42.0, 0.1, "EPSG:4326")
    with class_raster.open_class_raster(path, "map") as source:
        assert source.bounds.left == pytest.approx(-75.0)
