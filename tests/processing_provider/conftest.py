"""QGIS, started once, and rasters of the tests' own making."""

import http.server
import threading

from tests import qgis_environment

qgis_environment.start()

import numpy as np  # noqa: E402
import pytest  # noqa: E402
from osgeo import gdal, osr  # noqa: E402
from qgis.core import QgsProcessingContext, QgsProcessingFeedback, QgsProject, QgsRasterLayer  # noqa: E402
from qgis.PyQt.QtCore import QBuffer, QByteArray  # noqa: E402
from qgis.PyQt.QtGui import QColor, QImage  # noqa: E402

CODES = np.array([10, 30, 40, 50, 80], dtype=np.uint8)
# A rectangle inside the rasters below.
EXTENT = "778100,778500,9984500,9984900 [EPSG:32717]"


def write_raster(path, pixels, crs=32717, origin=(778000.0, 9985000.0), pixel=10.0, tags=None):
    """(bands, height, width) uint8 as a GeoTIFF; no CRS where that is None."""
    bands, height, width = pixels.shape
    target = gdal.GetDriverByName("GTiff").Create(str(path), width, height, bands, gdal.GDT_Byte)
    target.SetGeoTransform((origin[0], pixel, 0, origin[1], 0, -pixel))
    if crs:
        reference = osr.SpatialReference()
        reference.ImportFromEPSG(crs)
        target.SetProjection(reference.ExportToWkt())
    for band in range(bands):
        target.GetRasterBand(band + 1).WriteArray(pixels[band])
    target.SetMetadata(tags or {})
    return str(path)


def read_raster(path):
    """(bands, height, width) of a raster."""
    data = gdal.Open(str(path)).ReadAsArray()
    return data[None] if data.ndim == 2 else data


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
    found = QgsProcessingContext()
    found.setProject(project)
    return found


class Ear(QgsProcessingFeedback):
    """Feedback that can be read back."""

    def __init__(self):
        super().__init__(False)
        self.said, self.errors, self.fractions = [], [], []
        self.progressChanged.connect(self.fractions.append)

    def pushInfo(self, info):
        self.said.append(info)

    def pushWarning(self, warning):
        self.said.append(warning)

    def setProgressText(self, text):
        self.said.append(text)

    def reportError(self, error, fatalError=False):
        self.errors.append(error)


@pytest.fixture
def ear():
    return Ear()


@pytest.fixture
def web_map():
    """Makes a layer of XYZ tiles, all of one colour, from a server on loopback that answers a share of them."""
    tile = QImage(256, 256, QImage.Format.Format_RGB32)
    tile.fill(QColor(200, 100, 50))
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QBuffer.OpenModeFlag.WriteOnly)
    tile.save(buffer, "PNG")

    class Tiles(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            _, share, column, _, _ = self.path.split("/")
            found = share == "all" or (share == "half" and int(column) % 2)
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "image/png")
            self.end_headers()
            self.wfile.write(bytes(data) if found else b"")

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Tiles) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()

        def layer(share="all"):
            url = f"http://127.0.0.1:{server.server_port}/{share}/%7Bx%7D/%7By%7D/%7Bz%7D.png"
            return QgsRasterLayer(f"type=xyz&url={url}&zmin=0&zmax=19", "web map", "wms")

        yield layer
        server.shutdown()
