"""The address of a request: a path below the engine's own, which cannot lead anywhere else.

What a path may hold is said as a list of characters; all else, and each way to write `..`, is refused before anything
is sent. Paths that take over the connection are refused, too: nobody would end it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlencode

from lib.engine import Version
from lib.engine.errors import BadInput
from lib.engine.text import shown

LONGEST = 8192
"""Characters of path and query together."""
_UNRESERVED = "!$&'()*+,-./:;=@_~%"
_PATH = re.compile(r"/[A-Za-z0-9!$&'()*+,\-./:;=@_~%]*")
_QUERY = re.compile(r"[A-Za-z0-9!$&'()*+,\-./:;=@_~%?]*")
_ESCAPES = re.compile(r"(?:[^%]|%[0-9A-Fa-f]{2})*")
_VERSION = re.compile(r"/v(\d{1,3}\.\d{1,4})(?=/)")
_TAKES_OVER = re.compile(r"/(?:session|grpc|containers/[^/]+/attach(?:/ws)?)/?")
_TWICE = 4
"""How often an escape may be escaped before it is taken for a trick."""


@dataclass(frozen=True, slots=True)
class Target:
    """`path` and `query` as they are sent, without the version; `version` is one that the input's path has."""

    path: str
    query: str
    version: Version | None

    def sent(self, version: Version) -> str:
        """Return what is sent, but for the endpoint's prefix; `version` counts where the path has none."""
        return f"/v{self.version or version}{self.path}" + (f"?{self.query}" if self.query else "")


def target_of(fields: Mapping[str, Any]) -> Target:
    """Read `path` and `query` of the input; raises BadInput that names the field."""
    text = str(fields["path"]).strip()
    if len(text) > LONGEST:
        raise _bad(f"is longer than {LONGEST} characters", "Send what is long in the body")
    if "://" in text.partition("?")[0] or text.startswith("//"):
        raise _bad("has a host", "The engine is that of the credential: begin with /")
    if "#" in text:
        raise _bad("has a fragment (#)", "Leave it out")
    path, _, query = text.partition("?")
    path = quote(path, safe=_UNRESERVED) if path.isprintable() else path
    if not _PATH.fullmatch(path) or not _ESCAPES.fullmatch(path):
        raise _bad(f"{shown(text[:100])} is no path of the Engine API", "Such as /containers/json")
    for segment in _segments(path):
        if segment in (".", "..") or any(ord(one) < 32 or one in "/\\" for one in segment):  # noqa: PLR2004
            raise _bad(
                f"{shown(text[:100])} leads to another path", "Write it without . and .. and escaped slashes"
            )
    if not _QUERY.fullmatch(query) or not _ESCAPES.fullmatch(query):
        raise _bad(f"{shown(query[:100])} is no query", "Give it in the field query, which escapes it")
    found = _VERSION.match(path)
    bare = path[found.end() :] if found else path
    if _TAKES_OVER.fullmatch(bare):
        raise _bad("takes over the connection", "Use ContainerAttach, ContainerAttachWebsocket or ImageBuild")
    joined = "&".join(part for part in (query, _written(fields.get("query") or {})) if part)
    if len(joined) > LONGEST:
        raise BadInput(f"query is longer than {LONGEST} characters", field="query")
    return Target(bare, joined, Version.parse(found[1]) if found else None)


def _segments(path: str) -> Iterator[str]:
    """Yield the segments of a path, unescaped as often as they are escaped."""
    for segment in path.split("/"):
        plain = segment
        for _ in range(_TWICE):
            plain, before = unquote(plain), plain
            if plain == before:
                break
        else:
            raise _bad("is escaped again and again", "Escape it once")
        yield plain


def _written(query: Mapping[str, Any]) -> str:
    """Return the query of an object: lists repeat the name, objects are JSON text, as the engine wants filters."""
    pairs: list[tuple[str, str]] = []
    for name, value in query.items():
        values = value if isinstance(value, list) else [value]
        pairs += [(name, _text(one)) for one in values if one is not None]
    return urlencode(pairs)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value) if isinstance(value, dict | list) else str(value)


def _bad(problem: str, hint: str) -> BadInput:
    return BadInput(f"path {problem}", field="path", hint=hint)
