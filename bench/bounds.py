"""What hostile peers can make a step hold: `python -m bench.bounds [CASE ...]` prints the peak of memory per case.

Each case is one message through one step, in a process of its own, against a server that never ends what it
begins. The peak is the resident memory at its highest, as the kernel tells it, over what the process held
before the message. The exit code is 1 where a case needs more than ALLOWED, does not end in time, or ends in
anything but an error of ours.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.endless import CASES, Case, served
from bench.memory import ALLOWED, resident
from lib.sailor.standalone.in_process import InProcess
from lib.sailor.transport import Done, Outgoing
from tests.actions.stepping import forget_engines, run_step

DEADLINE = 120
"""Seconds for a case; those that end, end within a few."""
HARD = 1 << 30
"""Bytes that the process of a case can have at most: a case without a bound must not harm the machine."""
HEAD = f"{'case':28} {'peak MiB':>9} {'seconds':>8}  ends in"


def main(names: list[str]) -> int:
    """Measure the named cases, or all; return the exit code."""
    print(HEAD, flush=True)
    bad = [case.name for case in CASES if (not names or case.name in names) and not _measured(case)]
    print(f"beyond {ALLOWED} MiB, or without a clear end: {', '.join(bad) or 'none'}")
    return int(bool(bad))


def _measured(case: Case) -> bool:
    """Run a case in a process of its own and print its line; tell whether it is as it should be."""
    with tempfile.TemporaryDirectory(prefix="bounds-") as folder, served(case, Path(folder)) as url:
        command = [sys.executable, "-m", "bench.bounds", "--alone", case.name, url]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False)
        except subprocess.TimeoutExpired:
            print(f"{case.name:28} {'':9} {DEADLINE:8}  nothing: it goes on", flush=True)
            return False
    if done.returncode:
        print(f"{case.name:28} {'':9} {'':8}  {done.stderr.strip().splitlines()[-1:]}", flush=True)
        return False
    told = json.loads(done.stdout)
    good = told["peak"] <= ALLOWED and told["end"] in case.ends
    print(
        f"{case.name:28} {told['peak']:9.1f} {told['seconds']:8.1f}  {told['end']}: {told['text'][:90]}",
        flush=True,
    )
    return good


class Unread(InProcess):
    """Keeps what is published as bytes, as a broker does; the values of a long message are many times as long."""

    def __init__(self) -> None:
        super().__init__()
        self._bytes: list[Outgoing] = []

    def publish(self, outgoing: Outgoing, done: Done | None = None) -> None:
        """Keep it."""
        self._bytes.append(outgoing)
        if done is not None:
            done(None)

    def read(self) -> None:
        """Read what was kept."""
        for outgoing in self._bytes:
            super().publish(outgoing)


def alone(name: str, url: str) -> None:
    """Work on the message of one case; print the peak, the time and what it ended in."""
    case = next(case for case in CASES if case.name == name)
    run_step("SystemPing", {}, {"server": url})  # what every step loads is no matter of the case
    run_step(case.key, {"nothing": 1}, {"server": url})
    fields = case.fields()
    resource.setrlimit(resource.RLIMIT_AS, (HARD, resource.RLIM_INFINITY))
    with open("/proc/self/clear_refs", "w", encoding="ascii") as peak:
        peak.write("5")  # the highest figure starts anew
    before, began = resident("VmRSS"), time.perf_counter()
    transport = Unread()
    config = {"server": url, "errorPolicy": "throwError", **case.settings}
    outcome = run_step(case.key, fields, config, transport=transport)
    seconds, grown = time.perf_counter() - began, resident("VmHWM") - before
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    transport.read()
    error = outcome.errors[0] if outcome.errors else {"name": "a message", "message": ""}
    if outcome.bodies and not outcome.errors and (limit := outcome.bodies[-1].get("truncated")):
        error["message"] = f"truncated by {limit}"
    told = {"peak": grown, "seconds": seconds, "end": error["name"], "text": error["message"]}
    print(json.dumps(told))
    forget_engines()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--alone"]:
        alone(*sys.argv[2:4])
    else:
        sys.exit(main(sys.argv[1:]))
