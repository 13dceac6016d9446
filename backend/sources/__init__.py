"""Where real rasters come from. Here: how patient every source is with a server."""

import os

RETRIES = 3


def patience_s() -> int:
    """Seconds that a server may stay silent before it is given up; LANDFORGE_HTTP_TIMEOUT_S overrides."""
    return int(os.environ.get("LANDFORGE_HTTP_TIMEOUT_S") or 30)
