"""What an input says of a network, compared with one that is there: parts that are left out are left alone."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib.engine import Fields
from lib.engine.errors import BadInput
from lib.engine.expected import expected_form
from lib.engine.request.path import name_of
from lib.engine.text import parsed
from lib.job.comparison import Difference, difference, foreign, of_maps, of_values, texts
from lib.job.networks.network import Network
from lib.job.repeat import spec_of

_PARTS = {"driver": "Driver", "internal": "Internal", "attachable": "Attachable", "ipv6": "EnableIPv6"}
_POOL = {"subnet": "Subnet", "range": "IPRange", "gateway": "Gateway"}
_WRITTEN_BY_THE_ENGINE = (
    "com.docker.network.enable_ipv4",
    "com.docker.network.enable_ipv6",
    "com.docker.network.driver.overlay.vxlanid_list",
)
Pool = Mapping[str, str]


@dataclass(frozen=True)
class Wish:
    """What is given; `parts` are driver, internal, attachable and ipv6, `pools` have the engine's names."""

    name: str
    parts: Mapping[str, Any]
    options: Mapping[str, str] | None
    labels: Mapping[str, str] | None
    pools: tuple[Pool, ...] | None

    @classmethod
    def of(cls, fields: Fields) -> Wish:
        """Read an input; BadInput where an address is none."""
        return cls(
            name=name_of(str(fields["name"]), "name", blanks=True),
            parts={name: fields[name] for name in _PARTS if name in fields},
            options=texts(fields, "options"),
            labels=texts(fields, "labels"),
            pools=_pools(fields),
        )

    @property
    def spec(self) -> str:
        """The mark of the wish."""
        return spec_of([dict(self.parts), self.options, self.labels, list(self.pools or ())])

    def differences(self, network: Network) -> list[Difference]:
        """Compare what is given with a network."""
        return [
            *of_values(self.parts, {name: network.told.get(key) for name, key in _PARTS.items()}),
            *of_maps("options", self.options, network.options),
            *of_maps("labels", self.labels, network.labels),
            *_pools_differ(self.pools or (), network.pools),
        ]

    def body(self, old: Network | None, own: Mapping[str, str]) -> dict[str, Any]:
        """Return what creates it; what is left out stays as it was with `old`."""
        body: dict[str, Any] = {"Name": self.name, "CheckDuplicate": True}
        body |= _kept(old) if old else {}
        same_driver = old is not None and self.parts.get("driver") in (None, old.told.get("Driver"))
        if old is not None and not same_driver:
            body["Options"] = {}
        body |= {_PARTS[name]: value for name, value in self.parts.items()}
        body["Options"] = body.get("Options", {}) | dict(self.options or {})
        body["Labels"] = (foreign(old.labels) if old else {}) | dict(self.labels or {}) | dict(own)
        if self.pools is not None:
            body["IPAM"] = body.get("IPAM", {}) | {"Config": [dict(pool) for pool in self.pools]}
        return body


def body_of(network: Network) -> dict[str, Any]:
    """Return what creates a network like one that is there."""
    return {"Name": network.name, "CheckDuplicate": True, **_kept(network), "Labels": dict(network.labels)}


@expected_form()
def _kept(old: Network) -> dict[str, Any]:
    told = old.told
    kept = {name: told[name] for name in _PARTS.values() if name in told}
    # Without IPv4 or of a pattern, where the engine says so.
    kept |= {name: told[name] for name in ("EnableIPv4", "ConfigOnly") if name in told}
    pattern = told.get("ConfigFrom") or {}
    if pattern.get("Network"):
        kept["ConfigFrom"] = dict(pattern)
    ipam = told.get("IPAM") or {}
    kept["IPAM"] = {
        "Driver": ipam.get("Driver") or "default",
        "Options": dict(ipam.get("Options") or {}),
        "Config": [] if pattern.get("Network") else [_usable(pool) for pool in old.pools],
    }
    kept["Options"] = {key: value for key, value in old.options.items() if key not in _WRITTEN_BY_THE_ENGINE}
    return kept


def _usable(pool: Pool) -> dict[str, Any]:
    """Return a pool as a create takes it: some engines tell parts that were not given as "invalid IP"."""
    kept: dict[str, Any] = {
        name: pool[name] for name in _POOL.values() if _normal(pool.get(name)) is not None
    }
    return kept | ({"AuxiliaryAddresses": reserved} if (reserved := pool.get("AuxiliaryAddresses")) else {})


def _pools(fields: Fields) -> tuple[Pool, ...] | None:
    if fields.get("pools") is None:
        return None
    found = []
    for index, given in enumerate(parsed(fields["pools"], "pools")):
        place = f"pools[{index}]"
        pool = {_POOL[key]: str(given[key]).strip() for key in _POOL if given.get(key)}
        for key, name in _POOL.items():
            if name in pool and _normal(pool[name]) is None:
                raise BadInput(
                    f"{place}.{key}: {pool[name][:100]!r} is no {'address' if key == 'gateway' else 'subnet'}",
                    field=f"{place}.{key}",
                    hint="Write 172.30.0.1" if key == "gateway" else "Write it as in 172.30.0.0/16",
                )
        found.append(pool)
    return tuple(found)


def _normal(text: object) -> Any:
    """Return an address or a subnet in a form that can be compared, None for what is neither."""
    if not isinstance(text, str):
        return None
    try:
        return ipaddress.ip_network(text, strict=False) if "/" in text else ipaddress.ip_address(text)
    except ValueError:
        return None


def _pools_differ(given: tuple[Pool, ...], told: tuple[Pool, ...]) -> list[Difference]:
    known = {_normal(pool.get("Subnet", "")): pool for pool in told}
    if missing := [pool for pool in given if _normal(pool["Subnet"]) not in known]:
        before = [pool.get("Subnet", "") for pool in told]
        return [difference("pools", before, [pool["Subnet"] for pool in missing])]
    found = []
    for pool in given:
        there = known[_normal(pool["Subnet"])]
        for key, name in _POOL.items():
            if name in pool and _normal(pool[name]) != _normal(_told(there, name)):
                path = f"pools[{pool['Subnet']}].{key}"
                found.append(difference(path, there.get(name) or None, pool[name]))
    return found


def _told(pool: Pool, name: str) -> str:
    """Return a part of a pool; a gateway that an engine chose and does not tell is the first address."""
    if pool.get(name) or name != "Gateway":
        return pool.get(name) or ""
    first = _normal(pool.get("IPRange") or pool.get("Subnet") or "")
    return str(first[1]) if first is not None and first.num_addresses > 1 else ""
