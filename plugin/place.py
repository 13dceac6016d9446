"""Where to generate: drawn on the canvas, or taken from the canvas, a layer or the selected features."""

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
    QgsWkbTypes,
)
from qgis.gui import QgsMapTool
from qgis.PyQt.QtCore import Qt, pyqtSignal
from qgis.PyQt.QtGui import QColor
from qgis.PyQt.QtWidgets import QHBoxLayout, QMenu, QToolButton, QWidget

from .extent_tool import PolygonTool, RectangleTool, band
from .grids import DEGREES
from .translation import tr

# Where an empty project begins: Ithaca, New York, which both WorldCover and NAIP know.
FIRST_PLACE = QgsRectangle(-76.516, 42.435, -76.488, 42.451)
MAP_CRS = "EPSG:3857"
NO_SCALE = 10
"""A map at 1:1, as QGIS begins with, is none."""


@dataclass(frozen=True)
class Place:
    """A rectangle or polygon with its CRS."""

    shape: QgsGeometry
    crs: QgsCoordinateReferenceSystem
    is_rectangle: bool

    @property
    def box(self) -> QgsRectangle:
        """Its bounds."""
        return self.shape.boundingBox()

    def extent(self) -> Any:
        """The bounds as the algorithms take them; as text where an authority gave the CRS a code."""
        box, code = self.box, self.crs.authid()
        if not code:
            return QgsReferencedRectangle(box, self.crs)
        return f"{box.xMinimum():.9f},{box.xMaximum():.9f},{box.yMinimum():.9f},{box.yMaximum():.9f} [{code}]"


class PlacePicker(QWidget):
    """Five ways to a place, which is then shown on the canvas. `said` has words where a way leads nowhere."""

    changed = pyqtSignal()
    said = pyqtSignal(str)

    def __init__(self, iface: Any, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.iface, self.canvas = iface, iface.mapCanvas()
        self.place: Place | None = None
        self._band, self._before = band(self.canvas), None
        self._band.setFillColor(QColor(0, 0, 0, 0))  # what is made there is to be seen in its own colours
        self.tools: dict[QToolButton, QgsMapTool] = {}
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(2)
        self.rectangle = self._drawing(
            tr("Rec&tangle"), "mActionSelectRectangle", tr("Drag a rectangle on the map"), RectangleTool
        )
        self.polygon = self._drawing(
            tr("Polygo&n"),
            "mActionSelectPolygon",
            tr("Click the corners of a polygon on the map; a right click ends it, Backspace takes a corner back"),
            PolygonTool,
        )
        self.view = self._button(tr("M&ap"), "mActionZoomFullExtent", tr("Take what the map shows now"))
        self.layer = self._button(tr("La&yer"), "mActionZoomToLayer", tr("Take the extent of a layer"))
        self.feature = self._button(
            tr("Feat&ure"), "mActionZoomToSelected", tr("Take the selected polygons of the active layer")
        )
        self.view.clicked.connect(self.take_view)
        self.feature.clicked.connect(self.take_features)
        self.layer.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.layer.setMenu(QMenu(self.layer))
        self.layer.menu().aboutToShow.connect(self._list_layers)
        self.canvas.mapToolSet.connect(self._follow)
        self.canvas.destinationCrsChanged.connect(self._show)

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

    def _drawing(self, text: str, icon: str, tip: str, tool: type) -> QToolButton:
        button = self._button(text, icon, tip)
        button.setCheckable(True)
        made = tool(self.canvas)
        made.drawn.connect(self._drawn)
        made.given_up.connect(self._put_down)
        button.clicked.connect(lambda checked: self.draw(button) if checked else self._put_down())
        self.tools[button] = made
        return button

    def draw(self, button: QToolButton) -> None:
        """Begin to draw; in an empty project at a place to begin with."""
        if not QgsProject.instance().mapLayers() and self._is_untouched():
            self._open_map()
        tool = self.tools[button]
        if self.canvas.mapTool() not in self.tools.values():
            self._before = self.canvas.mapTool()
        self.canvas.setMapTool(tool)
        self.canvas.setFocus()

    def _is_untouched(self) -> bool:
        """Whether the map shows no place yet, neither a layer's nor one that coordinates were typed for."""
        return not self.canvas.isVisible() or self.canvas.extent().isEmpty() or self.canvas.scale() < NO_SCALE

    def _open_map(self) -> None:
        """Bring an empty map to where a street is a street: it has no extent of its own yet."""
        if not self.canvas.isVisible():  # QGIS shows its welcome page instead
            self.iface.newProject(False)
        crs, degrees = QgsCoordinateReferenceSystem(MAP_CRS), QgsCoordinateReferenceSystem(DEGREES)
        QgsProject.instance().setCrs(crs)
        self.canvas.setDestinationCrs(crs)
        moved = QgsCoordinateTransform(degrees, crs, QgsProject.instance()).transformBoundingBox(FIRST_PLACE)
        self.canvas.setExtent(moved)
        self.canvas.refresh()
        self.said.emit(
            tr(
                "The project was empty, so the map now lies over Ithaca, New York. To draw elsewhere, add a base map "
                "or type coordinates into the status bar."
            )
        )

    def _drawn(self, shape: QgsGeometry) -> None:
        is_rectangle = self.canvas.mapTool() is self.tools[self.rectangle]
        self.take(Place(shape, self.canvas.mapSettings().destinationCrs(), is_rectangle))
        self._put_down()

    def _put_down(self) -> None:
        """Give the canvas its former tool back."""
        tool = self.canvas.mapTool()
        if tool in self.tools.values():
            self.canvas.unsetMapTool(tool)
            if self._before is not None:
                self.canvas.setMapTool(self._before)
        self._before = None

    def _follow(self, tool: QgsMapTool | None, _: QgsMapTool | None = None) -> None:
        for button, own in self.tools.items():
            button.setChecked(tool is own)

    def take(self, place: Place | None) -> None:
        """Make a place the chosen one and show it."""
        self.place = place
        self._show()
        self.changed.emit()

    def take_view(self) -> None:
        """Take what the canvas shows."""
        box, crs = self.canvas.extent(), self.canvas.mapSettings().destinationCrs()
        if box.isEmpty() or not crs.isValid():
            self.said.emit(tr("The map is empty. Add a layer first, or draw."))
            return
        self.take(Place(QgsGeometry.fromRect(box), crs, True))

    def take_layer(self, layer: Any) -> None:
        """Take a layer's extent."""
        if layer.extent().isEmpty() or not layer.crs().isValid():
            self.said.emit(tr("The layer {0} has no extent or no CRS.").format(layer.name()))
            return
        self.take(Place(QgsGeometry.fromRect(layer.extent()), layer.crs(), True))

    def take_features(self) -> None:
        """Take the selected polygons of the active layer as one; its only feature needs no selecting."""
        layer = self.iface.activeLayer()
        features = []
        if isinstance(layer, QgsVectorLayer) and layer.geometryType() == QgsWkbTypes.GeometryType.PolygonGeometry:
            only = layer.selectedFeatureCount() == 0 and layer.featureCount() == 1
            features = list(layer.getFeatures() if only else layer.getSelectedFeatures())
        shape = QgsGeometry.unaryUnion([feature.geometry().makeValid() for feature in features])
        if not features or shape.isEmpty():
            self.said.emit(tr("Select one or more polygons of the active layer first."))
            return
        self.take(Place(shape, layer.crs(), False))

    def _list_layers(self) -> None:
        menu = self.layer.menu()
        menu.clear()
        for layer in sorted(QgsProject.instance().mapLayers().values(), key=lambda layer: layer.name().lower()):
            if layer.isSpatial():
                menu.addAction(layer.name(), lambda layer=layer: self.take_layer(layer))
        if menu.isEmpty():
            menu.addAction(tr("The project has no layers")).setEnabled(False)

    def _show(self) -> None:
        self._band.reset(QgsWkbTypes.GeometryType.PolygonGeometry)
        if self.place is not None:
            self._band.setToGeometry(self.place.shape, self.place.crs)

    def show_band(self, visible: bool) -> None:
        """Show the place on the canvas, or hide it with the panel."""
        self._band.setVisible(visible)

    def close_down(self) -> None:
        """Leave the canvas as it was found."""
        self._put_down()
        self.canvas.scene().removeItem(self._band)
        for signal, slot in ((self.canvas.mapToolSet, self._follow), (self.canvas.destinationCrsChanged, self._show)):
            signal.disconnect(slot)
