"""The body for a container that is made anew: what is given over what the old one was given.

What the input leaves out is left alone, so the old one's settings stay, except those that one given takes the place of.
"""

from __future__ import annotations

from typing import Any

from lib.job.container import forms
from lib.job.container.mounts import ANONYMOUS, given_mounts, target_of

Tree = dict[str, Any]
_BY_KEY = ("Labels", "ExposedPorts", "Volumes", "Healthcheck")
_BY_KEY_OF_HOST = ("PortBindings", "Sysctls")
_NANO, _QUOTA = "NanoCpus", ("CpuQuota", "CpuPeriod")


def over(old: Tree, given: Tree) -> Tree:
    """Return the body of ContainerCreate that has all of `given`, and of `old` what that leaves out."""
    host, wish = dict(old.get("HostConfig") or {}), dict(given.get("HostConfig") or {})
    body = {**old, **given}
    if given.get("Entrypoint") is not None and not given.get("Cmd"):
        body.pop("Cmd", None)  # it belonged to the old entrypoint
    if "Env" in given:
        both = forms.variables(old.get("Env")) | forms.variables(given["Env"])
        body["Env"] = [name if value is None else f"{name}={value}" for name, value in both.items()]
    for name in _BY_KEY:
        if name in given:
            form = forms.port if name == "ExposedPorts" else str
            body[name] = {form(key): value for key, value in (old.get(name) or {}).items()} | (
                given[name] or {}
            )
    for name in _BY_KEY_OF_HOST:
        if name in wish:
            form = forms.port if name == "PortBindings" else str
            wish[name] = {form(key): value for key, value in (host.get(name) or {}).items()} | (
                wish[name] or {}
            )
    if wish.get(_NANO):
        host = {name: value for name, value in host.items() if name not in _QUOTA}
    if any(wish.get(name) for name in _QUOTA):
        host.pop(_NANO, None)
    if wish.get("Memory") is not None and wish.get("MemorySwap") is None:
        host.pop("MemorySwap", None)  # it was twice the old memory
    body["HostConfig"] = (
        host
        | _mounts(host, given)
        | {name: value for name, value in wish.items() if name not in ("Binds", "Mounts")}
    )
    return {name: value for name, value in body.items() if value is not None}


def _mounts(host: Tree, given: Tree) -> Tree:
    wish = given.get("HostConfig") or {}
    taken = {target for target, mount in given_mounts(given) if mount["Type"] != ANONYMOUS}
    return {
        part: [
            *(one for one in host.get(part) or () if target_of(part, one) not in taken),
            *(wish.get(part) or ()),
        ]
        for part in ("Binds", "Mounts")
    }
