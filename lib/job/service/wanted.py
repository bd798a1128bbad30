"""What the input of EnsureService says of a service: a function of a spec, and the spec that it is made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lib.engine.errors import BadInput
from lib.engine.swarm_update import merged
from lib.job.comparison import texts
from lib.job.run.command import words
from lib.job.service import lists, references
from lib.job.service.differences import Change
from lib.job.service.image import bound, chosen
from lib.job.service.service import GLOBAL, REPLICATED, REPLICATED_JOB, Tree
from lib.job.service.wish import mark_of, object_of, with_env
from lib.job.work import Work

_MODES = {"replicated": REPLICATED, "global": GLOBAL, "job": REPLICATED_JOB}
_RAW = {"resources": "Resources"}
_OBJECTS = {"update": "UpdateConfig", "rollback": "RollbackConfig"}


@dataclass(frozen=True)
class Wish:
    """`change` makes of any spec the wanted one; `mode` is "" where the input leaves it out."""

    name: str
    spec: str
    mode: str
    change: Change
    says_on_failure: bool

    @property
    def body(self) -> Tree:
        """What the service is made from; without marks."""
        kind: Tree = {"Replicated": {"Replicas": 1}} if self.mode in ("", REPLICATED) else {self.mode: {}}
        return self.change({"Name": self.name, "TaskTemplate": {}, "Mode": kind})


def wish_of(work: Work, name: str) -> Wish:
    """Read the input; the registry, networks, secrets and configs are asked for what it names.

    Raises BadInput, NotFound and Ambiguous for what is not there, or not once.
    """
    fields = work.fields
    if fields.get("image") is None:
        raise BadInput("image is missing", field="image", hint="A service is made from one")
    image = bound(work, str(fields["image"]), resolve=bool(fields.get("resolveDigest", True)))
    raw, objects = object_of(fields, "spec"), {key: object_of(fields, name) for name, key in _OBJECTS.items()}
    labels, env = texts(fields, "labels") or {}, object_of(fields, "env")
    template = {key: value for name, key in _RAW.items() if (value := object_of(fields, name))}
    container = _container(work)
    replaced = _replaced(work)
    mode = _MODES.get(str(fields.get("mode") or ""), "")
    replicas = fields.get("replicas")

    def change(spec: Tree) -> Tree:
        there = _below(spec, "TaskTemplate", "ContainerSpec")
        own = {**container, "Image": chosen(str(there.get("Image") or ""), image)}
        if env:
            own["Env"] = with_env(there.get("Env") or [], env)
        wanted = merged(spec, {"TaskTemplate": {**template, "ContainerSpec": own}, "Labels": labels})
        for path, value, defaults in replaced:
            wanted = _with_list(wanted, path, value, defaults)
        if replicas is not None:
            wanted = merged(wanted, {"Mode": _number(wanted, int(replicas))})
        return merged(merged(wanted, {key: value for key, value in objects.items() if value}), raw)

    on_failure = any(_below(one, "UpdateConfig").get("FailureAction") for one in (objects, raw))
    return Wish(name, mark_of(fields), mode, change, on_failure)


def _container(work: Work) -> Tree:
    fields = work.fields
    found = {
        "Command": words(fields.get("entrypoint"), "entrypoint", work.warn),
        "Args": words(fields.get("command"), "command", work.warn),
    }
    return {key: value for key, value in found.items() if value is not None}


def _replaced(work: Work) -> list[tuple[tuple[str, ...], list[Any], Tree]]:
    """Return the lists that are given, as (path in the spec, entries, what an entry has by default)."""
    fields, container = work.fields, ("TaskTemplate", "ContainerSpec")
    ports = lists.entries(fields, "ports", lists.port)
    found = [
        (("EndpointSpec", "Ports"), None if ports is None else lists.with_defaults(ports)),
        ((*container, "Mounts"), lists.entries(fields, "mounts", lists.mount)),
        (("TaskTemplate", "Networks"), references.networks(work)),
        ((*container, "Secrets"), references.secrets(work)),
        ((*container, "Configs"), references.configs(work)),
        (("TaskTemplate", "Placement", "Constraints"), lists.texts(fields, "constraints")),
    ]
    defaults = {"Ports": lists.PORT_DEFAULTS}
    return [(path, value, defaults.get(path[-1], {})) for path, value in found if value is not None]


def _with_list(spec: Tree, path: tuple[str, ...], value: list[Any], defaults: Tree) -> Tree:
    *above, last = path
    wanted: Tree = {last: lists.kept(_below(spec, *above).get(last), value, defaults)}
    for key in reversed(above):
        wanted = {key: wanted}
    if path == ("TaskTemplate", "Networks"):
        wanted["Networks"] = None  # their former place, beside which the new one would add others
    return merged(spec, wanted)


def _number(spec: Tree, replicas: int) -> Tree:
    mode = spec.get("Mode") or {}
    if REPLICATED in mode:
        return {REPLICATED: {"Replicas": replicas}}
    if REPLICATED_JOB in mode:
        return {REPLICATED_JOB: {"TotalCompletions": replicas, "MaxConcurrent": replicas}}
    raise BadInput("A global service has no number of replicas", field="replicas", hint="Leave it out")


def _below(spec: Tree, *path: str) -> Tree:
    for key in path:
        spec = spec.get(key) or {}
        if not isinstance(spec, dict):
            raise TypeError(f"{key} is no object")
    return spec
