"""Answers as `requests.Response`, without what an engine does not need: cookies, redirects, history."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from requests import PreparedRequest, Response
from requests.structures import CaseInsensitiveDict

from lib.engine.http.exchange import Exchange
from lib.engine.http.faults import StreamExit
from lib.engine.http.reader import Reader

_HINT = "The engine or the way to it went down; what came before is complete"


class EngineRequest(PreparedRequest):
    """A request that needs no more preparing: `target` is path and query, `reads` says that it changes nothing."""

    hooks: Any = {}  # noqa: RUF012 - hooks are not used
    _cookies = None
    _body_position = None

    def __init__(
        self,
        method: str,
        origin: str,
        target: str,
        fields: Sequence[tuple[str, str]],
        body: Any,
        *,
        reads: bool,
    ) -> None:
        # The parent's is not called: it would make and check everything again.
        self.method = method
        self.url = origin + target
        self.target = target
        self.fields = fields
        self.body = body
        self.reads = reads

    @classmethod
    def of(cls, request: PreparedRequest) -> EngineRequest:
        """Return an EngineRequest for a request that requests prepared."""
        method = request.method or "GET"
        fields = list((request.headers or {}).items())
        return cls(method, "", request.path_url, fields, request.body, reads=method in ("GET", "HEAD"))

    @cached_property
    def headers(self) -> CaseInsensitiveDict[str]:  # type: ignore[override]
        """The headers for readers of the request; `fields` are what is sent."""
        return CaseInsensitiveDict(self.fields)


class Headers(Mapping[str, str]):
    """Headers by name, in upper or lower case; decoded at first use, because few callers read them."""

    def __init__(self, fields: Mapping[bytes, bytes]) -> None:
        self._fields = fields

    @cached_property
    def _found(self) -> CaseInsensitiveDict[str]:
        found: CaseInsensitiveDict[str] = CaseInsensitiveDict()
        for name, value in self._fields.items():
            found[name.decode("latin-1")] = value.decode("latin-1").strip()
        return found

    def __getitem__(self, name: str) -> str:
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def __repr__(self) -> str:
        return repr(self._found)


class Body:
    """The body of an answer that is read piece by piece; at its end the connection goes back to the pool."""

    def __init__(self, exchange: Exchange, release: Callable[[Exchange], None]) -> None:
        exchange.open()
        self._exchange = exchange
        self._release: Callable[[Exchange], None] | None = release
        self._patience = exchange.limits.idle
        self.began = exchange.began

    def set_timeout(self, seconds: float | None) -> None:
        """Wait at most `seconds` for each piece, even if its parts arrive slowly; None: no limit."""
        self._patience = seconds

    def stream(self, amount: int = 0, decode_content: bool = True) -> Iterator[bytes]:  # noqa: ARG002
        """Yield the body in pieces as they come; raises StreamCut if it ends too early or is silent for too long."""
        while True:
            try:
                with StreamExit(_HINT):
                    piece = self._exchange.piece(self._patience)
            except BaseException:
                self.close()
                raise
            if not piece:
                break
            yield piece
        self.release_conn()

    def release_conn(self) -> None:
        """Give the connection back to the pool, which keeps it if the engine does."""
        release, self._release = self._release, None
        if release:
            release(self._exchange)

    def close(self) -> None:
        """End the connection; the engine then cancels a build, pull, push or prune, but no other work."""
        if self._release:
            self._release = None
            self._exchange.close()


class EngineResponse(Response):
    """A `requests.Response`; a whole answer has its content, a stream is read from `raw`."""

    encoding = None
    raw: Any = None
    history: list[Response] = []  # noqa: RUF012 - as in the parent; redirects are not followed

    def __init__(self, reader: Reader, request: PreparedRequest | None = None) -> None:
        # The parent's is not called: its cookie jar takes as much time as the rest of an answer.
        self.status_code = reader.status
        self.reason = reader.reason
        self.headers = Headers(reader.fields)  # type: ignore[assignment] # readers need only a mapping
        self.request = request  # type: ignore[assignment] # an upgrade has none
        self.url = (request and request.url) or ""
        self._content = False  # type: ignore[assignment] # the parent's mark for "not read yet"
        self._content_consumed = False

    def whole(self, content: bytes) -> None:
        """Set the body, which was read to its end."""
        self._content = content
        self._content_consumed = True
