"""Settings, and the proxy of QGIS's network options."""

from pathlib import Path

import pytest
from landforge.plugin import settings
from qgis.core import QgsApplication, QgsNetworkAccessManager, QgsSettings


@pytest.fixture(autouse=True)
def clean():
    yield
    for key in ("landforge", "proxy"):
        QgsSettings().remove(key)
    QgsNetworkAccessManager.instance().setupDefaultProxyAndCache()


def test_settings_are_kept():
    assert settings.get(settings.COMPUTE, "cpu") == "cpu"
    settings.put(settings.COMPUTE, "cuda")
    assert settings.get(settings.COMPUTE, "cpu") == "cuda" and QgsSettings().value("landforge/compute") == "cuda"


def test_the_profile_is_qgis_own():
    assert settings.profile() == Path(QgsApplication.qgisSettingsDirPath())
    assert settings.profile() in settings.log_folder().parents


def set_proxy(**values):
    for key, value in values.items():
        QgsSettings().setValue(f"proxy/proxy{key}", value)


def test_no_proxy():
    assert settings.configured_proxy() == ""
    set_proxy(Enabled=False, Type="HttpProxy", Host="proxy.example", Port="3128")
    assert settings.configured_proxy() == ""


@pytest.mark.parametrize(
    "kind, scheme", [("HttpProxy", "http"), ("Socks5Proxy", "socks5"), ("HttpCachingProxy", "http")]
)
def test_a_proxy(kind, scheme):
    set_proxy(Enabled=True, Type=kind, Host="proxy.example", Port="3128")
    assert settings.configured_proxy() == f"{scheme}://proxy.example:3128"


def test_a_proxy_with_credentials_that_need_quoting():
    set_proxy(Enabled=True, Type="HttpProxy", Host="proxy.example", Port="3128", User="ann", Password="p@ss:w/rd")
    assert settings.configured_proxy() == "http://ann:p%40ss%3Aw%2Frd@proxy.example:3128"


def test_the_systems_proxy(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://system.example:8080")
    monkeypatch.setenv("https_proxy", "http://system.example:8080")
    set_proxy(Enabled=True, Type="DefaultProxy")
    # Qt may be built without the system's settings.
    assert settings.configured_proxy() in ("http://system.example:8080", "")
