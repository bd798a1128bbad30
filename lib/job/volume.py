"""A volume that shall be there, or not: made, compared, made anew with its data lost, or removed.

Its create is an upsert: of an existing name it answers 201 and shows the old driver, options and labels. So the job
looks before and after, and the label of its run tells whose volume it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib.engine.errors import Conflict, EngineFault, NoSuchOperation, NotFound
from lib.engine.request.path import name_of
from lib.job.comparison import Difference, foreign, of_maps, of_values, shown, texts
from lib.job.errors import Differs, WouldDestroy
from lib.job.repeat import RUN, SPEC, spec_of
from lib.job.users import named, users_of_volume
from lib.job.volume_creation import volume_created
from lib.job.work import Work
from lib.job.writes import removed

_PATH = "/volumes/{name}"
_TRIES = 3
Volume = Mapping[str, Any]


@dataclass(frozen=True)
class Wish:
    """What the input says of the volume; None is what it leaves out."""

    name: str
    driver: str | None
    options: Mapping[str, str] | None
    labels: Mapping[str, str] | None

    @property
    def spec(self) -> str:
        """The mark of the wish."""
        return spec_of([self.driver, self.options, self.labels])

    def differences(self, volume: Volume) -> list[Difference]:
        """Compare what is given with an answer of VolumeInspect."""
        return [
            *of_values({"driver": self.driver}, {"driver": volume.get("Driver")}),
            *of_maps("options", self.options, volume.get("Options")),
            *of_maps("labels", self.labels, volume.get("Labels")),
        ]

    def body(self, old: Volume, own: Mapping[str, str]) -> dict[str, Any]:
        """Return what creates it; what is left out stays as it was with `old`, but for options of another driver."""
        driver = self.driver or old.get("Driver")
        options = dict(old.get("Options") or {}) if driver == old.get("Driver") else {}
        return {
            "Name": self.name,
            "Driver": driver or "local",
            "DriverOpts": options | dict(self.options or {}),
            "Labels": foreign(old.get("Labels")) | dict(self.labels or {}) | dict(own),
        }


def ensured_volume(work: Work) -> dict[str, Any]:
    """Return the output of EnsureVolume once the volume is as wanted.

    Raises Differs where it is not and the input does not let it be made anew, WouldDestroy where its data would be
    lost or containers use it.
    """
    fields = work.fields
    name = name_of(str(fields["name"]), "name")
    wish = Wish(name, fields.get("driver"), texts(fields, "options"), texts(fields, "labels"))
    there = _look(work, name)
    if fields.get("state") == "absent":
        return _absent(work, name, there)
    if there is None:
        return _made(work, wish, {}, "it is missing", "created")
    differences = wish.differences(there)
    if differences:
        return _made_anew(work, wish, there, differences)
    if (there.get("Labels") or {}).get(SPEC, wish.spec) != wish.spec:
        work.warn(f"{name} was made from another input; what this one leaves out was not compared")
    return _output(work, "none", there)


def _absent(work: Work, name: str, there: Volume | None) -> dict[str, Any]:
    if there is None:
        return {"action": "none", "differences": [], "usedBy": []}
    _guard(work, name, "Removing")
    _remove(work, name, "it shall be absent")
    return {"action": "removed", "differences": [], "usedBy": []}


def _made_anew(work: Work, wish: Wish, there: Volume, differences: list[Difference]) -> dict[str, Any]:
    if work.fields.get("recreate", "never") == "never":
        raise Differs(
            f"The volume {wish.name} is there and differs: {shown(differences)}",
            differences=differences,
            hint="A volume cannot be changed. Set recreate to whenUnused, and allowDataLoss if its data may go",
        )
    _guard(work, wish.name, "Recreating", differences)
    # As late as can be: one that another step has made anew meanwhile must not lose what was put into it since.
    now = _look(work, wish.name)
    if now is not None and not wish.differences(now):
        return _output(work, "none", now)
    work.permit(("POST", "/volumes/create"))
    if now is not None:
        try:
            _remove(work, wish.name, f"it differs: {shown(differences)}")
        except Conflict:
            # Made anew by another step between the two calls, and in use already: that is the volume as wanted.
            now = _look(work, wish.name)
            if now is None or wish.differences(now):
                raise
            work.without_effect()
            return _output(work, "none", now)
    return _made(work, wish, there, "it was removed to be made anew", "recreated", differences)


def _guard(work: Work, name: str, what: str, differences: list[Difference] | None = None) -> None:
    """Raise WouldDestroy unless the input lets the data go and nothing uses the volume."""
    details = {"differences": differences} if differences else {}
    if users := users_of_volume(work.engine, name):
        raise WouldDestroy(
            f"{what} the volume {name} is not possible: {named(users)} use it",
            usedBy=users,
            hint="Remove these containers first",
            **details,
        )
    if not work.fields.get("allowDataLoss"):
        raise WouldDestroy(
            f"{what} the volume {name} loses all that is in it",
            hint="Set allowDataLoss to allow that",
            **details,
        )


def _remove(work: Work, name: str, reason: str) -> None:
    work.permit(("DELETE", _PATH))
    if work.will("remove", "volume", name, reason):
        removed(lambda: work.engine.delete(_PATH, {"name": name}), lambda: _look(work, name) is None)


def _made(
    work: Work,
    wish: Wish,
    old: Volume,
    reason: str,
    action: str,
    differences: list[Difference] | None = None,
) -> dict[str, Any]:
    work.permit(("POST", "/volumes/create"))
    if not work.will("create", "volume", wish.name, reason):
        return {"action": action, "differences": differences or [], "usedBy": []}
    body = wish.body(old, work.run.labels(wish.spec))
    volume = None
    for _ in range(_TRIES):
        volume_created(work, body, lambda: _look(work, wish.name) is not None)
        volume = _look(work, wish.name)
        if volume is not None:
            break  # else another step that makes it anew has taken this one for the old
    if volume is None:
        raise EngineFault(
            f"The volume {wish.name} was created, and is not there", hint="Something removes it"
        )
    if (volume.get("Labels") or {}).get(RUN) != work.run.id:
        work.without_effect()  # somebody else was faster, and the create has shown theirs
        action = "recreated" if work.plan else "none"
        if found := wish.differences(volume):
            raise Differs(
                f"The volume {wish.name} was made by something else meanwhile, and differs: {shown(found)}",
                differences=found,
            )
    return _output(work, action, volume, differences)


def _output(
    work: Work, action: str, volume: Volume, differences: list[Difference] | None = None
) -> dict[str, Any]:
    users = users_of_volume(work.engine, str(volume["Name"]))
    return {"action": action, "differences": differences or [], "volume": dict(volume), "usedBy": users}


def _look(work: Work, name: str) -> Volume | None:
    try:
        return work.engine.get(_PATH, {"name": name}).read(_volume)
    except NoSuchOperation:
        raise
    except NotFound:
        return None


def _volume(told: Mapping[str, Any]) -> Volume:
    parts = {part: dict(told.get(part) or {}) for part in ("Labels", "Options")}
    return {**told, **parts, "Name": str(told["Name"])}
