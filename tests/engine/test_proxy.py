"""The fields of an HTTP proxy on the way to an engine."""

from __future__ import annotations

from typing import Any

import pytest

from lib.credentials import new_engine
from lib.engine.errors import BadInput
from lib.engine.proxy import Proxy

SECRET = "canary-81f3"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("http://proxy.example.org:8080", "http://proxy.example.org:8080"),
        ("proxy.example.org:8080", "http://proxy.example.org:8080"),
        (" http://proxy/ ", "http://proxy:3128"),
        ("HTTP://10.0.0.1:1", "http://10.0.0.1:1"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_addresses_in_all_forms(address: str, shown: str) -> None:
    assert str(Proxy.checked(address, None, None)) == shown


def test_no_address_is_no_proxy() -> None:
    assert Proxy.checked(None, None, None) is None


@pytest.mark.parametrize(
    ("fields", "field", "told"),
    [
        ({"proxy": "https://proxy:3129"}, "proxy", "Only HTTP proxies"),
        ({"proxy": "socks5://proxy:1080"}, "proxy", "Only HTTP proxies"),
        ({"proxy": "http://proxy:0"}, "proxy", "port"),
        ({"proxy": "http://proxy:99999"}, "proxy", "port"),
        ({"proxy": "http://proxy:x"}, "proxy", "port"),
        ({"proxy": "http://[proxy"}, "proxy", "malformed"),
        ({"proxy": "http://a..b"}, "proxy", "empty part"),
        ({"proxy": "http://proxy/path"}, "proxy", "a host and a port"),
        ({"proxy": "http://proxy?x"}, "proxy", "a host and a port"),
        ({"proxy": "http://"}, "proxy", "a host and a port"),
        ({"proxy": "http://pro\r\nxy"}, "proxy", "control character"),
        ({"proxy": f"http://me:{SECRET}@proxy:3128"}, "proxy", "proxyPassword"),
        ({"proxy": f"http://me:{SECRET}/x@proxy"}, "proxy", "port"),
        ({"proxy": 3128}, "proxy", "must be a text"),
        ({"proxyUser": "me"}, "proxyUser", "proxy is empty"),
        ({"proxyPassword": SECRET}, "proxyPassword", "proxy is empty"),
        ({"proxy": "http://proxy", "proxyPassword": SECRET}, "proxyUser", "is set but proxyUser is not"),
        ({"proxy": "http://proxy", "proxyUser": "a:b"}, "proxyUser", "colon"),
        ({"proxy": "http://proxy", "proxyUser": "a\r\nX: y"}, "proxyUser", "control character"),
        (
            {"proxy": "http://proxy", "proxyUser": "a", "proxyPassword": f"{SECRET}\r"},
            "proxyPassword",
            "control",
        ),
        (
            {"proxy": "http://proxy", "proxyUser": "a", "proxyPassword": SECRET * 1000},
            "proxyPassword",
            "longer",
        ),
        ({"proxy": "http://proxy", "otherServer": "unix:///x"}, "proxy", "unix:// address"),
        ({"proxy": "http://proxy", "otherServer": "/x"}, "proxy", "unix:// address"),
    ],
)
def test_what_is_wrong_is_named(fields: dict[str, Any], field: str, told: str) -> None:
    with pytest.raises(BadInput) as caught:
        new_engine({"server": "2", "otherServer": "https://engine", **fields})
    assert caught.value.field == field
    assert told in str(caught.value)
    assert SECRET not in str(caught.value)


def test_no_text_shows_the_login() -> None:
    proxy = Proxy.checked("http://proxy", "me", SECRET)
    assert proxy is not None
    assert proxy.login == "Basic bWU6Y2FuYXJ5LTgxZjM="
    assert all(word not in f"{proxy} {proxy!r}" for word in (SECRET, "bWU6", "'me'"))
