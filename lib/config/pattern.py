"""Regular expressions in forms. RE2 runs them: its time is linear in the length of the text, for every expression."""

from __future__ import annotations

import re
from collections.abc import Callable

from lib.config.form import Form, shown, text, wrong

# Not supported by RE2: lookarounds, atomic groups and conditions; back references.
_BEYOND = (
    (re.compile(r"(?<!\\)\(\?(?:<?[=!]|>|\()"), "a lookaround"),
    (re.compile(r"(?<!\\)(?:\\\\)*\\[1-9]|\(\?P=|\\k[<{']"), "a back reference"),
)
_MEMORY = 8 << 20
"""Upper bound of the memory of one compiled expression, in bytes."""


def pattern(form: Form, name: str) -> Callable[[str], bool] | None:
    """Return a function that tells whether a text has a match of the field's expression; None if the field is empty.

    Raises BadInput for a text that is no expression, or has a lookaround or a back reference.
    """
    written = text(form, name)
    if not written:
        return None
    import re2  # imported late: most steps have no expression

    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY
    try:
        search = re2.compile(written, options).search  # type: ignore[no-untyped-call]
    except (re2.error, UnicodeEncodeError) as fault:
        raise wrong(form, name, f"{shown(written)} {_problem(written, fault)}") from None

    def matches(line: str) -> bool:
        try:
            return search(line) is not None
        except UnicodeEncodeError:  # a lone surrogate
            return search(line.encode("utf-8", "replace").decode()) is not None

    return matches


def _problem(written: str, fault: Exception) -> str:
    for beyond, what in _BEYOND:
        if beyond.search(written):
            return (
                f"has {what}, which cannot be searched for in bounded time. Write it without (syntax of RE2)"
            )
    told = fault.args[0] if fault.args else ""
    said = told.decode("utf-8", "replace") if isinstance(told, bytes) else "it is no text of Unicode"
    return f"is no regular expression ({said[:100]})"
