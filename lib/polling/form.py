"""The step's form: every value is text, a list of texts or a tick; these readers give it a type, or name the field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lib.polling.clock import SECOND, nanoseconds

Form = Mapping[str, Any]


class FormError(ValueError):
    """A field of the step cannot be used; the text names it and the fix."""


def text(form: Form, name: str) -> str:
    """Return a text field without the blanks around it, "" if it is empty."""
    value = form.get(name)
    return "" if value is None else str(value).strip()


def flag(form: Form, name: str) -> bool:
    """Return whether a box is ticked; the platform sends true, "on" or nothing."""
    value = form.get(name)
    return bool(value) and str(value).strip().lower() not in {"false", "off", "no", "0", ""}


def words(form: Form, name: str) -> tuple[str, ...]:
    """Return the entries of a multi-select or of a text with commas or line breaks."""
    value = form.get(name)
    if value is None:
        return ()
    parts = value if isinstance(value, list) else str(value).replace("\n", ",").split(",")
    return tuple(entry for part in parts if (entry := str(part).strip()))


def choice(form: Form, name: str, allowed: tuple[str, ...]) -> str:
    """Return one of `allowed`, the first of them if nothing is chosen."""
    value = text(form, name) or allowed[0]
    if value not in allowed:
        raise FormError(f"{name}: {value!r} is not possible. Choose one of: {', '.join(allowed)}")
    return value


def number(form: Form, name: str, default: float, *, least: float = 0, most: float = float("inf")) -> float:
    """Return a number within its bounds."""
    written = text(form, name)
    try:
        value = float(written) if written else float(default)
    except ValueError:
        raise FormError(f"{name}: {written!r} is no number. Write one such as {default:g}") from None
    if not least <= value <= most:
        bounds = f"at least {least:g}" if most == float("inf") else f"from {least:g} to {most:g}"
        raise FormError(f"{name}: {written} is out of range. Write a number {bounds}")
    return value


def whole(form: Form, name: str, default: int, *, least: int = 0, most: int = 1 << 62) -> int:
    """Return a whole number within its bounds."""
    value = number(form, name, default, least=least, most=most)
    if not value.is_integer():
        raise FormError(f"{name}: {value:g} is no whole number")
    return int(value)


def moment(form: Form, name: str) -> int | None:
    """Return a time field as Unix nanoseconds (ISO 8601 or Unix seconds), None if it is empty."""
    written = text(form, name)
    if not written:
        return None
    try:
        return nanoseconds(written)
    except ValueError:
        pass
    try:
        return int(float(written) * SECOND)
    except ValueError:
        raise FormError(f"{name}: {written!r} is no time. Write one such as 2026-01-31T12:00:00Z") from None
