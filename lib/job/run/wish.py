"""What RunContainer is to run: the fields of the input as the body of ContainerCreate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib.engine.errors import BadInput
from lib.engine.request.published_ports import published
from lib.engine.request.scalar import scalar
from lib.engine.text import parsed, shown
from lib.job.repeat import spec_of
from lib.job.run.command import words
from lib.job.run.good_codes import good_codes
from lib.job.work import Work

Tree = dict[str, Any]
LOG_BYTES = 16 * 1024 * 1024
"""Bytes of a log file at least; the engine keeps two, so that the end of the output is there."""
_MEBIBYTE, _NANO = 1024 * 1024, 10**9
_READABLE = ("json-file", "local", "journald")
_REFUSED = (
    ("HostConfig", "RestartPolicy", "A program that is run to its end is not started again"),
    ("HostConfig", "AutoRemove", "Its output and exit code would go with it; the job removes it itself"),
    ("", "Tty", "A terminal mixes both outputs; leave it out"),
)


@dataclass(frozen=True, slots=True)
class Wish:
    """`body` is that of ContainerCreate without labels of the run; `spec` marks the whole input."""

    image: str
    body: Tree
    spec: str
    ok_codes: frozenset[int]
    log_bytes: int
    """Size of a log file, 0 where the input gives the log driver."""
    readable: bool
    """Whether the engine can read the log again; else the output is heard while the program runs."""


def wish_of(work: Work, *, has_input: bool) -> Wish:
    """Read the input; raises BadInput for what does not fit together."""
    fields = work.fields
    given = _object(fields, "settings")
    _check(given)
    body: Tree = {
        "Image": fields["image"],
        "Cmd": words(fields.get("command"), "command", work.warn),
        "Entrypoint": words(fields.get("entrypoint"), "entrypoint", work.warn),
        "Env": [f"{name}={_text(value, 'env')}" for name, value in _filled(fields, "env")],
        "Labels": {name: _text(value, "labels") for name, value in _filled(fields, "labels")},
        "WorkingDir": fields.get("workingDir"),
        "User": None if fields.get("user") is None else scalar(fields["user"], "user"),
        "HostConfig": _host(fields),
    }
    if has_input:
        body |= {"OpenStdin": True, "StdinOnce": True, "AttachStdin": True}
    body = merged({name: value for name, value in body.items() if value not in (None, [], {})}, given)
    body, warnings = published(body, "settings")
    for warning in warnings:
        work.warn(warning)
    log = (body.get("HostConfig") or {}).get("LogConfig") or {}
    log_bytes = 0
    if not log.get("Type"):
        log_bytes = max(LOG_BYTES, 8 * work.settings.max_bytes)
        kept = {"Type": "json-file", "Config": {"max-size": str(log_bytes), "max-file": "2"}}
        body = merged(body, {"HostConfig": {"LogConfig": kept}})
    spec = spec_of({name: value for name, value in fields.items() if name != "idempotencyKey"})
    codes = good_codes(fields)
    readable = log.get("Type", _READABLE[0]) in _READABLE
    return Wish(str(fields["image"]), body, spec, codes, log_bytes, readable)


def merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> Tree:
    """Return one object over another; objects in both are merged, anything else is replaced."""
    tree = dict(under)
    for name, value in over.items():
        below = tree.get(name)
        both = isinstance(below, Mapping) and isinstance(value, Mapping)
        tree[name] = merged(below, value) if both else value  # type: ignore[arg-type]
    return tree


def _host(fields: Mapping[str, Any]) -> Tree:
    host: Tree = {}
    if volumes := fields.get("volumes"):
        entries = enumerate(parsed(volumes, "volumes"))
        host["Binds"] = [scalar(one, f"volumes[{number}]") for number, one in entries]
    if network := fields.get("network"):
        host["NetworkMode"] = scalar(network, "network")
    if memory := fields.get("memoryMb"):
        host["Memory"] = int(float(memory) * _MEBIBYTE)
    if cpus := fields.get("cpus"):
        host["NanoCpus"] = int(float(cpus) * _NANO)
    return host


def _check(given: Tree) -> None:
    for room, name, why in _REFUSED:
        place = given.get(room) or {} if room else given
        if not isinstance(place, Mapping):
            raise BadInput(f"settings.{room} must be an object", field="settings")
        value = place.get(name)
        unset = isinstance(value, Mapping) and value.get("Name") in (None, "", "no")
        if value and not unset:
            path = f"settings.{room}.{name}" if room else f"settings.{name}"
            raise BadInput(f"{path} cannot be given", field="settings", hint=why)
    labels = given.get("Labels")
    if labels is not None and not isinstance(labels, Mapping):
        raise BadInput("settings.Labels must be an object", field="settings")


def _text(value: Any, field: str) -> str:
    return repr(value) if isinstance(value, float) and not value.is_integer() else scalar(value, field)


def _filled(fields: Mapping[str, Any], name: str) -> list[tuple[str, Any]]:
    return [(key, value) for key, value in _object(fields, name).items() if value is not None]


def _object(fields: Mapping[str, Any], name: str) -> Tree:
    value = parsed(fields.get(name) or {}, name)
    if not isinstance(value, dict):
        raise BadInput(f"{name} must be an object, not {shown(value)}", field=name)
    return value
