"""What the backend's tests share: the real data, a reporter that records, and a server that misbehaves."""

from pathlib import Path

import pytest

from backend.protocol import BackendError
from tests import servers
from tests.backend.reporters import RecordingReporter
from tests.backend.worker import Worker, started_worker


@pytest.fixture(scope="session")
def real_data() -> Path:
    folder = servers.real_data_folder()
    if folder is None:
        pytest.skip("no real data: set LANDFORGE_TEST_DATA to its folder")
    return folder


@pytest.fixture
def reporter() -> RecordingReporter:
    return RecordingReporter()


@pytest.fixture
def refusal(tmp_path, reporter):
    """Run a job that must fail; the message, once nothing is left in the output's folder."""

    def refuse(run, job_type, *args, **kwargs) -> str:
        folder = tmp_path / "refused"
        with pytest.raises(BackendError) as caught:
            run(job_type(*args, output=str(folder / "out.tif"), **kwargs), reporter)
        assert not folder.exists() or list(folder.iterdir()) == []
        return str(caught.value)

    return refuse


@pytest.fixture(scope="session")
def bad_server(tmp_path_factory) -> str:
    with servers.misbehaving(tmp_path_factory.mktemp("bad")) as url:
        yield url


@pytest.fixture(scope="session")
def worker() -> Worker:
    with started_worker() as process:
        yield process
