"""Where real rasters come from. Here: how every source reads, patient with servers and plain about faults."""

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
    """Seconds that a server may stay silent before it is given up; LANDFORGE_HTTP_TIMEOUT_S overrides."""
    return int(os.environ.get("LANDFORGE_HTTP_TIMEOUT_S") or 30)


def is_remote(address: str) -> bool:
    """Whether an address leads to a server."""
    return address.startswith(("http://", "https://"))


def environment(address: str) -> rasterio.Env:
    """GDAL's settings: few requests, a stalled server given up, passing faults tried again."""
    options: dict[str, object] = dict(
        GDAL_HTTP_CONNECTTIMEOUT=patience_s(),
        GDAL_HTTP_LOW_SPEED_TIME=patience_s(),
        GDAL_HTTP_LOW_SPEED_LIMIT=1,
        GDAL_HTTP_MAX_RETRY=RETRIES,
        GDAL_HTTP_RETRY_DELAY=0.5,
        GDAL_HTTP_MULTIPLEX=True,
        GDAL_HTTP_MERGE_CONSECUTIVE_RANGES=True,
        GDAL_INGESTED_BYTES_AT_OPEN=32768,
        CPL_VSIL_CURL_NON_CACHED="/vsicurl/",  # a failed answer is not remembered for the next job
    )
    if is_remote(address):
        options["GDAL_DISABLE_READDIR_ON_OPEN"] = "EMPTY_DIR"  # look for no sidecar files beside it
    return rasterio.Env(**options)


class Missing(BackendError):
    """There is no such raster."""


def _fault(address: str, error: RasterioError) -> BackendError:
    """What a failed read means, in plain words."""
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
    if is_remote(address) and "not recognized" not in text:  # GDAL does not say why bytes stopped to come
        return BackendError(f"Reading {address} broke off: the server failed, or the file is damaged. Try again later.")
    kind = "the server sent something else" if is_remote(address) else "not a raster"
    return BackendError(f"{address} cannot be read: it is damaged, or {kind}. Choose another, or get it again.")


@contextmanager
def reading(address: str) -> Iterator[None]:
    """GDAL set up for an address; what goes wrong inside is a BackendError."""
    try:
        with environment(address):
            yield
    except RasterioError as error:
        raise _fault(address, error) from error


def open_address(address: str, level: int | None = None) -> rasterio.DatasetReader:
    """Open a raster, or one of its overviews; to be called inside `reading`."""
    # A server may send anything: only GeoTIFF is tried there, and nothing that leads to further files.
    options = {"driver": "GTiff"} if is_remote(address) else {}
    return rasterio.open(address, **options, **({} if level is None else {"overview_level": level}))
