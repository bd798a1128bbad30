"""RedeployContainer: containers get another image or other settings; what is bad is taken back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lib.engine.errors import BadInput, EngineError, NotFound, Refused
from lib.engine.expected import expected_form
from lib.engine.request.published_ports import published
from lib.engine.request.times import SECOND, instant
from lib.engine.version import Version
from lib.job.errors import Interrupted
from lib.job.image import MISSING, NEWER, Image, ensure_image, is_id
from lib.job.replacement import body as bodies
from lib.job.replacement.dependants import dependants
from lib.job.replacement.evidence import last_lines, swept
from lib.job.replacement.machine import REDEPLOYED, ROLLED_BACK, Done, replaced
from lib.job.replacement.making import Wish
from lib.job.replacement.names import Names, Part, base_of, look, new_one
from lib.job.replacement.refusals import check, image_of
from lib.job.states import State
from lib.job.targets import targets_of
from lib.job.work import Work

NONE = "none"
_MAC_OF_ENDPOINT = Version(1, 44)
Tree = dict[str, Any]


def redeployed(work: Work) -> Tree:
    """Return the output of RedeployContainer: of one target, or `results` of several and how many `failed`."""
    one = work.fields.get("target") is not None
    results: list[Tree] = []
    for name in _targets(work):
        if work.context.cancelled.is_set():
            raise Interrupted
        try:
            results.append(_one(work, Names(name, work.run.short)))
        except EngineError as error:
            if one or isinstance(error, BadInput):
                raise
            results.append({"name": name, "action": "failed", "changed": False, "reason": str(error)})
        if results[-1]["action"] in (ROLLED_BACK, "failed") and work.fields.get("stopAtFirstFailure", True):
            break
    changed = any(result["changed"] for result in results)
    if one:
        return results[0] | {"changed": changed}
    bad = sum(result["action"] in (ROLLED_BACK, "failed") for result in results)
    return {"results": results, "failed": bad, "changed": changed}


def _targets(work: Work) -> list[str]:
    """Return the names of what is to be redeployed, also where an earlier delivery has renamed it on its way."""
    try:
        found = [base_of(target.name) for target in targets_of(work.engine, work.fields)]
    except NotFound:
        name = str(work.fields["target"])
        if new_one(work, Names(name, work.run.short)) is None:
            raise
        found = [name]
    return list(dict.fromkeys(found))


def _one(work: Work, names: Names) -> Tree:
    old = look(work, names.name)
    begun = new_one(work, names)
    if begun is None:
        if old is None:
            raise NotFound(f"No such container: {names.name}")
        check(work, names, old)
        swept(work, names)
        wish = _wish(work, old)
        if wish is None:
            return _output(work, names, Done(NONE, old))
        done = replaced(work, names, old, lambda _: wish)
        if done.new is None:  # a dry run
            _remove_image(work, str(old.told.get("Image")), wish.image)
        return _output(work, names, done)
    return _output(work, names, replaced(work, names, old, lambda part: _wish(work, part) or Wish({})))


def _wish(work: Work, old: Part) -> Wish | None:
    """Return what the new container is to be; None where it would be the same."""
    own = image_of(work, old)
    reference = str(work.fields.get("image") or old.told["Config"].get("Image") or "")
    if is_id(reference) and not work.fields.get("image"):
        raise BadInput(
            f"{old.name} was made from an id, not from a tag", field="image", hint="Name the image"
        )
    pull = str(work.fields.get("pull") or NEWER)
    image = ensure_image(work, reference, MISSING if is_id(reference) else pull)
    plain = _read(lambda: bodies.body_of(old.told, own, reference))
    body = bodies.changed(plain, work.fields)
    reason = _reason(work, old, image, plain, body)
    if not reason:
        return None
    if work.fields.get("keepAnonymousVolumes", True):
        _read(lambda: bodies.with_volumes(body, old.told))
    elif any(_anonymous(old)):
        work.warn(f"The anonymous volumes of {old.name} stay behind: the new one gets empty ones")
    networks = _read(lambda: bodies.endpoints(old.told))
    _keep_mac(work, old, body, networks)
    body, warnings = published(body, "settings")
    for warning in warnings:
        work.warn(warning)
    return Wish(body, networks, reason, image=image.id)


def _reason(work: Work, old: Part, image: Image, plain: Tree, body: Tree) -> str:
    if image.id != old.told.get("Image"):
        return f"{image.reference} is another image now"
    if body | {"Image": ""} != plain | {"Image": ""}:
        return "its settings are others"
    return "" if work.fields.get("onlyIfNewer", True) else "it is made anew in any case"


def _keep_mac(work: Work, old: Part, body: Tree, networks: dict[str, Tree]) -> None:
    """Ask for the MAC address that the old one was made with; engines give any other one anew."""
    asked = str(old.told["Config"].get("MacAddress") or "")
    if not asked or not networks or not work.fields.get("keepMac", True):
        return
    if work.engine.version >= _MAC_OF_ENDPOINT:
        main = next(iter(networks))
        networks[main] = {**networks[main], "MacAddress": asked}
    else:
        body["MacAddress"] = asked


def _anonymous(old: Part) -> list[str]:
    names = [str(mount.get("Name") or "") for mount in old.told.get("Mounts") or []]
    return [name for name in names if len(name) == 64]  # noqa: PLR2004


def _read(how: Any) -> Any:
    """Return what is read from the engine's answers; another form than engines give is the engine's fault."""
    with expected_form():
        return how()


def _output(work: Work, names: Names, done: Done) -> Tree:
    old, new = done.old.told, done.new.told if done.new else None
    told: Tree = {
        "name": names.name,
        "action": done.action,
        "changed": done.action != NONE and not work.settings.dry_run,
        "old": {"id": done.old.id, "image": old["Config"].get("Image"), "imageId": old.get("Image")},
    }
    if new is None:
        return told | {"dependants": dependants(work, done.old)}
    state = State.of(new)
    told["new"] = {"id": state.id, "image": new["Config"].get("Image"), "imageId": new.get("Image")}
    told |= {"health": state.health, "downSeconds": _down(old, new)}
    if done.action == ROLLED_BACK or done.reason:
        told |= {
            "reason": done.reason or f"{state}",
            "exitCode": done.exit_code,
            "lastLines": last_lines(work, state.id),
            "kept": done.kept,
        }
    if done.action == REDEPLOYED:
        _remove_image(work, str(old.get("Image")), str(new.get("Image")))
    return told | {"dependants": dependants(work, done.old)}


def _down(old: Mapping[str, Any], new: Mapping[str, Any]) -> float:
    """Return the seconds between the end of the old one and the start of the new one, by the engine's clock."""
    try:
        ended = instant(str(old["State"].get("FinishedAt") or ""), "time")
        return round(max(instant(str(new["State"].get("StartedAt") or ""), "time") - ended, 0) / SECOND, 3)
    except BadInput:
        return 0.0


def _remove_image(work: Work, old: str, new: str) -> None:
    wanted = work.fields.get("removeOldImage") and old != new
    if not wanted or not work.will("remove", "image", old, "nothing uses it after the replacement"):
        return
    try:
        work.engine.delete("/images/{+name}", {"name": old})
    except Refused as refused:
        work.plan.pop()
        work.warn(f"The old image stays: {refused.message}")
