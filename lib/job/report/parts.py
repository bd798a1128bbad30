"""The parts of a report. None has values of variables, labels, commands or health checks: secrets are there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from lib.engine import Engine
from lib.engine.errors import NotFound
from lib.job.work import Work

Tree = dict[str, Any]
T = TypeVar("T")
MOST = 5_000
"""Objects of a kind in a report; the rest is counted."""
_SHORT = 12


def engine(work: Work) -> Tree:
    """Return what the engine is."""
    told = _get(work.engine, "/info", dict)
    version = _get(work.engine, "/version", dict)
    names = {
        "name": "Name",
        "os": "OperatingSystem",
        "kernel": "KernelVersion",
        "architecture": "Architecture",
        "cpus": "NCPU",
        "memory": "MemTotal",
        "storage": "Driver",
        "running": "ContainersRunning",
        "stopped": "ContainersStopped",
        "images": "Images",
    }
    found = {name: told.get(key) for name, key in names.items()}
    return found | {
        "version": version.get("Version"),
        "api": version.get("ApiVersion"),
        "warnings": told.get("Warnings") or [],
    }


def containers(work: Work) -> list[Tree]:
    """Return all containers, each inspected; one that goes meanwhile is left out."""

    def ids(told: Any) -> list[str]:
        return [str(one["Id"]) for one in told[:MOST]]

    found = []
    for identity in _get(work.engine, "/containers/json", ids, {"all": True}, ("all",)):
        try:
            found.append(work.engine.get("/containers/{id}/json", {"id": identity}).read(_container))
        except NotFound:
            continue
    return sorted(found, key=lambda one: str(one["name"]))


def images(work: Work) -> list[Tree]:
    """Return all images."""
    found: list[Tree] = _get(
        work.engine,
        "/images/json",
        lambda told: [
            {
                "id": str(one["Id"]),
                "tags": [tag for tag in one.get("RepoTags") or [] if tag != "<none>:<none>"],
                "size": int(one.get("Size") or 0),
                "created": int(one.get("Created") or 0),
            }
            for one in told[:MOST]
        ],
    )
    return found


def volumes(work: Work) -> list[Tree]:
    """Return all volumes, with the containers that use each."""

    def mounted(told: Any) -> dict[str, list[str]]:
        users: dict[str, list[str]] = {}
        for one in told:
            for mount in one.get("Mounts") or []:
                if mount.get("Type") == "volume":
                    users.setdefault(str(mount.get("Name")), []).append(
                        str(one["Names"][0]).removeprefix("/")
                    )
        return users

    users = _get(work.engine, "/containers/json", mounted, {"all": True}, ("all",))
    found: list[Tree] = _get(
        work.engine,
        "/volumes",
        lambda told: [
            {
                "name": str(one["Name"]),
                "driver": str(one["Driver"]),
                "usedBy": sorted(users.get(str(one["Name"]), [])),
            }
            for one in (told.get("Volumes") or [])[:MOST]
        ],
    )
    return found


def networks(work: Work) -> list[Tree]:
    """Return all networks."""
    found: list[Tree] = _get(
        work.engine,
        "/networks",
        lambda told: [
            {
                "name": str(one["Name"]),
                "id": str(one["Id"])[:_SHORT],
                "driver": str(one["Driver"]),
                "scope": str(one.get("Scope")),
            }
            for one in told[:MOST]
        ],
    )
    return found


def disk(work: Work) -> Tree:
    """Return the bytes that each kind takes."""
    told = work.engine.get("/system/df", timeout="slow").read(dict)

    def size(new: str, old: str, key: str) -> int:
        if isinstance(usage := told.get(new), Mapping):
            return int(usage.get("TotalSize") or 0)
        return sum(int((one.get("UsageData") or one).get(key) or 0) for one in told.get(old) or [])

    layers = told.get("ImageUsage")
    return {
        "images": int(layers.get("TotalSize") or 0)
        if isinstance(layers, Mapping)
        else int(told.get("LayersSize") or 0),
        "containers": size("ContainerUsage", "Containers", "SizeRw"),
        "volumes": max(size("VolumeUsage", "Volumes", "Size"), 0),
        "buildCache": size("BuildCacheUsage", "BuildCache", "Size"),
    }


def swarm(work: Work) -> Tree:
    """Return the engine's part in a swarm, and the services where it is a manager."""
    told = _get(work.engine, "/info", lambda info: dict(info.get("Swarm") or {}))
    found: Tree = {"state": told.get("LocalNodeState"), "manager": bool(told.get("ControlAvailable"))}
    if found["manager"]:
        found["services"] = _get(
            work.engine,
            "/services",
            lambda listed: [
                {
                    "name": str(one["Spec"]["Name"]),
                    "image": str(one["Spec"]["TaskTemplate"].get("ContainerSpec", {}).get("Image", "")),
                    "mode": next(iter(one["Spec"].get("Mode") or {"": None})),
                }
                for one in listed[:MOST]
            ],
        )
    return found


PARTS: Mapping[str, Callable[[Work], Any]] = {
    "engine": engine,
    "containers": containers,
    "images": images,
    "volumes": volumes,
    "networks": networks,
    "disk": disk,
    "swarm": swarm,
}


def _container(told: Mapping[str, Any]) -> Tree:
    state, host = told["State"], told["HostConfig"]
    ports = (told["NetworkSettings"].get("Ports") or {}).items()
    return {
        "id": str(told["Id"]),
        "name": str(told["Name"]).removeprefix("/"),
        "image": str(told["Config"].get("Image") or ""),
        "imageId": str(told.get("Image") or ""),
        "state": str(state["Status"]),
        "health": str((state.get("Health") or {}).get("Status") or "none").lower(),
        "exitCode": int(state.get("ExitCode") or 0),
        "restarts": int(told.get("RestartCount") or 0),
        "created": str(told.get("Created") or ""),
        "memoryLimit": int(host.get("Memory") or 0),
        "restartPolicy": str((host.get("RestartPolicy") or {}).get("Name") or "no"),
        "privileged": bool(host.get("Privileged")),
        "ports": [
            {"port": port, "hostIp": str(one.get("HostIp")), "hostPort": str(one.get("HostPort"))}
            for port, bound in ports
            for one in bound or []
        ],
        "networks": sorted(told["NetworkSettings"].get("Networks") or {}),
    }


def _get(
    asked: Engine,
    path: str,
    how: Callable[[Any], Any],
    fields: Tree | None = None,
    query: tuple[str, ...] = (),
) -> Any:
    return asked.get(path, fields or {}, query=query).read(how)
