"""The start of an upgraded connection: sends the request and reads the head of an answer that is no refusal."""

from __future__ import annotations

from contextlib import suppress

from lib.engine.attach.duplex_socket import DuplexSocket
from lib.engine.errors import OutcomeUnknown
from lib.engine.http.bounds import ERROR_BYTES, ERROR_SECONDS
from lib.engine.http.faults import FAULTS, Exit
from lib.engine.http.reader import Reader
from lib.engine.http.response import EngineResponse
from lib.engine.http.status import check, check_encoding

LOOK = "Ask ExecInspect or ContainerInspect how it ended before you repeat the call"


def shake_hands(
    link: DuplexSocket,
    request: bytes,
    method: str,
    path: str,
    timeout: float | None,
    *,
    only_101: bool = False,
) -> Reader:
    """Send `request` and return the reader of the answer; its head must be whole within `timeout` seconds.

    101 and 2xx are accepted; with `only_101` a 2xx is an OutcomeUnknown. The bytes behind the head of a 101 go back to
    `link`. Raises TlsRefused, OutcomeUnknown, and for any other status the error with the engine's own text.
    """
    reader = Reader(method, upgrade=True)
    link.set_timeout(timeout)
    with Exit(reads=False, look=LOOK):
        # An engine that refuses the request or our certificate sends its reason before it closes.
        with suppress(BrokenPipeError, ConnectionResetError):
            link.write(request)
        while not reader.status:
            _hear(link, reader)
    if reader.status != 101:  # noqa: PLR2004
        response = EngineResponse(reader)
        if not 200 <= reader.status < 300 or only_101:  # noqa: PLR2004
            response.whole(_error_text(link, reader))
        check(response, method, path)
        check_encoding(reader, reads=False)
        if only_101:
            text = f"The outcome is unknown: the engine answers {reader.status} and opens no websocket"
            raise OutcomeUnknown(text, method=method, path=path, hint=LOOK)
    link.push_back(reader.rest)
    link.set_timeout(None)
    return reader


def _hear(link: DuplexSocket, reader: Reader) -> None:
    data = link.read()
    if data:
        reader.feed(data)
    else:
        reader.end()


def _error_text(link: DuplexSocket, reader: Reader) -> bytes:
    """Return the text of a refusal, as far as it comes: it may be cut, slow or endless."""
    link.set_timeout(ERROR_SECONDS)
    text = b""
    with suppress(*FAULTS):
        while len(text) < ERROR_BYTES:
            if pieces := reader.take():
                text += b"".join(pieces)
            elif reader.complete:
                break
            else:
                _hear(link, reader)
    return b"" if reader.compressed else text[:ERROR_BYTES]
