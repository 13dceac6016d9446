"""Polygon layers of any CRS as the region to fill, in the extent's CRS, and as extents to clip."""

import csv

import processing
import pytest
from landforge.backend.protocol import BackendError, Extent
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsFeature,
    QgsFeatureRequest,
    QgsGeometry,
    QgsProcessing,
    QgsProcessingException,
    QgsProcessingFeatureSourceDefinition,
    QgsRectangle,
    QgsVectorFileWriter,
    QgsVectorLayer,
)

from tests.processing_provider.algorithms import algorithm, read_fields
from tests.processing_provider.rasters import EXTENT, write_raster

# 400 m a side, as EXTENT.
SQUARE = "Polygon((778100 9984500, 778500 9984500, 778500 9984900, 778100 9984900, 778100 9984500))"
WEST = "Polygon((778100 9984500, 778200 9984500, 778200 9984900, 778100 9984900, 778100 9984500))"
EAST = "Polygon((778300 9984500, 778500 9984500, 778500 9984900, 778300 9984900, 778300 9984500))"
FAR = "Polygon((700000 9900000, 700100 9900000, 700100 9900100, 700000 9900000))"


@pytest.fixture
def polygons(project):
    """A function that adds a layer to the project, with a feature for every WKT; None is one without a geometry."""

    def add_layer(*shapes, crs="EPSG:32717", kind="MultiPolygon"):
        layer = QgsVectorLayer(f"{kind}?crs={crs}" if crs else kind, "fields", "memory")
        if not crs:
            layer.setCrs(QgsCoordinateReferenceSystem())
        for shape in shapes:
            feature = QgsFeature()
            if shape is not None:
                feature.setGeometry(QgsGeometry.fromWkt(shape))
            assert layer.dataProvider().addFeatures([feature])[0]
        layer.updateExtents()
        project.addMapLayer(layer)
        return layer

    return add_layer


def read_region(context, layer, **parameters):
    """The fields extent and area, the latter as a geometry."""
    fields = read_fields("generatelandcover", context, AREA=layer, **parameters)
    return fields["extent"], QgsGeometry.fromWkt(fields["area"])


def is_same(region, wkt, m2=1.0):
    return region.isGeosValid() and region.symDifference(QgsGeometry.fromWkt(wkt)).area() < m2


@pytest.mark.parametrize("name", ["generatelandcover", "generatescene"])
def test_without_polygons_the_extent_is_filled(context, name):
    assert "area" not in read_fields(name, context, EXTENT=EXTENT)


@pytest.mark.parametrize("name", ["generatelandcover", "generatescene"])
def test_polygons_in_the_extents_crs(context, polygons, name):
    fields = read_fields(name, context, EXTENT=EXTENT, AREA=polygons(WEST, EAST))
    assert fields["extent"] == Extent(778100, 9984500, 778500, 9984900, "EPSG:32717")
    both = QgsGeometry.fromWkt(WEST).combine(QgsGeometry.fromWkt(EAST)).asWkt()
    assert is_same(QgsGeometry.fromWkt(fields["area"]), both)


def test_an_extent_left_empty_is_the_polygons_bounds(context, polygons):
    extent, region = read_region(context, polygons(WEST, EAST, None))
    assert extent == Extent(778100, 9984500, 778500, 9984900, "EPSG:32717")
    assert region.area() == pytest.approx(120000)


def test_the_bounds_are_not_those_of_the_extent_asked_for(context, polygons):
    extent, region = read_region(context, polygons(WEST, FAR), EXTENT=EXTENT)
    assert extent.xmin == 778100 and is_same(region, WEST)  # what is far off is left out


def projected(wkt, crs):
    """A WKT of EPSG:32717 in another CRS, with vertices along its edges so that these keep their course."""
    geometry = QgsGeometry.fromWkt(wkt).densifyByCount(200)
    source, target = (QgsCoordinateReferenceSystem(text) for text in ("EPSG:32717", crs))
    geometry.transform(QgsCoordinateTransform(source, target, QgsCoordinateTransform().context()))
    return geometry.asWkt()


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:3857", "EPSG:32718"])
def test_polygons_in_another_crs(context, polygons, crs):
    _, region = read_region(context, polygons(projected(WEST, crs), crs=crs), EXTENT=EXTENT)
    assert is_same(region, WEST)


def test_an_extent_in_another_crs(context, polygons):
    box = QgsGeometry.fromWkt(projected(SQUARE, "EPSG:4326")).boundingBox()
    text = f"{box.xMinimum()},{box.xMaximum()},{box.yMinimum()},{box.yMaximum()} [EPSG:4326]"
    extent, region = read_region(context, polygons(WEST), EXTENT=text)
    assert extent.crs == "EPSG:4326"
    back = QgsCoordinateTransform(
        *(QgsCoordinateReferenceSystem(text) for text in ("EPSG:4326", "EPSG:32717")), context.transformContext()
    )
    region.transform(back)
    assert is_same(region, WEST)


def test_a_long_edge_stays_in_place(context, polygons):
    """An edge along a parallel, 2 degrees long: its straight chord in UTM is more than 100 m off at the middle."""
    shape = "Polygon((8 50, 10 50, 10 50.1, 8 50.1, 8 50))"
    project_box = "428000,572000,5538000,5553000 [EPSG:32632]"
    _, region = read_region(context, polygons(shape, crs="EPSG:4326"), EXTENT=project_box, MAX_AREA_KM2=1e6)
    edge = QgsGeometry.fromWkt("Point(9 50)")
    to_utm = QgsCoordinateTransform(
        *(QgsCoordinateReferenceSystem(text) for text in ("EPSG:4326", "EPSG:32632")), context.transformContext()
    )
    edge.transform(to_utm)
    assert QgsGeometry(region.get().boundary()).distance(edge) < 0.5


def test_a_polygon_that_reaches_far_beyond_the_extent(context, polygons):
    world = "Polygon((-180 -90, 180 -90, 180 90, -180 90, -180 -90))"
    _, region = read_region(context, polygons(world, crs="EPSG:4326"), EXTENT=EXTENT)
    assert region.contains(QgsGeometry.fromWkt(SQUARE)) and region.area() < 4 * 160000


def test_selected_features_only(context, polygons):
    layer = polygons(WEST, EAST)
    layer.selectByIds([next(layer.getFeatures(QgsFeatureRequest(QgsRectangle(778301, 9984501, 778302, 9984502)))).id()])
    selected = QgsProcessingFeatureSourceDefinition(layer.id(), selectedFeaturesOnly=True)
    extent, region = read_region(context, selected)
    assert extent.xmin == 778300 and is_same(region, EAST)
    assert is_same(read_region(context, selected, EXTENT=EXTENT)[1], EAST)
    layer.removeSelection()
    with pytest.raises(QgsProcessingException, match=r"'fields' has no polygons to fill.*select some"):
        read_region(context, selected)


def test_a_file(context, polygons, tmp_path):
    path = str(tmp_path / "fields.gpkg")
    options = QgsVectorFileWriter.SaveVectorOptions()
    QgsVectorFileWriter.writeAsVectorFormatV3(polygons(WEST), path, context.transformContext(), options)
    assert is_same(read_region(context, path)[1], WEST)


@pytest.mark.parametrize(
    "kind, corners, area",
    [
        ("Polygon", "778100 9984500, 778500 9984900, 778500 9984500, 778100 9984900, 778100 9984500", 80000),  # bow tie
        ("PolygonZ", "778100 9984500 1, 778500 9984500 2, 778500 9984900 3, 778100 9984500 1", 80000),
        ("CurvePolygon", "778200 9984700, 778300 9984800, 778400 9984700, 778300 9984600, 778200 9984700", 31416),
    ],
)
def test_odd_polygons(context, polygons, kind, corners, area):
    shape = f"{kind}(CircularString({corners}))" if kind == "CurvePolygon" else f"{kind}(({corners}))"
    _, region = read_region(context, polygons(shape, kind=kind), EXTENT=EXTENT)
    assert region.isGeosValid() and region.area() == pytest.approx(area, rel=1e-3)
    assert region.asWkt().startswith(("Polygon (", "MultiPolygon ("))


def test_the_order_of_the_features_does_not_matter(context, polygons):
    """A run that resumes from finished blocks needs the same text."""
    orders = ((WEST, SQUARE, EAST), (EAST, WEST, SQUARE))
    first, second = (read_fields("generatelandcover", context, AREA=polygons(*order))["area"] for order in orders)
    assert first == second


def test_the_wkt_has_digits_enough_and_no_noise(context, polygons):
    shape = "Polygon((-78.5 -0.14, -78.499123456 -0.14, -78.5 -0.139, -78.5 -0.14))"
    text = read_fields("generatelandcover", context, AREA=polygons(shape, crs="EPSG:4326"))["area"]
    assert "-78.499123456 -0.14" in text and len(text) < 120


@pytest.mark.parametrize(
    "shapes, options, words",
    [
        ([], {}, "has no polygons to fill"),
        ([None], {}, "has no polygons to fill"),
        (["Polygon((778100 9984500, 778200 9984500, 778100 9984500))"], {}, "has no polygons to fill"),  # no area
        (["LineString(778100 9984500, 778500 9984900)"], {"kind": "LineString"}, "has no polygons to fill"),
        ([WEST], {"crs": ""}, "'fields' has no CRS.*Set it first"),
    ],
)
def test_layers_that_cannot_be_filled(context, polygons, shapes, options, words):
    with pytest.raises(QgsProcessingException, match=words):
        read_region(context, polygons(*shapes, **options))


@pytest.mark.parametrize("shape", [FAR, "Polygon((778510 9984500, 778520 9984500, 778520 9984510, 778510 9984500))"])
def test_polygons_off_the_extent(context, polygons, shape):
    with pytest.raises(QgsProcessingException, match="No polygon of the layer 'fields' touches the extent"):
        read_region(context, polygons(shape), EXTENT=EXTENT)


def test_polygons_on_another_continent(context, polygons):
    shape = "Polygon((500000 5500000, 500100 5500000, 500100 5500100, 500000 5500000))"
    with pytest.raises(QgsProcessingException, match=r"No polygon|cannot be projected"):
        read_region(context, polygons(shape, crs="EPSG:32632"), EXTENT=EXTENT)


def test_what_is_no_vector_layer(context, tmp_path, codes):
    for path in (tmp_path / "none.gpkg", write_raster(tmp_path / "codes.tif", codes)):
        with pytest.raises(QgsProcessingException, match=f"AREA cannot be opened: {path}"):
            read_region(context, str(path))


@pytest.mark.parametrize("name", ["generatelandcover", "generatescene"])
def test_neither_extent_nor_polygons(context, name):
    for empty in ({}, {"EXTENT": None, "AREA": None}, {"EXTENT": "", "AREA": ""}):
        ok, message = algorithm(name).checkParameterValues(empty, context)
        assert not ok and "EXTENT and AREA are both empty" in message


def test_polygons_alone_are_enough(context, polygons):
    parameters = {"AREA": polygons(WEST).id(), "OUTPUT": QgsProcessing.TEMPORARY_OUTPUT}
    assert algorithm("generatelandcover").checkParameterValues(parameters, context) == (True, "")


def test_each_polygon_is_an_extent_to_clip(context, polygons):
    layer = polygons(WEST, None, EAST)
    fields = read_fields("builddataset", context, EXTENTS=layer, LANDCOVER_SOURCE="planetarycomputer", YEAR="2018")
    assert fields["extents"] == tuple(
        Extent(left, 9984500, right, 9984900, "EPSG:32717") for left, right in ((778100, 778200), (778300, 778500))
    )
    assert fields["label"] == () and "image" not in fields and fields["year"] == 2018
    with pytest.raises(QgsProcessingException, match="has no polygons to fill"):
        read_fields("builddataset", context, EXTENTS=polygons(None))


def test_a_data_set_of_extents(context, polygons, image, landcover, tmp_path):
    """Clips of one image and one label at 2 m, cut into 1 x 5 and 2 x 5 tiles of 80 m."""
    parameters = {"EXTENTS": polygons(WEST, EAST), "IMAGE": [image], "LABEL": [landcover], "PIXEL_M": 2, "TILE_PX": 40}
    processing.run("landforge:builddataset", {**parameters, "OUTPUT": str(tmp_path / "tiles")}, context=context)
    with open(tmp_path / "tiles" / "manifest.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 15 and {float(row["xmin"]) for row in rows} == {778100, 778300, 778380}
    assert sorted(path.name for path in (tmp_path / "tiles" / "clipped").glob("*.tif")) == [
        f"{number:03d}_{kind}.tif" for number in range(2) for kind in ("image", "label")
    ]


def degrees(west, east, south=-16.1, north=-16.0):
    return f"Polygon(({west} {south}, {east} {south}, {east} {north}, {west} {north}, {west} {south}))"


@pytest.mark.parametrize("turn", [360, -360])
def test_polygons_with_longitudes_beyond_180_are_shifted(context, polygons, turn):
    layer = polygons(degrees(-170 + turn, -169.9 + turn), crs="EPSG:4326")
    extent, region = read_region(context, layer)
    assert (extent.xmin, extent.xmax) == (pytest.approx(-170), pytest.approx(-169.9))
    assert region.boundingBox().xMinimum() == pytest.approx(-170) and region.area() == pytest.approx(0.01)
    _, half = read_region(context, layer, EXTENT="-169.95,-169.9,-16.1,-16 [EPSG:4326]")
    assert half.area() == pytest.approx(0.005, rel=0.1)
    (clip,) = read_fields("builddataset", context, EXTENTS=layer)["extents"]
    assert clip.xmin == pytest.approx(-170)


def test_a_polygon_across_the_antimeridian(context, polygons):
    layer = polygons(degrees(179.9, 180.1), crs="EPSG:4326")
    for read in (lambda: read_region(context, layer), lambda: read_fields("builddataset", context, EXTENTS=layer)):
        with pytest.raises(BackendError, match="crosses the antimeridian"):
            read()
    for extent, west in (("179.95,180,-16.1,-16", 179.95), ("-180,-179.95,-16.1,-16", -180)):
        _, region = read_region(context, layer, EXTENT=f"{extent} [EPSG:4326]")
        assert region.boundingBox().xMinimum() == pytest.approx(west, abs=0.01)
        assert region.intersects(QgsGeometry.fromWkt(degrees(west + 0.01, west + 0.04)))
