"""An engine with many objects that nothing happens to: it answers as 20.10 (API 1.41) or as a newest one (1.52).

`python -m bench.many SOCKET NUMBER API` serves until it is ended; real engines of 2,000 containers need a real host.
"""

from __future__ import annotations

import sys
import threading
import time
from datetime import UTC, datetime
from typing import Any

from tests.lab.waiting import take
from tests.triggers.fake_engine import FakeEngine
from tests.triggers.model import event

HOURS = 3
OLD = 41
"""The minor version of the API of 20.10, whose stats come after a second."""


class Many:
    """`number` running containers with a line in each log, as many references, tasks, and objects of three kinds."""

    def __init__(self, number: int, api: str) -> None:
        self.number, self.minor = number, int(api.partition(".")[2])
        self.begun = time.time() - HOURS * 3600

    def serve(self, engine: FakeEngine) -> None:
        """Let a fake engine answer from here."""
        ids = range(self.number)
        routes = engine.routes
        for place in range(min(256, self.number)):
            engine.ring.kept.append(event(place, int((self.begun + place) * 1e9)))
        routes["/containers/json"] = lambda _: (200, [self._entry(one) for one in ids])
        routes["/images/json"] = lambda _: (200, [self._image(one) for one in ids[::3]])
        routes["/volumes"] = lambda _: (200, {"Volumes": [self._volume(one) for one in ids[1::3]]})
        routes["/networks"] = lambda _: (200, [self._network(one) for one in ids[2::3]])
        routes["/system/df"] = lambda _: (200, {"Volumes": [self._volume(one) for one in ids]})
        routes["/swarm"] = lambda _: (200, {"ID": "swarm", "Spec": {"Orchestration": {}}})
        routes["/tasks"] = lambda _: (200, [self._task(one) for one in ids])
        for one in ids:
            routes[f"/containers/{_id(one)}/json"] = lambda _, one=one: (200, self._inspected(one))
            routes[f"/containers/{_id(one)}/logs"] = lambda query: (200, self._log(query))
            routes[f"/containers/{_id(one)}/stats"] = lambda _: (200, self._stats())
            digest = {"Descriptor": {"digest": f"sha256:{_id(one)}"}}
            routes[f"/distribution/registry.example:5000/shop/web{one}:1/json"] = lambda _, it=digest: (
                200,
                it,
            )

    def _time(self) -> str:
        return f"{datetime.fromtimestamp(self.begun, UTC):%Y-%m-%dT%H:%M:%S}.000000001Z"

    def _entry(self, one: int) -> dict[str, Any]:
        health = {"Health": {"Status": "none", "FailingStreak": 0}} if self.minor > OLD else {}
        return {
            "Id": _id(one),
            "Names": [f"/web-{one}"],
            "Image": "shop/web:1",
            "ImageID": "sha256:1",
            "State": "running",
            "Status": f"Up {HOURS} hours",
            "Created": int(self.begun),
            "Labels": {},
            **health,
        }

    def _inspected(self, one: int) -> dict[str, Any]:
        state = {
            "Status": "running",
            "ExitCode": 0,
            "OOMKilled": False,
            "Error": "",
            "StartedAt": self._time(),
        }
        config = {"Image": "shop/web:1", "Labels": {}, "Tty": False}
        driver = {"LogConfig": {"Type": "json-file", "Config": {}}}
        state["FinishedAt"] = "0001-01-01T00:00:00Z"
        return {"Id": _id(one), "RestartCount": 0, "State": state, "Config": config, "HostConfig": driver}

    def _log(self, query: dict[str, str]) -> bytes:
        if float(query.get("since", "0")) > self.begun + 1:
            return b""
        text = f"{self._time()} started\n".encode()
        return bytes([1, 0, 0, 0]) + len(text).to_bytes(4, "big") + text

    def _stats(self) -> dict[str, Any]:
        if self.minor <= OLD:
            take(1)
        now = time.time_ns()
        cpu = {"cpu_usage": {"total_usage": now // 100}, "system_cpu_usage": now, "online_cpus": 2}
        return {"cpu_stats": cpu, "memory_stats": {"usage": 1 << 20, "limit": 1 << 30, "stats": {}}}

    def _image(self, one: int) -> dict[str, Any]:
        return {
            "Id": f"sha256:{_id(one)}",
            "RepoTags": [f"shop/web{one}:1"],
            "Created": int(self.begun),
            "Labels": {},
        }

    def _volume(self, one: int) -> dict[str, Any]:
        usage = {"UsageData": {"Size": 1000, "RefCount": 1}}
        return {"Name": f"volume{one}", "Driver": "local", "CreatedAt": self._time(), "Labels": {}, **usage}

    def _network(self, one: int) -> dict[str, Any]:
        return {
            "Id": _id(one),
            "Name": f"net{one}",
            "Created": self._time(),
            "Labels": {},
            "Driver": "bridge",
        }

    def _task(self, one: int) -> dict[str, Any]:
        status = {"State": "running", "Timestamp": self._time(), "ContainerStatus": {"ContainerID": _id(one)}}
        about = {"ID": f"task{one}", "ServiceID": "service", "NodeID": "node", "Slot": one}
        return {**about, "Version": {"Index": one}, "Status": status, "DesiredState": "running", "Spec": {}}


def _id(one: int) -> str:
    return f"{one * 2654435761 % 2**32:08x}{one:08x}" * 4


def main(path: str, number: str, api: str) -> None:
    """Serve until the end."""
    engine = FakeEngine(path)
    engine.api = api
    engine.ring.now = time.time()
    many = Many(int(number), api)
    many.serve(engine)
    while True:
        engine.ring.now = time.time()  # its clock is ours
        threading.Event().wait(0.05)


if __name__ == "__main__":
    main(*sys.argv[1:4])
