"""The menu's entries for looking at results: the Compare panel and the blind test, each made when first asked for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QIcon

from .action import QAction
from .translation import tr

if TYPE_CHECKING:
    from .blind.dialog import BlindTest
    from .compare.panel import ComparePanel

ICONS = Path(__file__).parent.parent / "icons"


class Windows:
    """Opens the windows; `close` takes them back. What needs qgis.gui is imported when it is asked for."""

    def __init__(self, iface: Any) -> None:
        self.iface = iface
        self.panel: ComparePanel | None = None
        self.test: BlindTest | None = None

    def actions(self) -> list[QAction]:
        """The menu's entries."""
        return [
            self._action("compare", tr("Compare real and synthetic…"), self.compare),
            self._action("blindtest", tr("Real or synthetic?…"), self.blind_test),
        ]

    def _action(self, name: str, text: str, open_it: Any) -> QAction:
        action = QAction(QIcon(str(ICONS / f"{name}.svg")), text, self.iface.mainWindow())
        action.setObjectName(f"landforge{name.capitalize()}Action")
        action.triggered.connect(open_it)
        return action

    def compare(self) -> None:
        """Show the Compare panel."""
        from .compare.panel import ComparePanel

        if self.panel is None:
            self.panel = ComparePanel(self.iface)
            self.iface.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, self.panel)
            self.panel.guess()
        self.panel.setUserVisible(True)

    def blind_test(self) -> None:
        """Show the test, or bring it to the front."""
        from .blind.dialog import BlindTest

        if self.test is None:
            self.test = BlindTest(self.iface)
        self.test.show()
        self.test.raise_()

    def close(self) -> None:
        """Take all windows back."""
        if self.panel is not None:
            self.panel.close_all()
            self.iface.removeDockWidget(self.panel)
            self.panel.deleteLater()
            self.panel = None
        if self.test is not None:
            self.test.close()
            self.test.deleteLater()
            self.test = None
