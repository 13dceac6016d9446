"""Landforge's settings in QGIS, and the proxy of QGIS's network options."""

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
# The backend's environment variables and the settings that set them.
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
    """Store one of Landforge's settings."""
    QgsSettings().setValue(f"landforge/{key}", value)


def max_area_km2() -> float:
    """The default of the parameter MAX_AREA_KM2: the largest area that is generated or clipped."""
    try:
        return float(get(MAX_AREA) or DEFAULT_MAX_AREA_KM2)
    except ValueError:
        return DEFAULT_MAX_AREA_KM2


def variables() -> dict[str, str]:
    """The backend's environment variables that the settings set."""
    return {variable: get(key) for variable, key in VARIABLES.items() if get(key)}


def profile() -> Path:
    """The folder of the user's QGIS profile, in which the backend's environment lies."""
    return Path(QgsApplication.qgisSettingsDirPath())


def log_folder() -> Path:
    """The folder of the backend's logs."""
    return profile() / "landforge" / "logs"


def configured_proxy() -> str:
    """The proxy set in QGIS's network options, as a URL with its credentials; empty where there is none."""
    enabled = QgsSettings().value("proxy/proxyEnabled", False, type=bool)
    if not enabled:
        return ""
    if QgsSettings().value("proxy/proxyType", "") == "DefaultProxy":  # the system's own
        proxy = QNetworkProxyFactory.systemProxyForQuery(QNetworkProxyQuery(QUrl("https://github.com")))[0]
    else:
        manager = QgsNetworkAccessManager.instance()
        manager.setupDefaultProxyAndCache()  # qgis_process has not read the options yet
        proxy = manager.fallbackProxy()
    return proxy_url(proxy)


def proxy_url(proxy: QNetworkProxy) -> str:
    """A proxy as `http://user:password@host:port`; empty for a direct connection."""
    scheme = _SCHEMES.get(proxy.type())
    if not scheme or not proxy.hostName():
        return ""
    user = ":".join(quote(part, safe="") for part in (proxy.user(), proxy.password()) if part)
    return f"{scheme}://{user + '@' if user else ''}{proxy.hostName()}:{proxy.port()}"
