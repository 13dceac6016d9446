"""Sources of real rasters. This module: GDAL's settings and error messages for all of them."""

from __future__ import annotations

import http.client
import os
import re
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import rasterio
from rasterio.errors import RasterioError

from backend.protocol import BackendError

RETRIES = 3
SOMETHING_ELSE = "sent something else than a GeoTIFF"
TIFF_SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def patience_s() -> int:
    """The seconds without data after which a request is given up; LANDFORGE_HTTP_TIMEOUT_S overrides them."""
    return int(os.environ.get("LANDFORGE_HTTP_TIMEOUT_S") or 30)


def is_remote(address: str) -> bool:
    """Whether an address is a URL of http or https, in any case."""
    return address.lower().startswith(("http://", "https://"))


def environment(address: str) -> rasterio.Env:
    """GDAL's settings for an address: few requests, a timeout for stalled servers, retries of temporary errors."""
    options: dict[str, object] = dict(
        GDAL_HTTP_CONNECTTIMEOUT=patience_s(),
        GDAL_HTTP_LOW_SPEED_TIME=patience_s(),
        GDAL_HTTP_LOW_SPEED_LIMIT=1,
        GDAL_HTTP_MAX_RETRY=RETRIES,
        GDAL_HTTP_RETRY_DELAY=0.5,
        GDAL_HTTP_MULTIPLEX=True,
        GDAL_HTTP_MERGE_CONSECUTIVE_RANGES=True,
        GDAL_INGESTED_BYTES_AT_OPEN=32768,
        CPL_VSIL_CURL_NON_CACHED="/vsicurl/",  # a failed request must not be cached for the next job
    )
    if is_remote(address):
        options["GDAL_DISABLE_READDIR_ON_OPEN"] = "EMPTY_DIR"  # no requests for sidecar files
    return rasterio.Env(**options)


class Missing(BackendError):
    """The raster does not exist."""


class NoRaster(BackendError):
    """The server has no raster at the address, though it does not say 404; `reason` is what it did."""

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


def _backend_error(address: str, error: RasterioError) -> BackendError:
    """The BackendError for a failed read."""
    text = f"{error} {error.__cause__ or ''}"
    if not is_remote(address) and not Path(address).exists():
        return Missing(f"{address} does not exist.")
    protocol = re.search(r"HTTP response code: 3\d\d - (?:Protocol \"(\w+)\" disabled|Unsupported proxy)", text)
    if protocol:
        return BackendError(
            f"The server redirects {address} to an address of {protocol[1] or 'ftp'}. Only http and https are read: "
            "check the source's address."
        )
    status = re.search(r"HTTP response code: (\d+)", text)
    if status and status[1] == "404":
        return Missing(f"The server has no {address} (404). Check the source's address.")
    if status and status[1] in ("403", "410"):
        return NoRaster(
            f"The server answered {status[1]} for {address}: it is not there, or not free to read. Check the source's "
            "address, or choose another source.",
            f"answered {status[1]}",
        )
    if status:
        return BackendError(f"The server answered {status[1]} for {address}. Try again later.")
    if "too slow" in text or "timed out" in text or "Timeout" in text:
        return BackendError(
            f"The server of {address} did not answer for {patience_s()} s. Check the connection, or try again later."
        )
    if "CURL error" in text:
        reason = text.split("CURL error: ")[1].strip()
        return BackendError(f"The server of {address} cannot be reached ({reason}). Check the connection and proxy.")
    if is_remote(address) and "not recognized" not in text:  # GDAL gives no reason for an incomplete transfer
        return BackendError(f"Reading {address} broke off: the server failed, or the file is damaged. Try again later.")
    if is_remote(address):
        return NoRaster(
            f"{address} cannot be read: it is damaged, or the server sent something else. Choose another, or get it "
            "again.",
            SOMETHING_ELSE,
        )
    return BackendError(f"{address} cannot be read: it is damaged, or not a raster. Choose another, or get it again.")


def is_refusal(address: str, error: Missing | NoRaster) -> bool:
    """Whether a server does not have a raster: GDAL says that it sent something else also where it failed midway."""
    if isinstance(error, Missing) or error.reason != SOMETHING_ELSE:
        return True
    request = urllib.request.Request(address, headers={"Range": "bytes=0-3"})  # noqa: S310 (it is of http or https)
    try:
        with urllib.request.urlopen(request, timeout=patience_s()) as answer:  # noqa: S310
            return answer.read(4) not in TIFF_SIGNATURES
    except (OSError, http.client.HTTPException):
        return False


@contextmanager
def gdal_access(address: str) -> Iterator[None]:
    """Set GDAL up for an address; rasterio's errors inside become BackendErrors."""
    try:
        with environment(address):
            yield
    except RasterioError as error:
        raise _backend_error(address, error) from error


def open_address(address: str, level: int | None = None) -> rasterio.DatasetReader:
    """Open a raster, or the overview `level` of it; to be called inside `gdal_access`.

    Raises BackendError for a remote raster that names another file as its overviews.
    """
    # A server may send anything: only GeoTIFF is accepted, not a format that refers to further files.
    options = {"driver": "GTiff"} if is_remote(address) else {}
    source = rasterio.open(address, **options, **({} if level is None else {"overview_level": level}))
    # A GeoTIFF's metadata can refer to one too, which GDAL would open with any driver.
    if is_remote(address) and source.tags(ns="OVERVIEWS"):
        source.close()
        raise BackendError(f"{address} names another file as its overviews, which is not read. Choose another source.")
    return source
