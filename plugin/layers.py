"""Results as layers: name, palette, metadata and one group per run, told by the raster's own tags."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path

from osgeo import gdal
from qgis.core import (
    QgsContrastEnhancement,
    QgsLayerTreeGroup,
    QgsMapLayer,
    QgsMultiBandColorRenderer,
    QgsPalettedRasterRenderer,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingLayerPostProcessorInterface,
    QgsRasterLayer,
)
from qgis.PyQt.QtGui import QColor

SYNTHETIC = "SYNTHETIC"
RUN = "landforge/run"
_alive: list[LayerStyler] = []  # QGIS keeps only a bare pointer to a post-processor


def style_on_completion(context: QgsProcessingContext, title: str, outputs: dict[str, str], labels: list[str]) -> None:
    """Have those outputs of a run that QGIS will load arrive styled, named and in one group.

    `outputs`: key to path. `labels`: what QGIS itself may have called them; any other name is the user's and stays.
    """
    run = Run(f"{title} · {time.strftime('%H:%M:%S')}")
    for path in outputs.values():
        if context.willLoadLayerOnCompletion(path):
            styler = LayerStyler(run, [*outputs, *labels])  # one a layer: QGIS deletes each layer's own
            context.layerToLoadOnCompletionDetails(path).setPostProcessor(styler)
            _alive.append(styler)


@dataclass
class Run:
    """What the layers of one run share: their group, made when the first of them arrives."""

    group_name: str
    group: QgsLayerTreeGroup | None = None


class LayerStyler(QgsProcessingLayerPostProcessorInterface):
    """Styles one layer of a run. QGIS calls it in the main thread, once the layer is in the layer tree."""

    def __init__(self, run: Run, plain_names: list[str]) -> None:
        super().__init__()
        self.run, self.plain_names = run, plain_names

    def postProcessLayer(  # noqa: D102
        self, layer: QgsMapLayer, context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> None:
        named = "" if layer.name() in [*self.plain_names, Path(layer.source()).stem] else layer.name()
        style(layer, named)
        self._group(layer, context)

    def _group(self, layer: QgsMapLayer, context: QgsProcessingContext) -> None:
        """Move a layer's node into the run's group; images above land cover."""
        node = context.project().layerTreeRoot().findLayer(layer.id())
        if node is None:
            return
        if self.run.group is None:
            parent, index = node.parent(), node.parent().children().index(node)
            if parent.customProperty(RUN):  # the selected layer is an earlier run's: stand beside it
                parent, index = parent.parent(), parent.parent().children().index(parent)
            self.run.group = parent.insertGroup(index, self.run.group_name)
            self.run.group.setCustomProperty(RUN, True)
        moved = node.clone()
        is_image = layer.bandCount() > 1
        self.run.group.insertChildNode(0 if is_image else -1, moved)
        moved.setExpanded(not is_image)  # a legend is worth its place, three bands are not
        node.parent().removeChildNode(node)


def style(layer: QgsRasterLayer, name: str = "") -> None:
    """Give a raster of Landforge its renderer, name and metadata; `name` instead of the one its tags tell."""
    source = gdal.Open(layer.source())
    tags = source.GetMetadata() if source else {}
    legend = _legend(source) if source else []
    if legend:
        layer.setRenderer(QgsPalettedRasterRenderer(layer.dataProvider(), 1, legend))
    elif layer.bandCount() >= 3:
        layer.setRenderer(_rgb_renderer(layer))
    name = name or name_of(tags, bool(legend)) or layer.name()
    if tags.get("LANDFORGE_SYNTHETIC") == "YES" and SYNTHETIC not in name:
        name = f"{name} {SYNTHETIC}"
    layer.setName(name)
    _describe(layer, tags)
    layer.triggerRepaint()


def name_of(tags: dict[str, str], is_landcover: bool) -> str:
    """A layer's name from its raster's tags; empty where they tell none."""
    model, seed = Path(tags.get("LANDFORGE_MODEL", "")).name, tags.get("LANDFORGE_SEED")
    kind = "Land cover" if is_landcover else "Image"
    if tags.get("LANDFORGE_SYNTHETIC") == "YES":
        parts = [f"{kind} {SYNTHETIC}", model, seed and f"seed {seed}"]
    elif tags.get("LANDFORGE_PREDICTED") == "YES":
        parts = [f"{kind} predicted", model, Path(tags.get("LANDFORGE_IMAGE", "")).stem]
    elif tags.get("LANDFORGE_SOURCE") == "layer":
        parts = [kind, *(Path(item).stem for item in json.loads(tags.get("LANDFORGE_ITEMS", "[]")))]
    else:
        parts = [tags.get("LANDFORGE_SOURCE")]
    return " · ".join(part for part in parts if part)


def _legend(source: gdal.Dataset) -> list[QgsPalettedRasterRenderer.Class]:
    """Codes, colours and names from the raster's attribute table; empty where it has none."""
    table = source.GetRasterBand(1).GetDefaultRAT() if source.RasterCount == 1 else None
    if table is None:
        return []
    columns = {table.GetNameOfCol(index): index for index in range(table.GetColumnCount())}
    if not {"Value", "Class", "Red", "Green", "Blue"} <= set(columns):
        return []
    legend = []
    for row in range(table.GetRowCount()):
        code, *rgb = (table.GetValueAsInt(row, columns[key]) for key in ("Value", "Red", "Green", "Blue"))
        name = table.GetValueAsString(row, columns["Class"])
        legend.append(QgsPalettedRasterRenderer.Class(code, QColor(*rgb), name))
    return legend


def _rgb_renderer(layer: QgsRasterLayer) -> QgsMultiBandColorRenderer:
    """Bands 1, 2, 3 as they are, 0 to 255, so that two images compare whatever they show."""
    provider = layer.dataProvider()
    renderer = QgsMultiBandColorRenderer(provider, 1, 2, 3)
    renderer.setAlphaBand(layer.renderer().alphaBand())  # a mask, where there is one, as QGIS found it
    for band, put in enumerate(
        (renderer.setRedContrastEnhancement, renderer.setGreenContrastEnhancement, renderer.setBlueContrastEnhancement),
        start=1,
    ):
        stretch = QgsContrastEnhancement(provider.dataType(band))
        stretch.setMinimumValue(0, False)
        stretch.setMaximumValue(255, False)
        stretch.setContrastEnhancementAlgorithm(
            QgsContrastEnhancement.ContrastEnhancementAlgorithm.NoEnhancement, False
        )
        put(stretch)
    return renderer


def _describe(layer: QgsRasterLayer, tags: dict[str, str]) -> None:
    """Put into the layer's metadata what the raster says about itself, and whom to credit."""
    metadata = layer.metadata()
    metadata.setTitle(layer.name())
    told = {key: value for key, value in sorted(tags.items()) if key.startswith("LANDFORGE_")}
    lines = [tags.get("TIFFTAG_IMAGEDESCRIPTION", ""), *(f"{key}: {value}" for key, value in told.items())]
    metadata.setAbstract("\n".join(line for line in lines if line))
    metadata.setRights([tags["LANDFORGE_ATTRIBUTION"]] if tags.get("LANDFORGE_ATTRIBUTION") else [])
    layer.setMetadata(metadata)
    for key, value in told.items():
        layer.setCustomProperty(key.lower().replace("_", "/", 1), value)
