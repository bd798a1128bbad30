"""Formats generated JSON: a value that fits on one line of 120 characters is on one line, for readable diffs."""

from __future__ import annotations

import json
from typing import Any

WIDTH = 120


def layout(value: Any) -> str:
    """Return the value as JSON text with a line end; key order is kept, so equal values give equal bytes."""
    return _render(value, 0)[0] + "\n"


def _render(value: Any, depth: int, lead: int = 0) -> tuple[str, str]:
    """Return the text for this depth, and the one-line text; `lead` is the length of the key before it on its line."""
    if not isinstance(value, (dict, list)) or not value:
        text = json.dumps(value, ensure_ascii=False)
        return text, text
    pairs = _pairs(value)
    inner = [_render(item, depth + 1, len(key)) for key, item in pairs]
    one_line = ", ".join(key + line for (key, _), (_, line) in zip(pairs, inner, strict=True))
    left, right = "{}" if isinstance(value, dict) else "[]"
    one_line = f"{left}{one_line}{right}"
    if depth + lead + len(one_line) <= WIDTH and depth > 0:
        return one_line, one_line
    pad = " " * (depth + 1)
    body = ",\n".join(pad + key + text for (key, _), (text, _) in zip(pairs, inner, strict=True))
    return f"{left}\n{body}\n{' ' * depth}{right}", one_line


def _pairs(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return [(json.dumps(key, ensure_ascii=False) + ": ", item) for key, item in value.items()]
    return [("", item) for item in value]
