"""Signals as engines write them in events: numbers of Linux."""

from __future__ import annotations

_NAMES = (
    "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG"
    " XCPU XFSZ VTALRM PROF WINCH IO PWR SYS"
)
_NUMBERS = {name: number for number, name in enumerate(_NAMES.split(), 1)} | {"CLD": 17, "IOT": 6, "POLL": 29}
_REAL_TIME = {"RTMIN": 34, "RTMAX": 64}
_MOST_DIGITS = 2
KILL = 9


def number_of(signal: str) -> int | None:
    """Return the number of a signal that is given as engines take it: TERM, sigterm, 15, RTMIN+3; None for others."""
    name = signal.strip().upper().removeprefix("SIG")
    if _is_number(name):
        return int(name)
    base, sign, offset = (name[:5], name[5:6], name[6:])
    if base in _REAL_TIME and sign in ("", "+", "-") and (_is_number(offset) or not (sign or offset)):
        return _REAL_TIME[base] + int(f"{sign}{offset or 0}")
    return _NUMBERS.get(name)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS
