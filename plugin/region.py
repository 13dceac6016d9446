"""The region to generate: drawn on the canvas, or taken from the canvas, a layer or the selected features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from qgis.core import (
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsGeometry,
    QgsProject,
    QgsRectangle,
    QgsReferencedRectangle,
    QgsVectorLayer,
)
from qgis.gui import QgsMapTool
from qgis.PyQt.QtCore import Qt, pyqtSignal
from qgis.PyQt.QtGui import QColor
from qgis.PyQt.QtWidgets import QHBoxLayout, QMenu, QToolButton, QWidget

from .drawing_tools import POLYGON, PolygonTool, RectangleTool, rubber_band
from .grids import WGS84
from .translation import tr

DEFAULT_VIEW = QgsRectangle(-76.516, 42.435, -76.488, 42.451)
"""What the map of an empty project is moved to, in degrees: Ithaca, New York, which WorldCover and NAIP cover."""
MAP_CRS = "EPSG:3857"
MIN_SCALE = 10
"""A map with a smaller scale denominator has not been moved yet: QGIS starts at 1:1."""


@dataclass(frozen=True)
class Region:
    """A rectangle or polygon with its CRS."""

    geometry: QgsGeometry
    crs: QgsCoordinateReferenceSystem
    is_rectangle: bool

    @property
    def bounds(self) -> QgsRectangle:
        """The bounding box."""
        return self.geometry.boundingBox()

    def extent_parameter(self) -> Any:
        """The bounds as a value of the parameter EXTENT: text where the CRS has an authority code."""
        box, code = self.bounds, self.crs.authid()
        if not code:
            return QgsReferencedRectangle(box, self.crs)
        return f"{box.xMinimum():.9f},{box.xMaximum():.9f},{box.yMinimum():.9f},{box.yMaximum():.9f} [{code}]"


class RegionPicker(QWidget):
    """Five buttons that choose a region, which is then shown on the canvas.

    `changed` follows each new region; `message` carries a sentence where a button could not choose one.
    """

    changed = pyqtSignal()
    message = pyqtSignal(str)

    def __init__(self, iface: Any, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.iface, self.canvas = iface, iface.mapCanvas()
        self.region: Region | None = None
        self._band = rubber_band(self.canvas)
        self._band.setFillColor(QColor(0, 0, 0, 0))  # so that results keep their colours
        self._previous_tool: QgsMapTool | None = None
        self.tools: dict[QToolButton, QgsMapTool] = {}
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(2)
        self.rectangle_button = self._drawing_button(
            tr("Rec&tangle"), "mActionSelectRectangle", tr("Drag a rectangle on the map"), RectangleTool
        )
        self.polygon_button = self._drawing_button(
            tr("Polygo&n"),
            "mActionSelectPolygon",
            tr("Click the corners of a polygon on the map; a right click ends it, Backspace takes a corner back"),
            PolygonTool,
        )
        self.view_button = self._button(tr("M&ap"), "mActionZoomFullExtent", tr("Take what the map shows now"))
        self.layer_button = self._button(tr("La&yer"), "mActionZoomToLayer", tr("Take the extent of a layer"))
        self.feature_button = self._button(
            tr("Feat&ure"), "mActionZoomToSelected", tr("Take the selected polygons of the active layer")
        )
        self.view_button.clicked.connect(self.take_view)
        self.feature_button.clicked.connect(self.take_features)
        self.layer_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.layer_button.setMenu(QMenu(self.layer_button))
        self.layer_button.menu().aboutToShow.connect(self._list_layers)
        self.canvas.mapToolSet.connect(self._check_buttons)
        self.canvas.destinationCrsChanged.connect(self._show_region)

    def _button(self, text: str, icon: str, tip: str) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        button.setIcon(QgsApplication.getThemeIcon(f"/{icon}.svg"))
        button.setToolTip(tip)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        button.setAutoRaise(True)
        self._row.addWidget(button, 1)
        return button

    def _drawing_button(
        self, text: str, icon: str, tip: str, tool_type: type[RectangleTool] | type[PolygonTool]
    ) -> QToolButton:
        button = self._button(text, icon, tip)
        button.setCheckable(True)
        tool = tool_type(self.canvas)
        tool.drawn.connect(self._drawn)
        tool.cancelled.connect(self._restore_tool)
        button.clicked.connect(lambda checked: self.draw(button) if checked else self._restore_tool())
        self.tools[button] = tool
        return button

    def draw(self, button: QToolButton) -> None:
        """Activate a button's drawing tool; in an empty project the map is first moved to DEFAULT_VIEW."""
        if not QgsProject.instance().mapLayers() and self._is_unused_map():
            self._show_default_view()
        tool = self.tools[button]
        if self.canvas.mapTool() not in self.tools.values():
            self._previous_tool = self.canvas.mapTool()
        self.canvas.setMapTool(tool)
        self.canvas.setFocus()

    def _is_unused_map(self) -> bool:
        """Whether the map has not been moved yet, neither to a layer nor to typed coordinates."""
        return not self.canvas.isVisible() or self.canvas.extent().isEmpty() or self.canvas.scale() < MIN_SCALE

    def _show_default_view(self) -> None:
        """Move an unused map to DEFAULT_VIEW in Web Mercator, and say so."""
        if not self.canvas.isVisible():  # QGIS shows its welcome page
            self.iface.newProject(False)
        crs, wgs84 = QgsCoordinateReferenceSystem(MAP_CRS), QgsCoordinateReferenceSystem(WGS84)
        QgsProject.instance().setCrs(crs)
        self.canvas.setDestinationCrs(crs)
        view = QgsCoordinateTransform(wgs84, crs, QgsProject.instance()).transformBoundingBox(DEFAULT_VIEW)
        self.canvas.setExtent(view)
        self.canvas.refresh()
        self.message.emit(
            tr(
                "The project was empty, so the map now lies over Ithaca, New York. To draw elsewhere, add a base map "
                "or type coordinates into the status bar."
            )
        )

    def _drawn(self, geometry: QgsGeometry) -> None:
        is_rectangle = self.canvas.mapTool() is self.tools[self.rectangle_button]
        self.set_region(Region(geometry, self.canvas.mapSettings().destinationCrs(), is_rectangle))
        self._restore_tool()

    def _restore_tool(self) -> None:
        """Give the canvas the tool back that it had before drawing."""
        tool = self.canvas.mapTool()
        if tool in self.tools.values():
            self.canvas.unsetMapTool(tool)
            if self._previous_tool is not None:
                self.canvas.setMapTool(self._previous_tool)
        self._previous_tool = None

    def _check_buttons(self, tool: QgsMapTool | None, _: QgsMapTool | None = None) -> None:
        """Check the button of the canvas's tool, and uncheck the others."""
        for button, button_tool in self.tools.items():
            button.setChecked(tool is button_tool)

    def set_region(self, region: Region | None) -> None:
        """Choose a region and show it on the canvas."""
        self.region = region
        self._show_region()
        self.changed.emit()

    def take_view(self) -> None:
        """Choose the canvas's extent."""
        box, crs = self.canvas.extent(), self.canvas.mapSettings().destinationCrs()
        if box.isEmpty() or not crs.isValid():
            self.message.emit(tr("The map is empty. Add a layer first, or draw."))
            return
        self.set_region(Region(QgsGeometry.fromRect(box), crs, True))

    def take_layer(self, layer: Any) -> None:
        """Choose a layer's extent."""
        if layer.extent().isEmpty() or not layer.crs().isValid():
            self.message.emit(tr("The layer {0} has no extent or no CRS.").format(layer.name()))
            return
        self.set_region(Region(QgsGeometry.fromRect(layer.extent()), layer.crs(), True))

    def take_features(self) -> None:
        """Choose the union of the active layer's selected polygons; a layer's only feature counts as selected."""
        layer = self.iface.activeLayer()
        features = []
        if isinstance(layer, QgsVectorLayer) and layer.geometryType() == POLYGON:
            single = layer.selectedFeatureCount() == 0 and layer.featureCount() == 1
            features = list(layer.getFeatures() if single else layer.getSelectedFeatures())
        union = QgsGeometry.unaryUnion([feature.geometry().makeValid() for feature in features])
        if not features or union.isEmpty():
            self.message.emit(tr("Select one or more polygons of the active layer first."))
            return
        self.set_region(Region(union, layer.crs(), False))

    def _list_layers(self) -> None:
        menu = self.layer_button.menu()
        menu.clear()
        for layer in sorted(QgsProject.instance().mapLayers().values(), key=lambda layer: layer.name().lower()):
            if layer.isSpatial():
                menu.addAction(layer.name(), lambda layer=layer: self.take_layer(layer))
        if menu.isEmpty():
            menu.addAction(tr("The project has no layers")).setEnabled(False)

    def _show_region(self) -> None:
        self._band.reset(POLYGON)
        if self.region is not None:
            self._band.setToGeometry(self.region.geometry, self.region.crs)

    def set_band_visible(self, visible: bool) -> None:
        """Show or hide the region on the canvas."""
        self._band.setVisible(visible)

    def close_down(self) -> None:
        """Remove the tools and the rubber band from the canvas."""
        self._restore_tool()
        self.canvas.scene().removeItem(self._band)
        for signal, slot in (
            (self.canvas.mapToolSet, self._check_buttons),
            (self.canvas.destinationCrsChanged, self._show_region),
        ):
            signal.disconnect(slot)
