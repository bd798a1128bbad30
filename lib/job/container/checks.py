"""What in an input fails on every engine, and is refused before anything is asked or made.

An engine refuses most of it at the creation already. The rest comes to light once the container is there, or once the
old one has been stopped for it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from lib.config.pattern import pattern
from lib.engine.errors import BadInput
from lib.engine.text import encoded, shown
from lib.job.container.differences import differences
from lib.job.container.merging import over
from lib.job.container.mounts import left_behind, taken_over
from lib.job.states import LOG_LINE

Tree = dict[str, Any]
_TARGET = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}")
_NOTHING: Tree = {"Config": {}, "HostConfig": {}, "NetworkSettings": {}, "Mounts": []}
_ALONE, _DEFAULT = ("host", "none"), ("bridge", "default")
_OTHER = "container:"


def check_fields(fields: Mapping[str, Any]) -> None:
    """Raise BadInput for texts that no request or program can take, and for a check that cannot be made."""
    for name, value in fields.items():
        if b"\\u0000" in encoded(value, name):
            raise BadInput(f"{name} holds a NUL character", field=name)
    if fields.get("check") == LOG_LINE and pattern(fields, "pattern") is None:
        raise BadInput("pattern is needed to wait for a line", field="pattern")


def check_networks(networks: Mapping[str, Tree], mode: str) -> None:
    """Raise BadInput for networks that cannot go together, or with the NetworkMode, or as they are given."""
    names = list(networks)
    for name in names:
        if name in _DEFAULT and (networks[name].get("Aliases") or networks[name].get("IPAMConfig")):
            text = f"networks: {name}, the engine's own network, takes no aliases and no address"
            raise BadInput(text, field="networks", hint="Use a network that was made (EnsureNetwork)")
        if name.startswith(_OTHER):
            raise BadInput(
                f"networks: {shown(name)} is no network",
                field="networks",
                hint='Give it as settings: {"HostConfig": {"NetworkMode": "container:NAME"}}',
            )
    alone = [name for name in (*names, mode) if name in _ALONE or name.startswith(_OTHER)]
    if alone and {*names, mode} - {alone[0], ""}:
        raise BadInput(f"networks: {alone[0]} goes with no other network", field="networks")


def check_namespaces(host: Mapping[str, Any]) -> None:
    """Raise BadInput where a namespace is that of a container without a name."""
    for name in ("NetworkMode", "PidMode", "IpcMode"):
        mode, colon, target = str(host.get(name) or "").partition(":")
        if mode == "container" and colon and not _TARGET.fullmatch(target):
            place = f"settings.HostConfig.{name}"
            raise BadInput(f"{place}: {shown(target)} is no container", field=place)


def check_form(body: Tree) -> None:
    """Raise BadInput for what cannot be compared with any container, since a part of it is missing."""
    flat = {name: value for name, value in body.items() if name != "HostConfig"}
    for room, parts in ((None, flat), ("HostConfig", body.get("HostConfig") or {})):
        for name, value in parts.items():
            one = {name: value} if room is None else {room: {name: value}}
            try:
                differences(one, _NOTHING, {})
                taken_over(left_behind(over({}, one), _NOTHING)[0], _NOTHING)
            except (LookupError, TypeError, AttributeError, ValueError, ArithmeticError) as fault:
                place = f"settings.{room}.{name}" if room else f"settings.{name}"
                text = (
                    f"{place} has another form than ContainerCreate takes ({type(fault).__name__}: {fault})"
                )
                raise BadInput(text, field=place) from None
