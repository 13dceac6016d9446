"""Every algorithm declares all fields of its job, with defaults, help, icon and tags."""

import dataclasses

import pytest
from landforge.backend import protocol
from landforge.processing_provider import workflow
from landforge.processing_provider.algorithm import ICONS
from landforge.processing_provider.provider import ALGORITHMS
from qgis.core import QgsApplication, QgsProcessingParameterDefinition, QgsProcessingParameterNumber

IDS = [cls.JOB.__name__.lower() for cls in ALGORITHMS]
# Fields without a parameter, which only a job file can set.
JOB_FILE_ONLY = {"trainsegmentation": {"encoder_depth", "decoder_channels"}}


@pytest.fixture(params=IDS)
def algorithm(request):
    return QgsApplication.processingRegistry().algorithmById(f"landforge:{request.param}").create()


def test_the_provider_lists_each_algorithm_once():
    provider = QgsApplication.processingRegistry().providerById("landforge")
    listed = [*IDS, *(path.stem for path in workflow.MODELS.glob("*.model3"))]
    assert sorted(algorithm.name() for algorithm in provider.algorithms()) == sorted(set(listed)) and len(IDS) == len(
        set(IDS)
    )
    assert not provider.icon().isNull() and provider.name() == "Landforge"


def test_parameters_are_the_fields_of_the_job_in_capitals(algorithm):
    fields = {field.name for field in dataclasses.fields(protocol.JOBS[algorithm.name()])}
    keys = {definition.name() for definition in algorithm.parameterDefinitions()}
    assert keys == {name.upper() for name in fields - JOB_FILE_ONLY.get(algorithm.name(), set())}


def test_defaults_are_those_of_the_job(algorithm):
    for field in dataclasses.fields(protocol.JOBS[algorithm.name()]):
        definition = algorithm.parameterDefinition(field.name.upper())
        if definition is None or field.default is dataclasses.MISSING:
            continue
        actual, expected = definition.defaultValue(), field.default
        if isinstance(expected, tuple):  # typed, or chosen from a list
            actual = str(actual or "").replace(" ", "")
            expected = ",".join(item if isinstance(item, str) else f"{item:g}" for item in expected)
        assert (actual in (None, "") and expected in (None, "", ())) or str(actual) == str(expected)


def test_optional_parameters_have_a_default_to_fall_back_on(algorithm):
    """Except EXTENT, which the polygons to fill can replace, and LABEL, which the extents to clip can."""
    substitutes = {"AREA": "extent", "EXTENTS": "label"}
    replaceable = {field for key, field in substitutes.items() if algorithm.parameterDefinition(key)}
    for field in dataclasses.fields(protocol.JOBS[algorithm.name()]):
        definition = algorithm.parameterDefinition(field.name.upper())
        if definition and definition.flags() & QgsProcessingParameterDefinition.Flag.FlagOptional:
            defaults = {field.default, field.default_factory} - {dataclasses.MISSING}
            assert defaults or field.name in replaceable


def test_dialogs_show_as_many_decimals_as_numbers_have(algorithm):
    """Six for a learning rate, else two: QGIS's default would show '60.000000'."""
    for definition in algorithm.parameterDefinitions():
        decimals = definition.metadata().get("widget_wrapper", {}).get("decimals")
        is_real = definition.type() == "number" and definition.dataType() == QgsProcessingParameterNumber.Type.Double
        assert (decimals is not None) is is_real, definition.name()
        values = [definition.defaultValue(), definition.minimum()] if is_real else []
        assert all(round(value, decimals) == value for value in values if value is not None), definition.name()


def test_every_parameter_has_a_label_and_help(algorithm):
    for definition in algorithm.parameterDefinitions():
        assert definition.description() and definition.help().endswith("."), definition.name()
    assert algorithm.shortHelpString() and algorithm.shortDescription().endswith(".")


def test_the_dialog_shows_the_help_of_every_parameter(algorithm, monkeypatch):
    monkeypatch.setattr("qgis.utils.iface", object())
    for definition in algorithm.parameterDefinitions():
        assert definition.help() in algorithm.shortHelpString()


def test_groups_tags_icons(algorithm):
    assert (ICONS / f"{algorithm.groupId()}.svg").is_file() and not algorithm.icon().isNull()
    assert algorithm.group().lower() == algorithm.groupId() and len(algorithm.tags()) > 2
    assert algorithm.displayName()[0].isupper() and algorithm.id() == f"landforge:{algorithm.name()}"


def test_a_missing_backend_is_reported_with_the_remedy(algorithm, monkeypatch, tmp_path):
    monkeypatch.setenv("LANDFORGE_PYTHON", str(tmp_path / "none"))
    usable, remedy = algorithm.canExecute()
    assert not usable and "none" in remedy and remedy.endswith(".")


def test_a_sound_backend_can_execute(algorithm):
    assert algorithm.canExecute() == (True, "")
