"""WorldCover's cells by name, and its refusals."""

import numpy as np
import pytest

from backend import sources
from backend.geo import grid
from backend.protocol import BackendError, Extent
from backend.sources import worldcover
from tests import servers
from tests.backend.rasters import write_raster


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
        worldcover.find("esa", box, 2019, reporter)


class TestMirrors:
    """A land tile and a sea tile, which a mirror does not have, side by side."""

    COAST = Extent(8.99, 0.1, 9.01, 0.12, "EPSG:4326")

    @pytest.fixture
    def mirror(self, tmp_path, monkeypatch):
        """`mirror(mode)`: a mirror of the western tile alone, which answers as `mode` for any other."""
        monkeypatch.setenv("LANDFORGE_HTTP_TIMEOUT_S", "1")
        monkeypatch.setattr(sources, "RETRIES", 1)
        path = tmp_path / "v200" / "2021" / "map" / "ESA_WorldCover_10m_2021_v200_N00E006_Map.tif"
        write_raster(path, np.full((1, 300, 300), 10, np.uint8), 6, 3, 0.01, "EPSG:4326", nodata=0)
        with servers.misbehaving(tmp_path) as url:
            yield lambda mode: monkeypatch.setenv("LANDFORGE_ESA_URL", f"{url}/{mode}")

    def found(self, extent, reporter):
        mosaic, _ = worldcover.find("esa", grid.geobox(extent, 10), 2021, reporter)
        with mosaic:
            return [piece.address.split("_")[-2] for piece in mosaic.pieces]

    @pytest.mark.parametrize(
        ("mode", "words"),
        [("403", "answered 403"), ("410", "answered 410"), ("garbage", "sent something else than a GeoTIFF")],
    )
    def test_a_sea_tile_that_is_refused_does_not_end_a_clip(self, mirror, reporter, mode, words):
        mirror(f"{mode}-without")
        assert self.found(self.COAST, reporter) == ["N00E006"]
        name = "ESA_WorldCover_10m_2021_v200_N00E009_Map.tif"
        logs = [event.message for event in reporter.events("log")]
        assert logs == [f"Left out as not there, because the server {words}: {name}."]

    def test_a_sea_tile_that_does_not_exist_needs_no_word(self, mirror, reporter):
        mirror("404-without")
        assert self.found(self.COAST, reporter) == ["N00E006"]
        assert reporter.events("log") == []

    @pytest.mark.parametrize(
        ("mode", "words"),
        [
            ("401", "answered 401"),
            ("500", "answered 500"),
            ("503", "answered 503"),
            ("stall", "did not answer for 1 s"),
            ("head", "cannot be read"),
        ],
    )
    def test_a_server_that_fails_is_no_sea(self, mirror, reporter, mode, words):
        """There may be land: a hole would be silent."""
        mirror(f"{mode}-without")
        with pytest.raises(BackendError, match=words):
            self.found(self.COAST, reporter)

    @pytest.mark.parametrize(
        ("mode", "words"),
        [("404", "has no tile here"), ("403", "answered 403"), ("410", "answered 410"), ("garbage", "something else")],
    )
    def test_where_no_tile_answers_the_servers_word_is_passed_on(self, mirror, reporter, mode, words):
        mirror(f"{mode}-without")
        with pytest.raises(BackendError, match=words):
            self.found(Extent(9.5, 0.1, 9.51, 0.11, "EPSG:4326"), reporter)
