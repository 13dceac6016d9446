"""What the backend's tests share: the real data, an ear for reports, and servers on loopback."""

import io
from pathlib import Path

import pytest

from backend.protocol import BackendError, Event, Reporter
from tests import servers


@pytest.fixture(scope="session")
def real_data() -> Path:
    folder = servers.real_data_folder()
    if folder is None:
        pytest.skip("no real data: set LANDFORGE_TEST_DATA to its folder")
    return folder


class Ear(Reporter):
    """A reporter whose events can be read back."""

    def __init__(self):
        self.text = io.StringIO()
        super().__init__(self.text)

    def events(self, kind: str) -> list[Event]:
        events = [Event.from_line(line) for line in self.text.getvalue().splitlines()]
        return [event for event in events if event.kind == kind]


@pytest.fixture
def ear() -> Ear:
    return Ear()


@pytest.fixture
def refusal(tmp_path, ear):
    """Run a job that must fail; the message, once nothing is left in the output's folder."""

    def refuse(run, job_type, *args, **kwargs) -> str:
        folder = tmp_path / "refused"
        with pytest.raises(BackendError) as caught:
            run(job_type(*args, output=str(folder / "out.tif"), **kwargs), ear)
        assert not folder.exists() or list(folder.iterdir()) == []
        return str(caught.value)

    return refuse


@pytest.fixture(scope="session")
def bad_server(tmp_path_factory) -> str:
    with servers.misbehaving(tmp_path_factory.mktemp("bad")) as url:
        yield url
