"""Menu entries for the windows that compare results: the Compare panel and the blind test."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QIcon

from .action import QAction
from .translation import tr

if TYPE_CHECKING:
    from .blind_test.dialog import BlindTestDialog
    from .compare.panel import ComparePanel

ICONS = Path(__file__).parent.parent / "icons"


class ResultWindows:
    """Creates each window when it is first opened; `close` removes them. qgis.gui is imported only then."""

    def __init__(self, iface: Any) -> None:
        self.iface = iface
        self.compare_panel: ComparePanel | None = None
        self.blind_test_dialog: BlindTestDialog | None = None

    def actions(self) -> list[QAction]:
        """The menu entries."""
        return [
            self._action("compare", tr("Compare real and synthetic…"), self.show_compare_panel),
            self._action("blindtest", tr("Real or synthetic?…"), self.show_blind_test),
        ]

    def _action(self, name: str, text: str, slot: Any) -> QAction:
        action = QAction(QIcon(str(ICONS / f"{name}.svg")), text, self.iface.mainWindow())
        action.setObjectName(f"landforge{name.capitalize()}Action")
        action.triggered.connect(slot)
        return action

    def show_compare_panel(self) -> None:
        """Show the Compare panel."""
        from .compare.panel import ComparePanel

        if self.compare_panel is None:
            self.compare_panel = ComparePanel(self.iface)
            self.iface.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, self.compare_panel)
            self.compare_panel.preselect_layers()
        self.compare_panel.setUserVisible(True)

    def show_blind_test(self) -> None:
        """Show the blind test, or bring it to the front."""
        from .blind_test.dialog import BlindTestDialog

        if self.blind_test_dialog is None:
            self.blind_test_dialog = BlindTestDialog(self.iface)
        self.blind_test_dialog.show()
        self.blind_test_dialog.raise_()

    def close(self) -> None:
        """Close and remove all windows."""
        if self.compare_panel is not None:
            self.compare_panel.close_all()
            self.iface.removeDockWidget(self.compare_panel)
            self.compare_panel.deleteLater()
            self.compare_panel = None
        if self.blind_test_dialog is not None:
            self.blind_test_dialog.close()
            self.blind_test_dialog.deleteLater()
            self.blind_test_dialog = None
