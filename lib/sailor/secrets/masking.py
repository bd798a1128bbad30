"""Blanks out secrets in everything that leaves a step as an error, a header, a reason or a line of the log.

A secret is looked for in every form in which we send or write it: plain, in JSON, as Python quotes it,
percent-encoded, in HTML, and in base64 (both alphabets, padded or not, alone or in the middle of something longer).
The forms are made when the first text is masked; a message that goes well pays for one small object.

Rules for short ones: below 4 characters nothing is hidden, it would blank out half of every text. 4 and 5 characters
are hidden where they stand as a word of their own, and in base64.
"""

from __future__ import annotations

import binascii
import html
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any
from urllib.parse import quote, quote_plus

from lib import jsontext

MASK = "***"
SHORTEST, SHORTEST_INSIDE = 4, 6
"""Characters from which a secret is hidden as a word of its own, and inside of words."""
LONGEST_PIECE, LONGEST = 2048, 256 * 1024
"""Longer secrets are looked for in pieces, so that a part of one is found, too; beyond LONGEST not at all."""
SHORTEST_LINE, MOST_LINES = 8, 500
MOST_CUTS = 50
MOST = 5_000
"""Secrets; a message or configuration with more of them has errors without text."""
CUTS = (" …", "…", " \\u2026", "...")
"""How a text ends that was cut: what stands before may be the beginning of a secret."""
_BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=_-"
_REST = re.compile(f"[{_BASE64}]*")

Span = tuple[int, int]
Source = Callable[[], Iterable[str]]


@dataclass(frozen=True, slots=True)
class _Forms:
    """What to look for: texts, words, and runs of base64 that hold a secret."""

    plain: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    base64: tuple[str, ...] = ()
    too_many: bool = False
    """Nobody can look for all of them in reasonable time: then no text is shown at all."""


_NO_TEXTS: frozenset[str] = frozenset()
_NO_FORMS = _Forms()


class Secrets:
    """The texts that nothing may show: those of a process, or of one message on top of the process's (`above`)."""

    __slots__ = ("_above", "_forms", "_sources", "_texts")

    def __init__(self, above: Secrets | None = None) -> None:
        self._above = above
        self._texts: frozenset[str] = _NO_TEXTS
        self._sources: tuple[Source, ...] = ()
        self._forms: _Forms | None = _NO_FORMS

    def add(self, texts: Iterable[str]) -> None:
        """Hide these from now on."""
        self._texts |= frozenset(text for text in texts if len(text.strip()) >= SHORTEST)
        self._forms = None

    def add_later(self, source: Source) -> None:
        """Hide what `source` returns; it is asked when the first text is masked, and may be asked on any thread."""
        self._sources = (*self._sources, source)
        self._forms = None

    def mask(self, text: str) -> str:
        """Return the text with every secret blanked out."""
        spans = list(self._spans(text))
        return _blanked(text, spans) if spans else text

    def show_in(self, text: str) -> bool:
        """Tell whether a text, or JSON, holds anything that has to be blanked out."""
        return next(self._spans(text), None) is not None

    def masked(self, value: Any) -> Any:
        """Return a JSON value whose texts are masked."""
        if isinstance(value, str):
            return self.mask(value)
        if isinstance(value, Mapping):
            return {self.mask(str(key)): self.masked(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.masked(item) for item in value]
        return value

    def _spans(self, text: str) -> Iterator[Span]:
        if self._above is not None:
            yield from self._above._spans(text)  # noqa: SLF001 - its own kind
        forms = self._forms
        if forms is None:
            forms = self._forms = self._made()
        if forms.too_many:
            yield 0, len(text)
        elif forms.plain or forms.words:
            yield from _found(text, forms)

    def _made(self) -> _Forms:
        texts = set(self._texts)
        for source in self._sources:
            texts.update(text for text in source() if len(text.strip()) >= SHORTEST)
        return _Forms(too_many=True) if len(texts) > MOST else _forms(texts)


def _forms(texts: Iterable[str]) -> _Forms:
    plain: set[str] = set()
    words: set[str] = set()
    base64: set[str] = set()
    for text in texts:
        stripped = text.strip()
        if len(stripped) < SHORTEST_INSIDE:
            words |= _written(stripped)
            base64.update(_cores(stripped.encode(errors="surrogatepass")))
            continue
        lines = [line.strip() for line in stripped.splitlines()[:MOST_LINES]] if "\n" in stripped else []
        for line in lines:
            if len(line) >= SHORTEST_LINE and not line.startswith("-----"):
                plain |= _written(line)
        for piece in _pieces(stripped[:LONGEST]):
            written = _written(piece)
            plain |= written
            for one in {piece, *_in_json(piece)}:
                base64.update(_cores(one.encode(errors="surrogatepass")))
    return _Forms(tuple(plain), tuple(words), tuple(base64))


def _pieces(text: str) -> Iterator[str]:
    for start in range(0, len(text), LONGEST_PIECE):
        piece = text[start : start + LONGEST_PIECE]
        if start == 0 or len(piece) >= SHORTEST_INSIDE:
            yield piece


def _written(text: str) -> set[str]:
    """Return a text as it may stand in another one."""
    forms = {text, *_in_json(text), repr(text)[1:-1], html.escape(text)}
    # JSON goes out in headers and queries, and an error text is often JSON once more.
    return forms | {inner for form in forms for inner in (*_in_percent(form), *_in_json(form))}


def _in_percent(text: str) -> Iterator[str]:
    safe = text.encode(errors="replace")
    for encoded in (quote(safe, safe=""), quote(safe, safe="/:@"), quote_plus(safe)):
        yield encoded
        yield _lower_hex(encoded)


def _in_json(text: str) -> set[str]:
    return {
        jsontext.encode(text)[1:-1].decode(),
        json.dumps(text)[1:-1],
        json.dumps(text).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")[1:-1],
    }


def _lower_hex(encoded: str) -> str:
    first, *rest = encoded.split("%")
    return first + "".join(f"%{part[:2].lower()}{part[2:]}" for part in rest)


def _cores(data: bytes) -> Iterator[str]:
    """Yield what base64 of anything that holds `data` must hold, for the three places where it may begin."""
    for before in range(3):
        packed = binascii.b2a_base64(b"\0" * before + data, newline=False).decode().rstrip("=")
        # Signs that depend on what stands before or after are no part of it.
        end = (before + len(data)) * 8 // 6
        core = packed[(before * 8 + 5) // 6 : end]
        yield core
        yield core.replace("+", "-").replace("/", "_")


def _found(text: str, forms: _Forms) -> Iterator[Span]:
    for form in forms.plain:
        for start in _places(text, form):
            yield start, start + len(form)
    for word in forms.words:
        for start in _places(text, word):
            if _stands_alone(text, start, start + len(word)):
                yield start, start + len(word)
    for core in forms.base64:
        yield from _runs(text, core)
    for cut in CUTS:
        if cut in text:
            yield from _cut(text, cut, forms)


def _places(text: str, wanted: str) -> Iterator[int]:
    start = text.find(wanted)
    while start >= 0:
        yield start
        start = text.find(wanted, start + len(wanted))


def _stands_alone(text: str, start: int, end: int) -> bool:
    before, after = text[start - 1 : start], text[end : end + 1]
    if "\\" in text[max(0, start - 6) : start] or text[max(0, start - 3) : start].startswith("%"):
        before = ""  # it may be the end of an escape of JSON, or of a percent code
    return not (before.isalnum() or before == "_" or after.isalnum() or after == "_")


def _runs(text: str, core: str) -> Iterator[Span]:
    """Yield the whole runs of base64 that hold `core`."""
    done = 0
    for start in _places(text, core):
        if start >= done:
            begin = done + len(text[done:start].rstrip(_BASE64))
            done = _REST.match(text, start + len(core)).end()  # type: ignore[union-attr] # matches the empty text
            yield begin, done


def _cut(text: str, cut: str, forms: _Forms) -> Iterator[Span]:
    """Yield the beginnings of secrets that end where a text was cut."""
    for at in islice(_places(text, cut), MOST_CUTS):
        for form in (*forms.plain, *forms.base64):
            # From the longest beginning that could stand there; `head` must match before anything is compared.
            head = form[:SHORTEST_INSIDE]
            start = text.find(head, max(0, at - len(form) + 1), at)
            while start >= 0:
                if form.startswith(text[start:at]):
                    yield start, at
                    break
                start = text.find(head, start + 1, at)


def _blanked(text: str, spans: list[Span]) -> str:
    parts: list[str] = []
    end = 0
    for start, stop in sorted(spans):
        if start > end or not parts:  # what touches or overlaps is one gap
            parts += [text[end:start], MASK]
        end = max(end, stop)
    return "".join([*parts, text[end:]])
