"""PruneEngine: choose, tell, remove one by one without force. The engine's refusals are the second guard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lib.engine.errors import Conflict, NotFound, Refused
from lib.engine.request.query import filters
from lib.job.errors import Interrupted, WouldDestroy
from lib.job.prune.choice import CACHE, CONTAINERS, IMAGES, LEFTOVERS, NETWORKS, VOLUMES, Chooser
from lib.job.prune.rules import Rules, Thing, span
from lib.job.work import Work
from lib.job.writes import removed

_ORDER = (LEFTOVERS, CONTAINERS, NETWORKS, IMAGES, VOLUMES)
"""Containers first: they hold the others."""
_PATHS = {
    "container": "/containers/{id}",
    "network": "/networks/{id}",
    "image": "/images/{+name}",
    "volume": "/volumes/{name}",
}
_SHOWN = 1000
Sizes = dict[str, int]


def pruned(work: Work) -> dict[str, Any]:
    """Return the output of PruneEngine. Raises WouldDestroy, before anything is removed, where a guard holds."""
    fields, what = work.fields, [str(kind) for kind in work.fields["what"]]
    if VOLUMES in what and fields.get("volumes") == "all" and not fields.get("allowDataLoss"):
        raise WouldDestroy(
            "Removing named volumes loses all that is in them", hint="Set allowDataLoss to allow that"
        )
    kinds = [kind for kind in _ORDER if kind in what]
    work.permit(
        *(("DELETE", f"/{kind}/one") for kind in kinds),
        *((("POST", "/build/prune"),) if CACHE in what else ()),
    )
    usage = _usage(work)
    rules, before = Rules.of(fields), _sizes(usage)
    chooser = Chooser(work, rules, _volume_sizes(usage))
    first: list[Thing] = []
    kept: list[Thing] = []
    gone: set[str] = set()
    for kind in kinds:
        choice = chooser.choose(kind, gone)
        first += choice.chosen
        kept += choice.kept
        gone |= {thing.id for thing in choice.chosen if thing.kind == "container"}
    most = fields.get("atMost")
    if most is not None and len(first) > int(most):
        names = ", ".join(f"{thing.kind} {thing.name}" for thing in first[:5])
        raise WouldDestroy(
            f"{len(first)} objects would be removed, more than atMost {int(most)}: {names} ..."
        )
    done, failed = _removed(work, chooser, kinds, first, kept)
    cache = _build_cache(work, before) if CACHE in what else 0
    after = before if work.settings.dry_run else _sizes(_usage(work))
    return _output(work, done, kept, failed, cache) | {"before": before, "after": after}


def _removed(
    work: Work, chooser: Chooser, kinds: list[str], first: list[Thing], kept: list[Thing]
) -> tuple[list[Thing], list[dict[str, Any]]]:
    """Remove what was chosen, if it still is when its kind's turn comes; return what is gone, and what failed."""
    done: list[Thing] = []
    failed: list[dict[str, Any]] = []
    known = {(thing.kind, thing.id) for thing in first}
    if work.settings.dry_run:
        for thing in first:
            work.will("remove", thing.kind, thing.name, thing.reason)
        return first, failed
    for kind in kinds:
        for thing in chooser.choose(kind, set()).chosen:
            if (thing.kind, thing.id) not in known:
                continue
            if work.context.cancelled.is_set():
                raise Interrupted
            work.will("remove", thing.kind, thing.name, thing.reason)
            try:
                _remove(work, thing)
                done.append(thing)
            except Conflict:
                work.without_effect()
                kept.append(replace(thing, reason="in use"))
            except Refused as refused:
                work.without_effect()
                failed.append({**thing.output, "error": refused.message})
    return done, failed


def _remove(work: Work, thing: Thing) -> None:
    """Delete one object without force; an image by its tags, then by its id."""
    path, look = _PATHS[thing.kind], "/json" if thing.kind in ("container", "image") else ""
    for name in [*thing.names, thing.id] if thing.kind == "image" else [thing.id]:
        fields = {"id": name, "name": name}

        def is_gone(fields: Mapping[str, Any] = fields) -> bool:
            try:
                work.engine.get(path + look, fields)
            except NotFound:
                return True
            return False

        def delete(fields: Mapping[str, Any] = fields) -> object:
            return work.engine.delete(path, fields, timeout="slow")

        removed(delete, is_gone)


def _build_cache(work: Work, before: Sizes) -> int:
    """Have the engine clean its cache, for which there is no other call; return the bytes."""
    if work.fields.get("labels") or work.fields.get("notLabels") or work.fields.get("keep"):
        work.warn("The build cache has no labels and names: it is left alone")
        return 0
    if not before["buildCache"]:
        return 0
    if not work.will("remove", "buildCache", "build cache", "it is not in use"):
        return before["buildCache"]
    age = span(work.fields)
    fields: dict[str, Any] = {"filters": {"until": [age]}} if age else {}
    reply = work.engine.post("/build/prune", fields, query=(filters(deletes=True),), timeout="slow")
    freed = int(reply.read(lambda told: told.get("SpaceReclaimed") or 0))
    if not freed:
        work.without_effect()
    return freed


def _output(
    work: Work, done: list[Thing], kept: list[Thing], failed: list[dict[str, Any]], cache: int
) -> dict[str, Any]:
    told = "wouldRemove" if work.settings.dry_run else "removed"
    if max(len(done), len(kept), len(failed)) > _SHOWN:
        work.warn(f"Lists are cut after {_SHOWN} objects")
    rows = [f"{thing.kind}\t{thing.name}\t{thing.size}\t{thing.reason}" for thing in done[:_SHOWN]]
    return {
        told: [thing.output for thing in done[:_SHOWN]],
        "kept": [thing.output for thing in kept[:_SHOWN]],
        "failed": failed[:_SHOWN],
        "reclaimed": sum(thing.size for thing in done) + cache,
        "text": "\n".join(["kind\tname\tbytes\treason", *rows]),
    }


def _usage(work: Work) -> Mapping[str, Any]:
    return work.engine.get("/system/df", timeout="slow").read(dict)


def _items(usage: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """Return a list of the answer, in which newer engines wrap it."""
    wrapped = usage.get(
        {"Containers": "ContainerUsage", "Volumes": "VolumeUsage", "BuildCache": "BuildCacheUsage"}[name]
    )
    return list(usage.get(name) or (wrapped or {}).get("Items") or [])


def _volume_sizes(usage: Mapping[str, Any]) -> Sizes:
    return {
        str(one["Name"]): int((one.get("UsageData") or {}).get("Size") or 0)
        for one in _items(usage, "Volumes")
    }


def _sizes(usage: Mapping[str, Any]) -> Sizes:
    images = usage.get("LayersSize") or (usage.get("ImageUsage") or {}).get("TotalSize") or 0
    return {
        "containers": sum(int(one.get("SizeRw") or 0) for one in _items(usage, "Containers")),
        "images": int(images),
        "volumes": sum(max(size, 0) for size in _volume_sizes(usage).values()),
        "buildCache": sum(
            int(one.get("Size") or 0)
            for one in _items(usage, "BuildCache")
            if not one.get("InUse") and not one.get("Shared")
        ),
    }
