"""The difference of two layers in QGIS: styled layer, table and page at the requested paths."""

from pathlib import Path

import processing
import pytest
from qgis.core import QgsPalettedRasterRenderer, QgsProcessingException, QgsProcessingOutputLayerDefinition

from tests.processing_provider.rasters import read_raster, write_raster

DIFFERENCE = "landforge:landcoverdifference"


@pytest.fixture
def changed(codes, tmp_path):
    other = codes.copy()
    other[:, :20, :20] = 80
    return write_raster(tmp_path / "changed.tif", other)


def test_layers_arrive_styled(landcover, changed, tmp_path, project):
    output = QgsProcessingOutputLayerDefinition(str(tmp_path / "out.tif"), project)
    files = {"OUTPUT_TABLE": str(tmp_path / "t.csv"), "OUTPUT_REPORT": str(tmp_path / "t.html")}
    result = processing.runAndLoadResults(
        DIFFERENCE, {"REFERENCE": landcover, "COMPARED": changed, "OUTPUT": output, **files}
    )
    assert {key: result[key] for key in files} == files and all(Path(path).is_file() for path in files.values())
    (layer,) = project.mapLayers().values()
    assert isinstance(layer.renderer(), QgsPalettedRasterRenderer) and "changed.tif" in layer.metadata().abstract()
    assert any("→ Permanent water bodies" in entry.label for entry in layer.renderer().classes())


def test_temporary_outputs(landcover, changed, context):
    outputs = dict.fromkeys(("OUTPUT", "OUTPUT_TABLE", "OUTPUT_REPORT"), "TEMPORARY_OUTPUT")
    result = processing.run(DIFFERENCE, {"REFERENCE": landcover, "COMPARED": changed, **outputs}, context=context)
    assert read_raster(result["OUTPUT"]).any()
    assert result["OUTPUT_TABLE"].endswith(".csv") and result["OUTPUT_REPORT"].endswith(".html")
    assert "Hectares" in Path(result["OUTPUT_REPORT"]).read_text(encoding="utf-8")


def test_an_image_is_no_land_cover(landcover, image, tmp_path, context):
    parameters = {"REFERENCE": landcover, "COMPARED": image, "OUTPUT": str(tmp_path / "out.tif")}
    files = {"OUTPUT_TABLE": str(tmp_path / "t.csv"), "OUTPUT_REPORT": str(tmp_path / "t.html")}
    with pytest.raises(QgsProcessingException, match="one band of class codes"):
        processing.run(DIFFERENCE, {**parameters, **files}, context=context)
    assert not list(tmp_path.glob("t.*"))
