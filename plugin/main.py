"""The plugin's entry point: Processing provider, Generate panel, menus and options page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from qgis.core import QgsApplication, QgsProcessingProvider
from qgis.PyQt.QtCore import QSignalBlocker, Qt
from qgis.PyQt.QtGui import QIcon

from . import translation
from .action import QAction
from .bridge import process
from .result_windows import ResultWindows
from .translation import tr

if TYPE_CHECKING:
    from .environment_dialog import EnvironmentDialog
    from .generate_panel import GeneratePanel
    from .layer_menu import LayerMenu
    from .options import OptionsFactory

MENU = "Landforge"
ICON = Path(__file__).parent.parent / "icons" / "landforge.svg"


class LandforgePlugin:
    """The object that QGIS loads and unloads; `iface` is None under qgis_process, which uses the provider only."""

    def __init__(self, iface: Any, provider: QgsProcessingProvider) -> None:
        self.iface, self.provider = iface, provider
        self.actions: list[QAction] = []
        self.dialog: EnvironmentDialog | None = None
        self.result_windows = ResultWindows(iface)
        self.translator = translation.install()
        self.panel: GeneratePanel | None = None
        self.layer_menu: LayerMenu | None = None
        self.options: OptionsFactory | None = None

    def initProcessing(self) -> None:
        """Register the provider; qgis_process calls nothing else."""
        QgsApplication.processingRegistry().addProvider(self.provider)
        self.provider.refreshAlgorithms()  # models are loaded once their algorithms are registered

    def initGui(self) -> None:
        """Add the panel, menu entries and options page to QGIS's window."""
        self.initProcessing()
        if self.iface is None:
            return
        self._add_panel()
        set_up = QAction(QIcon(str(ICON)), tr("Set up the backend…"), self.iface.mainWindow())
        set_up.setObjectName("landforgeSetUp")
        set_up.triggered.connect(self.set_up)
        for action in (set_up, *self.result_windows.actions()):
            self._add_to_menu(action)

    def _add_to_menu(self, action: QAction) -> None:
        self.iface.addPluginToMenu(MENU, action)
        self.actions.append(action)

    def _add_panel(self) -> None:
        """Add the panel, which is hidden at first, its layer menu and the options page."""
        from .generate_panel import GeneratePanel  # these need qgis.gui, which a server may lack
        from .layer_menu import LayerMenu
        from .options import OptionsFactory

        self.panel = GeneratePanel(self.iface, self.environment_dialog, self.iface.mainWindow())
        with QSignalBlocker(self.panel):  # QGIS shows each dock that is added; this is no opening of the panel
            self.iface.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, self.panel)
            self.panel.hide()
        action = self.panel.toggleViewAction()
        action.setIcon(QIcon(str(ICON)))
        action.setText(tr("Generate…"))
        action.setToolTip(tr("Landforge: generate synthetic land cover and images"))
        self._add_to_menu(action)
        self.iface.addToolBarIcon(action)
        self.layer_menu = LayerMenu(self.iface, self.panel)
        self.options = OptionsFactory()
        self.iface.registerOptionsWidgetFactory(self.options)

    def environment_dialog(self) -> EnvironmentDialog:
        """The dialog that sets up the backend, created at the first call."""
        from .environment_dialog import EnvironmentDialog

        if self.dialog is None:
            self.dialog = EnvironmentDialog(self.iface.mainWindow())
        return self.dialog

    def set_up(self) -> None:
        """Open the dialog that sets up the backend, or bring it to the front."""
        dialog = self.environment_dialog()
        dialog.refresh()
        dialog.show()
        dialog.raise_()

    def unload(self) -> None:
        """Remove everything from QGIS and end the warm worker."""
        self._remove_panel()
        for action in self.actions:
            self.iface.removePluginMenu(MENU, action)
            action.deleteLater()
        self.actions.clear()
        self.result_windows.close()
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
