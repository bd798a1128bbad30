"""Published ports, compared by the port of the container."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lib.job.comparison import Difference, difference
from lib.job.container.forms import port

_ANY = ("", "0.0.0.0")  # noqa: S104 - what an engine means by no address
Place = tuple[str, str]


def of_bindings(given: Any, told: Any, *, strict: bool = False) -> list[Difference]:
    """Compare PortBindings; a given port of the host that is "" agrees with any. `strict`: there are no others."""
    there, found = _by_port(told), []
    for key, places in _by_port(given).items():
        if not _agree(places, there.get(key)):
            found.append(_differs(key, there.get(key), places))
    if strict:
        extra = [key for key in there if key not in _by_port(given)]
        found += [_differs(key, there[key], None) for key in extra]
    return found


def _by_port(bindings: Any) -> dict[str, list[Place]]:
    found = {}
    for key, places in (bindings or {}).items():
        read = [_place(place) for place in places or [{}]]
        found[port(key)] = sorted(read)
    return found


def _place(place: Mapping[str, Any]) -> Place:
    address, number = str(place.get("HostIp") or ""), str(place.get("HostPort") or "")
    return ("" if address in _ANY else address), ("" if number == "0" else number)


def _agree(given: list[Place], told: list[Place] | None) -> bool:
    if told is None or len(given) != len(told):
        return False
    left = list(told)
    for place in sorted(given, key=lambda one: not one[1]):  # those that name a port choose first
        fits = [one for one in left if one[0] == place[0] and place[1] in ("", one[1])]
        if not fits:
            return False
        left.remove(fits[0])
    return True


def _differs(key: str, before: list[Place] | None, after: list[Place] | None) -> Difference:
    return difference(f"HostConfig.PortBindings.{key}", _shown(before), _shown(after))


def _shown(places: list[Place] | None) -> list[str] | None:
    return (
        None
        if places is None
        else [f"{address}:{number}" if address else number for address, number in places]
    )
