"""RotateSecret: a secret or config gets another content, and all services go over to it, one after the other.

The content is a new version (EnsureSecret). Each service that uses an older one gets the new one in the same file and
is looked at until it has arrived (RolloutService). Old versions go at the end, if all is well. A message that comes
again finds its version by the content and goes on with the services that have not arrived.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lib.engine.errors import NoSuchOperation, NotFound
from lib.engine.expected import expected_form
from lib.job.errors import NotReached, RolledBack
from lib.job.rotation.services import User, all_services, chosen, moved, users
from lib.job.rotation.versions import cleared
from lib.job.service.convergence import CONVERGED, NOT_REACHED, PAUSED, ROLLED_BACK
from lib.job.service.rollout import PLANNED, UNCHANGED, rolled_out, safely
from lib.job.service.service import Tree
from lib.job.settings import EMIT
from lib.job.vault.ensured import newest_version
from lib.job.vault.kind import CONFIG, SECRET, Kept, Kind, of_name, versions_of
from lib.job.vault.wish import Wish, name_of
from lib.job.waiting import TimeIsUp
from lib.job.work import Work

_BAD = (ROLLED_BACK, PAUSED, NOT_REACHED)


def rotated(work: Work) -> Tree:
    """Return the output of RotateSecret; raises RolledBack and NotReached unless badOutcome is to be emitted."""
    kind = CONFIG if work.fields.get("kind") == CONFIG.name else SECRET
    wish = _as_before(work, Wish.of(work, kind, name_of(work, kind, versioned=True)))
    chosen(work, all_services(work))  # a service that is not there is told before anything is made
    told = newest_version(work, wish)
    older, is_newest = _others(work, kind, wish.name, int(told["version"]))
    output: Tree = {
        "action": told["action"],
        "newest": {"id": told["id"], "name": told["name"]},
        "version": told["version"],
        "changed": told["action"] != "none",
        "results": [],
        "skipped": [],
        "removed": [],
        "kept": [],
    }
    if is_newest:
        _services(work, wish, older, output)
    bad = [one for one in output["results"] if one["outcome"] in _BAD]
    if is_newest and not bad:
        going = frozenset(one["id"] for one in output["results"])
        keep = int(work.fields.get("keep", 1))
        output["removed"], output["kept"] = cleared(work, kind, older, keep, going)
    output["changed"] = output["changed"] or bool(output["removed"])
    return _checked(work, output, bad)


def _as_before(work: Work, wish: Wish) -> Wish:
    """Return a wish whose content the engine fills in where it does so with the one that is there."""
    versions = versions_of(work.engine, wish.kind, wish.name)
    there = versions[-1] if versions else of_name(work.engine, wish.kind, wish.name)
    return replace(wish, templating=True) if there and there.templating else wish


def _others(work: Work, kind: Kind, name: str, version: int) -> tuple[list[Kept], bool]:
    """Return the older versions, one of the bare name among them, and whether there is no newer one."""
    there = versions_of(work.engine, kind, name)
    bare = of_name(work.engine, kind, name)
    older = [one for one in there if one.version < version] + ([bare] if bare else [])
    return older, all(one.version <= version for one in there)


def _services(work: Work, wish: Wish, older: list[Kept], output: Tree) -> None:
    """Bring services over, and enter what became of each; TimeIsUp tells what had been reached."""
    names = {one.id: one.name for one in older}
    stops = bool(work.fields.get("stopAtFirstFailure", True))
    failed = False
    for user in users(work, wish.kind, chosen(work, all_services(work)), names):
        if failed and stops:
            output["skipped"].append(user.service.name)
            continue
        try:
            result = _brought_over(work, wish, user, names, output["newest"])
        except NoSuchOperation:
            raise
        except NotFound:
            work.warn(f"The service {user.service.name} was removed meanwhile")
            continue
        except TimeIsUp as late:
            details = _result(user, output["newest"], {**late.details, "message": late.message})
            told = {**output, "results": [*output["results"], details], "outcome": NOT_REACHED}
            raise TimeIsUp(late.message, **told) from late
        output["results"].append(result)
        output["changed"] = output["changed"] or result["changed"]
        failed = failed or result["outcome"] in _BAD


def _brought_over(work: Work, wish: Wish, user: User, older: dict[str, str], newest: Tree) -> Tree:
    if user.is_done:
        return _result(user, newest, {"outcome": CONVERGED, "changed": True})
    change = moved(wish.kind, older, newest["id"], newest["name"])
    with expected_form():
        change = safely(change, user.service)
    reason = f"it uses {', '.join(user.old)}"
    done = rolled_out(work, user.service.id, change, spec=wish.spec, reason=reason)
    return _result(user, newest, done.output)


def _result(user: User, newest: Tree, told: Tree) -> Tree:
    return {
        "service": user.service.name,
        "id": user.service.id,
        "outcome": told["outcome"],
        "changed": bool(told.get("changed")),
        "from": list(user.old),
        "to": newest["name"],
        "message": str(told.get("message") or ""),
        "failed": told.get("failed") or [],
    }


def _checked(work: Work, output: Tree, bad: list[Tree]) -> Tree:
    """Add what became of all together, and return it, or raise it where the setting badOutcome says so."""
    good = CONVERGED if output["changed"] else UNCHANGED
    good = PLANNED if work.settings.dry_run and work.plan else good
    output |= {"outcome": bad[0]["outcome"] if bad else good, "reached": not bad}
    if not bad or work.settings.bad_outcome == EMIT:
        return output
    kind: Any = RolledBack if bad[0]["outcome"] == ROLLED_BACK else NotReached
    raise kind(
        f"{bad[0]['service']} does not go over to {output['newest']['name']}: {bad[0]['message']}", **output
    )
