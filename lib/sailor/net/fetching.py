"""Opens an address that a message has named: checks each host, follows redirects, and sends no secret elsewhere."""

from __future__ import annotations

import time
from urllib.parse import urljoin, urlsplit

from lib.sailor.errors import RequestError
from lib.sailor.net.addresses import shown, without_user
from lib.sailor.net.destinations import Destinations
from lib.sailor.net.exchange import REDIRECTS, Exchange

MOST_REDIRECTS = 5
WHOLE = 200


def fetched(url: str, destinations: Destinations) -> Exchange:
    """Return the exchange that was answered with 200; the caller reads its body and closes it.

    At most 5 redirects are followed; each is checked as the first address was. User and password of an address are
    sent to its host alone. Cookies, netrc and the environment's proxies are not used. Raises RequestError.
    """
    deadline = time.monotonic() + destinations.max_seconds
    user: str | None = None
    for _ in range(MOST_REDIRECTS + 1):
        try:
            address, named = without_user(url)
        except ValueError:
            raise RequestError(f"{shown(url)} is no http address", final=True) from None
        user = named or user
        left = deadline - time.monotonic()
        headers = {"Accept": "*/*", **({"Authorization": user} if user else {})}
        exchange = Exchange(
            "GET", address, headers, idle=destinations.idle_seconds, total=left, destinations=destinations
        )
        if exchange.status not in REDIRECTS:
            return _whole(exchange, address)
        location = exchange.headers.get("location")
        exchange.close()
        if not location:
            raise RequestError(f"GET {shown(address)} was answered with a redirect to nowhere", final=True)
        url = urljoin(address, location)
        if _origin(url) != _origin(address):
            user = None
    raise RequestError(
        f"GET {shown(url)} is one redirect too many: {MOST_REDIRECTS} are followed", final=True
    )


def _whole(exchange: Exchange, address: str) -> Exchange:
    """Return the exchange if its body is the whole content, not encoded; otherwise close it and raise RequestError."""
    refusal = exchange.refusal()
    if refusal is None and exchange.status != WHOLE:
        refusal = RequestError(f"GET {shown(address)} was answered with {exchange.status}", exchange.status)
    encoding = (exchange.headers.get("content-encoding") or "identity").strip().lower()
    if refusal is None and encoding not in (
        "identity",
        "gzip",
        "x-gzip",
    ):  # some servers send a tar.gz file with this header
        refusal = RequestError(
            f"GET {shown(address)} gives content in the encoding {encoding[:20]!r}", final=True
        )
    if refusal is None:
        return exchange
    exchange.close()
    raise refusal


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.rpartition("@")[2].lower()
