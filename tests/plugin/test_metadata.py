"""metadata.txt has what the plugin site requires."""

import configparser
import re

from landforge.backend import __version__
from qgis.PyQt.QtGui import QIcon

from tests.qgis_environment import ROOT

METADATA = configparser.ConfigParser()
METADATA.read(ROOT / "metadata.txt", encoding="utf-8")
GENERAL = METADATA["general"]
REQUIRED = "name description version qgisMinimumVersion author email about tracker repository homepage icon"


def test_each_key_is_there():
    assert all(GENERAL[key].strip() for key in REQUIRED.split())
    assert GENERAL["name"] == "Landforge" and GENERAL["hasProcessingProvider"] == "yes"
    assert (GENERAL["qgisMinimumVersion"], GENERAL["qgisMaximumVersion"]) == ("3.22", "4.99")


def test_one_version_everywhere():
    (project,) = re.findall(r'^version = "(.*)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert GENERAL["version"] == __version__ == project and __version__ in GENERAL["changelog"]


def test_the_licence_and_the_icon():
    assert "GNU GENERAL PUBLIC LICENSE" in (ROOT / "LICENSE").read_text()
    assert not QIcon(str(ROOT / GENERAL["icon"])).pixmap(16, 16).isNull()
