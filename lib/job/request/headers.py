"""The headers of a request: none that decide where it goes, how long it is, or who sends it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from lib.engine.errors import BadInput

MOST = 50
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_VALUE = re.compile(r"[\t\x20-\x7e\xa0-\xff]{0,8192}")
_OURS = frozenset(
    (
        *("authorization", "connection", "content-length", "expect", "host", "keep-alive", "te", "trailer"),
        *("transfer-encoding", "upgrade", "accept-encoding"),
    )
)


def headers_of(fields: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return (name, value) of the field `headers`; raises BadInput."""
    given: Mapping[str, Any] = fields.get("headers") or {}
    if len(given) > MOST:
        raise BadInput(f"headers has more than {MOST} entries", field="headers")
    found = []
    for name, value in given.items():
        if not _NAME.fullmatch(name):
            raise BadInput(f"headers: {name[:100]!r} is no name of a header", field="headers")
        if name.lower() in _OURS or name.lower().startswith(("proxy-", "sec-")):
            raise BadInput(f"headers: {name} is set by the connector", field="headers", hint="Leave it out")
        text = str(value)
        if not _VALUE.fullmatch(text):
            raise BadInput(f"headers: the value of {name} is no text of one line", field="headers")
        found.append((name, text))
    return found
