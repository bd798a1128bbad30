"""A whole answer of the engine; its body stays bytes until it is read as JSON or text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, Literal, TypeVar

from requests import Response

from lib import jsontext
from lib.engine.errors import EngineFault
from lib.engine.expected import expected_form

MOST_MEMORY = 96 << 20
"""Bytes of memory (96 MiB) that the values of one answer may need; lists of some 10 MB, as engines write them, fit."""
T = TypeVar("T")
Kind = Literal["json", "text", "empty", "headers"]


class Reply:
    """Status, headers and body of an answer below 400; `raw` is the body in bytes."""

    def __init__(self, status: int, headers: Mapping[str, str], raw: bytes, *, head: bool = False) -> None:
        self.status = status
        self.headers = headers
        self.raw = raw
        self._head = head

    @classmethod
    def of(cls, response: Response, *, head: bool = False) -> Reply:
        """Return the Reply of an answer that was read to its end."""
        return cls(response.status_code, response.headers, response.content, head=head)

    @property
    def kind(self) -> Kind:
        """What the body is. An engine sends `application/json` with every JSON body, Podman does not always."""
        if self._head:
            return "headers"
        start = self.raw.lstrip()[:1]
        if not start:
            return "empty"
        return "json" if start in b"{[" or "json" in self.headers.get("Content-Type", "") else "text"

    @cached_property
    def value(self) -> Any:
        """The parsed JSON body; raises EngineFault if it is not JSON, or if its values need more than MOST_MEMORY."""
        if len(self.raw) > jsontext.LARGE and (weight := jsontext.weight(self.raw)) > MOST_MEMORY:
            raise EngineFault(
                f"The engine's answer of {len(self.raw)} bytes would need {weight} bytes of memory,"
                f" more than {MOST_MEMORY}",
                status=self.status,
                hint="Ask for less, with filters or for single objects",
            )
        try:
            return jsontext.decode(self.raw)
        except ValueError as fault:
            raise EngineFault(f"The engine's JSON cannot be read: {fault}", status=self.status) from fault

    @cached_property
    def document(self) -> bytes:
        """The JSON body as it came, without blanks around it; raises EngineFault unless it is one valid value.

        It becomes a part of a message without being parsed, so it must be exactly one value.
        """
        try:
            jsontext.check(self.raw)
        except ValueError as fault:
            raise EngineFault(
                f"The engine's answer is no valid JSON: {fault}",
                status=self.status,
                hint="Check that the address leads to a Docker Engine and that no proxy answers in its place",
            ) from fault
        return self.raw.strip()

    def json(self) -> Any:
        """Return the parsed JSON body; it is parsed once. Raises EngineFault."""
        return self.value

    def read(self, how: Callable[[Any], T]) -> T:
        """Return `how(value)` for the JSON body; raises EngineFault if the body has another form than `how` expects."""
        value = self.value
        with expected_form(self.status):
            return how(value)

    @property
    def text(self) -> str:
        """The body as text."""
        return self.raw.decode("utf-8", "replace")

    def __repr__(self) -> str:
        return f"<Reply {self.status} {self.kind} of {len(self.raw)} bytes>"
