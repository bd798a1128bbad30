"""Regular expressions of the form, by RE2: their time grows with the text only, whatever the expression."""

from __future__ import annotations

import re
from collections.abc import Callable

from lib.config.form import Form, shown, text, wrong

# Lookarounds, atomic groups, conditions; back references. RE2 has none of them.
_BEYOND = (
    (re.compile(r"(?<!\\)\(\?(?:<?[=!]|>|\()"), "a lookaround"),
    (re.compile(r"(?<!\\)(?:\\\\)*\\[1-9]|\(\?P=|\\k[<{']"), "a back reference"),
)
_MEMORY = 8 << 20


def pattern(form: Form, name: str) -> Callable[[str], bool] | None:
    """Return whether a text holds a match of the field's expression; None where the field is empty.

    Raises BadInput for what is no expression, or one with a lookaround or a back reference.
    """
    written = text(form, name)
    if not written:
        return None
    import re2  # late: most steps have no expression

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
        except UnicodeEncodeError:  # half a pair of surrogates
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
