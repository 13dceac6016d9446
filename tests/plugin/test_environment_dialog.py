"""The dialog that sets up the backend, with a set-up that makes nothing."""

import time
from types import SimpleNamespace

import pytest
from landforge.backend.protocol import BackendError
from landforge.plugin import settings
from landforge.plugin.bridge import environment, process
from landforge.plugin.environment_dialog import EnvironmentDialog
from qgis.core import QgsSettings

from tests.plugin.plugin_window import wait_for


@pytest.fixture
def set_up(monkeypatch):
    """Replaces `environment.create`: records its `calls` and runs the test's `action`."""
    set_up = SimpleNamespace(calls=[], action=lambda is_cancelled: None)

    def create(profile, compute="cpu", proxy="", wheels="", python="", on_progress=None, is_cancelled=None, **_):
        set_up.calls.append((profile, compute, proxy, wheels))
        on_progress(0.5, "Halfway there.")
        set_up.action(is_cancelled)

    monkeypatch.setattr(environment, "create", create)
    return set_up


@pytest.fixture
def dialog(monkeypatch):
    monkeypatch.setattr(environment, "_free_mb", lambda _: 50_000)  # the disk is in use by others
    environment_dialog = EnvironmentDialog()
    yield environment_dialog
    environment_dialog.cancel()
    wait_for(lambda: environment_dialog.task is None)
    environment_dialog.deleteLater()
    QgsSettings().remove("landforge")


def test_it_says_what_will_be_downloaded_and_where(dialog):
    plan = environment.plan(settings.profile(), "cpu")
    assert plan.text in dialog.plan.text() and str(settings.profile()) in dialog.plan.text()
    assert "ready" in dialog.state.text()  # the tests' interpreter


def test_the_choice_changes_the_plan(dialog, tmp_path):
    dialog.compute.setCurrentIndex(1)
    assert environment.plan(settings.profile(), "cuda").text in dialog.plan.text()
    dialog.wheels.setFilePath(str(tmp_path))
    assert "Nothing is downloaded" in dialog.plan.text()


def test_what_is_wrong_with_an_interpreter_of_ones_own(dialog, tmp_path, monkeypatch):
    monkeypatch.delenv("LANDFORGE_PYTHON")
    dialog.interpreter.setFilePath(str(tmp_path / "python"))
    assert "does not exist" in dialog.state.text()
    assert settings.get(settings.INTERPRETER) == str(tmp_path / "python")


def test_the_scheduler_is_kept(dialog):
    assert "trust" in dialog.scheduler.toolTip() and dialog.scheduler.placeholderText()
    dialog.scheduler.setText(" tcp://host:8786 ")
    assert settings.get(settings.SCHEDULER) == "tcp://host:8786"
    assert EnvironmentDialog().scheduler.text() == "tcp://host:8786"
    dialog.scheduler.clear()
    assert settings.get(settings.SCHEDULER) == ""


def test_a_disk_without_room_is_not_begun(dialog, monkeypatch):
    monkeypatch.setattr(environment, "_free_mb", lambda _: 10)
    dialog.refresh()
    assert not dialog.start_button.isEnabled() and "not enough room" in dialog.plan.text()


def test_setting_up(dialog, set_up, tmp_path):
    QgsSettings().setValue("proxy/proxyEnabled", False)
    dialog.compute.setCurrentIndex(1)
    dialog.wheels.setFilePath(str(tmp_path))
    dialog.start_button.click()
    assert dialog.cancel_button.isEnabled() and not dialog.start_button.isEnabled()
    wait_for(lambda: dialog.task is None)
    assert set_up.calls == [(settings.profile(), "cuda", "", str(tmp_path))]
    assert "Halfway there." in dialog.log.toPlainText() and dialog.start_button.isEnabled()
    assert settings.get(settings.COMPUTE) == "cuda" and settings.get(settings.WHEELS) == str(tmp_path)


def test_a_failure_is_shown_in_its_own_words(dialog, set_up):
    def fail(_):
        raise BackendError("The proxy asks for a password.")

    set_up.action = fail
    dialog.start_button.click()
    wait_for(lambda: dialog.task is None)
    assert "The proxy asks for a password." in dialog.log.toPlainText()


def test_a_bug_is_shown_too(dialog, set_up):
    set_up.action = lambda _: 1 / 0
    dialog.start_button.click()
    wait_for(lambda: dialog.task is None)
    assert "ZeroDivisionError" in dialog.log.toPlainText()


def test_cancelling(dialog, set_up):
    def until_cancelled(is_cancelled):
        while not is_cancelled():
            time.sleep(0.01)
        raise process.Cancelled

    set_up.action = until_cancelled
    dialog.start_button.click()
    wait_for(lambda: "Halfway" in dialog.log.toPlainText())
    dialog.cancel_button.click()
    wait_for(lambda: dialog.task is None)
    assert "Cancelled" in dialog.log.toPlainText() and dialog.start_button.isEnabled()
