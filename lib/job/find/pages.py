"""LookupObjects: all objects that fulfil the terms, in order, as one message, as a page or one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lib.config.form import choice
from lib.engine.errors import BadInput, LimitReached
from lib.engine.text import parsed
from lib.job.find.candidates import IMAGE, LABEL, NAME, Candidate, candidates, warn_of_paths
from lib.job.find.kinds import Kind, kind_of
from lib.job.find.terms import Term, terms_of, text_of
from lib.job.work import Work

ALL, PAGE, EACH = "emitAll", "emitPage", "emitIndividually"
PAGE_SIZE, MOST_RESULTS = 100, 1000
_MOST_ORDERS = 10


def found_all(work: Work) -> dict[str, Any] | list[Any]:
    """Return {results, total} of LookupObjects, with pageNumber for a page; the bare objects for one message each."""
    kind, how = kind_of(work.config), choice(work.config, "emitBehavior", (ALL, PAGE, EACH))
    terms, either = terms_of(work.fields.get("terms")), work.fields.get("link") == "or"
    _check(kind, terms)
    orders = _orders(work.fields.get("orderBy"))
    listed = candidates(work, kind, () if either else terms)
    matches = [
        one for one in listed if not terms or (any if either else all)(one.takes(term) for term in terms)
    ]
    if not matches:
        warn_of_paths(work, kind, terms, listed)
    most, total = int(work.fields.get("maxResults") or MOST_RESULTS), len(matches)
    if how != PAGE and total > most:
        raise LimitReached(
            f"{total} {kind.plural} match, and maxResults is {most}",
            limit="maxResults",
            hint="Narrow the terms, raise maxResults, or read page after page",
        )
    matches.sort(key=lambda one: (one.name, one.id))
    for path, downwards in reversed(orders):
        matches.sort(key=lambda one: _key(one, path), reverse=downwards)
    if how == PAGE:
        size, number = int(work.fields.get("pageSize") or PAGE_SIZE), int(work.fields.get("pageNumber") or 0)
        matches = matches[number * size : (number + 1) * size]
        return {"results": _whole(matches), "total": total, "pageNumber": number}
    results = _whole(matches)
    return results if how == EACH else {"results": results, "total": len(results)}


def _whole(matches: Sequence[Candidate]) -> list[dict[str, Any]]:
    """Return the objects; what has gone since the list was made is left out."""
    return [whole for one in matches if (whole := one.whole) is not None]


def _check(kind: Kind, terms: Sequence[Term]) -> None:
    if not kind.image and any(term.field == IMAGE for term in terms):
        raise BadInput(f"terms: {kind.plural} are made from no image", field="terms")


def _orders(written: Any) -> list[tuple[str, bool]]:
    """Read orderBy: fields, each with " desc" behind it for the other direction."""
    items = parsed(written or [], "orderBy")
    if not isinstance(items, list) or len(items) > _MOST_ORDERS:
        raise BadInput(f"orderBy must be a list of at most {_MOST_ORDERS} fields", field="orderBy")
    found = []
    for item in items:
        path, _, direction = text_of(item).strip().partition(" ")
        if not path or direction.strip().lower() not in ("", "asc", "desc") or path == LABEL:
            raise BadInput('orderBy: write fields such as "name" or "created desc"', field="orderBy")
        found.append((path, direction.strip().lower() == "desc"))
    return found


def _key(one: Candidate, path: str) -> tuple[bool, bool, float, str]:
    """Numbers come before texts, and what has no such field before both."""
    values = one.values(path) if path != NAME else [one.name]
    value = values[0] if values else None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return True, False, float(value), ""
    return value is not None, True, 0.0, text_of(value)
