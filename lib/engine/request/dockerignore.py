"""Which files of a build context a `.dockerignore` leaves out, as Docker's own client does it.

A line is a pattern below the root of the context; `#` begins a comment, `!` takes back what earlier lines left out, and
the last line that fits decides. `*` and `?` stand for characters of one name, `**` for any number of folders, `[a-z]`
for one of these characters, a backslash takes the next one as it is. All below a folder that is left out goes with it.

RE2 runs the patterns: the time is linear in the length of a name, whatever the patterns are.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from posixpath import normpath

from lib.engine.errors import BadInput
from lib.engine.text import shown

MOST_PATTERNS, LONGEST_PATTERN = 2_000, 4_096
"""Lines of one file, and characters of one line."""
_MEMORY = 32 << 20
_SPECIAL = frozenset(".$+()|{}^")

Matches = Callable[[str], bool]


def ignored(text: str, name: str) -> Matches:
    """Return a function that tells whether the file of a path is left out; `text` is the content of the file `name`.

    Raises BadInput for a pattern that cannot be read, and for too many of them.
    """
    patterns = _patterns(text, name)
    if not patterns:
        return lambda _: False
    # Neighbours that leave out, or take back, are one expression: the last group that fits decides.
    groups = [
        (left_out, _compiled([pattern for _, pattern in group], name))
        for left_out, group in groupby(patterns, lambda pattern: pattern[0])
    ]
    groups.reverse()

    def matches(path: str) -> bool:
        return next((left_out for left_out, search in groups if search(path)), False)

    return matches


def _patterns(text: str, name: str) -> list[tuple[bool, str]]:
    """Return (whether it leaves out, pattern) for each line that has one."""
    found = []
    for line in text.removeprefix("\ufeff").splitlines():
        pattern = line.strip()
        if not pattern or line.startswith("#"):
            continue
        left_out = not pattern.startswith("!")
        pattern = pattern if left_out else pattern[1:].strip()
        if not pattern or len(pattern) > LONGEST_PATTERN:
            raise BadInput(
                f"{name} has the pattern {shown(line.strip())}, which cannot be read", field="files"
            )
        found.append((left_out, normpath(pattern).lstrip("/")))
    if len(found) > MOST_PATTERNS:
        raise BadInput(f"{name} has more than {MOST_PATTERNS} patterns", field="files")
    return found


def _compiled(patterns: list[str], name: str) -> Matches:
    import re2  # imported late: few builds have such a file

    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY
    options.never_nl = False
    options.dot_nl = True
    for (
        pattern
    ) in patterns:  # one by one first: an error names the pattern, and no group is opened across two
        try:
            re2.compile(_expression(pattern), options)  # type: ignore[no-untyped-call]
        except re2.error:
            raise BadInput(
                f"{name} has the pattern {shown(pattern)}, which cannot be read", field="files"
            ) from None
    try:
        together = "|".join(f"(?:{_expression(pattern)})" for pattern in patterns)
        matcher = re2.compile(f"^(?:{together})(?:/.*)?$", options)  # type: ignore[no-untyped-call]
    except re2.error:
        raise BadInput(f"{name} has too long patterns", field="files") from None
    return lambda path: matcher.search(path) is not None


def _expression(pattern: str) -> str:
    """Return the regular expression of a pattern, without its ends."""
    written, at = [], 0
    while at < len(pattern):
        sign = pattern[at]
        at += 1
        if sign == "*" and pattern[at : at + 1] == "*":
            at += 1 + (pattern[at + 1 : at + 2] == "/")
            written.append(".*" if at >= len(pattern) else "(?:.*/)?")
        elif sign == "*":
            written.append("[^/]*")
        elif sign == "?":
            written.append("[^/]")
        elif sign == "\\":
            written.append(_literal(pattern[at : at + 1] or "\\"))
            at += 1
        else:
            written.append(f"\\{sign}" if sign in _SPECIAL and not _in_class(pattern, at - 1) else sign)
    return "".join(written)


def _in_class(pattern: str, at: int) -> bool:
    """Whether a sign stands behind a bracket: `^` right behind one means none of these characters."""
    return pattern[at] == "^" and at > 0 and pattern[at - 1] == "["


def _literal(sign: str) -> str:
    return sign if sign.isalnum() or sign == "_" or not sign.isascii() else f"\\{sign}"
