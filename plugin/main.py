"""The plugin: its provider in Processing and its menu."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from qgis.core import QgsApplication, QgsProcessingProvider
from qgis.PyQt.QtGui import QIcon
from qgis.PyQt.QtWidgets import QAction

from . import translation
from .bridge import process
from .translation import tr
from .windows import Windows

if TYPE_CHECKING:
    from .environment_dialog import EnvironmentDialog

MENU = "Landforge"
ICON = Path(__file__).parent.parent / "icons" / "landforge.svg"


class LandforgePlugin:
    """What QGIS loads and unloads. `iface` is None under qgis_process, which only asks for the provider."""

    def __init__(self, iface: Any, provider: QgsProcessingProvider) -> None:
        self.iface, self.provider = iface, provider
        self.actions: list[QAction] = []
        self.dialog: EnvironmentDialog | None = None
        self.windows = Windows(iface)
        self.translator = translation.install()

    def initProcessing(self) -> None:
        """Put the algorithms into Processing; all that qgis_process calls."""
        QgsApplication.processingRegistry().addProvider(self.provider)
        self.provider.refreshAlgorithms()  # its models find their steps, now that these are registered

    def initGui(self) -> None:
        """Put the plugin into the window."""
        self.initProcessing()
        if self.iface is None:
            return
        action = QAction(QIcon(str(ICON)), tr("Set up the backend…"), self.iface.mainWindow())
        action.setObjectName("landforgeSetUp")
        action.triggered.connect(self.set_up)
        self.actions += [action, *self.windows.actions()]
        for each in self.actions:
            self.iface.addPluginToMenu(MENU, each)

    def set_up(self) -> None:
        """Open the dialog that makes the backend's environment, or bring it to the front."""
        from .environment_dialog import EnvironmentDialog  # it needs qgis.gui, which a server may lack

        if self.dialog is None:
            self.dialog = EnvironmentDialog(self.iface.mainWindow())
        self.dialog.refresh()
        self.dialog.show()
        self.dialog.raise_()

    def unload(self) -> None:
        """Take all of it back, the warm worker included."""
        for action in self.actions:
            self.iface.removePluginMenu(MENU, action)
            action.deleteLater()
        self.actions.clear()
        self.windows.close()
        if self.dialog is not None:
            self.dialog.cancel()
            self.dialog.deleteLater()
            self.dialog = None
        QgsApplication.processingRegistry().removeProvider(self.provider)
        process.stop_worker()
