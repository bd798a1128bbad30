"""What was to be made: an object of that name, made since the call, with the run's mark or equal to the input."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lib.action.run_mark import RUN
from lib.engine.errors import NoSuchOperation, NotFound
from lib.engine.expected import expected_form
from lib.engine.request.query import filters
from lib.job.container.differences import differences
from lib.job.image import look_for
from lib.job.settle.evidence import evidence_since
from lib.job.settle.sameness import covers
from lib.job.settle.tried import Tried
from lib.job.settle.verdict import ASK, Verdict, at, happened, not_happened, thing, unknown, when
from lib.job.work import Work
from lib.trigger.clock import SECOND

Tree = Mapping[str, Any]
_HIDDEN = "what it holds is not told"
_IN_SPEC = ("service", "secret", "config")
_BY_LIST = ("network", "secret", "config")
"""Types of which several may have one name, or which no path of the engine takes by name alone."""


@dataclass(frozen=True, slots=True)
class Made:
    """A type of objects that operations make; `list` is where they are listed, `within` the key of the list there.

    `created`, `id`, `name` are keys of an entry. `equal` compares the input with the object, None where nobody can.
    """

    kind: str
    list: str
    one: str
    created: str
    equal: Callable[[Work, Tried, Tree], bool] | None
    id: str = "ID"
    within: str = ""


def settled(work: Work, tried: Tried, made: Made) -> Verdict:
    """Return what became of a creation."""
    name = tried.text("name") if made.kind == "container" else tried.in_body("Name")
    if not name:
        return _by_mark(work, tried, made)
    told = _named(work, made, name)
    if told is None:
        return _absent(work, tried, made, name)
    seen = thing(made.kind, str(told.get(made.id) or name), name)
    if tried.run and _labels(made, told).get(RUN) == tried.run:
        return happened(f"The {made.kind} {name} has the mark of the run", seen)
    created = when(told.get(made.created) or "")
    if created and created + SECOND < tried.since:  # some are told to the second
        proof = f"The {made.kind} {name} is older than the call: {at(created)}"
        return not_happened(proof, seen, then=ASK)
    return _since_then(work, tried, made, told, seen)


def _since_then(work: Work, tried: Tried, made: Made, told: Tree, seen: Tree) -> Verdict:
    """Return the verdict on an object that was made since the call, without its mark."""
    name = f"{made.kind} {seen['name']}"
    if tried.run:
        return unknown(f"The {name} was made since then, and has not the mark of the run", seen)
    if made.equal is None:
        return unknown(f"The {name} was made since then, by whom is not known: {_HIDDEN}", seen)
    with expected_form():
        same = made.equal(work, tried, told)
    if not same:
        return unknown(f"The {name} was made since then, and is not as the input wanted it", seen)
    return happened(f"The {name} was made since then, and is as the input wanted it", seen)


def _named(work: Work, made: Made, name: str) -> Tree | None:
    """Return the object of exactly that name; lists and paths of engines also find by parts and ids."""
    if made.kind in _BY_LIST:
        listed = work.engine.get(made.list, {"filters": {"name": [name]}}, query=(filters(),))
        found = listed.read(lambda told: [dict(one) for one in told if _name(made, one) == name])
        return found[0] if found else None
    try:
        told: Tree = work.engine.get(made.one, {"value": name}).read(dict)
    except NoSuchOperation:
        raise
    except NotFound:
        return None
    return told if _name(made, told) == name else None


def _absent(work: Work, tried: Tried, made: Made, name: str) -> Verdict:
    """Return the verdict where no such object is there: it may have been, and be gone again."""
    events = evidence_since(work.engine, tried.since)
    created = events.of(made.kind, "create", lambda event: name in (event.says("name"), event.id))
    if created is not None:
        return unknown(f"A {made.kind} {name} was made at {at(created.time)}, and is gone again")
    return not_happened(f"There is no {made.kind} {name}")


def _by_mark(work: Work, tried: Tried, made: Made) -> Verdict:
    if not tried.run:
        return unknown(
            f"The {made.kind} had no name and no mark, so it cannot be told from others: see the setting markRun"
        )
    query = {"all": True, "filters": {"label": [f"{RUN}={tried.run}"]}}
    listed = work.engine.get(made.list, query, query=("all", filters()))

    def read(told: Any) -> list[Tree]:
        entries = told[made.within] or () if made.within else told
        return [dict(one) for one in entries if (one.get("Labels") or {}).get(RUN) == tried.run]

    found = listed.read(read)
    if not found:
        return not_happened(f"No {made.kind} has the mark of the run")
    one = found[0]
    names = [str(name).removeprefix("/") for name in one.get("Names") or ()]
    identity = str(one.get("Id") or one.get("ID") or one.get("Name") or "")
    seen = thing(made.kind, identity, (names or [str(one.get("Name") or identity)])[0])
    return happened(f"A {made.kind} has the mark of the run", seen)


def _name(made: Made, told: Tree) -> str:
    spec = told.get("Spec") if made.kind in _IN_SPEC else told
    return str(spec.get("Name") if isinstance(spec, Mapping) else "").removeprefix("/")


def _labels(made: Made, told: Tree) -> Tree:
    room = {"container": "Config", "service": "Spec", "secret": "Spec", "config": "Spec"}.get(made.kind)
    place = told.get(room) if room else told
    labels = place.get("Labels") if isinstance(place, Mapping) else None
    return labels if isinstance(labels, Mapping) else {}


def _container(work: Work, tried: Tried, told: Tree) -> bool:
    body = tried.body
    if (told.get("Config") or {}).get("Image") != body.get("Image"):
        return False
    image = look_for(work, str(told.get("Image") or ""))
    config = (image.inspected or {}).get("Config") or {} if image else {}
    return not differences(body, told, config)


def _network(_: Work, tried: Tried, told: Tree) -> bool:
    left_out = ("CheckDuplicate",)  # no property of a network
    return covers({name: value for name, value in tried.body.items() if name not in left_out}, told)


def _volume(_: Work, tried: Tried, told: Tree) -> bool:
    body = dict(tried.body)
    options = body.pop("DriverOpts", None)
    return covers(body, told) and covers(options or {}, told.get("Options") or {})


def _spec(_: Work, tried: Tried, told: Tree) -> bool:
    return covers(tried.body, told.get("Spec"))


MADE = {
    "ContainerCreate": Made(
        "container", "/containers/json", "/containers/{value}/json", "Created", _container, id="Id"
    ),
    "VolumeCreate": Made(
        "volume", "/volumes", "/volumes/{value}", "CreatedAt", _volume, id="Name", within="Volumes"
    ),
    "NetworkCreate": Made("network", "/networks", "/networks/{value}", "Created", _network, id="Id"),
    "ServiceCreate": Made("service", "/services", "/services/{value}", "CreatedAt", _spec),
    "ConfigCreate": Made("config", "/configs", "/configs/{value}", "CreatedAt", _spec),
    "SecretCreate": Made("secret", "/secrets", "/secrets/{value}", "CreatedAt", None),
}
