"""Old versions of a secret or config: those that nobody uses go, but for the last ones."""

from __future__ import annotations

from lib.engine.errors import Refused
from lib.job.errors import WouldDestroy
from lib.job.service.service import Tree
from lib.job.users import named
from lib.job.vault.kind import Kept, Kind
from lib.job.vault.users import remove, users_of
from lib.job.work import Work


def cleared(
    work: Work, kind: Kind, older: list[Kept], keep: int, going: frozenset[str]
) -> tuple[list[str], list[Tree]]:
    """Remove all but the newest `keep` of `older`; return the names of those that went, and {name, reason} of others.

    `going`: ids of services that a real run would have taken from them; a dry run still finds them there.
    """
    gone: list[str] = []
    stay: list[Tree] = []
    ordered = sorted(older, key=lambda one: -one.version)
    for number, one in enumerate(ordered):
        if not one.version:
            stay.append({"name": one.name, "reason": "it is no version of a job"})
        elif number < keep:
            stay.append({"name": one.name, "reason": f"the last {keep} of the older ones stay"})
        elif users := [user for user in users_of(work.engine, kind, [one]) if user["id"] not in going]:
            stay.append({"name": one.name, "reason": f"used by {named(users)}"})
        else:
            work.permit(("DELETE", kind.one))
            try:
                remove(work, kind, one, "no service uses it", "Removing")
                gone.append(one.name)
            except (
                WouldDestroy,
                Refused,
            ) as refusal:  # used since a moment ago, or in a way that no list shows
                work.without_effect()
                stay.append({"name": one.name, "reason": refusal.message})
    return gone, stay
