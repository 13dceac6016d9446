"""A child process: a clean environment, its output line by line, and an end that is certain."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any, Callable

POLL_S = 0.1
GRACE_S = 1.0

# QGIS's own, by exact name and by beginning; any of them makes another Python load the wrong files.
_NAMES = {
    "GDAL_DATA",
    "GDAL_DRIVER_PATH",
    "GDAL_FILENAME_IS_UTF8",
    "GEOTIFF_CSV",
    "OPENSSL_CONF",
    "OPENSSL_ENGINES",
    "PDAL_DRIVER_PATH",
    "PROJ_DATA",
    "PROJ_LIB",
    "TCL_LIBRARY",
    "TK_LIBRARY",
    "VIRTUAL_ENV",
    "__PYVENV_LAUNCHER__",
}
_PREFIXES = ("PYTHON", "QGIS", "QT_", "QML", "O4W_", "OSGEO4W", "GISBASE", "GISRC", "GRASS")
# What only goes where it points into the folder that QGIS came in.
_PATHS = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FRAMEWORK_PATH", "DYLD_FALLBACK_LIBRARY_PATH")
_FILES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE")
_ROOTS = ("OSGEO4W_ROOT", "QGIS_PREFIX_PATH", "PYTHONHOME", "APPDIR", "SNAP")
_SYSTEM = ("/", "/usr", "/usr/local")


class Cancelled(Exception):
    """The user cancelled; what was running has ended."""


def clean_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without what QGIS set for itself; proxies and LANDFORGE_* stay."""
    roots = {_norm(environ[name]) for name in _ROOTS if environ.get(name)} - {_norm(path) for path in _SYSTEM}
    clean = {}
    for name, value in environ.items():
        if name.upper() in _NAMES or name.upper().startswith(_PREFIXES):
            continue
        if name.upper() in _PATHS + _FILES:
            value = os.pathsep.join(part for part in value.split(os.pathsep) if not _inside(part, roots))
            if not value:
                continue
        clean[name] = value
    clean.update(PYTHONUTF8="1", PYTHONUNBUFFERED="1")
    return clean


def _norm(path: str) -> str:
    return os.path.normcase(os.path.normpath(path))


def _inside(path: str, roots: Iterable[str]) -> bool:
    return any(_norm(path) == root or _norm(path).startswith(root + os.sep) for root in roots)


def never() -> bool:
    """Not cancelled."""
    return False


class Child:
    """A process in a group of its own, whose standard output is read by a thread.

    `stderr` is a file or `subprocess.STDOUT`; stdin is closed unless `feed`. Raises OSError when the
    program cannot be started.
    """

    def __init__(
        self,
        arguments: list[str],
        environment: Mapping[str, str],
        stderr: int | IO[Any],
        feed: bool = False,
        folder: Path | None = None,
    ) -> None:
        options: dict[str, Any] = {}
        if sys.platform == "win32":
            options["creationflags"] = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
        else:
            options["start_new_session"] = True
        self._process = subprocess.Popen(
            arguments,
            env=dict(environment),
            cwd=folder,
            stdin=subprocess.PIPE if feed else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            encoding="utf-8",
            errors="replace",
            **options,
        )
        self._ended = False
        self._lines: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        stdout = self._process.stdout
        if stdout is not None:
            with stdout:
                for line in stdout:
                    self._lines.put(line.rstrip("\n"))
        self._lines.put(None)

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def send(self, line: str) -> None:
        """Write a line to its stdin; raises OSError when nobody reads there any more."""
        if self._process.stdin is None:
            raise BrokenPipeError("the process has no stdin")
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def read(self, is_cancelled: Callable[[], bool] = never) -> str | None:
        """Its next line, or None once it has ended; raises Cancelled (and leaves ending it to the caller)."""
        while True:
            if is_cancelled():
                raise Cancelled
            try:
                return self._lines.get(timeout=POLL_S)
            except queue.Empty:
                if not self.running():
                    break
        # It has ended, but what it started may hold the pipe open: that goes too, and is not waited for.
        self.end()
        try:
            return self._lines.get(timeout=GRACE_S)
        except queue.Empty:
            return None

    def status(self) -> int:
        """Its exit status (negative: the signal that ended it), waiting a moment for it; ends it otherwise."""
        self.end(patience_s=GRACE_S)
        status = self._process.returncode
        return -signal.SIGTERM if status is None else status

    def end(self, patience_s: float = 0.0) -> None:
        """End it and everything it started: waiting for it, then asking, then, after GRACE_S, by force."""
        if self._ended:
            return  # its id may be another's by now
        self._ended = True
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):  # it was gone before it had read everything
                self._process.stdin.close()
        self._gone_within(patience_s)
        if sys.platform == "win32":
            self._taskkill()
        else:
            self._signal(signal.SIGTERM)
            self._gone_within(GRACE_S)
            self._signal(signal.SIGKILL)
        self._gone_within(GRACE_S)

    def _gone_within(self, seconds: float) -> bool:
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    if sys.platform == "win32":

        def _taskkill(self) -> None:
            tool = os.path.join(os.environ.get("SYSTEMROOT", r"C:\Windows"), "System32", "taskkill.exe")
            arguments = [tool, "/PID", str(self.pid), "/T", "/F"]
            subprocess.run(arguments, capture_output=True, creationflags=subprocess.CREATE_NO_WINDOW)

    else:

        def _signal(self, number: int) -> None:
            with contextlib.suppress(ProcessLookupError, PermissionError):  # nobody is left in it
                os.killpg(self.pid, number)  # the group's id is its first process's
