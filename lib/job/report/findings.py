"""What in a report is worth a look, and what has changed since another one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Tree = dict[str, Any]
_LOOP = 3
_EVERYWHERE = ("0.0.0.0", "::", "")  # noqa: S104 - it is looked for, not listened on
_COMPARED = {
    "containers": ("image", "imageId", "state", "health", "memoryLimit", "restartPolicy", "networks"),
    "images": ("id",),
    "volumes": ("driver",),
    "networks": ("driver",),
}
"""Kind -> fields in which two objects of one name differ."""


def findings(report: Mapping[str, Any]) -> list[Tree]:
    """Return {kind, name, finding, text} of what is worth a look."""
    found: list[Tree] = []
    for one in report.get("containers") or []:
        found += [
            {"kind": "container", "name": one["name"], "finding": name, "text": text}
            for name, text in _of(one)
        ]
    for one in report.get("images") or []:
        if not one["tags"]:
            found.append(_finding("image", str(one["id"]), "dangling", "it has no tag"))
    running = {
        net for one in report.get("containers") or [] if one["state"] == "running" for net in one["networks"]
    }
    stopped = {net for one in report.get("containers") or [] for net in one["networks"]} - running
    for net in sorted(stopped - {"bridge", "host", "none"}):
        found.append(_finding("network", net, "onlyStopped", "only stopped containers use it"))
    return found


def _of(one: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if one["health"] == "unhealthy":
        yield "unhealthy", "its health check fails"
    if one["state"] == "restarting" or one["restarts"] >= _LOOP:
        yield "restartLoop", f"it was started anew {one['restarts']} times"
    if one["state"] == "running" and not one["memoryLimit"]:
        yield "noLimit", "it has no limit of memory"
    reference = one["image"].partition("@")[0].rpartition("/")[2]
    if "@" not in one["image"] and (":" not in reference or reference.endswith(":latest")):
        yield "latestTag", f"{one['image']} may be another image at the next pull"
    if one["privileged"]:
        yield "privileged", "it may do all that its host may"
    public = sorted({port["hostPort"] for port in one["ports"] if port["hostIp"] in _EVERYWHERE})
    if public:
        yield "publicPort", f"port {', '.join(public)} is open on all addresses of the host"


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[Tree]:
    """Return {kind, name, change, fields} of what was added, removed or changed; only parts that both have count."""
    found: list[Tree] = []
    for kind, fields in _COMPARED.items():
        if not isinstance(before.get(kind), list) or kind not in now:
            continue
        old, new = _named(before[kind]), _named(now[kind])
        found += [
            {"kind": kind[:-1], "name": name, "change": "added"} for name in sorted(new.keys() - old.keys())
        ]
        found += [
            {"kind": kind[:-1], "name": name, "change": "removed"} for name in sorted(old.keys() - new.keys())
        ]
        for name in sorted(old.keys() & new.keys()):
            changed = [field for field in fields if old[name].get(field) != new[name].get(field)]
            if changed:
                found.append({"kind": kind[:-1], "name": name, "change": "changed", "fields": changed})
    return found


def _named(objects: list[Any]) -> dict[str, Mapping[str, Any]]:
    named = {}
    for one in objects:
        if isinstance(one, Mapping):
            tags = one.get("tags")
            for name in tags if isinstance(tags, list) and tags else [one.get("name") or one.get("id")]:
                named[str(name)[:500]] = one
    return named


def _finding(kind: str, name: str, finding: str, text: str) -> Tree:
    return {"kind": kind, "name": name, "finding": finding, "text": text}
