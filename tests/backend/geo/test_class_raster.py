"""Class rasters of any integer type are read as class indices; what is not a class raster is refused."""

import numpy as np
import pytest
import rasterio
from rasterio.windows import Window

from backend.geo import class_raster, legend
from backend.protocol import BackendError
from tests.backend.rasters import write_raster


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32"])
def test_codes_become_indices_and_other_values_unknown(tmp_path, dtype):
    values = np.array([[[0, 10, 95], [100, 11, 255]]], dtype)
    with rasterio.open(write_raster(tmp_path / "codes.tif", values)) as source:
        indices = class_raster.read_indices(source)
        assert class_raster.read_indices(source, Window(1, 0, 2, 1)).tolist() == [[0, 9]]
    assert indices.dtype == np.uint8
    assert indices.tolist() == [[legend.IGNORE, 0, 9], [10, legend.IGNORE, legend.IGNORE]]


def test_values_beyond_a_byte_do_not_wrap_around_to_codes():
    values = np.array([-246, 266, 10, -1], np.int32)  # as bytes the first two are 10
    assert class_raster.to_codes(values).tolist() == [0, 0, 10, 0]
    assert class_raster.to_indices(values).tolist() == [legend.IGNORE, legend.IGNORE, 0, legend.IGNORE]


@pytest.mark.parametrize("values", [np.zeros((2, 4, 4), np.uint8), np.zeros((1, 4, 4), np.float32)])
def test_several_bands_and_fractions_are_refused(tmp_path, values):
    path = write_raster(tmp_path / "codes.tif", values)
    with rasterio.open(path) as source:
        assert not class_raster.has_one_integer_band(source)
        with pytest.raises(BackendError, match=r"The map .*codes\.tif has .* band\(s\) of .*one band of WorldCover"):
            class_raster.check_class_raster(source, "map")
