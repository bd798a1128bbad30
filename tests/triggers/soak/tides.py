"""Memory and a volume that are filled and emptied again, and the times when they surely were above or below."""

from __future__ import annotations

import base64
import json
import random
import threading
from collections.abc import Callable
from typing import Any

from tests.lab.at_once import beside
from tests.lab.engine import LabEngine
from tests.lab.waiting import take, wait_until
from tests.triggers.soak.record import Level, Record, Span, spanned

BYTES = 40 << 20
MEMORY_LIMIT = 64 << 20
MEMORY_PERCENT, VOLUME_GIGABYTES = 40, 0.02
VOLUME = "tide"
SCRIPT = (
    "trap 'head -c {bytes} /dev/zero >{path}' USR1; trap 'rm -f {path}' USR2; touch /tmp/ready; "
    "while :; do sleep 0.1; done"
)


class Tides:
    """A container whose memory fills, and one that fills a volume."""

    def __init__(self, engine: LabEngine, record: Record, chance: random.Random) -> None:
        self.engine, self.record, self._chance = engine, record, chance
        binds = {"Binds": [f"{VOLUME}:/data"]}
        limited = {"Memory": MEMORY_LIMIT, "ShmSize": MEMORY_LIMIT}
        self._memory = self._begin("tide-memory", "/dev/shm/x", limited)
        self._volume = self._begin("tide-volume", "/data/x", binds)
        for what in (self._memory, "volumes"):
            record.levels[what] = [Level(Span(0, 0), high=False)]
        self._over = threading.Event()
        self._turning = beside(self._run)

    def _begin(self, name: str, path: str, host: dict[str, Any]) -> str:
        script = SCRIPT.format(bytes=BYTES, path=path)
        identity = self.engine.run(["sh", "-c", script], name=name, HostConfig=host)
        self.record.names[identity] = {name}
        ready = f"/containers/{identity}/archive?path=/tmp/ready"
        wait_until(lambda: self.engine.wire.ask("HEAD", ready).status == 200, "the traps")
        return identity

    def _run(self) -> None:
        high = {self._memory: False, "volumes": False}
        while not self._over.wait(self._chance.uniform(1, 5)):
            what = self._chance.choice(sorted(high))
            high[what] = not high[what]
            if what == "volumes":
                self._turn(what, self._volume, high[what], self._volume_bytes)
            else:
                self._turn(what, self._memory, high[what], self._memory_bytes)

    def _turn(self, what: str, container: str, high: bool, measured: Callable[[], int]) -> None:
        with spanned() as span:
            self.record.levels[what].append(Level(span, high=high))
            signal = "SIGUSR1" if high else "SIGUSR2"
            self.engine.wire.do("POST", f"/containers/{container}/kill", signal=signal)
            # Nearly all of it, or nearly nothing: in between nobody knows.
            wait_until(
                lambda: measured() > 0.95 * BYTES if high else measured() < 0.2 * BYTES, f"the tide of {what}"
            )

    def _memory_bytes(self) -> int:
        stats = self.engine.wire.do("GET", f"/containers/{self._memory}/stats", stream=False).json()
        return int(stats["memory_stats"]["usage"])

    def _volume_bytes(self) -> int:
        take(0.2)  # each look makes two events
        answer = self.engine.wire.ask("HEAD", f"/containers/{self._volume}/archive?path=/data/x")
        told = answer.headers.get("X-Docker-Container-Path-Stat")
        return int(json.loads(base64.b64decode(told))["size"]) if told else 0

    def close(self) -> None:
        """Stop turning."""
        self._over.set()
        self._turning.result()
