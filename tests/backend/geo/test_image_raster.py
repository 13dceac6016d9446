"""Images of any kind are read as 8-bit RGB with a mask: near infrared, band orders, stretches, nodata."""

import math

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.enums import ColorInterp

from backend.geo import image_raster
from backend.geo.image_raster import ImageReading, open_image
from backend.protocol import BackendError
from tests.backend.geo import raster_profiles
from tests.backend.geo.raster_profiles import IMAGE_TYPES, SIDE, profiles
from tests.backend.rasters import write_raster


def read(path, reading=image_raster.AS_IT_IS, log=print):
    """The pixels (3, h, w) of an image, its mask and its transform."""
    with open_image(path, "image", log, reading) as source:
        return source.read((1, 2, 3)), source.dataset_mask() > 0, source.transform


def check_profile(folder, profile, order):
    rng = np.random.default_rng(profile.seed)
    top = 255 if profile.dtype == "uint8" else 3000
    data = rng.integers(0, top + 1, (3, SIDE, SIDE)).astype(profile.dtype)
    if np.dtype(profile.dtype).kind == "f":
        data[:, :2] = np.nan
    path = raster_profiles.write(folder / f"{rng.integers(2**40)}.tif", profile, data)
    stretch = () if profile.dtype == "uint8" else ((100.0, 2000.0), (0.0, 3000.0), (50.0, 2500.0))
    pixels, valid, transform = read(path, ImageReading(order, stretch))
    expected_valid = np.any([raster_profiles.valid_pixels(path, number) for number in order], axis=0)
    np.testing.assert_array_equal(valid, expected_valid)
    expected = data[[number - 1 for number in order]].astype(np.float64)
    if stretch:
        low, high = np.array(stretch).T[..., None, None]
        expected = np.clip((expected - low) / (high - low), 0, 1) * 255
    compared = expected_valid & np.isfinite(expected).all(0)
    assert np.abs(pixels[:, compared] - expected[:, compared]).max(initial=0) <= 1
    place = raster_profiles.TRANSFORMS["north up" if profile.place == "points" else profile.place]
    assert transform.almost_equals(place, 1e-6)


ORDERS = st.sampled_from([(1, 2, 3), (3, 2, 1), (2, 2, 1)])


@settings(max_examples=100, deadline=None)
@given(profile=profiles(IMAGE_TYPES), order=ORDERS)
def test_any_image_reads_as_pixel_by_pixel(tmp_path_factory, profile, order):
    check_profile(tmp_path_factory.mktemp("images"), profile, order)


@pytest.mark.slow
@settings(max_examples=2500, deadline=None)
@given(profile=profiles(IMAGE_TYPES), order=ORDERS)
def test_any_of_many_images_reads_as_pixel_by_pixel(tmp_path_factory, profile, order):
    check_profile(tmp_path_factory.mktemp("images"), profile, order)


def rgbn(dtype=np.uint8, top=256, bands=4):
    return np.random.default_rng(0).integers(1, top, (bands, 40, 40)).astype(dtype)


def test_near_infrared_tagged_as_alpha_is_no_mask(tmp_path):
    pixels = rgbn()
    pixels[3, :20] = 0  # water
    path = write_raster(tmp_path / "a.tif", pixels, alpha="YES")
    with rasterio.open(path) as source:
        assert source.colorinterp[3] == ColorInterp.alpha
    notes = []
    read_pixels, valid, _ = read(path, log=notes.append)
    assert valid.all() and (read_pixels == pixels[:3]).all()
    assert len(notes) == 1 and "near infrared" in notes[0]


def test_a_real_alpha_band_is_a_mask(tmp_path):
    pixels = rgbn()
    pixels[3] = np.where(np.tri(40), 255, 0)
    pixels[3, 20] = 128  # a soft edge
    _, valid, _ = read(write_raster(tmp_path / "a.tif", pixels, alpha="YES"))
    assert (valid == (pixels[3] > 0)).all()


def test_dark_pixels_of_one_band_are_data_where_nodata_is_0(tmp_path):
    pixels = rgbn(bands=3)
    pixels[0] = 0
    pixels[:, :4] = 0
    _, valid, _ = read(write_raster(tmp_path / "a.tif", pixels, nodata=0), ImageReading((1, 2, 3), ((0, 200),) * 3))
    assert not valid[:4].any() and valid[4:].all()


@pytest.mark.parametrize("dtype", [np.uint16, np.int16, np.float32])
def test_other_types_are_stretched_by_percentiles_of_the_whole_raster(tmp_path, dtype):
    pixels = rgbn(dtype, 2000)
    notes = []
    shown, valid, _ = read(write_raster(tmp_path / "a.tif", pixels), log=notes.append)
    for band, values in zip(shown, pixels):
        low, high = np.percentile(values, (2, 98))
        expected = np.clip((values - low) / (high - low), 0, 1) * 255
        assert np.abs(band - expected).max() <= 1
    assert valid.all() and "stretched to 8 bits: red" in notes[0]


def test_bands_in_another_order_make_false_colour(tmp_path):
    pixels = rgbn()
    shown, _, _ = read(write_raster(tmp_path / "a.tif", pixels), ImageReading.parse("4, 1, 2", ""))
    assert (shown == pixels[[3, 0, 1]]).all()


def test_bounds_are_used_for_8_bits_too(tmp_path):
    pixels = rgbn(bands=3)
    shown, _, _ = read(write_raster(tmp_path / "a.tif", pixels), ImageReading.parse("", "50, 150"))
    assert np.abs(shown - np.clip((pixels - 50.0) / 100, 0, 1) * 255).max() <= 1


@pytest.mark.parametrize("text", ["1,2", "a,b,c", "0,1,2", "1,2,3,4"])
def test_bands_that_are_not_three_numbers_are_refused(text):
    with pytest.raises(BackendError, match="not three band numbers"):
        ImageReading.parse(text, "")


@pytest.mark.parametrize("text", ["5", "9, 1", "1, 2; 3, 4", "a, b", f"0, {math.inf}"])
def test_a_stretch_that_is_not_understood_is_refused(text):
    with pytest.raises(BackendError, match="is not understood"):
        ImageReading.parse("", text)


def test_too_few_bands_are_refused(tmp_path):
    path = write_raster(tmp_path / "a.tif", rgbn(bands=3))
    with pytest.raises(BackendError, match=r"has 3 band\(s\), but band 4 was asked for"):
        read(path, ImageReading.parse("4,1,2", ""))
    with pytest.raises(BackendError, match="has 1 band"):
        read(write_raster(tmp_path / "b.tif", rgbn(bands=1)))


def test_a_raster_without_a_place_is_refused(tmp_path):
    path = write_raster(tmp_path / "a.tif", rgbn(bands=3), crs=None)
    with pytest.raises(BackendError, match="has no CRS"):
        read(path)
