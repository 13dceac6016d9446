"""Extent parameters keep their CRS and the order of their bounds; the grid's CRS follows the project or the request."""

import re

import pytest
from landforge.backend.protocol import BackendError, Extent
from landforge.processing_provider import extents
from qgis.core import (
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsProcessing,
    QgsProcessingException,
    QgsRasterLayer,
    QgsRectangle,
    QgsReferencedRectangle,
)

from tests.processing_provider.algorithms import read_fields

NOWHERE = QgsCoordinateReferenceSystem()


@pytest.fixture
def algorithm():
    return QgsApplication.processingRegistry().algorithmById("landforge:generatelandcover").create()


def read(algorithm, value, context):
    return extents.read_extent(algorithm, {"EXTENT": value}, "EXTENT", context)


@pytest.mark.parametrize("typed", ["1,2,3,4 [EPSG:32618]", " 1.0, 2e0,3 ,4[EPSG:32618] ", "1,2,3.0,4.0 [EPSG:32618]"])
def test_typed_with_a_crs(algorithm, context, typed):
    assert read(algorithm, typed, context) == Extent(1, 3, 2, 4, "EPSG:32618")


UTM = QgsCoordinateReferenceSystem("EPSG:32618")


@pytest.mark.parametrize(
    "crs",
    [
        *("epsg:32618", " EPSG:32618 ", "EPSG 32618", "EPSG : 32618", "32618", "EPSG:32618+5703"),
        *("urn:ogc:def:crs:EPSG::32618", "http://www.opengis.net/def/crs/EPSG/0/32618", "PROJ:+proj=utm +zone=18"),
        *("+proj=utm +zone=18", UTM.toWkt(), f"WKT:{UTM.toWkt()}"),
        UTM.toWkt(QgsCoordinateReferenceSystem.WktVariant.WKT_PREFERRED, True),
    ],
)
def test_a_crs_as_people_type_it(algorithm, context, project, crs):
    project.setCrs(QgsCoordinateReferenceSystem("EPSG:32617"))
    extent = read(algorithm, f"1,2,3,4 [{crs}]", context)
    found = QgsCoordinateReferenceSystem(extent.crs)
    assert extent == Extent(1, 3, 2, 4, extents.crs_text(found)) and found.toProj() == UTM.toProj()
    parameters = {"EXTENT": f"1,2,3,4 [{crs}]", "GRID_CRS": crs, "OUTPUT": QgsProcessing.TEMPORARY_OUTPUT}
    assert algorithm.checkParameterValues(parameters, context) == (True, "")


NO_CRS = ["EPGS:32618", "EPSG:326118", "EPSG:", "here", "WGS", "+proj=nothing", "PROJCS[", "PROJCS[broken]", "urn:x:1"]


@pytest.mark.parametrize("crs", ["", " ", *NO_CRS])
def test_a_typed_crs_that_is_none_is_refused(algorithm, context, project, crs):
    project.setCrs(QgsCoordinateReferenceSystem("EPSG:32617"))
    with pytest.raises(QgsProcessingException, match=rf"EXTENT: '{re.escape(crs.strip())}' is no CRS that QGIS knows"):
        read(algorithm, f"1,2,3,4 [{crs}]", context)


@pytest.mark.parametrize("crs", NO_CRS)
def test_a_grid_crs_that_is_none_is_refused(context, project, crs):
    project.setCrs(QgsCoordinateReferenceSystem("EPSG:32617"))
    with pytest.raises(QgsProcessingException, match=rf"GRID_CRS: '{re.escape(crs)}' is no CRS that QGIS knows"):
        read_fields("generatelandcover", context, EXTENT="1,2,3,4 [EPSG:4326]", GRID_CRS=crs)


def test_the_grid_crs_of_the_project_and_of_a_layer(context, project, landcover):
    project.setCrs(QgsCoordinateReferenceSystem("EPSG:32718"))
    project.addMapLayer(QgsRasterLayer(landcover, "codes"))
    for value, expected in (("ProjectCrs", "EPSG:32718"), ("codes", "EPSG:32717"), (UTM, "EPSG:32618")):
        job = read_fields("generatelandcover", context, EXTENT="1,2,3,4 [EPSG:4326]", GRID_CRS=value)
        assert job["grid_crs"] == expected


@pytest.mark.parametrize("typed, west", [("190,190.1", -170), ("359,359.1", -1), ("-190.1,-190", 169.9)])
def test_longitudes_beyond_180_are_shifted(algorithm, context, typed, west):
    extent = read(algorithm, f"{typed},3,4 [EPSG:4326]", context)
    assert (extent.xmin, extent.xmax) == (pytest.approx(west), pytest.approx(west + 0.1))
    rectangle = QgsReferencedRectangle(QgsRectangle(190, 3, 191, 4), QgsCoordinateReferenceSystem("EPSG:4326"))
    assert read(algorithm, rectangle, context) == Extent(-170, 3, -169, 4, "EPSG:4326")


def test_typed_without_a_crs_takes_the_projects(algorithm, context, project):
    project.setCrs(QgsCoordinateReferenceSystem("EPSG:2154"))
    assert read(algorithm, "1,2,3,4", context) == Extent(1, 3, 2, 4, "EPSG:2154")


def test_a_rectangle_with_its_crs(algorithm, context):
    value = QgsReferencedRectangle(QgsRectangle(1, 3, 2, 4), QgsCoordinateReferenceSystem("EPSG:4326"))
    assert read(algorithm, value, context) == Extent(1, 3, 2, 4, "EPSG:4326")


def test_a_layer_with_its_crs(algorithm, context, project, landcover):
    layer = QgsRasterLayer(landcover, "codes")
    project.addMapLayer(layer)
    assert read(algorithm, layer.id(), context) == Extent(778000, 9984000, 779200, 9985000, "EPSG:32717")


@pytest.mark.parametrize(
    "value, words",
    [
        ("2,1,3,4 [EPSG:4326]", "inverted"),
        ("179,-179,3,4 [EPSG:4326]", "antimeridian"),
        ("179,181,3,4 [EPSG:4326]", "crosses the antimeridian"),
        ("-181,-179,3,4 [EPSG:4326]", "crosses the antimeridian"),
        ("0,360,3,4 [EPSG:4326]", "crosses the antimeridian"),
        ("500100,500500,3,4 [EPSG:4326]", "outside the Earth: its longitudes are 500,100 to 500,500"),
        ("1,1,3,4 [EPSG:4326]", "empty"),
        ("1,2,3,4", "no CRS"),
    ],
)
def test_bad_extents_are_refused_in_words(algorithm, context, value, words):
    with pytest.raises(BackendError, match=words):
        read(algorithm, value, context)


@pytest.mark.parametrize("value", ["here", "", None, "1,2,3"])
def test_what_is_no_extent(algorithm, context, value):
    with pytest.raises(QgsProcessingException, match="not an extent"):
        read(algorithm, value, context)


def test_a_crs_of_the_users_own_travels_as_wkt():
    own = QgsCoordinateReferenceSystem()
    own.createFromProj("+proj=tmerc +lat_0=1 +lon_0=33 +datum=WGS84")
    assert extents.crs_text(own).startswith("PROJCRS")
    assert (
        extents.crs_text(QgsCoordinateReferenceSystem("EPSG:32618")) == "EPSG:32618" and extents.crs_text(NOWHERE) == ""
    )


PARIS = Extent(2.2, 48.8, 2.4, 48.9, "EPSG:4326")


@pytest.mark.parametrize(
    "project_crs, expected",
    [
        ("EPSG:2154", "EPSG:2154"),
        ("EPSG:4326", ""),  # degrees
        ("EPSG:3857", ""),  # its metres are not metres on the ground
        ("EPSG:2272", ""),  # feet
        ("EPSG:32618", ""),  # metres, but of another continent
    ],
)
def test_the_grid_follows_a_metric_project_crs_that_is_valid_at_the_extent(context, project, project_crs, expected):
    project.setCrs(QgsCoordinateReferenceSystem(project_crs))
    assert extents.grid_crs(NOWHERE, PARIS, context) == expected


def test_a_requested_grid_crs_wins(context, project):
    project.setCrs(QgsCoordinateReferenceSystem("EPSG:2154"))
    assert extents.grid_crs(QgsCoordinateReferenceSystem("EPSG:3035"), PARIS, context) == "EPSG:3035"
    with pytest.raises(QgsProcessingException, match="not projected in metres"):
        extents.grid_crs(QgsCoordinateReferenceSystem("EPSG:4326"), PARIS, context)


def test_the_exported_bounds_contain_the_grid(context):
    box = extents.grid_bounds(PARIS, "", "EPSG:4326", context.transformContext())
    assert box.xMinimum() < PARIS.xmin and box.xMaximum() > PARIS.xmax and box.yMinimum() < PARIS.ymin
    assert box.yMaximum() > PARIS.ymax and box.width() < 0.25 and box.height() < 0.15
