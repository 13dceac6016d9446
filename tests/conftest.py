"""Which tests this Python runs, in which order, and which of them are slow.

The backend's and the bridge's tests run without QGIS, the others in QGIS's Python.
"""

import importlib.util
import os
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
QGIS_SIDE = ["plugin/test_*.py", "processing_provider"]
BACKEND_SIDE = ["backend", "plugin/bridge", "test_docs.py", "test_imports.py", "test_markers.py"]
collect_ignore_glob = BACKEND_SIDE if importlib.util.find_spec("qgis") else QGIS_SIDE

WINDOW_FIXTURES = {"window", "dialog", "page"}
CLUSTER = "backend/tiling/test_dask_cluster.py"
SLOW = {
    "backend/datasets/test_label_offset.py": ("test_a_known", "test_an_offset_beyond_the_first", "test_images_without"),
    "backend/geo/test_raster.py": ("test_a_killed_run", "test_what_a_killed_run", "test_a_disk_that"),
    "backend/jobs/test_buildstandardsets.py": (),
    "backend/jobs/test_choosetiles.py": (),
    "backend/jobs/test_clipnaip.py": ("test_storage_that",),
    "backend/jobs/test_generate.py": (),
    "backend/jobs/test_imagequality.py": (),
    "backend/jobs/test_landcoverrealism.py": (),
    "backend/jobs/test_mixturestudy.py": (),
    "backend/jobs/test_regeneratearea.py": (),
    "backend/jobs/test_resume.py": (),
    "backend/jobs/test_train_generators.py": (),
    "backend/jobs/test_trainsegmentation.py": (),
    "backend/models/test_architectures.py": ("test_an_encoder_of_one", "test_trying_a_size"),
    "backend/models/test_class_shares.py": (),
    "backend/models/test_device.py": ("test_freed_memory",),
    "backend/models/test_low_frequency_noise.py": (),
    "backend/sources/test_mosaic.py": ("test_a_server_that",),
    "backend/tiling/test_render.py": (),
    "backend/tiling/test_seams.py": ("test_images_have", "test_land_cover_has"),
    "backend/training/test_projected_discriminator.py": (),
    "plugin/bridge/test_environment.py": (),
    "plugin/bridge/test_process.py": (),
    "processing_provider/test_chain.py": (),
    "processing_provider/test_commands.py": (),
    "processing_provider/test_qgis_process.py": (),
    "processing_provider/test_workflow.py": (),
    "test_bench.py": ("test_a_part_prints", "test_a_clip_is_measured"),
    "test_imports.py": ("test_small_jobs_import",),
}
"""Files of tests that take over two seconds of one core: all tests, or those whose names begin so."""


def pytest_collection_modifyitems(items):
    """Mark the slow tests and run their files first, so that no core is left alone with one at the end."""
    slow_files = set()
    for item in items:
        path = item.path.relative_to(FOLDER).as_posix()
        if path == CLUSTER:
            item.add_marker("cluster")
        if path in SLOW and item.name.startswith(SLOW[path] or ("",)):
            item.add_marker("slow")
        if WINDOW_FIXTURES & set(item.fixturenames) and path.startswith("plugin/test_"):
            item.add_marker("gui")
        if any(map(item.get_closest_marker, ("slow", "cluster", "gui"))):
            slow_files.add(path)
    items.sort(key=lambda item: item.path.relative_to(FOLDER).as_posix() not in slow_files)


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup():
    """Removes pytest's variable with the test's name: the warm backend process ends where the environment changes."""
    os.environ.pop("PYTEST_CURRENT_TEST", None)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call():
    """The same before the test itself, since pytest sets the variable anew."""
    os.environ.pop("PYTEST_CURRENT_TEST", None)
