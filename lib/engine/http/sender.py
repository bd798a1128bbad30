"""The one place that sends requests to an engine and repeats them where that is safe."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterable, Iterator

from requests import PreparedRequest, Response, Session
from requests.adapters import BaseAdapter

from lib.engine.endpoint import Endpoint
from lib.engine.errors import EngineError, OutcomeUnknown
from lib.engine.http.adapter import EngineAdapter
from lib.engine.http.faults import LOOK
from lib.engine.http.response import EngineRequest
from lib.engine.http.retry import Retry
from lib.engine.http.status import check
from lib.engine.request.upload import Upload
from lib.engine.timeouts import Timeout

_NEVER = threading.Event()


class Sender:
    """Sends requests to one endpoint. A test may mount another adapter on `session`."""

    def __init__(self, endpoint: Endpoint, connect_timeout: float, retry: Retry) -> None:
        self.endpoint = endpoint
        self.adapter = EngineAdapter(endpoint, connect_timeout)
        self.session = Session()
        self.session.trust_env = False
        self.session.mount("http://", self.adapter)
        self._origin = f"http://{endpoint.host or 'docker'}"
        self._retry = retry
        self.identity = _basic(endpoint.user_info)

    def send(
        self,
        method: str,
        path: str,
        *,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes | Upload | None = None,
        timeout: Timeout,
        reads: bool,
        stream: bool = False,
        unchanged: bool = False,
        cancelled: threading.Event | None = None,
    ) -> Response:
        """Return a 2xx answer, or a 304 where `unchanged` allows it; it is read to its end unless `stream`.

        `path` is path and query without the endpoint's prefix. `reads` says that the call changes nothing: it is
        repeated after a lost answer, where a write raises OutcomeUnknown. `cancelled` ends the pauses between tries.
        Raises EngineErrors that name method and path.
        """
        request = self._prepare(method, path, headers, body, reads=reads)
        adapter = self._adapter()
        shown = path.partition("?")[0]

        def once() -> Response:
            response = adapter.send(request, stream=stream, timeout=timeout)  # type: ignore[arg-type]
            check(response, method, shown, unchanged=unchanged)
            return response

        again = not isinstance(body, Upload) or body.repeatable
        try:
            return self._retry.run(
                once, reads=reads and timeout.repeat, cancelled=cancelled or _NEVER, again=again
            )
        except EngineError as error:
            # Without the query, which may hold build arguments and other private values.
            error.method, error.path = error.method or method, error.path or shown
            raise

    def _prepare(
        self,
        method: str,
        path: str,
        headers: Iterable[tuple[str, str]],
        body: bytes | Upload | None,
        *,
        reads: bool,
    ) -> PreparedRequest:
        fields = [*headers, *self.identity]
        sent: bytes | _watched | None = body if body is None or isinstance(body, bytes) else _watched(body)
        if isinstance(body, Upload):
            fields.append(("Content-Type", body.content_type))
            size = body.size
            fields.append(("Transfer-Encoding", "chunked") if size is None else ("Content-Length", str(size)))
        elif body is not None:
            fields.append(("Content-Type", "application/json"))
        return EngineRequest(method, self._origin, self.endpoint.prefix + path, fields, sent, reads=reads)

    def _adapter(self) -> BaseAdapter:
        """Return the mounted adapter; `session.get_adapter` would cost more time."""
        for prefix, adapter in self.session.adapters.items():
            if self._origin.startswith(prefix):
                return adapter
        raise LookupError(f"no adapter is mounted for {self._origin}")

    def close(self) -> None:
        """Close the idle connections."""
        self.adapter.close()


class _watched:  # noqa: N801 - reads as a function
    """The pieces of an upload; if its source fails after the first one, the engine has a part: OutcomeUnknown."""

    def __init__(self, upload: Upload) -> None:
        self._upload = upload

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._upload
        except Exception as fault:
            if not self._upload.started:
                raise
            raise OutcomeUnknown(
                f"The data to send could not be read to its end ({fault}); the engine got a part", hint=LOOK
            ) from fault


def _basic(user_info: str | None) -> list[tuple[str, str]]:
    """Return the login header for a proxy before the engine; engines themselves have no users."""
    if not user_info:
        return []
    return [("Authorization", f"Basic {base64.b64encode(user_info.encode()).decode()}")]
