"""WorldCover's cells by name, and its refusals."""

import pytest

from backend.geo import grid
from backend.protocol import BackendError, Extent
from backend.sources import worldcover


@pytest.mark.parametrize(
    ("lon", "lat", "names"),
    [
        (6.6, 0.2, {"N00E006"}),
        (36.9, -1.3, {"S03E036"}),
        (-0.2, 51.4, {"N51W003"}),
        (-179.5, -16.9, {"S18W180"}),
        (9.0, 0.0, {"N00E006", "N00E009", "S03E006", "S03E009"}),
        (0.0, 45.0, {"N42W003", "N42E000", "N45W003", "N45E000"}),
    ],
)
def test_cells_are_named_by_their_lower_left_corner(lon, lat, names):
    box = grid.geobox(Extent(lon - 0.01, lat - 0.01, lon + 0.01, lat + 0.01, "EPSG:4326"), 10)
    cells = worldcover.cells(box)
    assert set(cells) == names
    for west, south in cells.values():
        assert west % 3 == 0 and south % 3 == 0


def test_a_grid_that_reaches_over_the_antimeridian_has_a_cell_on_either_side():
    box = grid.geobox(Extent(179.9, -16.8, 180.0, -16.7, "EPSG:4326"), 10)
    assert worldcover.cells(box) == {"S18E177": (177, -18), "S18W180": (-180, -18)}


def test_a_year_without_a_map_is_refused(reporter):
    box = grid.geobox(Extent(6.5, 0.1, 6.6, 0.2, "EPSG:4326"), 10)
    with pytest.raises(BackendError, match=r"no WorldCover of 2019. Choose 2020 or 2021"):
        worldcover.find("esa", box, 2019, "", reporter)
