"""SettleOutcome: which proof there is for which operation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from lib.action.input.message_secrets import message_secrets
from lib.action.input.validation import validator
from lib.action.schemas import SCHEMAS
from lib.engine.errors import BadInput, VersionMismatch
from lib.job.settle import (
    commands,
    connections,
    containers,
    creation,
    image_making,
    images,
    membership,
    plugins,
    prunes,
    removal,
    running,
    swarms,
)
from lib.job.settle.made import MADE
from lib.job.settle.tried import Tried, by_the_engines_clock, tried_of
from lib.job.settle.verdict import ASK, GO_ON, HAPPENED, REPEAT, Verdict, not_happened, unknown
from lib.job.work import Work

Proof = Callable[[Work, Tried], Verdict]
_READS = ("GET", "HEAD")
_FIELDS = "fields"
HARMLESS = ("ContainerWait", "ContainerResize", "ExecResize", "SystemAuth")
"""Operations that change nothing which lasts, though their method is none that reads."""
UNPROVEN: Mapping[str, str] = {
    "ContainerAttach": "what a program was given leaves no trace. Look at its output with ContainerLogs",
    "ContainerAttachWebsocket": "what a program was given leaves no trace. Look at its output with ContainerLogs",
    "Session": "a session leaves no trace. Settle the ImageBuild that it was for",
    "PluginPush": "the engine does not tell what a registry has of a plugin. It may be pushed again",
    "PluginUpgrade": "the engine does not tell since when it has a plugin's content. Look with PluginInspect",
}
"""Operations of which nothing that an engine tells proves what became of them, and why."""
_NOT_SENT = ("BadInput", "VersionMismatch", "ReadOnly")
_REFUSED = (
    "Refused",
    "Unauthorized",
    "NotFound",
    "NoSuchOperation",
    "Conflict",
    "Redirected",
    "NotSupported",
)
_LATER = ("Unreachable", "TlsRefused", "ProxyRefused", "SshRefused", "Busy", "NoManager")
_IN_PARTS = ("PutContainerArchive", "ImageLoad", "ImageBuild", "ImageCreate", "PluginCreate")
"""Operations that send a body in parts, of which some may have been taken before the error."""
PROOFS: Mapping[str, Proof] = {
    **{key: partial(creation.settled, made=made) for key, made in MADE.items()},
    **dict.fromkeys(removal.KIND_OF, removal.removed),
    **dict.fromkeys(prunes.KIND_OF, prunes.pruned),
    **dict.fromkeys(swarms.PATHS, swarms.updated),
    **dict.fromkeys(membership.OPERATIONS, membership.membership),
    **dict.fromkeys(plugins.SWITCHED, plugins.switched),
    **dict.fromkeys(plugins.MADE, plugins.made),
    "PluginSet": plugins.configured,
    "ContainerStart": running.started,
    "ContainerRestart": running.restarted,
    "ContainerStop": running.stopped,
    "ContainerKill": running.killed,
    "ContainerPause": running.paused,
    "ContainerUnpause": running.paused,
    "ContainerRename": containers.renamed,
    "ContainerUpdate": containers.updated,
    "PutContainerArchive": containers.filled,
    "NetworkConnect": connections.connected,
    "NetworkDisconnect": connections.connected,
    "ImageTag": images.tagged,
    "ImageCreate": images.pulled,
    "ImagePush": images.pushed,
    "ImageLoad": images.loaded,
    "ImageCommit": image_making.committed,
    "ImageBuild": image_making.built,
    "ContainerExec": commands.prepared,
    "ExecStart": commands.started,
}


def settled(work: Work) -> dict[str, Any]:
    """Return the output of SettleOutcome."""
    method = _method(work)
    tried = tried_of(work)
    key = tried.operation
    if key in UNPROVEN:
        reason, _, hint = UNPROVEN[key].partition(". ")
        raise BadInput(f"operation: {key} cannot be settled: {reason}", field="operation", hint=hint or None)
    if key not in PROOFS:
        if method not in _READS and key not in HARMLESS:
            raise BadInput(f"operation: {key} cannot be settled", field="operation")
        return unknown(f"{key} changes nothing", then=REPEAT).told
    by_error = _by_error(tried)
    try:
        if by_error is None:
            return PROOFS[key](work, by_the_engines_clock(work, tried)).told
        return (_of_an_earlier_delivery(work, tried) or by_error).told
    except BadInput as fault:
        if fault.field == _FIELDS or isinstance(fault, VersionMismatch):
            raise
        # What a call refuses to take stands in the input of the call in doubt.
        raise BadInput(f"{_FIELDS}.{fault.message}", field=_FIELDS, hint=fault.hint) from None


def _method(work: Work) -> str:
    """Return the method of the operation in doubt, and hide the secrets of its input; raises BadInput."""
    key = str(work.fields["operation"])
    path = SCHEMAS / f"{key}.in.json"
    if not key.isascii() or not key.isalnum() or not path.is_file():
        raise BadInput("operation is the key of no action", field="operation", hint="Such as ContainerCreate")
    schema = validator(path).schema
    if "x-method" not in schema:
        hint = "A job that comes again settles itself"
        if key == "EngineRequest":
            hint = (
                "Give the key of the action for its method and path, such as ContainerCreate, and its fields"
            )
        raise BadInput(f"operation: {key} is a job", field="operation", hint=hint)
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
    if name in _REFUSED and tried.operation not in _IN_PARTS:
        return not_happened(f"{name}: the engine refused the call", then=ASK)
    if name in _LATER:
        return not_happened(f"{name}: the engine has not got the call, or refused it for now")
    return None


def _of_an_earlier_delivery(work: Work, tried: Tried) -> Verdict | None:
    """Return the verdict where a creation was refused since the message came again, and what it made is there."""
    if not tried.run or tried.error != "Conflict" or tried.operation not in MADE:
        return None
    found = PROOFS[tried.operation](work, by_the_engines_clock(work, tried))
    return found if found.outcome == HAPPENED else None
