"""What has to be known to the end while a network is made anew: the only memory that an engine offers are labels.

Between the removal of the old network and the last connect nothing else tells who was connected, and how. So an empty
volume carries it, named for the network: whoever comes next, this message again or another one, finds it and goes on.
The create of a volume shows the one that is there, so two at once work with one memo.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from lib import jsontext
from lib.engine.errors import EngineFault, NoSuchOperation, NotFound
from lib.engine.expected import expected_form
from lib.job.networks.network import Network
from lib.job.repeat import PREFIX
from lib.job.volume_creation import volume_created
from lib.job.work import Work
from lib.job.writes import removed

MEMO = f"{PREFIX}memo"
_PATH = "/volumes/{name}"
_TRIES = 3


@dataclass(frozen=True)
class Endpoint:
    """A container that was connected; `config` is what connects it again as it was."""

    id: str
    name: str
    config: dict[str, Any]


@dataclass(frozen=True)
class Memo:
    """`old` is the id of the network that goes, `body` creates the new one, `back` one like the old."""

    old: str
    body: dict[str, Any]
    back: dict[str, Any]
    endpoints: tuple[Endpoint, ...]

    @property
    def name(self) -> str:
        """The network's name."""
        return str(self.body["Name"])

    @property
    def volume(self) -> str:
        """The name of the volume."""
        return volume_of(self.name)

    def is_back(self, network: Network) -> bool:
        """Whether a network is the one that takes the place of the old where the new form was refused."""
        return bool(network.labels == self.back["Labels"])

    def text(self) -> str:
        """Return it as a label."""
        ends = [[one.id, one.name, one.config] for one in self.endpoints]
        return jsontext.encode([self.old, self.body, self.back, ends]).decode()

    @classmethod
    def of(cls, text: str) -> Memo:
        """Read a label; EngineFault where it is none of ours."""
        with expected_form():
            old, body, back, ends = jsontext.decode(text.encode())
            return cls(
                str(old), dict(body), dict(back), tuple(Endpoint(str(a), str(b), dict(c)) for a, b, c in ends)
            )


def volume_of(network: str) -> str:
    """Return the name of the volume that carries a network's memo."""
    return f"job-network-{hashlib.sha256(network.encode()).hexdigest()[:16]}"


def found(work: Work, network: str) -> Memo | None:
    """Return the memo that an earlier run left, None where there is none."""
    try:
        reply = work.engine.get(_PATH, {"name": volume_of(network)})
    except NoSuchOperation:
        raise
    except NotFound:
        return None
    text = reply.read(lambda told: str((told.get("Labels") or {}).get(MEMO) or ""))
    memo = Memo.of(text) if text else None
    if memo is not None and memo.name != network:
        raise EngineFault(
            f"The volume {volume_of(network)} is no memo of {network}", hint="Remove this volume"
        )
    return memo


def kept(work: Work, memo: Memo, spec: str) -> Memo:
    """Write a memo and return the one that counts: of two at once the first."""
    reason = f"it remembers who is connected to {memo.name} until all are connected again"
    if not work.will("create", "volume", memo.volume, reason):
        return memo
    body = {"Name": memo.volume, "Labels": work.run.labels(spec) | {MEMO: memo.text()}}
    for _ in range(_TRIES):
        volume_created(work, body, lambda: found(work, memo.name) is not None)
        if there := found(
            work, memo.name
        ):  # else another run has just come to its end, and forgotten its own
            return there
    raise EngineFault(
        f"The volume {memo.volume} is there and is no memo", hint="Remove or rename this volume"
    )


def forgotten(work: Work, memo: Memo) -> None:
    """Remove the volume of a memo; one that another run has written since, of a later change, stays."""
    if work.will("remove", "volume", memo.volume, "all is done that it remembered"):
        if found(work, memo.name) != memo:
            work.without_effect()
            return
        fields = {"name": memo.volume}
        removed(lambda: work.engine.delete(_PATH, fields), lambda: found(work, memo.name) is None)
