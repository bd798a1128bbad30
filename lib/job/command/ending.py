"""Ends a command that takes too long, or whose input was cut off.

No call of the engine does that, so one more command sends the signal. It finds the processes by a variable of their
environment, also those that the command has started.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, field

from lib.engine.attach.session import Dialogue, upgrade
from lib.engine.errors import EngineError
from lib.job.command.memory import memory_until_now
from lib.job.command.record import look_for
from lib.job.command.turn import CREATE, START, Turn
from lib.job.command.wish import Wish
from lib.job.waiting import Deadline, TimeIsUp, until
from lib.job.work import Work
from lib.trigger.clock import SECOND, engine_time

_SCRIPT = """found=1
for place in /proc/[0-9]*/environ; do
  if tr '\\000' '\\n' <"$place" 2>/dev/null | grep -qxF "$1"; then
    place="${place#/proc/}"; kill "-$2" "${place%/environ}" 2>/dev/null && found=0
  fi
done
exit $found"""
_SIGNALS = ("TERM", "KILL")
_GRACE = 5.0
"""Seconds between the two signals."""
_MOST_SECONDS = 20.0


@dataclass(slots=True)
class Ending:
    """The end of one command, made once that runs: `look` is called again and again meanwhile."""

    work: Work
    wish: Wish
    turn: Turn
    sent: int = 0
    """Signals that were sent, or tried."""
    killed: bool = False
    _at: float = field(default=0.0)

    def __post_init__(self) -> None:
        self._at = time.monotonic() + self.work.settings.kill_after - self._age()

    def look(self) -> None:
        """Send the next signal where its time has come."""
        if not self.work.settings.kill_after or self.sent >= len(_SIGNALS) or time.monotonic() < self._at:
            return
        signal = _SIGNALS[self.sent]
        self.sent += 1
        self._at = time.monotonic() + _GRACE
        if self._send(signal):
            self.killed = True
        elif not self.killed and self._runs():
            self.sent = len(_SIGNALS)
            self.work.warn(
                f"The command in {self.turn.target.name} goes on: it was not ended after"
                f" {self.work.settings.kill_after:g} s, for that needs sh, tr, grep and kill in the container"
            )

    def now(self) -> bool:
        """End the command at once; whether it is over."""
        for signal in _SIGNALS:
            if not self._send(signal):
                break
            with suppress(TimeIsUp):
                until(
                    Deadline(_GRACE),
                    self.work.context.cancelled,
                    self._runs,
                    lambda runs: not runs,
                    lambda _: ("", {}),
                )
                return True
        return not self._runs()

    def was_begun(self) -> bool:
        """Whether the engine remembers that another delivery has ended the command."""
        if not self.work.settings.kill_after:
            return False
        return memory_until_now(self.work.engine).tells_success(self._variable)

    @property
    def _variable(self) -> str:
        return self.wish.mark.variable(self.turn.target.id)

    def _runs(self) -> bool:
        record = look_for(self.work.engine, self.turn.id)
        return record is not None and record.running

    def _age(self) -> float:
        """Return how many seconds ago another delivery has started the command."""
        if not (self.turn.began and self.work.settings.kill_after):
            return 0.0
        try:
            return max(engine_time(self.work.engine) - self.turn.began / SECOND, 0.0)
        except EngineError:
            return 0.0

    def _send(self, signal: str) -> bool:
        command = ["sh", "-c", _SCRIPT, "sh", self._variable, signal]
        body = {"AttachStdout": True, "AttachStderr": True, "Cmd": command}
        if user := self.wish.body.get("User"):
            body["User"] = user
        engine = self.work.engine
        try:
            reply = engine.post(CREATE[1], {"id": self.turn.target.id}, body=body)
            identity: str = reply.read(lambda told: str(told["Id"]))
            connection = upgrade(engine, START[1], {"id": identity}, body={"Detach": False, "Tty": False})
            dialogue = Dialogue(connection, tty=False)
            try:
                dialogue.pace(None, _MOST_SECONDS)
                for _ in dialogue.frames():
                    pass
            finally:
                dialogue.close()
            record = look_for(engine, identity)
        except EngineError as fault:
            self.work.context.logger.warning("A signal was not sent", err=fault, job=self.work.run.key)
            return False
        return record is not None and record.exit_code == 0
