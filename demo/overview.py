"""The demo's QGIS project with styled and grouped layers, and a picture of the layers side by side."""

from pathlib import Path

from landforge.plugin.layers import style
from qgis.core import (
    QgsLayoutExporter,
    QgsLayoutItemLabel,
    QgsLayoutItemLegend,
    QgsLayoutItemMap,
    QgsLayoutPoint,
    QgsLayoutSize,
    QgsPrintLayout,
    QgsProject,
    QgsRasterLayer,
    QgsReferencedRectangle,
    QgsUnitTypes,
)
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QFont

GROUPS = {
    "Real": ("naip", "worldcover"),
    "Synthetic": ("image_controlnet", "image_spade", "landcover"),
    "Predicted": ("segmentation",),
}
TITLES = {
    "worldcover": "WorldCover",
    "naip": "NAIP",
    "segmentation": "Segmentation of NAIP",
    "landcover": "Land cover",
    "image_controlnet": "Image by ControlNet",
    "image_spade": "Image by SPADE",
}
MAP_MM, GAP_MM, TITLE_MM, LEGEND_MM = 90, 6, 9, 28
DPI = 100


def write_project(out: Path) -> None:
    """Write project.qgz, which opens at the extent, and overview.png from the six rasters in the folder `out`."""
    project = QgsProject.instance()
    project.clear()
    layers = {}
    for group, names in GROUPS.items():
        node = project.layerTreeRoot().addGroup(group)
        for name in names:
            layer = QgsRasterLayer(str(out / f"{name}.tif"), TITLES[name])
            style(layer, TITLES[name])
            project.addMapLayer(layer, False)
            node.addLayer(layer).setExpanded(name == "landcover")
            layers[name] = layer
    landcover = layers["landcover"]
    project.setCrs(landcover.crs())
    project.viewSettings().setDefaultViewExtent(QgsReferencedRectangle(landcover.extent(), landcover.crs()))
    project.setTitle("Landforge demo")
    layout = _layout(project, layers)
    project.layoutManager().addLayout(layout)
    project.write(str(out / "project.qgz"))
    picture = QgsLayoutExporter(layout).renderPageToImage(0, QSize(), DPI)
    if not picture.save(str(out / "overview.png")):
        raise SystemExit(f"cannot write {out / 'overview.png'}")


def _millimetres(kind, x: float, y: float):
    return kind(x, y, QgsUnitTypes.LayoutMillimeters)


def _layout(project: QgsProject, layers: dict) -> QgsPrintLayout:
    layout = QgsPrintLayout(project)
    layout.initializeDefaults()
    layout.setName("Overview")
    extent = layers["landcover"].extent()
    height = MAP_MM * extent.height() / extent.width()
    for number, name in enumerate(TITLES):
        left = GAP_MM + number % 3 * (MAP_MM + GAP_MM)
        top = GAP_MM + number // 3 * (height + TITLE_MM + GAP_MM)
        label = QgsLayoutItemLabel(layout)
        label.setText(layers[name].name())
        label.setFont(QFont("sans-serif", 13))
        layout.addLayoutItem(label)
        label.attemptMove(_millimetres(QgsLayoutPoint, left, top))
        label.attemptResize(_millimetres(QgsLayoutSize, MAP_MM, TITLE_MM))
        map_item = QgsLayoutItemMap(layout)
        layout.addLayoutItem(map_item)
        map_item.attemptMove(_millimetres(QgsLayoutPoint, left, top + TITLE_MM))
        map_item.attemptResize(_millimetres(QgsLayoutSize, MAP_MM, height))
        map_item.setLayers([layers[name]])
        map_item.setCrs(layers["landcover"].crs())
        map_item.setExtent(extent)
        map_item.setFrameEnabled(True)
    legend = QgsLayoutItemLegend(layout)
    legend.setAutoUpdateModel(False)
    tree = legend.model().rootGroup()
    tree.removeAllChildren()
    tree.addLayer(layers["landcover"])
    legend.setColumnCount(4)
    legend.setSplitLayer(True)
    legend.setEqualColumnWidth(True)
    layout.addLayoutItem(legend)
    bottom = GAP_MM + 2 * (height + TITLE_MM + GAP_MM)
    legend.attemptMove(_millimetres(QgsLayoutPoint, GAP_MM, bottom))
    page = _millimetres(QgsLayoutSize, 3 * MAP_MM + 4 * GAP_MM, bottom + LEGEND_MM + GAP_MM)
    layout.pageCollection().page(0).setPageSize(page)
    return layout
