"""Checks the published ports of a container, since engines misread what they do not understand.

An engine reads a `HostIp` that is not an address as empty, so the port is open on every address of the host. A key of
`PortBindings` that `ExposedPorts` does not have publishes nothing (engines before 29).
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Mapping
from typing import Any

from lib.engine.errors import BadInput

Tree = dict[str, Any]

_PROTOCOLS = ("tcp", "udp", "sctp")
_KEY = re.compile(r"(\d{1,5})(?:/([a-z]+))?", re.ASCII)
_SWAPPED = re.compile(r"([a-z]+)[/:](\d{1,5})", re.ASCII)
_HOST_PORT = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?", re.ASCII)
_LARGEST = 65535
# Names that people write, and the addresses that they mean.
_NAMES = {
    "localhost": "127.0.0.1",
    "localhost.localdomain": "127.0.0.1",
    "localhost4": "127.0.0.1",
    "localhost6": "::1",
    "ip6-localhost": "::1",
    "*": "0.0.0.0",  # noqa: S104 - what was asked for
}
_KEY_HINT = 'Write the port of the container and its protocol, such as "80/tcp"; one key for each port'


def published(body: Mapping[str, Any], name: str = "requestBody") -> tuple[Tree, list[str]]:
    """Return a body of ContainerCreate whose published ports are clear, and the warnings for people.

    Keys become port/protocol, and each port of HostConfig.PortBindings is in ExposedPorts. Raises BadInput that names
    the field of a port or an address that cannot be read.
    """
    tree, warnings = dict(body), []
    exposed = _keyed(tree.get("ExposedPorts"), f"{name}.ExposedPorts")
    host = tree.get("HostConfig")
    bindings: Tree = {}
    if isinstance(host, Mapping) and isinstance(host.get("PortBindings"), Mapping):
        place = f"{name}.HostConfig.PortBindings"
        bindings = _keyed(host["PortBindings"], place)
        for port, entries in bindings.items():
            _check(entries, f"{place}.{port}")
        tree["HostConfig"] = {**host, "PortBindings": bindings}
    missing = [port for port in bindings if port not in exposed]
    if missing:
        warnings.append(
            f"ExposedPorts: {', '.join(missing)} added, since an engine publishes only ports that are exposed"
        )
    if exposed or missing:
        tree["ExposedPorts"] = {**exposed, **{port: {} for port in missing}}
    return tree, warnings


def exposed(body: Mapping[str, Any], name: str = "requestBody") -> Tree:
    """Return a container configuration whose keys of ExposedPorts are port/protocol (ImageCommit). Raises BadInput."""
    ports = _keyed(body.get("ExposedPorts"), f"{name}.ExposedPorts")
    return {**body, "ExposedPorts": ports} if ports else dict(body)


def _keyed(ports: Any, place: str) -> Tree:
    found: Tree = {}
    for key, value in ports.items() if isinstance(ports, Mapping) else ():
        port = _port(str(key), place)
        if port in found:
            raise BadInput(f"{place}: {port} is there twice", field=place, hint="Give each port once")
        found[port] = value
    return found


def _port(key: str, place: str) -> str:
    text = key.strip().lower()
    match = _KEY.fullmatch(text)
    if match and 0 < int(match[1]) <= _LARGEST and (match[2] or "tcp") in _PROTOCOLS:
        return f"{int(match[1])}/{match[2] or 'tcp'}"
    swapped = _SWAPPED.fullmatch(text)
    hint = _KEY_HINT
    if swapped and swapped[1] in _PROTOCOLS:
        hint = f'Write "{swapped[2]}/{swapped[1]}"'
    elif ":" in text:
        hint = 'Write {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}]} for what is 127.0.0.1:8080:80'
    raise BadInput(f"{place}: {key[:40]!r} is no port", field=place, hint=hint)


def _check(entries: Any, place: str) -> None:
    for number, entry in enumerate(entries if isinstance(entries, list) else ()):
        if isinstance(entry, Mapping):
            _check_address(entry.get("HostIp"), f"{place}[{number}].HostIp")
            _check_host_port(entry.get("HostPort"), f"{place}[{number}].HostPort")


def _check_address(value: Any, place: str) -> None:
    if value in (None, "") or is_address(value):
        return
    meant = _meant(str(value))
    hint = f"Write {meant}" if meant else "Give an IP address; the engine looks no names up"
    raise BadInput(
        f"{place}: {str(value)[:60]!r} is no IP address, the port would be open on all addresses",
        field=place,
        hint=hint,
    )


def is_address(value: Any) -> bool:
    """Whether an engine reads a text as one IP address: without zone, mask, brackets or blanks."""
    try:
        ipaddress.ip_address(value if isinstance(value, str) else "")
    except ValueError:
        return False
    return "%" not in value


def _meant(text: str) -> str | None:
    """Return the address that the user probably meant, or None."""
    bare = text.strip().lower().partition("://")
    candidate = (bare[2] or bare[0]).partition("/")[0].partition("%")[0]
    if candidate.startswith("["):
        candidate = candidate[1:].partition("]")[0]
    host, colon, port = candidate.rpartition(":")
    options = [candidate, host] if colon and ":" not in host and port.isdigit() else [candidate]
    for option in options:
        known = _NAMES.get(option, option)
        if is_address(known):
            return known
    return _old_form(candidate)


def _old_form(text: str) -> str | None:
    """Return the address for 127.1 or 127.0.0.01, forms that only the C library reads; None for other texts."""
    if not re.fullmatch(r"[\d.]{3,20}", text, re.ASCII) or "." not in text:
        return None
    try:
        return socket.inet_ntoa(socket.inet_aton(text))
    except OSError:
        return None


def _check_host_port(value: Any, place: str) -> None:
    if value in (None, ""):
        return
    match = _HOST_PORT.fullmatch(str(value))
    ends = [int(part) for part in match.groups() if part] if match else []
    if not ends or max(ends) > _LARGEST or ends != sorted(ends):
        raise BadInput(
            f"{place}: {str(value)[:40]!r} is no port of the host",
            field=place,
            hint='Write "8080", a range such as "8000-8010", or nothing for a free one',
        )
