"""The tools that fill an environment, uv or venv with pip, and their failures in plain words."""

from __future__ import annotations

import os
import re
import shutil
import ssl
import subprocess
import sys
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Callable

from ...backend.protocol import BackendError
from . import interpreters
from .child import Child, clean_environment

_UV_FLOOR = (0, 9)
_PYTHON = "3.12"  # what uv fetches where the machine has none that does
# A user's own settings for these tools stay (a mirror, certificates), but not what would send packages elsewhere.
_DROPPED = {
    *("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_REQUIRE_VIRTUALENV", "PIP_NO_BINARY"),
    *("UV_PYTHON", "UV_SYSTEM_PYTHON", "UV_TORCH_BACKEND", "UV_NO_VERIFY_HASHES", "UV_NO_BINARY"),
}
_CREDENTIALS = re.compile(r"//[^/@\s]+@")
# (kind, what the tools say, what it means), the telling ones first.
_MEANINGS = (
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
        f"needs 64-bit Python {interpreters.text(interpreters.FLOOR)} to {interpreters.text(interpreters.CEILING)} on "
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


class Failure(BackendError):
    """A step of the set-up failed; `kind` is the first word of its meaning, or empty."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def meaning(lines: str) -> tuple[str, str]:
    """The kind and the plain words of what a tool said when it failed; empty where nothing is recognised."""
    for kind, pattern, words in _MEANINGS:
        if re.search(pattern, lines, re.IGNORECASE):
            return kind, words
    return "", ""


class Shell:
    """Runs the tools: every line goes to the log and to `on_line`, a failure is raised in plain words."""

    def __init__(
        self,
        home: Path,
        proxy: str,
        on_line: Callable[[str], None],
        is_cancelled: Callable[[], bool],
    ) -> None:
        self.home, self.log = home, home / "setup.log"
        self.environment = _environment(home, proxy)
        self.on_line, self.is_cancelled = on_line, is_cancelled
        self.log.write_text("", encoding="utf-8")

    def run(self, *arguments: Any) -> None:
        """Run one command; raises Failure when it fails and Cancelled, with the command ended, when cancelled."""
        command = [str(argument) for argument in arguments]
        last: deque[str] = deque(maxlen=60)
        with open(self.log, "a", encoding="utf-8") as log:
            log.write("$ " + " ".join(command) + "\n")
            try:
                child = Child(command, self.environment, subprocess.STDOUT, folder=self.home)
            except OSError as error:
                raise Failure("python", f"{command[0]} cannot be started: {error.strerror or error}.") from error
            try:
                while (line := child.read(self.is_cancelled)) is not None:
                    line = _CREDENTIALS.sub("//***@", line.strip())
                    if line:
                        last.append(line)
                        log.write(line + "\n")
                        self.on_line(line)
                status = child.status()
            finally:
                child.end()
        if status:
            raise self._failure("\n".join(last))

    def _failure(self, lines: str) -> Failure:
        kind, words = meaning(lines)
        if not kind:
            words = "Setting up failed:\n" + "\n".join(lines.splitlines()[-8:])
        return Failure(kind, f"{words}\nThe whole log: {self.log}")


def _environment(home: Path, proxy: str) -> dict[str, str]:
    found: Mapping[str, str] = clean_environment(os.environ)
    clean = {name: value for name, value in found.items() if name not in _DROPPED}
    clean.update(PIP_NO_INPUT="1", PIP_DISABLE_PIP_VERSION_CHECK="1", UV_NO_PROGRESS="1", NO_COLOR="1")
    # Few at a time, so that what a cancel finds half downloaded, and has to begin again, is little.
    clean.setdefault("UV_CONCURRENT_DOWNLOADS", "4")
    clean["UV_PYTHON_INSTALL_DIR"] = str(home / "python")
    if proxy:
        clean.update({name: proxy for name in ("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy")})
    if sys.platform in ("win32", "darwin") or ssl.get_default_verify_paths().cafile:
        clean.setdefault("UV_SYSTEM_CERTS", "1")  # so that a company's certificate counts
        clean.setdefault("UV_NATIVE_TLS", "1")  # the same, as older versions call it
    return clean


class Uv:
    """Environments by uv."""

    name = "uv"

    def __init__(self, shell: Shell, program: Path, wheels: str) -> None:
        self._shell, self._program, self._wheels = shell, program, wheels

    def fetch_python(self) -> Path:
        """Have uv fetch a Python into the plugin's folder in the profile."""
        self._shell.run(self._program, "python", "install", _PYTHON)
        for pattern in ("cpython-*/python.exe", "cpython-*/bin/python3"):
            for found in sorted((self._shell.home / "python").glob(pattern), reverse=True):
                return found
        raise Failure("python", "uv fetched no Python. Install Python 3.12, or name an interpreter in the settings.")

    def make(self, base: Path, folder: Path) -> None:
        """Make an empty environment."""
        self._shell.run(self._program, "venv", "--python", base, folder)

    def install(self, python: Path, file: Path, hashed: bool = True, torch_backend: str = "") -> None:
        """Install one requirements file, which names all that its packages need."""
        command = [self._program, "pip", "install", "--python", python, "--no-deps", "--only-binary", ":all:"]
        command += ["--require-hashes"] if hashed else []
        command += ["--torch-backend", torch_backend] if torch_backend else []
        command += ["--offline", "--no-index", "--find-links", self._wheels] if self._wheels else []
        self._shell.run(*command, "-r", file)


class Pip:
    """Environments by Python's own venv and pip."""

    name = "pip"

    def __init__(self, shell: Shell, wheels: str) -> None:
        self._shell, self._wheels = shell, wheels

    def fetch_python(self) -> Path:
        """There is no fetching a Python without uv."""
        raise Failure(
            "python",
            f"QGIS's Python is older than {interpreters.text(interpreters.FLOOR)}, and no other was found on this "
            f"machine. Install Python {_PYTHON}, or name an interpreter in the settings.",
        )

    def make(self, base: Path, folder: Path) -> None:
        """Make an environment that holds pip."""
        self._shell.run(base, "-m", "venv", folder)

    def install(self, python: Path, file: Path, hashed: bool = True) -> None:
        """Install one requirements file, which names all that its packages need."""
        command = [python, "-m", "pip", "install", "--no-deps", "--only-binary", ":all:", "--progress-bar", "off"]
        command += ["--require-hashes"] if hashed else []
        command += ["--no-index", "--find-links", self._wheels] if self._wheels else []
        self._shell.run(*command, "-r", file)


def best(shell: Shell, pinned_uv: Path, wheels: str) -> Uv | Pip:
    """uv from the PATH, else one that pip puts into a small environment of its own, else venv and pip."""
    found = shutil.which("uv", path=shell.environment.get("PATH", os.defpath))
    own = shell.home / "tools" / ("Scripts/uv.exe" if os.name == "nt" else "bin/uv")
    for program in [Path(found)] if found else [], [own] if own.exists() else []:
        if program and _new_enough(program[0]):
            return Uv(shell, program[0], wheels)
    try:
        base = interpreters.find_any()
        if base is None:
            raise Failure("python", "No Python was found to install uv with.")
        pip = Pip(shell, wheels)
        pip.make(base, shell.home / "tools")
        pip.install(own.with_name("python.exe" if os.name == "nt" else "python"), pinned_uv)
        return Uv(shell, own, wheels)
    except Failure as failure:
        shell.on_line(f"uv cannot be had ({failure}); going on with venv and pip.")
        return Pip(shell, wheels)


def _new_enough(uv: Path) -> bool:
    try:
        answer = subprocess.run([str(uv), "--version"], capture_output=True, text=True, timeout=30, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return False
    found = re.search(r"(\d+)\.(\d+)", answer)
    return found is not None and tuple(map(int, found.groups())) >= _UV_FLOOR
