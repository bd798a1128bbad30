"""Records what engines answer under old API versions: `python -m tests.integration.older.record` writes recorded.json.

An engine of those years is not to be had any more, but engines up to 28 speak its versions, and their answers follow
the version in the path. 20.10 speaks 1.12 to 1.41, 26.1 from 1.24 on. For each call that only reads, the file has the
answers that differ: `from` is the first version that has one.
"""

from __future__ import annotations

import json
import platform
from pathlib import Path
from typing import Any

from tests.lab.engine import LabEngine
from tests.lab.newer import binaries

FILE = Path(__file__).with_name("recorded.json")
VERSIONS = [f"1.{minor}" for minor in range(25, 41)]
# Operation -> its input, and the path that it asks.
CALLS: dict[str, tuple[dict[str, Any], str]] = {
    "ContainerList": ({"all": True}, "/containers/json"),
    "ContainerInspect": ({"id": "web"}, "/containers/web/json"),
    "ContainerTop": ({"id": "web"}, "/containers/web/top"),
    "ContainerChanges": ({"id": "web"}, "/containers/web/changes"),
    "ImageList": ({}, "/images/json"),
    "ImageInspect": ({"name": "busybox:local"}, "/images/busybox:local/json"),
    "ImageHistory": ({"name": "busybox:local"}, "/images/busybox:local/history"),
    "NetworkList": ({}, "/networks"),
    "NetworkInspect": ({"id": "bridge"}, "/networks/bridge"),
    "VolumeList": ({}, "/volumes"),
    "VolumeInspect": ({"name": "data"}, "/volumes/data"),
    "SystemInfo": ({}, "/info"),
    "SystemVersion": ({}, "/version"),
    "SystemDataUsage": ({}, "/system/df"),
    "SwarmInspect": ({}, "/swarm"),
    "NodeList": ({}, "/nodes"),
    "ServiceList": ({}, "/services"),
    "ServiceInspect": ({"id": "shop"}, "/services/shop"),
    "TaskList": ({}, "/tasks"),
    "SecretList": ({}, "/secrets"),
    "ConfigList": ({}, "/configs"),
    "PluginList": ({}, "/plugins"),
}
# What moves by itself, or tells of the machine.
_MOVES = (
    "SystemTime",
    "NFd",
    "NGoroutines",
    "NEventsListener",
    "KernelVersion",
    "Name",
    "MemTotal",
    "HttpProxy",
)
_MOVES_TOO = (
    "HttpsProxy",
    "NoProxy",
    "Status",
    "UpdatedAt",
    "JoinTokens",
    "CACert",
    "TLSInfo",
    "OperatingSystem",
)


def main() -> None:
    """Record both engines."""
    told = {
        "20.10": recorded(LabEngine.begin()),
        "26.1": recorded(LabEngine.begin(binaries=str(binaries("trixie")))),
    }
    FILE.write_text(json.dumps(told, indent=1, sort_keys=True) + "\n")


def recorded(engine: LabEngine) -> dict[str, list[dict[str, Any]]]:
    """The answers of an engine by path, each with the first version that has it; the engine ends."""
    wire = engine.wire
    engine.run(name="web", Labels={"app": "web"}, HostConfig={"Binds": ["data:/data"]})
    wire.do("POST", "/swarm/init", {"ListenAddr": "127.0.0.1:2377", "AdvertiseAddr": "127.0.0.1"})
    for kind in ("secrets", "configs"):
        wire.do("POST", f"/{kind}/create", {"Name": "shop", "Labels": {}, "Data": "eA=="})
    task = {"ContainerSpec": {"Image": engine.image}}
    wire.do(
        "POST",
        "/services/create",
        {"Name": "shop", "Labels": {}, "TaskTemplate": task, "Mode": {"Replicated": {"Replicas": 0}}},
    )
    found: dict[str, list[dict[str, Any]]] = {}
    for _, path in CALLS.values():
        for version in VERSIONS:
            answer = wire.ask("GET", f"/v{version}{path}")
            body = _settled(json.loads(answer.body), path)
            entry = {"from": version, "status": answer.status, "body": body}
            known = found.setdefault(path, [])
            if not known or any(known[-1][name] != entry[name] for name in ("status", "body")):
                known.append(entry)
    engine.close()
    return found


def _settled(node: Any, path: str) -> Any:
    """Return an answer without what moves by itself; networks come in any order."""
    if isinstance(node, list):
        items = [_settled(item, path) for item in node]
        return (
            sorted(items, key=lambda item: item["Name"])
            if path == "/networks" and items and "Name" in items[0]
            else items
        )
    if isinstance(node, str):
        known = "/var/lib/docker" if node.startswith("/tmp/") else node
        return {platform.release(): "6.1.0", platform.node(): "lab"}.get(known, known)
    if not isinstance(node, dict):
        return node
    moves = {"/info": _MOVES, "/swarm": _MOVES_TOO, "/nodes": _MOVES_TOO}.get(path, ())
    more = _MOVES_TOO if path == "/info" else ()
    return {key: _settled(value, path) for key, value in node.items() if key not in (*moves, *more)}


if __name__ == "__main__":
    main()
