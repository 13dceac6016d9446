"""Servers on loopback that stand in for the public sources; standard library only, so usable in any Python."""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def real_data_folder() -> Path | None:
    """The folder of real data, or None where there is none."""
    folder = Path(os.environ.get("LANDFORGE_TEST_DATA") or ROOT.parent / "shared" / "data")
    return folder if folder.is_dir() else None


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _program(name: str) -> str | None:
    folders = [str(Path(sys.executable).parent), str(ROOT / ".venv" / "bin"), os.environ.get("PATH", ""), "/usr/sbin"]
    return shutil.which(name, path=os.pathsep.join(folders))


@contextlib.contextmanager
def _process(command: list[str], url: str, log: Path) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                urllib.request.urlopen(url, timeout=5).close()
                break
            except OSError as error:
                if isinstance(error, urllib.request.HTTPError):
                    break  # an error status is an answer too
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"{command[0]} did not start: {log.read_text()}") from None
                time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(10)


@dataclass(frozen=True)
class Nginx:
    """A running nginx: its address and its access log."""

    url: str
    access: Path

    def requests(self) -> list[dict]:
        """The requests so far: method, path, status, bytes (sent, headers included), range."""
        time.sleep(0.1)
        return [json.loads(line) for line in self.access.read_text().splitlines()]

    def moved_bytes(self) -> int:
        """The bytes that it has sent in all."""
        return sum(request["bytes"] for request in self.requests())


NGINX_CONF = """
daemon off; master_process off; pid {scratch}/pid; error_log {scratch}/error.log;
events {{ worker_connections 64; }}
http {{
  log_format moved escape=json
    '{{"method": "$request_method", "path": "$uri", "status": $status, "bytes": $bytes_sent, "range": "$http_range"}}';
  access_log {scratch}/access.log moved;
  client_body_temp_path {scratch}/body; proxy_temp_path {scratch}/proxy; fastcgi_temp_path {scratch}/fastcgi;
  uwsgi_temp_path {scratch}/uwsgi; scgi_temp_path {scratch}/scgi;
  server {{ listen 127.0.0.1:{port}; root {folder}; }}
}}
"""


@contextlib.contextmanager
def nginx(folder: Path, scratch: Path) -> Iterator[Nginx]:
    """Serve a folder with range support, as the public buckets do; FileNotFoundError without nginx."""
    program = _program("nginx")
    if program is None:
        raise FileNotFoundError("nginx is not installed")
    scratch.mkdir(parents=True, exist_ok=True)
    port = free_port()
    conf = scratch / "nginx.conf"
    conf.write_text(NGINX_CONF.format(scratch=scratch, folder=folder.resolve(), port=port))
    url = f"http://127.0.0.1:{port}"
    command = [program, "-p", str(scratch), "-c", str(conf), "-e", str(scratch / "error.log")]
    with _process(command, url, scratch / "output.log"):
        access = scratch / "access.log"
        access.write_text("")  # without the request that waited for the server to start
        yield Nginx(url, access)


@contextlib.contextmanager
def rustac(collection: dict, items: list[dict], scratch: Path) -> Iterator[str]:
    """Serve a STAC API of one collection and its items; yields its address. FileNotFoundError without rustac."""
    program = _program("rustac")
    if program is None:
        raise FileNotFoundError("rustac is not installed")
    scratch.mkdir(parents=True, exist_ok=True)
    (scratch / "collection.json").write_text(json.dumps(collection))
    (scratch / "items.json").write_text(json.dumps({"type": "FeatureCollection", "features": items}))
    address = f"127.0.0.1:{free_port()}"
    files = [str(scratch / "collection.json"), str(scratch / "items.json")]
    with _process([program, "serve", "--addr", address, *files], f"http://{address}", scratch / "output.log"):
        yield f"http://{address}"


class _StacHandler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.do_GET()

    def do_GET(self) -> None:
        server: Any = self.server
        answer = {"type": "FeatureCollection", "features": server.items, "links": server.links}
        if not self.path.startswith("/search"):
            parts = ("core", "item-search")
            answer = {
                "type": "Catalog",
                "stac_version": "1.0.0",
                "id": "any",
                "description": "any items",
                "conformsTo": [f"https://api.stacspec.org/v1.0.0/{part}" for part in parts],
                "links": [{"rel": "search", "href": f"{server.url}/search", "type": "application/geo+json"}],
            }
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextlib.contextmanager
def stac_api(items: list[dict], links: list[dict] | None = None) -> Iterator[str]:
    """A STAC API that finds these items, as they are, in every search, and these links; yields its address."""
    server: Any = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _StacHandler)
    server.items, server.links, server.url = items, links or [], f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield server.url
    finally:
        server.shutdown()
        server.server_close()


class _MisbehavingHandler(http.server.BaseHTTPRequestHandler):
    """`/MODE/...` misbehaves as MODE says; `/MODE-after-N/PATH` serves PATH with ranges for the first N requests.

    `/MODE-without/PATH` misbehaves only where there is no PATH.
    """

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._answer()

    def _answer(self) -> None:
        prefix, _, path = self.path.lstrip("/").partition("/")
        mode, _, served_first = prefix.removesuffix("-without").partition("-after-")
        counts = self.server.counts  # type: ignore[attr-defined]
        counts[prefix] = counts.get(prefix, 0) + 1
        present = prefix.endswith("-without") and (self.server.folder / path).is_file()  # type: ignore[attr-defined]
        if present or counts[prefix] <= int(served_first or 0) or (mode == "flaky" and counts[prefix] > 2):
            self._send_file(path)
        elif mode == "redirect":
            self._send(302, b"", {"Location": urllib.parse.unquote(path)})
        elif mode == "head":
            self._send(200 if self.command == "HEAD" else 500, b"no" * 5000)
        elif mode == "stall":
            self.server.stopped.wait(120)  # type: ignore[attr-defined]
        elif mode == "garbage":
            self._send(200, b"<html>This is no raster and no JSON.</html>" * 500)
        else:
            self._send({"flaky": 503}.get(mode) or int(mode), b"no")

    def _send_file(self, path: str) -> None:
        file = self.server.folder / path  # type: ignore[attr-defined]
        if not file.is_file():
            return self._send(404, b"no")
        data = file.read_bytes()
        byte_range = self.headers.get("Range")
        if byte_range is None:
            return self._send(200, data)
        start, stop = byte_range.removeprefix("bytes=").split("-")
        part = data[int(start) : int(stop or len(data)) + 1]
        self._send(206, part, {"Content-Range": f"bytes {start}-{int(start) + len(part) - 1}/{len(data)}"})

    def _send(self, status: int, body: bytes, headers: dict | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), "Accept-Ranges": "bytes", **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


@contextlib.contextmanager
def misbehaving(folder: Path | None = None) -> Iterator[str]:
    """A server that answers `/404/...`, `/500/...`, `/garbage/...`, `/stall/...` as the path says.

    `/500-after-3/PATH` serves the folder's PATH for the first three requests; `/flaky/PATH` answers 503
    twice, then serves; `/403-without/PATH` answers 403 where there is no PATH; `/redirect/URL` leads to the quoted URL;
    `/head/...` answers HEAD alone, and 500 to GET. Yields its address.
    """
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _MisbehavingHandler)
    server.daemon_threads = True
    server.folder, server.counts, server.stopped = folder, {}, threading.Event()  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.stopped.set()  # type: ignore[attr-defined]
        server.shutdown()
        server.server_close()
