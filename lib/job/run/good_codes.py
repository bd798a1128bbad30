"""Which exit codes of a program or a command are no error: the field `okCodes`."""

from __future__ import annotations

from typing import Any

from lib.engine import Fields
from lib.engine.errors import BadInput
from lib.engine.text import parsed, shown


def good_codes(fields: Fields) -> frozenset[int]:
    """Return the exit codes that are no error, 0 alone where none is given; they may come as JSON text."""
    codes = parsed(fields.get("okCodes"), "okCodes")
    if codes is None or codes == []:
        return frozenset((0,))
    if not isinstance(codes, list):
        raise BadInput(f"okCodes must be a list of whole numbers, not {shown(codes)}", field="okCodes")
    return frozenset(_code(code, number) for number, code in enumerate(codes))


def _code(code: Any, number: int) -> int:
    if isinstance(code, bool) or not isinstance(code, int | float) or code != int(code):
        raise BadInput(f"okCodes[{number}] must be a whole number, not {shown(code)}", field="okCodes")
    return int(code)
