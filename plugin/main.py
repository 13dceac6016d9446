"""The plugin: its provider in Processing, its panel, menus and page of options."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from qgis.core import QgsApplication, QgsProcessingProvider
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QIcon

from . import translation
from .action import QAction
from .bridge import process
from .translation import tr
from .windows import Windows

if TYPE_CHECKING:
    from .dock import GeneratePanel
    from .environment_dialog import EnvironmentDialog
    from .layer_menu import LayerMenu
    from .options import OptionsFactory

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
        self.panel: GeneratePanel | None = None
        self.layer_menu: LayerMenu | None = None
        self.options: OptionsFactory | None = None

    def initProcessing(self) -> None:
        """Put the algorithms into Processing; all that qgis_process calls."""
        QgsApplication.processingRegistry().addProvider(self.provider)
        self.provider.refreshAlgorithms()  # its models find their steps, now that these are registered

    def initGui(self) -> None:
        """Put the plugin into the window."""
        self.initProcessing()
        if self.iface is None:
            return
        self._add_panel()
        set_up = QAction(QIcon(str(ICON)), tr("Set up the backend…"), self.iface.mainWindow())
        set_up.setObjectName("landforgeSetUp")
        set_up.triggered.connect(self.set_up)
        for action in (set_up, *self.windows.actions()):
            self._add(action)

    def _add(self, action: QAction) -> None:
        self.iface.addPluginToMenu(MENU, action)
        self.actions.append(action)

    def _add_panel(self) -> None:
        """The panel, hidden until it is asked for, and what belongs to it."""
        from .dock import GeneratePanel  # these need qgis.gui, which a server may lack
        from .layer_menu import LayerMenu
        from .options import OptionsFactory

        self.panel = GeneratePanel(self.iface, self.environment_dialog, self.iface.mainWindow())
        self.iface.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, self.panel)
        self.panel.hide()
        action = self.panel.toggleViewAction()
        action.setIcon(QIcon(str(ICON)))
        action.setText(tr("Generate…"))
        action.setToolTip(tr("Landforge: generate synthetic land cover and images"))
        self._add(action)
        self.iface.addToolBarIcon(action)
        self.layer_menu = LayerMenu(self.iface, self.panel)
        self.options = OptionsFactory()
        self.iface.registerOptionsWidgetFactory(self.options)

    def environment_dialog(self) -> EnvironmentDialog:
        """The dialog that makes the backend's environment: one, kept."""
        from .environment_dialog import EnvironmentDialog

        if self.dialog is None:
            self.dialog = EnvironmentDialog(self.iface.mainWindow())
        return self.dialog

    def set_up(self) -> None:
        """Open the dialog that makes the backend's environment, or bring it to the front."""
        dialog = self.environment_dialog()
        dialog.refresh()
        dialog.show()
        dialog.raise_()

    def unload(self) -> None:
        """Take all of it back, the warm worker included."""
        self._remove_panel()
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

    def _remove_panel(self) -> None:
        if self.panel is None or self.layer_menu is None:
            return
        self.iface.unregisterOptionsWidgetFactory(self.options)
        self.iface.removeToolBarIcon(self.panel.toggleViewAction())
        self.layer_menu.close_down()
        self.panel.close_down()
        self.iface.removeDockWidget(self.panel)
        self.panel.deleteLater()
        self.panel = self.layer_menu = self.options = None
