"""Processing feedback that relays an algorithm's messages to the window as signals."""

from __future__ import annotations

from qgis.core import QgsProcessingFeedback
from qgis.PyQt.QtCore import pyqtSignal


class SignalFeedback(QgsProcessingFeedback):
    """Feedback of an algorithm that runs in a task; its methods are called from the task's thread.

    `text_changed` carries the progress text, `previewed` paths of preview rasters by output name, and
    `progressChanged` (QGIS's own) the percentage. `errors` collects what the algorithm reports as errors.
    """

    text_changed = pyqtSignal(str)
    previewed = pyqtSignal(dict)

    def __init__(self) -> None:
        super().__init__(False)
        self.errors: list[str] = []

    def setProgressText(self, text: str) -> None:  # noqa: D102
        self.text_changed.emit(text)

    def preview(self, outputs: dict[str, str]) -> None:
        """Emit `previewed`; algorithms call this where their feedback has it."""
        self.previewed.emit(outputs)

    def reportError(self, error: str, fatalError: bool = False) -> None:  # noqa: D102
        self.errors.append(error)
        super().reportError(error, fatalError)
