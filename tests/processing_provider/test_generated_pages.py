"""The documentation's pages that are generated from the algorithms."""

import pytest
from landforge.processing_provider import workflow
from landforge.processing_provider.provider import ALGORITHMS
from qgis.core import QgsApplication

from docs import generate

NAMES = [cls.JOB.__name__.lower() for cls in ALGORITHMS] + [path.stem for path in workflow.MODELS.glob("*.model3")]


@pytest.mark.parametrize("name", NAMES)
def test_a_page_explains_every_parameter_and_output(name):
    algorithm = QgsApplication.processingRegistry().algorithmById(f"landforge:{name}")
    page = "\n".join(generate.page(algorithm))
    assert page.startswith(f"# {algorithm.displayName()}\n") and "| |" not in page
    for parameter in algorithm.parameterDefinitions():
        assert f"| `{parameter.name()}` | {parameter.description()}" in page
        assert parameter.help() and generate.cell(parameter.help()) in page
    for output in algorithm.outputDefinitions():
        assert page.count(f"| `{output.name()}` |") >= 1
