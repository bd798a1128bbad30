"""Two engines with a wire between them, for a swarm of both."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass

from tests.lab.engine import LabEngine

FIRST, SECOND = "10.96.0.1", "10.96.0.2"


@dataclass(frozen=True)
class SwarmPair:
    """Engines that reach each other at `addresses`; no swarm yet, unless `form` was called."""

    first: LabEngine
    second: LabEngine
    addresses: tuple[str, str] = (FIRST, SECOND)

    @classmethod
    def begin(cls) -> SwarmPair:
        first = LabEngine.begin(number=1)
        try:
            second = LabEngine.begin(number=2)
        except BaseException:
            first.close()
            raise
        pair = cls(first, second)
        try:
            pair.link()
        except BaseException:
            pair.close()
            raise
        return pair

    def link(self) -> None:
        """A pair of network devices, one end in each namespace."""
        ends = ("netns", self.first.namespace), ("netns", self.second.namespace)
        _run(["ip", "link", "add", "peer0", *ends[0], "type", "veth", "peer", "name", "peer0", *ends[1]])
        for engine, address in zip((self.first, self.second), self.addresses, strict=True):
            _run(engine.inside(["ip", "addr", "add", f"{address}/24", "dev", "peer0"]))
            _run(engine.inside(["ip", "link", "set", "peer0", "up"]))

    def form(self, role: str = "Worker") -> None:
        """A swarm of both: the first manages, the second joins as Worker or Manager."""
        init = {"AdvertiseAddr": FIRST, "ListenAddr": f"{FIRST}:2377", "ForceNewCluster": False}
        self.first.wire.do("POST", "/swarm/init", init)
        token = self.first.wire.do("GET", "/swarm").json()["JoinTokens"][role]
        join = {"RemoteAddrs": [f"{FIRST}:2377"], "JoinToken": token, "AdvertiseAddr": SECOND}
        self.second.wire.do("POST", "/swarm/join", join | {"ListenAddr": f"{SECOND}:2377"})

    def dissolve(self) -> None:
        """Both leave whatever swarm they are in."""
        for engine in (self.second, self.first):
            engine.wire.ask("POST", "/swarm/leave", force=True)

    def close(self) -> None:
        self.second.close()
        self.first.close()


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise OSError(f"{' '.join(command)}: {done.stderr.strip()}")
