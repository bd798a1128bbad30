"""One object by one criterion, as LookupObject and DeleteObject want it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lib.config.form import flag, text
from lib.engine.errors import BadInput, NotFound
from lib.job.errors import Ambiguous
from lib.job.find.candidates import ID, IMAGE, NAME, Candidate, candidates, directly, warn_of_paths
from lib.job.find.kinds import Kind, kind_of, short
from lib.job.find.terms import SAME, Term, text_of
from lib.job.work import Work

_TOLD = 5
"""Objects that an Ambiguous names."""
_LONGEST = 200
"""Characters of a path."""


def looked_up(work: Work) -> dict[str, Any]:
    """Return the output of LookupObject: an object with its flat fields, or {} where the settings allow that."""
    kind = kind_of(work.config)
    term = criterion(work, kind)
    found = one_of(work, kind, term) if term else None
    whole = found.whole if found else None
    if term is None or (whole is None and flag(work.config, "allowZeroResults")):
        return {}
    if whole is None:
        hint = "With the setting allowZeroResults an object that is not there is no error"
        raise NotFound(f"No {kind.name} matches {term}", hint=hint)
    return whole


def criterion(work: Work, kind: Kind) -> Term | None:
    """Return the condition that the setting lookupBy and the field `value` make; None where there may be none."""
    path = text(work.config, "lookupBy") or NAME
    value = text_of(work.fields.get("value")).strip()
    if len(path) > _LONGEST:
        raise BadInput(f"lookupBy has more than {_LONGEST} characters", field="lookupBy")
    if path == IMAGE and not kind.image:
        raise BadInput(f"lookupBy: {kind.plural} are made from no image", field="lookupBy")
    if value:
        leading = kind.name == "container" and path == NAME
        return Term(path, SAME, value.removeprefix("/") if leading else value)
    if flag(work.config, "allowCriteriaToBeOmitted"):
        return None
    hint = "With the setting allowCriteriaToBeOmitted the step emits an empty object then"
    raise BadInput("value is needed", field="value", hint=hint)


def one_of(work: Work, kind: Kind, term: Term) -> Candidate | None:
    """Return the only object that fulfils a condition, None where none does; Ambiguous where several do."""
    if (term.field == NAME and kind.by_name) or (term.field == ID and kind.by_id):
        found = directly(work, kind, str(term.value))
        # The engine takes a name for an id and an id for a name, and beginnings of ids for either.
        if found is None or found.takes(term):
            return found
    listed = candidates(work, kind, [term])
    matches = [one for one in listed if one.takes(term)]
    if len(matches) > 1:
        raise ambiguous(kind, term, matches)
    if not matches:
        warn_of_paths(work, kind, [term], listed)
    return matches[0] if matches else None


def ambiguous(kind: Kind, term: Term, matches: Sequence[Candidate]) -> Ambiguous:
    """Return the error that names the first of several matches."""
    first = sorted(matches, key=lambda one: (one.name, one.id))[:_TOLD]
    named = ", ".join(f"{one.name} ({short(one.id)})" if one.name != one.id else one.id for one in first)
    more = f" and {len(matches) - _TOLD} more" if len(matches) > _TOLD else ""
    return Ambiguous(
        f"{len(matches)} {kind.plural} match {term}: {named}{more}",
        hint="Narrow the criteria, or use LookupObjects",
        count=len(matches),
        matches=[{"id": one.id, "name": one.name} for one in first],
    )
