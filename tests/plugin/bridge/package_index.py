"""A package index on the loopback interface that serves small wheels made here, or errors."""

import base64
import contextlib
import hashlib
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def make_wheel(folder, name, version, code=""):
    """A pure Python wheel of one module; returns its path."""
    module = name.replace("-", "_")
    info = f"{module}-{version}.dist-info"
    files = {
        f"{module}/__init__.py": f'__version__ = "{version}"\n{code}',
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    digests = {path: hashlib.sha256(text.encode()).digest() for path, text in files.items()}
    encoded = {path: base64.urlsafe_b64encode(digest).rstrip(b"=").decode() for path, digest in digests.items()}
    record = "".join(f"{path},sha256={encoded[path]},{len(files[path])}\n" for path in files)
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n"
    wheel = folder / f"{module}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path), text)  # a fixed date, so that the same wheel has the same hash
    return wheel


def pinned(wheel):
    """The wheel's line in a requirements file, with its hash."""
    module, version = wheel.name.split("-")[:2]
    return f"{module.replace('_', '-')}=={version} --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"


class PackageIndex(ThreadingHTTPServer):
    """Serves a folder of wheels. `status` other than 200 answers every request; `stalled` names a wheel to hold back.

    `requests` lists the wheels requested so far.
    """

    daemon_threads = True

    def __init__(self, folder):
        super().__init__(("127.0.0.1", 0), Handler)
        self.folder, self.status, self.stalled = folder, 200, ""
        self.requests, self.released = [], threading.Event()
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/simple"

    def close(self):
        self.released.set()
        self.shutdown()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        if server.status != 200:
            self.send_error(server.status)
            return
        last = self.path.rstrip("/").rsplit("/", 1)[1]
        if last.endswith(".whl"):
            server.requests.append(last)
            if server.stalled and last.startswith(server.stalled):
                server.released.wait(60)
            self.answer((server.folder / last).read_bytes(), "application/octet-stream")
            return
        wheels = sorted(server.folder.glob(f"{last.replace('-', '_')}-*.whl"))
        if not wheels:
            self.send_error(404)
            return
        digests = {wheel.name: hashlib.sha256(wheel.read_bytes()).hexdigest() for wheel in wheels}
        links = "".join(f'<a href="/files/{name}#sha256={digest}">{name}</a>' for name, digest in digests.items())
        self.answer(f"<!DOCTYPE html><html><body>{links}</body></html>".encode(), "text/html")

    def do_HEAD(self):
        self.send_error(405)

    def answer(self, body, kind):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(OSError):  # a cancelled client
            self.wfile.write(body)

    def log_message(self, *args):
        pass
