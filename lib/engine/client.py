"""The client of one Docker Engine: one method for each shape of answer.

Each call does the same: it refuses a write under a read-only credential, fills path and query from the step's input,
sends the request with the negotiated API version, and wraps the answer as a Reply or a stream.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from requests import Response

from lib.engine.answer.reply import Reply
from lib.engine.answer.streams import Archive, Lines, Logs, ProgressLines
from lib.engine.closing import Closing
from lib.engine.endpoint import Endpoint
from lib.engine.errors import BadInput, ReadOnly, VersionMismatch
from lib.engine.http.retry import Retry
from lib.engine.http.sender import Sender
from lib.engine.negotiation import Negotiated, Negotiation
from lib.engine.request.path import expand, shown
from lib.engine.request.query import Parameter, build, is_true
from lib.engine.request.registry_auth import Registries
from lib.engine.request.upload import Upload
from lib.engine.text import encoded, parsed
from lib.engine.timeouts import Kind, Timeouts
from lib.engine.version import Version

Fields = Mapping[str, Any]
NOTHING: Fields = {}
FRAMES_TYPED = Version(1, 42)


class Header(Protocol):
    """A request header that is made from a step's input and the credential's registry logins."""

    def write(self, fields: Mapping[str, Any], registries: Registries) -> tuple[str, str] | None:
        """Return (name, value), or None for no header. Raises BadInput."""


class Engine(Negotiated, Closing):
    """One Docker Engine. Thread-safe; nothing is sent before the first call. All methods raise EngineErrors.

    The methods take a path template, the step's input (`fields`) and the names of the query parameters. `reads` says
    that the call changes nothing, as GET and HEAD do: it is repeated after a lost answer, and a read-only credential
    allows it.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        pin: str | None = None,
        pin_yields: bool = False,
        read_only: bool = False,
        registries: Registries | None = None,
        build_secrets: Mapping[str, bytes] | None = None,
        timeouts: Timeouts | None = None,
        retry: Retry | None = None,
        cancelled: threading.Event | None = None,
        warn: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.endpoint = endpoint
        self.read_only = read_only
        self.registries = registries or Registries()
        self.build_secrets = build_secrets or {}
        self.cancelled = cancelled or threading.Event()
        self.timeouts = timeouts or Timeouts()
        self.sender = Sender(endpoint, self.timeouts.connect, retry or Retry())
        version = Version.parse(pin) if pin else endpoint.pin
        yields = pin_yields or not pin
        super().__init__(Negotiation(self.sender, self.timeouts.short, version, pin_yields=yields), warn)

    # --- whole answers ---

    def get(
        self,
        path: str,
        fields: Fields = NOTHING,
        *,
        query: Sequence[Parameter] = (),
        headers: Sequence[Header] = (),
        timeout: Kind = "short",
    ) -> Reply:
        """GET a whole answer: an object, a list or a text."""
        return Reply.of(self._send("GET", path, fields, query, headers, None, timeout, reads=True))

    def head(self, path: str, fields: Fields = NOTHING, *, query: Sequence[Parameter] = ()) -> Reply:
        """HEAD; the Reply has headers and no body."""
        response = self._send("HEAD", path, fields, query, (), None, "short", reads=True)
        return Reply.of(response, head=True)

    def post(
        self,
        path: str,
        fields: Fields = NOTHING,
        *,
        query: Sequence[Parameter] = (),
        headers: Sequence[Header] = (),
        body: Any = None,
        timeout: Kind = "short",
        reads: bool = False,
        unchanged: bool = False,
    ) -> Reply:
        """POST; `body` is the name of the field that holds it, or the JSON value itself, or an Upload.

        `unchanged`: a 304 is a success, too; the object was in the wanted state already.
        """
        return Reply.of(
            self._send("POST", path, fields, query, headers, body, timeout, reads=reads, unchanged=unchanged)
        )

    def put(
        self,
        path: str,
        fields: Fields = NOTHING,
        *,
        query: Sequence[Parameter] = (),
        body: Any = None,
        timeout: Kind = "short",
    ) -> Reply:
        """PUT; `body` as for `post`."""
        return Reply.of(self._send("PUT", path, fields, query, (), body, timeout, reads=False))

    def delete(
        self,
        path: str,
        fields: Fields = NOTHING,
        *,
        query: Sequence[Parameter] = (),
        timeout: Kind = "short",
    ) -> Reply:
        """DELETE."""
        return Reply.of(self._send("DELETE", path, fields, query, (), None, timeout, reads=False))

    # --- streams ---

    def lines(
        self,
        path: str,
        fields: Fields = NOTHING,
        *,
        query: Sequence[Parameter] = (),
        each: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
    ) -> Lines:
        """GET a stream of JSON lines (events, stats); `each` converts a line before it is handed on."""
        response = self._send("GET", path, fields, query, (), None, "stream", reads=True, stream=True)
        return Lines(response, "GET", self.shown(path, fields), each)

    def progress(
        self,
        path: str,
        fields: Fields = NOTHING,
        *,
        query: Sequence[Parameter] = (),
        headers: Sequence[Header] = (),
        body: Any = None,
    ) -> ProgressLines:
        """POST a build, pull, push or load; the engine reports progress and failure as JSON lines."""
        response = self._send(
            "POST", path, fields, query, headers, body, "transfer", reads=False, stream=True
        )
        return ProgressLines(response, "POST", self.shown(path, fields))

    def logs(
        self,
        path: str,
        fields: Fields = NOTHING,
        *,
        query: Sequence[Parameter] = (),
        tty: Callable[[Engine, Fields], bool] | None,
    ) -> Logs:
        """GET a stream of log lines; if the input asks for neither stdout nor stderr, both are sent.

        From API 1.42 the content type tells frames from the raw output of a TTY. Below it `tty(engine, fields)`
        decides. With `tty` None the first byte decides: its caller asks for timestamps.
        """
        if not is_true(fields.get("stdout")) and not is_true(fields.get("stderr")):
            fields = {**fields, "stdout": True, "stderr": True}
        raw = self.version < FRAMES_TYPED and (tty(self, fields) if tty else None)
        response = self._send("GET", path, fields, query, (), None, "stream", reads=True, stream=True)
        if self.version >= FRAMES_TYPED:
            raw = "multiplexed" not in response.headers.get("Content-Type", "")
        return Logs(response, self.shown(path, fields), tty=raw, timestamps=is_true(fields.get("timestamps")))

    def tar(
        self,
        path: str,
        fields: Fields = NOTHING,
        *,
        query: Sequence[Parameter] = (),
        name: str = "archive.tar",
    ) -> Archive:
        """GET an archive, in pieces of bytes; `name` is a file name for it."""
        response = self._send("GET", path, fields, query, (), None, "transfer", reads=True, stream=True)
        return Archive(response, self.shown(path, fields), name)

    def with_timeouts(self, head: float, whole: float) -> Engine:
        """Return an engine for a step whose streams begin within `head` seconds and whose work ends within `whole`."""
        timeouts = self.timeouts.with_timeouts(head, whole)
        return self if timeouts is self.timeouts else self._view(timeouts=timeouts)

    def limited(self, seconds: float) -> Engine:
        """Return a copy whose calls end within `seconds`, whatever their kind."""
        return self._view(timeouts=self.timeouts.limited(seconds))

    def reading(self) -> Engine:
        """Return this engine for reads alone: a write is a ReadOnly before a byte is sent."""
        return self if self.read_only else self._view(read_only=True)

    def serving(self, cancelled: threading.Event | None, warn: Callable[[str], None]) -> Engine:
        """Return a copy for one message: `cancelled` ends its pauses, `warn` takes warnings about the API version."""
        return self._view(cancelled=cancelled or self.cancelled, warn=warn)

    def _view(self, **changes: Any) -> Engine:
        """Return a copy that shares the connections and the negotiated version."""
        view = object.__new__(Engine)
        view.__dict__.update(self.__dict__, **changes)
        return view

    def close(self) -> None:
        """Close the idle connections; the next call opens new ones."""
        self.sender.close()

    def _send(
        self,
        method: str,
        path: str,
        fields: Fields,
        query: Sequence[Parameter],
        headers: Sequence[Header],
        body: Any,
        timeout: Kind,
        *,
        reads: bool,
        stream: bool = False,
        unchanged: bool = False,
    ) -> Response:
        self.permit(method, path, fields, reads=reads)
        written, payload = self.headers(headers, fields), self.body(body, fields)

        def sent() -> Response:
            return self.sender.send(
                method,
                self.target(path, fields, query),
                headers=written,
                body=payload,
                timeout=self.timeouts.of(timeout),
                reads=reads,
                stream=stream,
                unchanged=unchanged,
                cancelled=self.cancelled,
            )

        used = self.version
        try:
            return sent()
        except VersionMismatch:
            # The engine was replaced by one with other versions. It refused before any work, so repeating is safe.
            self.negotiation.forget(used)
            if self.version == used:
                raise
            return sent()

    def permit(self, method: str, path: str, fields: Fields = NOTHING, *, reads: bool) -> None:
        """Raise ReadOnly for a write under a read-only credential."""
        if self.read_only and not reads:
            raise ReadOnly(
                "This credential allows reads only",
                method=method,
                path=shown(path, fields),
                hint="Use a credential with full access for this step",
            )

    def shown(self, path: str, fields: Fields) -> str:
        """Return the path for errors: with the API version, without the query."""
        return f"/v{self.version}{expand(path, fields)}"

    def target(self, path: str, fields: Fields, query: Sequence[Parameter]) -> str:
        """Return path and query as they are sent, but for the endpoint's prefix."""
        return f"/v{self.version}{expand(path, fields)}{build(query, fields)}"

    def headers(self, headers: Sequence[Header], fields: Fields) -> list[tuple[str, str]]:
        """Return the headers to send as (name, value)."""
        written = [header.write(fields, self.registries) for header in headers]
        return [pair for pair in written if pair]

    def body(self, body: Any, fields: Fields) -> bytes | Upload | None:
        """Return a request body; `body` names a field or is the value. Raises BadInput."""
        name = body if isinstance(body, str) else "requestBody"
        value = fields.get(body) if isinstance(body, str) else body
        if value is None or isinstance(value, Upload):
            return value
        value = parsed(value, name)
        if not isinstance(value, dict | list):
            raise BadInput(f"{name} must be an object or a list", field=name)
        return encoded(value, name)
