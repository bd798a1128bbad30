"""What an input says of a container, as the body of ContainerCreate and the settings of its networks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from lib.engine.errors import BadInput
from lib.engine.request.published_ports import published
from lib.engine.request.scalar import scalar
from lib.engine.text import parsed, shown
from lib.job.comparison import texts
from lib.job.container.checks import check_fields, check_form, check_namespaces, check_networks
from lib.job.container.create_body import create_body
from lib.job.container.texts import healthcheck, ports, restart
from lib.job.repeat import PREFIX, spec_of
from lib.job.run.command import words
from lib.job.run.wish import merged
from lib.job.work import Work

Tree = dict[str, Any]
RUNNING, HEALTHY, STOPPED, PRESENT, ABSENT = "running", "healthy", "stopped", "present", "absent"
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{1,254}")
_MEBIBYTE, _NANO = 1024 * 1024, 10**9


@dataclass(frozen=True)
class Wish:
    """`body` is that of ContainerCreate without networks, `networks` their settings by name, the main one first."""

    name: str
    image: str
    state: str
    body: Tree
    networks: Mapping[str, Tree]
    strict: bool

    @property
    def spec(self) -> str:
        """The mark of the wish."""
        return spec_of([self.body, dict(self.networks)])


def wish_of(work: Work) -> Wish:
    """Read the input; raises BadInput for what does not fit together."""
    fields = work.fields
    check_fields(fields)
    name, state = str(fields["name"]).strip(), str(fields.get("state") or RUNNING)
    if not _NAME.fullmatch(name):
        raise BadInput(
            f"name: {shown(name)} is no name of a container",
            field="name",
            hint="2 to 255 characters: letters, digits, _, . and -",
        )
    image = str(fields.get("image") or "")
    if not image and state not in (STOPPED, ABSENT):
        raise BadInput(
            "image is missing", field="image", hint="Only a container that is stopped or absent needs none"
        )
    settings = create_body(fields)
    body = merged(_flat(work), settings)
    if isinstance(settings.get("Env"), list) and fields.get("env"):
        body["Env"] = [*_env(work), *settings["Env"]]
    if own := [name for name in body.get("Labels") or () if name.startswith(PREFIX)]:
        raise BadInput(f"labels: {shown(own[0])} belongs to the connector", field="labels")
    body, warnings = published(body, "settings")
    for warning in warnings if state != ABSENT else ():
        work.warn(warning)
    given = body.pop("NetworkingConfig", None) or {}
    networks = _networks(fields) | {
        str(one): dict(end or {}) for one, end in (given.get("EndpointsConfig") or {}).items()
    }
    if image:
        body["Image"] = image
    host = dict(body.get("HostConfig") or {})
    if networks and not host.get("NetworkMode"):
        body["HostConfig"] = host | {"NetworkMode": next(iter(networks))}
    check_networks(networks, str((body.get("HostConfig") or {}).get("NetworkMode") or ""))
    check_namespaces(body.get("HostConfig") or {})
    check_form(body)
    return Wish(name, image, state, body, networks, fields.get("compare") == "strict")


def _flat(work: Work) -> Tree:
    fields = work.fields
    body: Tree = {
        "Cmd": words(fields.get("command"), "command", work.warn),
        "Entrypoint": words(fields.get("entrypoint"), "entrypoint", work.warn),
        "Env": _env(work) or None,
        "Labels": texts(fields, "labels"),
        "WorkingDir": fields.get("workingDir"),
        "User": None if fields.get("user") is None else scalar(fields["user"], "user"),
        "Healthcheck": healthcheck(_object(fields, "healthcheck")) or None,
        "HostConfig": _host(fields),
    }
    # An engine publishes only what is exposed.
    body["ExposedPorts"] = {port: {} for port in body["HostConfig"].get("PortBindings") or ()}
    return {name: value for name, value in body.items() if value is not None and value != {}}


def _host(fields: Mapping[str, Any]) -> Tree:
    host: Tree = {}
    if fields.get("ports") is not None:
        host["PortBindings"] = ports(parsed(fields["ports"], "ports"))
    if fields.get("volumes") is not None:
        entries = enumerate(parsed(fields["volumes"], "volumes"))
        host["Binds"] = [scalar(one, f"volumes[{number}]") for number, one in entries]
    if fields.get("restart") is not None:
        host["RestartPolicy"] = restart(fields["restart"])
    if fields.get("memoryMb") is not None:
        host["Memory"] = ceil(float(fields["memoryMb"]) * _MEBIBYTE)
    if fields.get("cpus") is not None:
        host["NanoCpus"] = ceil(float(fields["cpus"]) * _NANO)
    return host


def _env(work: Work) -> list[str]:
    return [f"{name}={value}" for name, value in (texts(work.fields, "env") or {}).items()]


def _networks(fields: Mapping[str, Any]) -> dict[str, Tree]:
    found: dict[str, Tree] = {}
    for number, one in enumerate(parsed(fields.get("networks") or [], "networks")):
        place = f"networks[{number}]"
        name = scalar(one.get("name") or "", f"{place}.name").strip()
        if not name:
            raise BadInput(f"{place}.name is missing", field=place)
        if name in found:
            raise BadInput(f"{place}.name: {shown(name)} is there twice", field=place)
        end: Tree = {}
        if one.get("aliases"):
            end["Aliases"] = [scalar(alias, f"{place}.aliases") for alias in one["aliases"]]
        if one.get("ip"):
            address = scalar(one["ip"], f"{place}.ip").strip()
            end["IPAMConfig"] = {"IPv6Address" if ":" in address else "IPv4Address": address}
        found[name] = end
    return found


def _object(fields: Mapping[str, Any], name: str) -> Tree:
    value = parsed(fields.get(name) or {}, name)
    if not isinstance(value, dict):
        raise BadInput(f"{name} must be an object, not {shown(value)}", field=name)
    return value
