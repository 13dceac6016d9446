"""Starts QGIS once and provides small rasters, a project, a recording feedback and a web map server."""

import http.server
import threading

from tests import qgis_environment

qgis_environment.start()

import numpy as np  # noqa: E402
import pytest  # noqa: E402
from landforge.plugin.bridge import process  # noqa: E402
from qgis.core import QgsProcessingContext, QgsProcessingFeedback, QgsProject, QgsRasterLayer  # noqa: E402
from qgis.PyQt.QtCore import QBuffer, QByteArray  # noqa: E402
from qgis.PyQt.QtGui import QColor, QImage  # noqa: E402

from tests.processing_provider.rasters import CODES, write_raster  # noqa: E402


@pytest.fixture(scope="module", autouse=True)
def warm_worker():
    """Runs jobs in one backend process for all tests, as QGIS's window does, except with the fixture `cold`."""
    run_job = process.run_job

    def run_warm(job, python, on_event, is_cancelled, warm, *arguments):
        return run_job(job, python, on_event, is_cancelled, True, *arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process, "run_job", run_warm)
        yield run_job


@pytest.fixture
def cold(warm_worker, monkeypatch):
    """Runs every job of the test in a process of its own, as qgis_process does."""
    monkeypatch.setattr(process, "run_job", warm_worker)


@pytest.fixture(scope="session", autouse=True)
def ended_worker():
    """Ends the backend process with the session, before Python's own end."""
    yield
    process.stop_worker()


@pytest.fixture
def codes():
    """(1, 100, 120) WorldCover codes in patches of 10 x 10 pixels."""
    patches = np.random.default_rng(1).choice(CODES, (10, 12))
    return patches.repeat(10, 0).repeat(10, 1)[None]


@pytest.fixture
def landcover(tmp_path, codes):
    return write_raster(tmp_path / "codes.tif", codes)


@pytest.fixture
def image(tmp_path):
    pixels = np.random.default_rng(2).integers(0, 255, (3, 100, 120), dtype=np.uint8)
    return write_raster(tmp_path / "rgb.tif", pixels)


@pytest.fixture
def project():
    """The project, empty before and after."""
    QgsProject.instance().clear()
    yield QgsProject.instance()
    QgsProject.instance().clear()


@pytest.fixture
def context(project):
    context = QgsProcessingContext()
    context.setProject(project)
    return context


class RecordingFeedback(QgsProcessingFeedback):
    """Feedback that keeps its messages, errors and progress percentages."""

    def __init__(self):
        super().__init__(False)
        self.messages, self.errors, self.percentages = [], [], []
        self.progressChanged.connect(self.percentages.append)

    def pushInfo(self, info):
        self.messages.append(info)

    def pushWarning(self, warning):
        self.messages.append(warning)

    def setProgressText(self, text):
        self.messages.append(text)

    def reportError(self, error, fatalError=False):
        self.errors.append(error)


@pytest.fixture
def feedback():
    return RecordingFeedback()


@pytest.fixture
def web_map():
    """A function that makes a layer of XYZ tiles, all of one colour, which a local server answers in a given share."""
    tile = QImage(256, 256, QImage.Format.Format_RGB32)
    tile.fill(QColor(200, 100, 50))
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QBuffer.OpenModeFlag.WriteOnly)
    tile.save(buffer, "PNG")

    class Tiles(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            _, share, column, _, _ = self.path.split("/")
            exists = share == "all" or (share == "half" and int(column) % 2)
            self.send_response(200 if exists else 404)
            self.send_header("Content-Type", "image/png")
            self.end_headers()
            self.wfile.write(bytes(data) if exists else b"")

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Tiles) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()

        def layer(share="all"):
            url = f"http://127.0.0.1:{server.server_port}/{share}/%7Bx%7D/%7By%7D/%7Bz%7D.png"
            return QgsRasterLayer(f"type=xyz&url={url}&zmin=0&zmax=19", "web map", "wms")

        yield layer
        server.shutdown()
