"""The agent of SSH that a step with `RUN --mount=type=ssh` speaks to: it lists the keys given and signs with them.

A message of the agent's protocol is its length in 4 bytes, one byte of kind, and the rest. Keys cannot be added,
removed or taken out: everything but listing and signing is answered with a failure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from lib.engine.answer.names import LONGEST_NAME
from lib.engine.buildkit.calls import EXHAUSTED, NOT_FOUND, Metadata, Methods, RefusedCallError, unary
from lib.engine.buildkit.ssh_keys import DEFAULT, Key, string
from lib.engine.protobuf import MalformedError, Value, fields, message, text

_FAILURE, _LIST, _LISTED, _SIGN, _SIGNED = 5, 11, 12, 13, 14
_LENGTH = 4
LONGEST = 256 * 1024
"""Bytes of one message of the agent's protocol, as OpenSSH has it."""


class Agent:
    """One connection to the agent, in one call."""

    def __init__(self, keys: Sequence[Key]) -> None:
        self._keys = keys
        self._rest = bytearray()

    def take(self, data: bytes) -> Iterator[bytes]:
        """Take a piece of the connection; yield the answers to what is whole. Raises RefusedCallError."""
        self._rest += _bytes(data)
        while len(self._rest) >= _LENGTH:
            size = int.from_bytes(self._rest[:_LENGTH], "big")
            if size > LONGEST:
                raise RefusedCallError(EXHAUSTED, f"a message to the agent is longer than {LONGEST} bytes")
            if len(self._rest) < _LENGTH + size:
                return
            request = bytes(self._rest[_LENGTH : _LENGTH + size])
            del self._rest[: _LENGTH + size]
            yield message((1, string(self._answer(request))))

    def end(self) -> Iterator[bytes]:
        """The step has closed its connection."""
        return iter(())

    def cut(self) -> None:
        """Nothing is held."""

    def _answer(self, request: bytes) -> bytes:
        if request[:1] == bytes([_LIST]):
            listed = b"".join(string(key.blob) + string(b"") for key in self._keys)
            return bytes([_LISTED]) + len(self._keys).to_bytes(4, "big") + listed
        if request[:1] == bytes([_SIGN]):
            blob, rest = _string(request[1:])
            data, rest = _string(rest)
            flags = int.from_bytes(rest[:4], "big")
            key = next((key for key in self._keys if key.blob == blob), None)
            signature = key.sign(data, flags) if key else None
            if signature is not None:
                return bytes([_SIGNED]) + string(signature)
        return bytes([_FAILURE])


def ssh(keys: Mapping[str, Sequence[Key]]) -> Methods:
    """Agents by id; one that is not there has to be refused, so that a step that needs it fails."""

    def given(name: str) -> Sequence[Key]:
        found = keys.get(name or DEFAULT)
        if found is None:
            raise RefusedCallError(NOT_FOUND, f"unset ssh forward key {name[:LONGEST_NAME] or DEFAULT}")
        return found

    def check(request: bytes) -> bytes:
        given(text(_first(request)))
        return b""

    def forward(metadata: Metadata) -> Agent:
        return Agent(given(metadata.get("buildkit.ssh.id", "")))

    return {
        "/moby.sshforward.v1.SSH/CheckAgent": unary(check),
        "/moby.sshforward.v1.SSH/ForwardAgent": forward,
    }


def _first(data: bytes) -> Value:
    try:
        return next((value for number, value in fields(data) if number == 1), b"")
    except MalformedError:
        return b""


def _bytes(data: bytes) -> bytes:
    value = _first(data)
    return value if isinstance(value, bytes) else b""


def _string(data: bytes) -> tuple[bytes, bytes]:
    """Return the first string of SSH and what comes behind it."""
    end = _LENGTH + int.from_bytes(data[:_LENGTH], "big")
    return data[_LENGTH:end], data[end:]
