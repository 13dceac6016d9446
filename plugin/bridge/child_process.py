"""A child process with a clean environment, whose output is read line by line and which is sure to end."""

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
"""How often a waiting read checks for a cancel."""
GRACE_S = 1.0
"""How long a process may take to end before it is killed."""

# QGIS's own variables, by name and by prefix; any of them makes another Python load the wrong files.
_REMOVED_NAMES = {
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
_REMOVED_PREFIXES = ("PYTHON", "QGIS", "QT_", "QML", "O4W_", "OSGEO4W", "GISBASE", "GISRC", "GRASS")
# Variables whose entries are removed only where they point into QGIS's own folder.
_PATH_LISTS = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FRAMEWORK_PATH", "DYLD_FALLBACK_LIBRARY_PATH")
_FILE_PATHS = ("SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE")
_QGIS_ROOTS = ("OSGEO4W_ROOT", "QGIS_PREFIX_PATH", "PYTHONHOME", "APPDIR", "SNAP")
_SYSTEM_ROOTS = ("/", "/usr", "/usr/local")


class Cancelled(Exception):
    """The user cancelled, and the process has ended."""


def clean_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without the variables that QGIS sets for itself; proxies and LANDFORGE_* stay."""
    roots = {_norm(environ[name]) for name in _QGIS_ROOTS if environ.get(name)}
    roots -= {_norm(path) for path in _SYSTEM_ROOTS}
    clean = {}
    for name, value in environ.items():
        if name.upper() in _REMOVED_NAMES or name.upper().startswith(_REMOVED_PREFIXES):
            continue
        if name.upper() in _PATH_LISTS + _FILE_PATHS:
            value = os.pathsep.join(part for part in value.split(os.pathsep) if not _is_inside(part, roots))
            if not value:
                continue
        clean[name] = value
    clean.update(PYTHONUTF8="1", PYTHONUNBUFFERED="1")
    return clean


def _norm(path: str) -> str:
    return os.path.normcase(os.path.normpath(path))


def _is_inside(path: str, roots: Iterable[str]) -> bool:
    return any(_norm(path) == root or _norm(path).startswith(root + os.sep) for root in roots)


def never_cancelled() -> bool:
    """The default for `is_cancelled`: False."""
    return False


class ChildProcess:
    """A process in its own process group; a thread reads its standard output.

    `stderr` is a file or `subprocess.STDOUT`. `open_stdin` lets `send` write to its stdin, which is empty
    otherwise. Raises OSError where the program cannot be started.
    """

    def __init__(
        self,
        arguments: list[str],
        environment: Mapping[str, str],
        stderr: int | IO[Any],
        open_stdin: bool = False,
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
            stdin=subprocess.PIPE if open_stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            encoding="utf-8",
            errors="replace",
            **options,
        )
        self._ended = False
        self._lines: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._read_output, daemon=True).start()

    def _read_output(self) -> None:
        stdout = self._process.stdout
        if stdout is not None:
            with stdout:
                for line in stdout:
                    self._lines.put(line.rstrip("\n"))
        self._lines.put(None)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def is_running(self) -> bool:
        """Whether the process has not ended."""
        return self._process.poll() is None

    def send(self, line: str) -> None:
        """Write a line to its stdin; raises OSError where the process has closed it."""
        if self._process.stdin is None:
            raise BrokenPipeError("the process has no stdin")
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def read(self, is_cancelled: Callable[[], bool] = never_cancelled) -> str | None:
        """Wait for the next line of output; None once the process has ended.

        Raises Cancelled where `is_cancelled()` is true; the caller then ends the process.
        """
        while True:
            if is_cancelled():
                raise Cancelled
            try:
                return self._lines.get(timeout=POLL_S)
            except queue.Empty:
                if not self.is_running():
                    break
        # The process has ended, but a child of it may hold the pipe open: end the group and do not wait for the pipe.
        self.end()
        try:
            return self._lines.get(timeout=GRACE_S)
        except queue.Empty:
            return None

    def status(self) -> int:
        """The exit status, negative for a signal; a process that does not end within GRACE_S is ended."""
        self.end(patience_s=GRACE_S)
        status = self._process.returncode
        return -signal.SIGTERM if status is None else status

    def end(self, patience_s: float = 0.0) -> None:
        """End the process group: wait `patience_s` for it, then send SIGTERM, then, after GRACE_S, SIGKILL."""
        if self._ended:
            return  # the process id may have been reused
        self._ended = True
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):  # the process ended before it had read everything
                self._process.stdin.close()
        self._wait(patience_s)
        if sys.platform == "win32":
            self._taskkill()
        else:
            self._signal(signal.SIGTERM)
            self._wait(GRACE_S)
            self._signal(signal.SIGKILL)
        self._wait(GRACE_S)

    def _wait(self, seconds: float) -> bool:
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
            with contextlib.suppress(ProcessLookupError, PermissionError):  # the group is empty
                os.killpg(self.pid, number)  # the group has the id of its first process
