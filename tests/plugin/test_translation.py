"""The Spanish translation: complete, compiled, and used in menu, toolbox and help."""

import re
import xml.etree.ElementTree as ET

import pytest
from landforge.plugin import main, translation
from landforge.plugin.translation import tr
from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QCoreApplication

from i18n import texts
from tests.plugin.plugin_window import QgisWindow, SecondProvider
from tests.qgis_environment import qgis_process


@pytest.fixture(scope="module")
def sources():
    """The texts, collected before a translator is installed."""
    return texts.sources()


@pytest.fixture
def spanish(sources):
    translator = translation.install("es_MX")
    yield translator
    QCoreApplication.removeTranslator(translator)


@pytest.fixture
def translations():
    """Text to its translation, as the file says."""
    root = ET.parse(translation.FOLDER / "landforge_es.ts").getroot()
    return {message.findtext("source"): message.findtext("translation") for message in root.iter("message")}


def test_no_text_lacks_a_translation(sources, translations):
    """`make translations` brings the file up to date and counts what is missing."""
    assert len(sources) > 200
    assert [text for text in sources if not translations.get(text)] == []
    assert sorted(translations) == sources  # nothing is left over


def test_what_is_compiled_is_what_is_written(spanish, translations):
    assert {text: tr(text) for text in translations} == translations


def test_translations_have_the_placeholders_of_their_texts(translations):
    """And end like sentences where their texts do."""
    for text, translated in translations.items():
        assert sorted(re.findall(r"{\w+}", text)) == sorted(re.findall(r"{\w+}", translated)), text
        assert text.endswith(".") == translated.endswith("."), text


def test_the_toolbox_and_its_help(spanish, monkeypatch):
    monkeypatch.setattr("qgis.utils.iface", object())
    algorithm = QgsApplication.processingRegistry().createAlgorithmById("landforge:generatescene")
    assert (algorithm.displayName(), algorithm.group(), algorithm.groupId()) == (
        "Generar escena",
        "Generar",
        "generate",
    )
    assert algorithm.parameterDefinition("SEED").description() == "Semilla"
    assert "<h3>Parámetros</h3>" in algorithm.shortHelpString() and "La imagen sintética" in algorithm.shortHelpString()
    assert algorithm.shortDescription().startswith("Genera un mapa")
    model = QgsApplication.processingRegistry().createAlgorithmById("landforge:extenttocomparedscene")
    assert model.displayName() == "De extensión a escena comparada" and model.id().endswith("extenttocomparedscene")
    assert model.parameterDefinition("EXTENT").description() == "Extensión" and "Recorta" in model.shortHelpString()


def test_the_menu_and_the_panel(spanish):
    window = QgisWindow()
    plugin = main.LandforgePlugin(window, SecondProvider())
    plugin.initGui()
    assert [action.text() for action in window.menu["Landforge"]] == [
        "Generar…",
        "Preparar el motor…",
        "Comparar real y sintético…",
        "¿Real o sintético?…",
    ]
    plugin.result_windows.show_compare_panel()
    assert plugin.result_windows.compare_panel.side_button.text() == "&Lado a lado"
    assert plugin.panel.generate_button.text() in ("&Generar", "Preparar y &generar")
    plugin.unload()
    window.window.close()


def test_a_language_without_a_translation_stays_english():
    assert translation.install("xx_YY") is None and tr("Seed") == "Seed"


def test_qgis_process_speaks_the_language_of_the_session():
    answer = qgis_process("help", "landforge:segmentimage", LC_ALL="es_ES.UTF-8", LANG="es_ES.UTF-8")
    assert "Segmentar imagen" in answer.stdout and "Predice la cobertura" in answer.stdout
