"""Which years of NAIP are taken, and what the clip of several says about it."""

import json
import re

import numpy as np
import pytest
import rasterio
from pystac import Item

from backend.geo import grid
from backend.protocol import BackendError, ClipNaip, Extent
from backend.sources import clip, naip
from tests import servers
from tests.backend import stac_items
from tests.backend.rasters import write_raster

EXTENT = Extent(-78.1, 36.5, -78.0, 36.6, "EPSG:4326")


def box():
    return grid.geobox(EXTENT, 1)


def item(year: int, share: float, name: str = "") -> Item:
    """An item over the western `share` of the extent."""
    west, south, east, north = grid.lonlat_span(box())
    east = west + share * (east - west)
    margin = 0.01
    ring = [
        [west - margin, south - margin],
        [east, south - margin],
        [east, north + margin],
        [west - margin, north + margin],
    ]
    ring.append(ring[0])
    data = {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": f"{year}{name}",
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "bbox": [west, south, east, north],
        "properties": {"datetime": f"{year}-07-01T00:00:00Z"},
        "links": [],
        "assets": {},
    }
    return Item.from_dict(data)


def chosen(items, reporter, year=None, fill_years=False):
    ids = [item.id for item in naip.choose(items, box(), year, reporter, fill_years)]
    return ids, [event.message for event in reporter.events("log")]


def test_the_newest_year_that_covers_all_is_taken(reporter):
    ids, log = chosen([item(2014, 1.5), item(2016, 1.5), item(2018, 0.6)], reporter)
    assert ids == ["2016"]
    assert log == ["NAIP 2016 covers the extent."]


def test_items_of_one_year_cover_together(reporter):
    ids, _ = chosen([item(2014, 1.5), item(2018, 0.6, "a"), item(2018, 1.5, "b")], reporter)
    assert ids == ["2018a", "2018b"]


def test_else_the_year_that_covers_most_and_the_gap_is_told(reporter):
    ids, log = chosen([item(2014, 0.3), item(2016, 0.7), item(2018, 0.5)], reporter)
    assert ids == ["2016"]
    assert log == ["NAIP 2016 covers 71% of the extent; the rest has no data."]  # the extent's grid is a little wider


def test_of_equal_ones_the_newest(reporter):
    assert chosen([item(2014, 0.5), item(2016, 0.5)], reporter)[0] == ["2016"]


def test_a_wanted_year_is_taken_even_where_it_covers_less(reporter):
    assert chosen([item(2014, 0.3), item(2016, 1.5)], reporter, 2014)[0] == ["2014"]


def test_a_year_without_images_is_refused_with_the_years_there_are(reporter):
    with pytest.raises(BackendError, match="no image of 2015 here, but of 2014, 2016"):
        chosen([item(2016, 1.5), item(2014, 1.5)], reporter, 2015)


def test_a_place_without_images_is_refused(reporter):
    with pytest.raises(BackendError, match="NAIP has no image here"):
        chosen([], reporter)


def test_to_fill_the_other_years_follow_the_newest_first(reporter):
    items = [item(2012, 0.2), item(2014, 0.3), item(2016, 0.7), item(2018, 0.5)]
    ids, log = chosen(items, reporter, fill_years=True)
    assert ids == ["2016", "2018", "2014", "2012"]
    assert log == ["NAIP 2016 covers 71% of the extent; the rest is filled from 2018, 2014, 2012."]


def test_a_wanted_year_is_not_filled(reporter):
    assert chosen([item(2014, 0.3), item(2016, 1.5)], reporter, 2014, fill_years=True)[0] == ["2014"]


def test_an_item_without_a_footprint_counts_as_everywhere(reporter):
    nowhere = item(2018, 0.1)
    nowhere.geometry = nowhere.bbox = None
    ids, log = chosen([item(2016, 1.5), nowhere], reporter)
    assert ids == ["2018"] and log == ["NAIP 2018 covers the extent."]


class TestFilling:
    """A state line at column 70: west of it the images are of 2021, east of it of 2020 and, all over, of 2018."""

    HERE = Extent(500_010, 3_999_890, 500_110, 3_999_990, "EPSG:32618")

    @pytest.fixture
    def folder(self, tmp_path):
        folder = tmp_path / "www"
        self.images = {}
        for seed, (name, left, width) in enumerate([("west", 0, 70), ("east", 70, 50), ("all", 0, 120)]):
            data = np.random.default_rng(seed).integers(60, 256, (4, 120, width), dtype=np.uint8)
            write_raster(folder / f"{name}.tif", data, left=500_000 + left)
            self.images[name] = data[:3]
        return folder

    @pytest.fixture
    def clipped(self, folder, tmp_path, monkeypatch, reporter):
        """`clipped(items, **options)`: image, mask, tags and log of a clip from items (name, date, their address)."""

        def run(*dated, **options):
            with servers.misbehaving(folder) as url:
                items = [
                    stac_items.item(folder / f"{name}.tif", address.format(url), "image", "naip", date)
                    for name, date, address in dated
                ]
                with servers.stac_api(items) as api:
                    monkeypatch.setenv("LANDFORGE_STAC_URL", api)
                    clip.clip_naip(ClipNaip(self.HERE, str(tmp_path / "out.tif"), **options), reporter)
            with rasterio.open(tmp_path / "out.tif") as source:
                log = [event.message for event in reporter.events("log")]
                return source.read(), source.dataset_mask() > 0, source.tags(), log

        return run

    WEST = ("west", "2021-06-01", "{}/404-without/west.tif")
    EAST = ("east", "2020-06-01", "{}/404-without/east.tif")
    ALL = ("all", "2018-06-01", "{}/404-without/all.tif")

    def test_a_state_line_leaves_no_hole(self, clipped):
        got, valid, tags, log = clipped(self.WEST, self.EAST)
        assert valid.all()
        whole = np.concatenate([self.images["west"], self.images["east"]], axis=2)
        np.testing.assert_array_equal(got, whole[:, 10:110, 10:110])
        assert tags["LANDFORGE_SOURCE"] == "NAIP 2021, 2020"
        assert json.loads(tags["LANDFORGE_ITEMS"]) == ["west-2021", "east-2020"]
        assert log[0].startswith("NAIP 2021 covers 6") and log[0].endswith("the rest is filled from 2020.")
        assert log[-1] == "The image is of several years: 2021 60.0%, 2020 40.0%."

    @pytest.mark.parametrize("options", [{"fill_years": False}, {"year": 2021}])
    def test_without_filling_it_does(self, clipped, options):
        _, valid, tags, _ = clipped(self.WEST, self.EAST, **options)
        assert valid[:, :60].all() and not valid[:, 60:].any()
        assert tags["LANDFORGE_SOURCE"] == "NAIP 2021"
        assert json.loads(tags["LANDFORGE_ITEMS"]) == ["west-2021"]

    def test_pixels_without_data_are_filled_too(self, clipped, folder):
        """The footprint says that the newest year covers the extent; its pixels end at column 70."""
        data = np.concatenate([self.images["west"], np.zeros_like(self.images["east"])], axis=2)
        write_raster(folder / "west.tif", data)
        got, valid, tags, log = clipped(self.WEST, self.ALL)
        assert valid.all()
        np.testing.assert_array_equal(got[:, :, 60:], self.images["all"][:, 10:110, 70:110])
        assert json.loads(tags["LANDFORGE_ITEMS"]) == ["west-2021", "all-2018"]
        assert log == ["NAIP 2021 covers the extent.", "The image is of several years: 2021 60.0%, 2018 40.0%."]

    @pytest.mark.parametrize("address", ["{}/500/east.tif", "s3://bucket/east.tif"])
    def test_items_that_are_not_needed_are_not_read(self, clipped, address):
        newest = ("all", "2022-06-01", "{}/404-without/all.tif")
        got, _, tags, _ = clipped(newest, ("east", "2020-06-01", address))
        np.testing.assert_array_equal(got, self.images["all"][:, 10:110, 10:110])
        assert json.loads(tags["LANDFORGE_ITEMS"]) == ["all-2022"]

    def test_an_address_that_cannot_fill_is_named(self, clipped):
        _, valid, _, log = clipped(self.WEST, ("east", "2020-06-01", "s3://bucket/east.tif"))
        assert valid.mean() == 0.6
        assert any(message.startswith("Not used to fill: The STAC item east-2020 has") for message in log)

    def test_the_newest_years_own_address_must_be_readable(self, clipped):
        with pytest.raises(BackendError, match="The STAC item west-2021 has its raster in an S3 bucket"):
            clipped(("west", "2021-06-01", "s3://bucket/west.tif"), ("east", "2020-06-01", "{}/404-without/east.tif"))

    def test_what_no_year_has_is_said(self, clipped, folder):
        write_raster(folder / "east.tif", np.full((4, 120, 20), 99, np.uint8), left=500_070)
        _, valid, _, log = clipped(self.WEST, self.EAST)
        assert valid[:, :80].all() and not valid[:, 80:].any()
        assert log[-1] == "The image is of several years: 2021 60.0%, 2020 20.0%, without data 20.0%."

    @pytest.mark.parametrize(
        ("mode", "words"), [("404", r"\(404\)"), ("403", "answered 403"), ("garbage", "something")]
    )
    def test_an_image_that_is_not_there_does_not_fill(self, clipped, mode, words):
        older = ("east", "2018-06-01", "{}/404-without/east.tif")
        _, valid, tags, log = clipped(self.WEST, ("east", "2020-06-01", f"{{}}/{mode}/east.tif"), older)
        assert valid.all()
        assert json.loads(tags["LANDFORGE_ITEMS"]) == ["west-2021", "east-2018"]
        assert any(re.search(f"Not used to fill: .*{words}", message) for message in log)

    @pytest.mark.parametrize("mode", ["500", "head"])
    def test_a_server_that_fails_leaves_no_hole(self, clipped, mode):
        with pytest.raises(BackendError, match=r"answered 500|something else"):
            clipped(self.WEST, ("east", "2020-06-01", f"{{}}/{mode}/east.tif"))
