"""The networks of a container, compared with those it shall be in.

What a name in NetworkMode means is told by the engine: `default` and `bridge` are one, and container:web is told as an
id. Engines before 26 add the short id to the aliases, so the given ones need only be among those that are told.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lib.job.comparison import RECREATE, Difference, difference
from lib.job.container.forms import plain

CONNECT, DISCONNECT, RECONNECT = "connect", "disconnect", "reconnect"
Tree = dict[str, Any]
_BRIDGE = "bridge"
_MODES = ("NetworkMode", "PidMode", "IpcMode")


def of_networks(
    mode: str, given: Mapping[str, Tree], told: Mapping[str, Any], *, strict: bool = False
) -> list[Difference]:
    """Compare the networks of an inspect with those given; `mode` is the NetworkMode of the wish, "" for none."""
    there: Mapping[str, Tree] = told["NetworkSettings"].get("Networks") or {}
    found = []
    for name, end in given.items():
        key = connected_as(name, told)
        if key is None:
            found.append(difference(f"Networks.{name}", None, plain(end) or {}, CONNECT))
        else:
            found += _of_endpoint(name, end, there[key] or {}, told)
    if strict:
        wanted = {key_of(name, there) for name in (*given, *([] if given else [_network_of(mode)]))}
        found += [difference(f"Networks.{key}", {}, None, DISCONNECT) for key in there if key not in wanted]
    return found


def of_modes(
    wish: Mapping[str, Any], told: Mapping[str, Any], ids: Mapping[str, str], *, strict: bool = False
) -> list[Difference]:
    """Compare where namespaces come from; `ids` has the id of each container that one of both names."""
    host, there = told["HostConfig"], told["NetworkSettings"].get("Networks") or {}
    found = []
    for name in _MODES:
        given = wish.get(name) or ""
        if not given and not (strict and name != "IpcMode"):
            continue
        wanted, present = _mode(given, ids, there), _mode(host.get(name) or "", ids, there)
        if name == "NetworkMode":
            wanted, present = wanted or _BRIDGE, present or _BRIDGE
        if wanted != present:
            found.append(difference(f"HostConfig.{name}", host.get(name) or None, given or None))
    return found


def named_in(wish: Mapping[str, Any], told: Mapping[str, Any]) -> set[str]:
    """Return the names and ids of containers whose namespaces a wish or a container uses."""
    values = [str(host.get(name) or "") for host in (wish, told["HostConfig"]) for name in _MODES]
    return {value.partition(":")[2] for value in values if value.startswith("container:")}


def key_of(name: str, there: Mapping[str, Any]) -> str | None:
    """Return the name under which an inspect tells a network that is given by name or id, None where it does not."""
    if name in there:
        return name
    if name == "default" and _BRIDGE in there:
        return _BRIDGE
    ids = {key: str((end or {}).get("NetworkID") or "") for key, end in there.items()}
    least = 12  # digits of an id that is cut
    return next((key for key, one in ids.items() if len(name) >= least and one.startswith(name)), None)


def connected_as(name: str, told: Mapping[str, Any]) -> str | None:
    """Return the name under which an inspected container is in a network, None where it is not.

    A connect that was refused leaves an entry in a container that runs, without an endpoint. One that does not run has
    no endpoint anywhere.
    """
    there = told["NetworkSettings"].get("Networks") or {}
    key, state = key_of(name, there), told.get("State") or {}
    runs = state.get("Running") and not state.get("Restarting")
    return None if key is not None and runs and not (there[key] or {}).get("EndpointID") else key


def _of_endpoint(name: str, given: Tree, there: Tree, told: Mapping[str, Any]) -> list[Difference]:
    found = []
    known = {*(there.get("Aliases") or ()), *(there.get("DNSNames") or ())}
    wanted = list(given.get("Aliases") or ())
    if any(alias not in known for alias in wanted):
        found.append(difference(f"Networks.{name}.Aliases", sorted(known), wanted, RECONNECT))
    asked, has = plain(given.get("IPAMConfig")) or {}, plain(there.get("IPAMConfig")) or {}
    if any(has.get(part) != value for part, value in asked.items()):
        found.append(difference(f"Networks.{name}.IPAMConfig", has or None, asked, RECONNECT))
    options, kept = plain(given.get("DriverOpts")) or {}, plain(there.get("DriverOpts")) or {}
    if any(kept.get(part) != value for part, value in options.items()):
        found.append(difference(f"Networks.{name}.DriverOpts", kept or None, options, RECONNECT))
    mac = str(given.get("MacAddress") or "").lower()
    present = {
        str(there.get("MacAddress") or "").lower(),
        str(told["Config"].get("MacAddress") or "").lower(),
    }
    # A container that does not run tells none of its addresses, so there nothing can be said.
    if mac and mac not in present and present - {""}:
        found.append(difference(f"Networks.{name}.MacAddress", there.get("MacAddress"), mac, RECREATE))
    return found


def _network_of(mode: str) -> str:
    return "" if mode.startswith("container:") else mode or _BRIDGE


def _mode(value: str, ids: Mapping[str, str], there: Mapping[str, Any]) -> str:
    if value.startswith("container:"):
        target = value.partition(":")[2]
        return f"container:{ids.get(target, target)}"
    return _BRIDGE if value == "default" else key_of(value, there) or value
