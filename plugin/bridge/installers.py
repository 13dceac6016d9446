"""Installers that make and fill an environment (uv, or venv with pip) and plain sentences for their errors."""

from __future__ import annotations

import os
import re
import shutil
import ssl
import subprocess
import sys
from collections import deque
from pathlib import Path
from typing import Any, Callable

from ...backend.protocol import BackendError
from . import interpreters
from .child_process import ChildProcess, clean_environment

_OLDEST_UV = (0, 9)
_DOWNLOADED_PYTHON = "3.12"
"""The Python that uv downloads where the machine has no suitable one."""
# The user's own settings for these tools (a mirror, certificates) stay, except those that change where packages go.
_REMOVED_VARIABLES = {
    *("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_REQUIRE_VIRTUALENV", "PIP_NO_BINARY"),
    *("UV_PYTHON", "UV_SYSTEM_PYTHON", "UV_TORCH_BACKEND", "UV_NO_VERIFY_HASHES", "UV_NO_BINARY"),
}
_CREDENTIALS = re.compile(r"//[^/@\s]+@")
# (kind, pattern of the tool's output, sentence for the user); the first match counts, so specific ones come first.
_ERRORS = (
    (
        "proxy",
        r"\b407\b|proxy authentication required",
        "The proxy asks for a user name and a password. Enter them in QGIS: Settings > Options > Network.",
    ),
    (
        "disk",
        r"no space left|not enough space|disk full|disk quota|os error (28|112)\b|errno (28|122)\b",
        "The disk is full. Free some space and set up again: it goes on where it stopped.",
    ),
    (
        "hash",
        r"hash mismatch|do not match the hashes|hashes are required",
        "A package is not the one that Landforge was released with (its hash differs), so it was not installed. A "
        "proxy, a mirror or an antivirus may have altered it: try another network or a folder of wheels.",
    ),
    (
        "certificate",
        r"certificate|unknownissuer",
        "The server's certificate is not trusted: a proxy or an antivirus that looks into encrypted traffic does "
        "this. Have its certificate added to the system's, or name it in SSL_CERT_FILE.",
    ),
    (
        "python",
        r"no interpreter found|no download found|ensurepip is not|no module named (venv|ensurepip|pip)\b",
        "There is no Python that an environment can be made with. Install Python 3.12 with its venv module "
        "(Debian and Ubuntu: sudo apt install python3-venv), or name an interpreter in the settings.",
    ),
    (
        "permission",
        r"permission denied|access is denied|being used by another|os error (5|13|32)\b|winerror (5|32)\b",
        "A file could not be written or replaced. Close other QGIS windows; an antivirus may also be holding files: "
        "have it leave Landforge's folder in the QGIS profile alone, then set up again.",
    ),
    (
        "long path",
        r"winerror 206|file ?name (is )?too long|long path",
        "Windows refused a long path. Turn on long paths (LongPathsEnabled), then set up again.",
    ),
    (
        "missing",
        r"no matching distribution|no solution found|no (usable )?wheels|not found in the (package registry|provided)",
        "A package has no build for this Python and system, or is not in the folder of wheels. Landforge's backend "
        f"needs 64-bit Python {interpreters.version_text(interpreters.OLDEST)} to "
        f"{interpreters.version_text(interpreters.NEWEST)} on "
        "Linux, Windows or macOS 14 on Apple silicon.",
    ),
    (
        "network",
        r"dns error|lookup address|name resolution|name or service|getaddrinfo|connection (refused|reset|aborted)"
        r"|network is unreachable|error sending request|failed to fetch|failed to download|timed? ?out|max retries"
        r"|could not connect|cannot connect to proxy|tunnel|client error|server error|newconnectionerror",
        "The packages could not be fetched: no network, or a server or proxy that does not answer. Check the "
        "connection and the proxy in QGIS's options, or use a folder of wheels; set up again and it goes on where "
        "it stopped.",
    ),
)


class SetUpError(BackendError):
    """A step of the set-up failed; `kind` is one of those of `_ERRORS`, or empty."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def explain(output: str) -> tuple[str, str]:
    """The kind of a tool's error and a sentence for the user; both empty where the output is not recognised."""
    for kind, pattern, sentence in _ERRORS:
        if re.search(pattern, output, re.IGNORECASE):
            return kind, sentence
    return "", ""


class CommandRunner:
    """Runs commands; each line of output goes to the log and to `on_line`, a failure is raised as SetUpError."""

    def __init__(
        self,
        folder: Path,
        proxy: str,
        on_line: Callable[[str], None],
        is_cancelled: Callable[[], bool],
    ) -> None:
        self.folder, self.log = folder, folder / "setup.log"
        self.environment = _environment(folder, proxy)
        self.on_line, self.is_cancelled = on_line, is_cancelled
        self.log.write_text("", encoding="utf-8")

    def run(self, *arguments: Any) -> None:
        """Run one command. Raises SetUpError where it fails, and Cancelled, with the command ended, on a cancel."""
        command = [str(argument) for argument in arguments]
        last_lines: deque[str] = deque(maxlen=60)
        with open(self.log, "a", encoding="utf-8") as log:
            log.write("$ " + " ".join(command) + "\n")
            try:
                child = ChildProcess(command, self.environment, subprocess.STDOUT, folder=self.folder)
            except OSError as error:
                raise SetUpError("python", f"{command[0]} cannot be started: {error.strerror or error}.") from error
            try:
                while (line := child.read(self.is_cancelled)) is not None:
                    line = _CREDENTIALS.sub("//***@", line.strip())
                    if line:
                        last_lines.append(line)
                        log.write(line + "\n")
                        self.on_line(line)
                status = child.status()
            finally:
                child.end()
        if status:
            raise self._error("\n".join(last_lines))

    def _error(self, output: str) -> SetUpError:
        kind, sentence = explain(output)
        if not kind:
            sentence = "Setting up failed:\n" + "\n".join(output.splitlines()[-8:])
        return SetUpError(kind, f"{sentence}\nThe whole log: {self.log}")


def _environment(folder: Path, proxy: str) -> dict[str, str]:
    """The environment variables of the tools; Pythons that uv downloads go below the folder."""
    variables = clean_environment(os.environ)
    clean = {name: value for name, value in variables.items() if name not in _REMOVED_VARIABLES}
    clean.update(PIP_NO_INPUT="1", PIP_DISABLE_PIP_VERSION_CHECK="1", UV_NO_PROGRESS="1", NO_COLOR="1")
    # A cancel discards unfinished downloads, so only a few run at a time.
    clean.setdefault("UV_CONCURRENT_DOWNLOADS", "4")
    clean["UV_PYTHON_INSTALL_DIR"] = str(folder / "python")
    if proxy:
        clean.update({name: proxy for name in ("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy")})
    if sys.platform in ("win32", "darwin") or ssl.get_default_verify_paths().cafile:
        clean.setdefault("UV_SYSTEM_CERTS", "1")  # so that a company's certificate is trusted
        clean.setdefault("UV_NATIVE_TLS", "1")  # the name of the same option in older versions of uv
    return clean


class UvInstaller:
    """Makes and fills environments with uv."""

    def __init__(self, runner: CommandRunner, program: Path, wheels: str) -> None:
        self._runner, self._program, self._wheels = runner, program, wheels

    def download_python(self) -> Path:
        """Have uv download a Python into Landforge's folder in the profile; returns its path."""
        self._runner.run(self._program, "python", "install", _DOWNLOADED_PYTHON)
        for pattern in ("cpython-*/python.exe", "cpython-*/bin/python3"):
            for python in sorted((self._runner.folder / "python").glob(pattern), reverse=True):
                return python
        raise SetUpError("python", "uv fetched no Python. Install Python 3.12, or name an interpreter in the settings.")

    def make(self, base: Path, folder: Path) -> None:
        """Make an empty environment."""
        self._runner.run(self._program, "venv", "--python", base, folder)

    def install(self, python: Path, requirements: Path, hashed: bool = True, torch_backend: str = "") -> None:
        """Install a requirements file, which lists the dependencies of its packages too; `hashed`: check hashes."""
        command = [self._program, "pip", "install", "--python", python, "--no-deps", "--only-binary", ":all:"]
        command += ["--require-hashes"] if hashed else []
        command += ["--torch-backend", torch_backend] if torch_backend else []
        command += ["--offline", "--no-index", "--find-links", self._wheels] if self._wheels else []
        self._runner.run(*command, "-r", requirements)


class PipInstaller:
    """Makes and fills environments with Python's own venv and pip."""

    def __init__(self, runner: CommandRunner, wheels: str) -> None:
        self._runner, self._wheels = runner, wheels

    def download_python(self) -> Path:
        """Raises SetUpError: pip cannot download a Python."""
        raise SetUpError(
            "python",
            f"QGIS's Python is older than {interpreters.version_text(interpreters.OLDEST)}, and no other was found on "
            f"this machine. Install Python {_DOWNLOADED_PYTHON}, or name an interpreter in the settings.",
        )

    def make(self, base: Path, folder: Path) -> None:
        """Make an environment that holds pip."""
        self._runner.run(base, "-m", "venv", folder)

    def install(self, python: Path, requirements: Path, hashed: bool = True) -> None:
        """Install a requirements file, which lists the dependencies of its packages too; `hashed`: check hashes."""
        command = [python, "-m", "pip", "install", "--no-deps", "--only-binary", ":all:", "--progress-bar", "off"]
        command += ["--require-hashes"] if hashed else []
        command += ["--no-index", "--find-links", self._wheels] if self._wheels else []
        self._runner.run(*command, "-r", requirements)


def choose(runner: CommandRunner, pinned_uv: Path, wheels: str) -> UvInstaller | PipInstaller:
    """uv from the PATH, else uv that pip installs into a small environment for tools, else venv and pip.

    `pinned_uv` is the requirements file of uv, `wheels` a folder of wheels or empty.
    """
    uv_on_path = shutil.which("uv", path=runner.environment.get("PATH", os.defpath))
    own_uv = runner.folder / "tools" / ("Scripts/uv.exe" if os.name == "nt" else "bin/uv")
    for program in (uv_on_path, own_uv if own_uv.exists() else None):
        if program and _is_new_enough(program):
            return UvInstaller(runner, Path(program), wheels)
    try:
        base = interpreters.find_any()
        if base is None:
            raise SetUpError("python", "No Python was found to install uv with.")
        pip = PipInstaller(runner, wheels)
        pip.make(base, runner.folder / "tools")
        pip.install(own_uv.with_name("python.exe" if os.name == "nt" else "python"), pinned_uv)
        return UvInstaller(runner, own_uv, wheels)
    except SetUpError as error:
        runner.on_line(f"uv cannot be had ({error}); going on with venv and pip.")
        return PipInstaller(runner, wheels)


def _is_new_enough(uv: str | Path) -> bool:
    try:
        output = subprocess.run([str(uv), "--version"], capture_output=True, text=True, timeout=30, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return False
    version = re.search(r"(\d+)\.(\d+)", output)
    return version is not None and tuple(map(int, version.groups())) >= _OLDEST_UV
