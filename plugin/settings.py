"""Landforge's settings in QGIS, and the proxy that QGIS itself uses."""

from pathlib import Path
from urllib.parse import quote

from qgis.core import QgsApplication, QgsNetworkAccessManager, QgsSettings
from qgis.PyQt.QtCore import QUrl
from qgis.PyQt.QtNetwork import QNetworkProxy, QNetworkProxyFactory, QNetworkProxyQuery

from ..backend.protocol import DEFAULT_MAX_AREA_KM2

INTERPRETER = "interpreter"
COMPUTE = "compute"
WHEELS = "wheels"
SCHEDULER = "scheduler"
MAX_AREA = "max_area_km2"
FOLDER = "folder"
# What the backend reads from its environment, and the settings that give it where the environment itself does not.
VARIABLES = {
    "LANDFORGE_DEVICE": "device",
    "LANDFORGE_ESA_URL": "esa_url",
    "LANDFORGE_STAC_URL": "stac_url",
    "GDAL_CACHEMAX": "cache_mb",
}

_SCHEMES = {
    QNetworkProxy.ProxyType.HttpProxy: "http",
    QNetworkProxy.ProxyType.HttpCachingProxy: "http",
    QNetworkProxy.ProxyType.Socks5Proxy: "socks5",
}


def get(key: str, default: str = "") -> str:
    """One of Landforge's settings."""
    return str(QgsSettings().value(f"landforge/{key}", default) or default)


def put(key: str, value: str) -> None:
    """Keep one of Landforge's settings."""
    QgsSettings().setValue(f"landforge/{key}", value)


def max_area_km2() -> float:
    """The largest area that is generated or clipped unless an algorithm is told otherwise."""
    try:
        return float(get(MAX_AREA) or DEFAULT_MAX_AREA_KM2)
    except ValueError:
        return DEFAULT_MAX_AREA_KM2


def variables() -> dict[str, str]:
    """What the settings put into the backend's environment."""
    return {variable: get(key) for variable, key in VARIABLES.items() if get(key)}


def profile() -> Path:
    """The folder of the user's QGIS profile, where the backend's environment lives."""
    return Path(QgsApplication.qgisSettingsDirPath())


def log_folder() -> Path:
    """Where the backend's logs go."""
    return profile() / "landforge" / "logs"


def proxy() -> str:
    """The proxy set in QGIS's network options, as a URL with its credentials; empty where there is none."""
    enabled = QgsSettings().value("proxy/proxyEnabled", False, type=bool)
    if not enabled:
        return ""
    if QgsSettings().value("proxy/proxyType", "") == "DefaultProxy":  # the system's own
        found = QNetworkProxyFactory.systemProxyForQuery(QNetworkProxyQuery(QUrl("https://github.com")))[0]
    else:
        manager = QgsNetworkAccessManager.instance()
        manager.setupDefaultProxyAndCache()  # qgis_process has not read the options yet
        found = manager.fallbackProxy()
    return proxy_url(found)


def proxy_url(found: QNetworkProxy) -> str:
    """A proxy as `http://user:password@host:port`; empty for a direct connection."""
    scheme = _SCHEMES.get(found.type())
    if not scheme or not found.hostName():
        return ""
    user = ":".join(quote(part, safe="") for part in (found.user(), found.password()) if part)
    return f"{scheme}://{user + '@' if user else ''}{found.hostName()}:{found.port()}"
