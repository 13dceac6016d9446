"""Which year of NAIP is taken."""

import pytest
from pystac import Item

from backend.geo import grid
from backend.protocol import BackendError, Extent
from backend.sources import naip

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


def chosen(items, reporter, year=None):
    return [item.id for item in naip.choose(items, box(), year, reporter)], [e.message for e in reporter.events("log")]


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
