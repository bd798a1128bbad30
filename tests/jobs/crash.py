"""A step that is killed at one of its changing calls, and the same message delivered again to a new process.

Each delivery runs in a process of its own that reaches the engine through a proxy. The proxy counts the calls that
change something and sends SIGKILL before one is passed on (BEFORE), or once its answer is here and before it is handed
on (AFTER). What the step published until then is kept: the platform has it.

    delivery = Delivery(engine, "RunContainer", {"image": IMAGE, "command": ["true"]})
    dead = delivery.run(die=(2, AFTER))
    again = delivery.run()
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from lib.sailor.logging import LEVELS, Logger
from lib.sailor.message import Message
from lib.sailor.message.ids import random_id
from lib.sailor.settings import Settings
from lib.sailor.standalone.folder import FolderStorage
from lib.sailor.standalone.in_process import InProcess, Published
from lib.sailor.step.resources import StepResources
from lib.sailor.step.step import Step
from lib.sailor.transport import Kind
from tests.actions.stepping import COMPONENT, Quiet
from tests.lab.engine import LabEngine
from tests.lab.waiting import DEADLINE
from tests.local.running import ROOT, environment

BEFORE, AFTER = "before", "after"
Death = tuple[int, str]
"""At which changing call, from 1 up, and on which side of it."""
_PIECE, _END = 65536, b"\r\n\r\n"
_CALL = re.compile(rb"(\w+) (?:/v[\d.]+)?(/[^ ?]*)")
_READS = re.compile(r"(GET|HEAD) .*|POST /containers/[^/]+/wait|POST /auth")
FLOW = {"flow_id": "flow", "step_id": "step_1"}


def deaths(calls: int) -> list[Death]:
    """All places to die at in a step that makes so many changing calls."""
    return [(number, side) for number in range(1, calls + 1) for side in (BEFORE, AFTER)]


@dataclass(frozen=True)
class Life:
    """What one process did: `finished` is None where it was killed, else whether its message ended well."""

    published: list[dict[str, Any]]
    calls: list[str]
    """Changing calls that reached the engine, as "METHOD /path"."""
    finished: bool | None

    def of(self, kind: Kind) -> list[Any]:
        return [one["value"] for one in self.published if one["kind"] == kind.name]

    @property
    def bodies(self) -> list[Any]:
        return self.of(Kind.DATA)

    @property
    def errors(self) -> list[Any]:
        return self.of(Kind.ERROR)

    @property
    def rebounds(self) -> list[Any]:
        return self.of(Kind.REBOUND)

    @property
    def ids(self) -> list[str]:
        """Message ids of what was emitted."""
        return [one["id"] for one in self.published if one["kind"] == Kind.DATA.name]


@dataclass
class Delivery:
    """One message for one step; each `run` delivers it to a new process."""

    engine: LabEngine
    key: str
    body: Mapping[str, Any]
    settings: Mapping[str, Any] = field(default_factory=dict)
    attachments: Mapping[str, Any] = field(default_factory=dict)
    folder: str = ""
    """Where attachments are stored, "" for none."""
    message_id: str = field(default_factory=random_id)
    headers: Mapping[str, Any] = field(default_factory=dict)
    """Of the message, beside its id."""
    began: float = field(default_factory=time.time)
    runs: int = 0
    looks: list[str] = field(default_factory=list)
    """Calls that change nothing, as "METHOD /path"."""

    def run(
        self, die: Death | None = None, during: Callable[[subprocess.Popen[bytes]], None] = lambda _: None
    ) -> Life:
        """Deliver it, killed where `die` says; `during` is called with the process while it works."""
        self.runs += 1
        with tempfile.TemporaryDirectory() as folder, _Proxy(self, folder, die) as proxy:
            spec = {
                "key": self.key,
                "body": self.body,
                "config": {"server": "2", "otherServer": proxy.url, **self.settings},
                "attachments": self.attachments,
                "folder": self.folder,
                "headers": {**self.headers, "messageId": self.message_id},
                "redelivered": self.runs > 1,
            }
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.jobs.crash"],
                cwd=ROOT,
                env=environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            proxy.kill = process.kill
            try:
                assert process.stdin is not None
                process.stdin.write(json.dumps(spec).encode())
                process.stdin.close()
                process.stdin = None
                during(process)
                out = process.communicate(timeout=DEADLINE)[0]
            finally:
                process.kill()
                process.wait()
            lines = [json.loads(line) for line in out.splitlines()]
            told = [line["finished"] for line in lines if "finished" in line]
            killed = process.returncode == -signal.SIGKILL
            assert killed == (not told), out.decode()
            assert killed or die is None, f"it made {len(proxy.calls)} changing calls: {proxy.calls}"
            published = [line for line in lines if "kind" in line]
            return Life(published, proxy.calls, told[0] if told else None)

    def events(self, action: str, kind: str = "container") -> list[dict[str, Any]]:
        """The engine's events of an action since the message was made: start tells how often programs ran."""
        filters = json.dumps({"type": [kind], "event": [action]})
        times = {"since": f"{self.began:.6f}", "until": f"{time.time():.6f}"}
        events: list[dict[str, Any]] = self.engine.wire.do("GET", "/events", **times, filters=filters).lines()
        return events


@contextmanager
def nothing_left(engine: LabEngine) -> Iterator[None]:
    """Fail where a block leaves containers, volumes or networks."""
    before = things(engine)
    yield
    assert things(engine) == before


def things(engine: LabEngine) -> dict[str, list[str]]:
    """The names of all containers (with their state), volumes and networks."""
    containers = engine.wire.do("GET", "/containers/json", all=True).json()
    volumes = engine.wire.do("GET", "/volumes").json()["Volumes"] or []
    networks = engine.wire.do("GET", "/networks").json()
    return {
        "containers": sorted(f"{one['Names'][0]} {one['State']}" for one in containers),
        "volumes": sorted(one["Name"] for one in volumes),
        "networks": sorted(one["Name"] for one in networks),
    }


class _Proxy:
    """Passes one call a connection on to the engine, and kills at the one that is told."""

    def __init__(self, delivery: Delivery, folder: str, die: Death | None) -> None:
        self._target, self._die = delivery.engine.socket, die
        self._looks = delivery.looks
        self.calls: list[str] = []
        self.kill: Callable[[], None] = lambda: None
        self._count, self._guard = 0, threading.Lock()
        path = f"{folder}/engine.sock"
        self.url = f"unix://{path}"
        self._door = socket.socket(socket.AF_UNIX)
        self._door.bind(path)
        self._door.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near = self._door.accept()[0]
                threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        with near, socket.socket(socket.AF_UNIX) as far, suppress(OSError):
            head, rest = _head(near)
            if not (match := _CALL.match(head)):
                return
            call = f"{match[1].decode()} {match[2].decode()}"
            side = self._side(call)
            if side == BEFORE:
                self.kill()
                return
            far.connect(self._target)
            taken_over = re.search(rb"\r\nUpgrade:", head, re.IGNORECASE) is not None
            far.sendall(
                (head if taken_over else head.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)) + rest
            )
            back = threading.Thread(target=_pump, args=(near, far), daemon=True)
            back.start()
            if side == AFTER:
                _head(far) if taken_over else _drained(far)
                self.kill()
                return
            _pump(far, near)

    def _side(self, call: str) -> str:
        """Count a call; return the side on which it is to kill, "" for none."""
        if _READS.fullmatch(call):
            self._looks.append(call)
            return ""
        with self._guard:
            self._count += 1
            side = self._die[1] if self._die and self._die[0] == self._count else ""
            if side != BEFORE:
                self.calls.append(call)
        return side


def _head(end: socket.socket) -> tuple[bytes, bytes]:
    data = b""
    while _END not in data:
        if not (piece := end.recv(_PIECE)):
            return b"", b""
        data += piece
    head, _, rest = data.partition(_END)
    return head + _END, rest


def _drained(end: socket.socket) -> None:
    while end.recv(_PIECE):
        pass


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(_PIECE):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def main() -> None:
    """The process: one step, one message; each line of stdout is something that the platform has got."""
    spec = json.load(sys.stdin)

    def told(published: Published) -> None:
        is_message = isinstance(published.value, Message)
        value = published.value.body if is_message else published.value
        if published.kind is Kind.REBOUND:
            value = published.headers["reboundReason"]
        identity = published.headers.get("messageId")
        _say({"kind": published.kind.name, "value": value, "id": identity})

    function = COMPONENT.function(spec["key"])
    assert function.process is not None
    transport = InProcess(told)
    settings = Settings(data_rate_limit=10**6, error_rate_limit=10**6, **FLOW)
    resources = StepResources(settings, transport)
    signal.signal(signal.SIGTERM, lambda *_: resources.cancelled.set())
    storage = FolderStorage(spec["folder"]) if spec["folder"] else None
    logger = Logger("test", LEVELS["error"], Quiet(), {})
    step = Step(function.process, resources, logger, spec["config"], storage=storage)
    message = Message(body=spec["body"], attachments=spec["attachments"])
    delivery = transport.delivery(message, spec["headers"])
    step.run(replace(delivery, facts={"redelivered": spec["redelivered"]}))
    _say({"finished": bool(transport.finished and transport.finished[0][1])})


def _say(line: dict[str, Any]) -> None:
    os.write(1, json.dumps(line).encode() + b"\n")


if __name__ == "__main__":
    assert Path.cwd() == ROOT
    main()
