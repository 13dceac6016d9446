"""Landforge's page in QGIS's own options dialog."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from qgis.core import QgsApplication, QgsTask
from qgis.gui import QgsFileWidget, QgsOptionsPageWidget, QgsOptionsWidgetFactory
from qgis.PyQt.QtGui import QIcon
from qgis.PyQt.QtWidgets import QComboBox, QDoubleSpinBox, QFormLayout, QLabel, QLineEdit, QSpinBox, QWidget

from . import settings
from .bridge.environment_folders import landforge_folder
from .environment_dialog import scheduler_tip
from .translation import tr

ICON = Path(__file__).parent.parent / "icons" / "landforge.svg"
DEFAULT_CACHE_MB = 128
MAX_KM2 = 1e7


class OptionsFactory(QgsOptionsWidgetFactory):
    """Creates the page each time QGIS opens its options."""

    def __init__(self) -> None:
        super().__init__()
        self.setTitle("Landforge")

    def icon(self) -> QIcon:  # noqa: D102
        return QIcon(str(ICON))

    def createWidget(self, parent: QWidget | None) -> OptionsPage:  # noqa: D102
        return OptionsPage(parent)


class OptionsPage(QgsOptionsPageWidget):
    """Interpreter, device, cache, scheduler, mirrors, area limit; stored when the dialog is accepted."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("landforgeOptions")
        self.interpreter = QgsFileWidget()
        self.interpreter.setFilePath(settings.get(settings.INTERPRETER))
        self.interpreter.lineEdit().setPlaceholderText(tr("the environment that Landforge made"))
        self.device = QComboBox()
        for key, text in {
            "": tr("The best there is"),
            "cpu": tr("CPU"),
            "cuda": tr("NVIDIA GPU (CUDA)"),
            "mps": tr("Apple GPU"),
        }.items():
            self.device.addItem(text, key)
        self.cache, self.limit = QSpinBox(), QDoubleSpinBox()
        self.cache.setRange(16, 1_000_000)
        self.cache.setSuffix(" MB")
        self.limit.setRange(0.01, MAX_KM2)
        self.limit.setDecimals(2)
        self.limit.setSuffix(" km²")
        self.scheduler, self.esa, self.stac = QLineEdit(), QLineEdit(), QLineEdit()
        self.scheduler.setPlaceholderText(tr("tcp://host:8786; empty: this machine"))
        self.esa.setPlaceholderText(tr("the public bucket of ESA"))
        self.stac.setPlaceholderText(tr("Microsoft Planetary Computer"))
        self.disk_space = QLabel(tr("counting…"))
        self._load()
        self._lay_out()
        self._measure_disk_space()

    def _load(self) -> None:
        self.device.setCurrentIndex(max(self.device.findData(settings.get("device")), 0))
        cache = settings.get("cache_mb")
        self.cache.setValue(int(cache) if cache.isdigit() else DEFAULT_CACHE_MB)
        self.limit.setValue(settings.max_area_km2())
        self.scheduler.setText(settings.get(settings.SCHEDULER))
        self.esa.setText(settings.get("esa_url"))
        self.stac.setText(settings.get("stac_url"))

    def _lay_out(self) -> None:
        form = QFormLayout(self)
        rows: list[tuple[str, QWidget, str]] = [
            (
                tr("&Interpreter"),
                self.interpreter,
                tr("A Python of your own that has the backend's packages; empty: the environment made by set-up"),
            ),
            (tr("Comp&ute on"), self.device, tr("Where the models run")),
            (
                tr("&Raster cache"),
                self.cache,
                tr("The memory in which the backend keeps pieces of rasters that it reads"),
            ),
            (tr("Disk space in use"), self.disk_space, tr("The backend's environment and its logs")),
            (tr("Dask &scheduler"), self.scheduler, scheduler_tip()),
            (tr("&WorldCover mirror"), self.esa, tr("The address that the WorldCover tiles lie below")),
            (tr("&NAIP mirror (STAC)"), self.stac, tr("The address of a STAC API with NAIP and WorldCover")),
            (
                tr("&Largest area"),
                self.limit,
                tr("A guard against extents drawn by mistake; each algorithm can be told another"),
            ),
        ]
        for label, widget, tip in rows:
            widget.setToolTip(tip)
            form.addRow(label, widget)
        variables = [name for name in ("LANDFORGE_PYTHON", *settings.VARIABLES) if os.environ.get(name)]
        if variables:
            note = QLabel(tr("Set outside of QGIS, and stronger than this page: {0}.").format(", ".join(variables)))
            note.setWordWrap(True)
            form.addRow(note)

    def _measure_disk_space(self) -> None:
        folder = landforge_folder(settings.profile())
        self._task = QgsTask.fromFunction(
            tr("Landforge: counting its files"), lambda _: (folder, size_mb(folder)), on_finished=self._show_disk_space
        )
        QgsApplication.taskManager().addTask(self._task)

    def _show_disk_space(self, error: Exception | None, result: Any = None) -> None:
        try:
            self.disk_space.setText(str(error) if error else tr("{0:,} MB in {1}").format(result[1], result[0]))
        except RuntimeError:  # the dialog was closed in the meantime
            return

    def apply(self) -> None:
        """Store the page's values, which apply from the next job on."""
        values = {
            settings.INTERPRETER: self.interpreter.filePath(),
            "device": self.device.currentData(),
            "cache_mb": "" if self.cache.value() == DEFAULT_CACHE_MB else str(self.cache.value()),
            settings.SCHEDULER: self.scheduler.text().strip(),
            "esa_url": self.esa.text().strip(),
            "stac_url": self.stac.text().strip(),
            settings.MAX_AREA: f"{self.limit.value():g}",
        }
        for key, value in values.items():
            settings.put(key, value)


def size_mb(folder: Path) -> int:
    """The size of a folder's files in megabytes; links are not followed."""
    total = 0
    for directory, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(directory, name)).st_size
            except OSError:
                continue
    return round(total / 1e6)
