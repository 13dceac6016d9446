"""Creates algorithms, reads their jobs' fields, and skips tests whose bundled model is missing."""

import pytest
from landforge.processing_provider import fields
from qgis.core import QgsApplication

from tests.qgis_environment import ROOT


def algorithm(name):
    return QgsApplication.processingRegistry().algorithmById(f"landforge:{name}").create()


def read_fields(name, context, **parameters):
    """The fields of the algorithm's job, as a run reads them."""
    instance = algorithm(name)
    return fields.read(instance, fields.normalized(instance, parameters, context), context)


def bundled(name):
    """A mark that skips a test where the bundled model is missing."""
    index = ROOT / "backend" / "bundled" / name / "model_index.json"
    return pytest.mark.skipif(not index.is_file(), reason=f"the model {name} is not bundled")
