"""Masks secrets (writes `***` for them) in every error, header, reason and log line that leaves a step.

A secret is searched in all forms in which we may write it: plain, in JSON, as Python's `repr`, percent-encoded, in
HTML, and in base64 (both alphabets, padded or not, alone or inside a longer value). The steps:

1. `Secrets` collects the texts of a process, and those of one message on top of them.
2. The first text that is masked makes the forms of all secrets. Messages without errors never make them.
3. All places of all forms in a text are spans. Spans that overlap or touch become one `***`.

Short secrets: texts of less than 4 characters are not masked, because they are in nearly every text. Texts of 4 or 5
characters are masked as words of their own, and in base64.
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
"""Characters that a secret must have to be masked as a word of its own, and to be masked inside words."""
LONGEST_PIECE, LONGEST = 2048, 256 * 1024
"""Characters. A secret is searched in pieces of LONGEST_PIECE, so that a part of it is found, too; what comes after
LONGEST is not searched."""
SHORTEST_LINE, MOST_LINES = 8, 500
"""Lines of a secret of several lines that are searched alone: their characters at least, their number at most."""
MOST_CUTS = 50
"""Cuts (see CUTS) that are looked at in one text."""
MOST = 5_000
"""Secrets of one `Secrets`. With more of them every text becomes `***`: the search would take too long."""
CUTS = (" …", "…", " \\u2026", "...")
"""What texts have where they were cut; before it may be the beginning of a secret."""
_BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=_-"
_REST = re.compile(f"[{_BASE64}]*")

Span = tuple[int, int]
Source = Callable[[], Iterable[str]]


@dataclass(frozen=True, slots=True)
class _Forms:
    """What is searched: texts anywhere, words of their own, and parts of base64 values that hold a secret."""

    plain: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    base64: tuple[str, ...] = ()
    too_many: bool = False
    """There are more than MOST secrets: every text is masked as a whole."""


_NO_TEXTS: frozenset[str] = frozenset()
_NO_FORMS = _Forms()


class Secrets:
    """The secrets of a process, or those of one message together with the process's (`above`)."""

    __slots__ = ("_above", "_forms", "_sources", "_texts")

    def __init__(self, above: Secrets | None = None) -> None:
        self._above = above
        self._texts: frozenset[str] = _NO_TEXTS
        self._sources: tuple[Source, ...] = ()
        self._forms: _Forms | None = _NO_FORMS

    def add(self, texts: Iterable[str]) -> None:
        """Mask these texts from now on."""
        self._texts |= frozenset(text for text in texts if len(text.strip()) >= SHORTEST)
        self._forms = None

    def add_later(self, source: Source) -> None:
        """Mask what `source` returns; it is called when the next text is masked, on any thread."""
        self._sources = (*self._sources, source)
        self._forms = None

    def mask(self, text: str) -> str:
        """Return the text with `***` in the place of every secret."""
        spans = list(self._spans(text))
        return _blanked(text, spans) if spans else text

    def show_in(self, text: str) -> bool:
        """Return whether a text holds a secret."""
        return next(self._spans(text), None) is not None

    def masked(self, value: Any) -> Any:
        """Return a JSON value with masked texts, keys included."""
        if isinstance(value, str):
            return self.mask(value)
        if isinstance(value, Mapping):
            return {self.mask(str(key)): self.masked(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.masked(item) for item in value]
        return value

    def _spans(self, text: str) -> Iterator[Span]:
        if self._above is not None:
            yield from self._above._spans(text)  # noqa: SLF001 - the same class
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
    """Return all forms, but base64, in which a text may be part of another text."""
    forms = {text, *_in_json(text), repr(text)[1:-1], html.escape(text)}
    # JSON is sent in headers and queries, and error texts are often JSON inside JSON.
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
    """Yield the three texts of which one is in the base64 of any bytes that hold `data`, in both alphabets.

    Three, because base64 packs groups of three bytes and `data` may begin at each place of a group.
    """
    for before in range(3):
        packed = binascii.b2a_base64(b"\0" * before + data, newline=False).decode().rstrip("=")
        # The characters at both ends also depend on the bytes before and after, so they are left out.
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
        before = ""  # this character belongs to an escape of JSON or to a percent code
    return not (before.isalnum() or before == "_" or after.isalnum() or after == "_")


def _runs(text: str, core: str) -> Iterator[Span]:
    """Yield the spans of all base64 values that hold `core`."""
    done = 0
    for start in _places(text, core):
        if start >= done:
            begin = done + len(text[done:start].rstrip(_BASE64))
            done = _REST.match(text, start + len(core)).end()  # type: ignore[union-attr] # matches the empty text
            yield begin, done


def _cut(text: str, cut: str, forms: _Forms) -> Iterator[Span]:
    """Yield the spans of beginnings of secrets that end where a text was cut."""
    for at in islice(_places(text, cut), MOST_CUTS):
        for form in (*forms.plain, *forms.base64):
            # Try the longest beginning first; `find` of the first characters is cheap and skips most places.
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
        if start > end or not parts:  # spans that touch or overlap get one mask
            parts += [text[end:start], MASK]
        end = max(end, stop)
    return "".join([*parts, text[end:]])
