"""The output form of the connector of 2019, which emitted its client's whole response (docs/migration.md)."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from typing import Any

from lib.action.output.stream_messages import json_text
from lib.engine import Reply
from lib.sailor import Message

_KEPT_BACK = frozenset({"set-cookie", "authorization", "proxy-authorization"})
"""Headers of a proxy that are no matter of a flow."""


def as_response(answer: Reply | Mapping[str, Any] | list[Any] | None) -> Message:
    """Return the message of an answer in the form of 2019.

    {ok, status, statusText, headers, text, data, body, obj}: `obj` and `body` are the JSON value, `text` and `data` the
    text. For an answer that is no JSON `obj` and `body` are left out. An answer that the handler made itself, after
    several calls, has status 200 and no headers. `url` is left out: the engine's address is a matter of the credential.
    """
    status, headers, value, text = 200, {}, answer, ""
    if isinstance(answer, Reply):
        status, text = answer.status, answer.text
        headers = {name.lower(): told for name, told in answer.headers.items()}
        value = answer.json() if answer.kind == "json" else None
    elif answer is not None:
        text = json_text(answer).decode()
    body: dict[str, Any] = {
        "ok": True,
        "status": status,
        "statusText": http.client.responses.get(status, ""),
        "headers": {name: told for name, told in headers.items() if name not in _KEPT_BACK},
        "text": text,
        "data": text,
    }
    return Message(body=body if value is None else body | {"body": value, "obj": value})
