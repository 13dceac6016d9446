"""QGIS without a window, in this process and as qgis_process, with the checkout loaded as the plugin `landforge`."""

import atexit
import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHON = ROOT / ".venv" / "bin" / "python"


@functools.cache
def scratch() -> Path:
    """This session's temporary folder with QGIS's profiles; `plugins/landforge` in it links to the checkout."""
    folder = Path(tempfile.mkdtemp(prefix="landforge-qgis-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "plugins").mkdir()
    (folder / "plugins" / "landforge").symlink_to(ROOT, target_is_directory=True)
    (folder / "runtime").mkdir(mode=0o700)
    return folder


def environment(profile: str) -> dict[str, str]:
    """The environment variables with which QGIS starts headless, with the named profile."""
    return {
        "QT_QPA_PLATFORM": "offscreen",
        "XDG_RUNTIME_DIR": str(scratch() / "runtime"),
        "QGIS_CUSTOM_CONFIG_PATH": str(scratch() / profile),
        "QGIS_PLUGINPATH": str(scratch() / "plugins"),
        "LANDFORGE_PYTHON": os.environ.get("LANDFORGE_PYTHON", str(PYTHON)),
    }


@functools.cache
def start():
    """Start QGIS with Processing and Landforge in this process and return its application."""
    os.environ.update(environment("profile"))
    sys.path.insert(0, str(scratch() / "plugins"))
    import qgis.utils
    from qgis.core import QgsApplication

    application = QgsApplication([], True)
    application.initQgis()
    sys.path.append(str(Path(QgsApplication.pkgDataPath()) / "python" / "plugins"))
    from processing.core.Processing import Processing

    Processing.initialize()
    qgis.utils.plugin_paths = [str(scratch() / "plugins")]
    qgis.utils.updateAvailablePlugins()
    assert qgis.utils.loadPlugin("landforge") and qgis.utils.startProcessingPlugin("landforge")
    return application


@functools.cache
def _program() -> str:
    # Debian's wrapper script passes an option that the program refuses.
    program = shutil.which("qgis_process.bin") or shutil.which("qgis_process")
    assert program, "qgis_process is missing: install QGIS"
    return program


@functools.cache
def _enable_plugin() -> None:
    subprocess.run(
        [_program(), "plugins", "enable", "landforge"],
        env={**os.environ, **environment("process")},
        check=True,
        capture_output=True,
    )


def qgis_process(*arguments: str, job: dict | None = None, **variables: str) -> subprocess.CompletedProcess:
    """Run qgis_process as a user would; `job` is the JSON for its standard input."""
    _enable_plugin()
    return subprocess.run(
        [_program(), *arguments],
        env={**os.environ, **environment("process"), **variables},
        input=None if job is None else json.dumps(job),
        stdin=subprocess.DEVNULL if job is None else None,
        capture_output=True,
        text=True,
        timeout=300,
    )
