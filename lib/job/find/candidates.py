"""Objects that may be meant: what a list tells of them, and the whole of each as soon as somebody asks for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from lib.config.selection import image_matches, labels_match
from lib.engine.errors import LimitReached, NoSuchOperation, NotFound
from lib.engine.expected import expected_form
from lib.engine.request.query import filters
from lib.job.errors import Interrupted
from lib.job.find.flat import flat
from lib.job.find.kinds import HASH, Kind, Thing, entries, id_of, image_of, labels_of, names_of, short
from lib.job.find.terms import IN, OTHER, SAME, Term, values_at
from lib.job.work import Work

ID, NAME, LABEL, IMAGE = "id", "name", "label", "image"
_LEAST = 12
"""Characters of the beginning of an id."""
_HUB = ("docker.io/library/", "docker.io/")


@dataclass
class Candidate:
    """One object; `listed` is what is known of it, an entry of a list or an inspection."""

    kind: Kind
    work: Work
    listed: Thing
    services: Mapping[str, str] = field(default_factory=dict)
    inspected: bool = False

    def __post_init__(self) -> None:
        with expected_form():
            self.id = id_of(self.kind, self.listed)
            self.names = names_of(self.kind, self.listed, self.services)
            self.labels = labels_of(self.kind, self.listed)
            self.image = image_of(self.kind, self.listed, self.names)

    @property
    def name(self) -> str:
        """The usual name, the short id where it has none."""
        return (self.names[0] if self.names else "") or short(self.id)

    @cached_property
    def whole(self) -> dict[str, Any] | None:
        """The object with its flat fields; None where it has gone meanwhile."""
        thing = self.listed
        if not (self.inspected or self.kind.whole):
            check_time(self.work)
            try:
                thing = self.work.engine.get(self.kind.one, {"value": self.id}).json()
            except NoSuchOperation:
                raise
            except NotFound:
                return None
        with expected_form():
            return flat(self.kind, thing, self.services)

    def takes(self, term: Term) -> bool:
        """Whether a condition holds; of one that has gone meanwhile none does."""
        if term.field == NAME:
            return self._named(term)
        if term.field == ID and term.condition in (SAME, IN, OTHER):
            return (term.condition == OTHER) != any(self._has_id(value) for value in term.values)
        if term.field == ID:
            return term.holds([self.id])
        if term.field == LABEL:
            return self._labelled(term)
        if term.field == IMAGE:
            return self._made_from(term)
        return self.whole is not None and term.holds(self.values(term.field))

    def values(self, path: str) -> list[Any]:
        """Return the values of a flat field or at a path of the object."""
        if path == NAME:
            return [self.name]
        if path == ID:
            return [self.id]
        whole = self.whole or {}
        return values_at(whole, path) or values_at(whole.get("object"), path)

    def _named(self, term: Term) -> bool:
        if self.kind.name != "image" or term.condition not in (SAME, IN, OTHER):
            return term.holds(self.names)
        wanted = {familiar(value) for value in term.values}
        return (term.condition == OTHER) != any(familiar(name) in wanted for name in self.names)

    def _has_id(self, wanted: str) -> bool:
        bare, beginning = self.id.removeprefix(HASH), wanted.removeprefix(HASH)
        return wanted == self.id or (len(beginning) >= _LEAST and bare.startswith(beginning))

    def _labelled(self, term: Term) -> bool:
        if term.condition in (SAME, IN, OTHER):
            return (term.condition == OTHER) != any(
                labels_match([value], self.labels) for value in term.values
            )
        return term.holds([f"{key}={value}" for key, value in self.labels.items()])

    def _made_from(self, term: Term) -> bool:
        image, image_id = self.image, str(self.listed.get("ImageID") or self.listed.get("Image") or "")
        if self.kind.name == "container" and image.startswith(HASH) and not self.inspected:
            if self.whole is None:
                return False
            image = str(self.whole.get("image") or image)  # the list no longer tells: the tag has moved on
        references = self.names if self.kind.name == "image" else [image]
        known = [*references, *([image_id] if image_id.startswith(HASH) else [])]
        if term.condition not in (SAME, IN, OTHER):
            return term.holds(known)
        fits = any(image_matches([value], one) for value in term.values for one in known if one)
        return fits != (term.condition == OTHER)


def familiar(name: str) -> str:
    """Return the name of an image as engines list it: without the host of Docker Hub, with a tag."""
    for hub in _HUB:
        name = name.removeprefix(hub)
    last = name.rpartition("/")[2]
    return name if ":" in last or "@" in last else f"{name}:latest"


def candidates(work: Work, kind: Kind, terms: Sequence[Term] = ()) -> list[Candidate]:
    """Return all objects of a type that may fulfil the terms, of which all are needed."""
    fields: dict[str, Any] = {"all": True} if kind.name == "container" else {}
    labels = [term.value for term in terms if term.field == LABEL and term.condition == SAME]
    if labels and kind.labels:
        fields["filters"] = {"label": labels}
    answer = work.engine.get(kind.list, fields, query=("all", filters()))
    services = _services(work) if kind.name == "task" else {}
    found = answer.read(lambda told: [Candidate(kind, work, one, services) for one in entries(kind, told)])
    for warning in _warnings(kind, answer.json()):
        work.warn(f"The list of volumes is not whole: {warning}")
    return found


def directly(work: Work, kind: Kind, value: str) -> Candidate | None:
    """Return the object that the engine shows for a name or id; None where there is none."""
    try:
        answer = work.engine.get(kind.one, {"value": value})
    except NoSuchOperation:
        raise
    except NotFound:
        return None
    services = _services(work) if kind.name == "task" else {}
    return answer.read(lambda told: Candidate(kind, work, told, services, inspected=True))


def warn_of_paths(work: Work, kind: Kind, terms: Sequence[Term], listed: Sequence[Candidate]) -> None:
    """Warn of paths that none of the objects has which were looked at; without a match they may be misspelt."""
    seen = [one for one in listed if "whole" in vars(one)]
    for path in dict.fromkeys(term.field for term in terms if term.field not in (ID, NAME, LABEL, IMAGE)):
        if seen and not any(one.values(path) for one in seen):
            work.warn(f"No {kind.name} has {path}")


def check_time(work: Work) -> None:
    """Raise LimitReached where the time of the step is over, Interrupted where it has to end."""
    if work.context.cancelled.is_set():
        raise Interrupted
    if work.deadline.left <= 0:
        raise LimitReached(
            f"There are more objects to look at than {work.deadline.seconds:g} seconds are enough for",
            limit="maxSeconds",
            hint="Look up by name, id or label, which needs no look at each of them",
        )


def _services(work: Work) -> dict[str, str]:
    reply = work.engine.get("/services")
    return reply.read(lambda told: {str(one["ID"]): str(one["Spec"]["Name"]) for one in told or ()})


def _warnings(kind: Kind, told: Any) -> list[str]:
    warnings = told.get("Warnings") if kind.name == "volume" and isinstance(told, Mapping) else None
    return [str(one)[:500] for one in warnings[:10]] if isinstance(warnings, list) else []
