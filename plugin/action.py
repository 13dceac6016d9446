"""QAction, which Qt 6 has moved from QtWidgets to QtGui."""

try:
    from qgis.PyQt.QtGui import QAction
except ImportError:  # Qt 5
    from qgis.PyQt.QtWidgets import QAction

__all__ = ["QAction"]
