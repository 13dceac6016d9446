"""Sources of real rasters. This module: GDAL's settings and error messages for all of them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import rasterio
from rasterio.errors import RasterioError

from backend.protocol import BackendError

RETRIES = 3


def patience_s() -> int:
    """The seconds without data after which a request is given up; LANDFORGE_HTTP_TIMEOUT_S overrides them."""
    return int(os.environ.get("LANDFORGE_HTTP_TIMEOUT_S") or 30)


def is_remote(address: str) -> bool:
    """Whether an address is a URL."""
    return address.startswith(("http://", "https://"))


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


def _backend_error(address: str, error: RasterioError) -> BackendError:
    """The BackendError for a failed read."""
    text = f"{error} {error.__cause__ or ''}"
    if not is_remote(address) and not Path(address).exists():
        return Missing(f"{address} does not exist.")
    status = re.search(r"HTTP response code: (\d+)", text)
    if status and status[1] == "404":
        return Missing(f"The server has no {address} (404). Check the source's address.")
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
    kind = "the server sent something else" if is_remote(address) else "not a raster"
    return BackendError(f"{address} cannot be read: it is damaged, or {kind}. Choose another, or get it again.")


@contextmanager
def gdal_access(address: str) -> Iterator[None]:
    """Set GDAL up for an address; rasterio's errors inside become BackendErrors."""
    try:
        with environment(address):
            yield
    except RasterioError as error:
        raise _backend_error(address, error) from error


def open_address(address: str, level: int | None = None) -> rasterio.DatasetReader:
    """Open a raster, or the overview `level` of it; to be called inside `gdal_access`."""
    # A server may send anything: only GeoTIFF is accepted, not a format that refers to further files.
    options = {"driver": "GTiff"} if is_remote(address) else {}
    return rasterio.open(address, **options, **({} if level is None else {"overview_level": level}))
