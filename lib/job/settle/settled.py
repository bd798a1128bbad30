"""SettleOutcome: which proof there is for which operation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from lib.action.input.message_secrets import message_secrets
from lib.action.input.validation import validator
from lib.action.schemas import SCHEMAS
from lib.engine.errors import BadInput
from lib.job.settle import commands, containers, creation, images, prunes, removal, swarms
from lib.job.settle.tried import Tried, tried_of
from lib.job.settle.verdict import ASK, GO_ON, REPEAT, Verdict, not_happened, unknown
from lib.job.work import Work

Proof = Callable[[Work, Tried], Verdict]
_READS = ("GET", "HEAD")
_HARMLESS = ("ContainerWait", "ContainerResize", "ExecResize", "SystemAuth")
_NOT_SENT = ("BadInput", "VersionMismatch", "ReadOnly")
_REFUSED = ("Unauthorized", "NotFound", "NoSuchOperation", "Conflict", "Redirected")
_LATER = ("Unreachable", "TlsRefused", "Busy", "NoManager")
PROOFS: Mapping[str, Proof] = {
    **{key: partial(creation.settled, made=made) for key, made in creation.MADE.items()},
    **dict.fromkeys(removal.KIND_OF, removal.removed),
    **dict.fromkeys(prunes.KIND_OF, prunes.pruned),
    **dict.fromkeys(swarms.PATHS, swarms.updated),
    **dict.fromkeys(("SwarmInit", "SwarmJoin", "SwarmLeave"), swarms.membership),
    **dict.fromkeys(("PluginEnable", "PluginDisable"), swarms.plugin_state),
    "ContainerStart": containers.started,
    "ContainerRestart": containers.restarted,
    "ContainerStop": containers.stopped,
    "ContainerKill": containers.killed,
    "ContainerPause": containers.paused,
    "ContainerUnpause": containers.paused,
    "ContainerRename": containers.renamed,
    "ContainerUpdate": containers.updated,
    "NetworkConnect": containers.connected,
    "NetworkDisconnect": containers.connected,
    "PutContainerArchive": containers.filled,
    "ImageTag": images.tagged,
    "ImageCreate": images.pulled,
    "ImagePush": images.pushed,
    "ImageCommit": images.committed,
    "ImageBuild": images.built,
    "ImageLoad": images.loaded,
    "ContainerExec": commands.prepared,
    "ExecStart": commands.started,
}


def settled(work: Work) -> dict[str, Any]:
    """Return the output of SettleOutcome."""
    method = _method(work)
    tried = tried_of(work)
    if method in _READS or tried.operation in _HARMLESS:
        return unknown(f"{tried.operation} changes nothing", then=REPEAT).told
    if (verdict := _by_error(tried)) is not None:
        return verdict.told
    proof = PROOFS.get(tried.operation)
    if proof is None:
        return unknown(f"Nothing that an engine tells proves what became of {tried.operation}").told
    return proof(work, tried).told


def _method(work: Work) -> str:
    """Return the method of the operation in doubt, and hide the secrets of its input; raises BadInput."""
    key = str(work.fields["operation"])
    path = SCHEMAS / f"{key}.in.json"
    if not key.isascii() or not key.isalnum() or not path.is_file():
        raise BadInput("operation is the key of no action", field="operation", hint="Such as ContainerCreate")
    schema = validator(path).schema
    if "x-method" not in schema:
        raise BadInput(
            f"operation: {key} is a job", field="operation", hint="A job that comes again settles itself"
        )
    fields = work.fields.get("fields") or {}
    work.context.logger.secrets.add_later(lambda: message_secrets(schema, fields))
    return str(schema["x-method"])


def _by_error(tried: Tried) -> Verdict | None:
    """Return what the error itself proves, None where it leaves the outcome open."""
    name = tried.error
    if name in _NOT_SENT:
        return not_happened(f"{name}: nothing was sent", then=ASK)
    if name == "NotFound" and tried.operation in removal.KIND_OF:
        return not_happened("NotFound: it was gone before", then=GO_ON)
    if name in _REFUSED:
        return not_happened(f"{name}: the engine refused the call", then=ASK)
    if name in _LATER:
        return not_happened(f"{name}: the engine has not got the call, or refused it for now")
    return None
