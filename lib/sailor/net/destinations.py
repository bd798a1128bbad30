"""Decides which hosts the addresses in a message may name.

The author of a message chooses the addresses in it, and the step sends its requests from inside the platform's
network: a request to the cloud's metadata service would return the credentials of the machine. So the host's name
must be allowed, the name is resolved, and each IP address that it has is checked against refused networks. This is
done for each connection, since a name can get other addresses.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lib.resolving import NotResolvedInTime, Place, places
from lib.sailor.environment import LARGEST, whole
from lib.sailor.errors import RequestError, SettingsError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

GROUPS = {
    "link-local": ("169.254.0.0/16", "fe80::/10"),
    # AWS, Google, Alibaba, Azure and Oracle also have metadata services outside the link-local networks.
    "metadata": (
        *("169.254.169.254/32", "fd00:ec2::/32", "fd20:ce::254/128"),
        *("100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32"),
    ),
    "loopback": ("127.0.0.0/8", "::1/128"),
    "private": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"),
}
ALWAYS = ("0.0.0.0/8", "::/128", "224.0.0.0/4", "240.0.0.0/4", "ff00::/8")
"""Always refused: no host has these addresses. On some systems the first two lead to the loopback."""
DEFAULT = "link-local,metadata"
TRANSLATED = tuple(ipaddress.IPv6Network(net) for net in ("64:ff9b::/96", "64:ff9b:1::/48"))
"""IPv6 networks whose last 32 bits are an IPv4 address."""

MAX_BYTES, MAX_SECONDS, IDLE_SECONDS = 10 * 1024**3, 3600, 60
WEEK = 7 * 86_400
"""Seconds."""
RESOLVE_SECONDS = 10.0


@dataclass(frozen=True)
class Destinations:
    """Which hosts addresses of messages may name, and limits of what is read from them.

    The defaults hold where no variable is set.
    """

    hosts: tuple[str, ...] = ()
    """Allowed host names or IP addresses; `*.example.org` allows every name that ends so; empty allows all."""
    refused: tuple[Network, ...] = tuple(
        ipaddress.ip_network(net) for group in DEFAULT.split(",") for net in GROUPS[group]
    )
    max_bytes: int = MAX_BYTES
    max_seconds: int = MAX_SECONDS
    """Limit from the first connection to the last byte, redirects included."""
    idle_seconds: int = IDLE_SECONDS
    """Limit of each wait for the next byte."""

    @classmethod
    def read(cls, prefix: str, variables: Mapping[str, str]) -> Destinations:
        """Return the limits that the variables `<prefix>_ALLOWED_HOSTS`, `<prefix>_MAX_BYTES` and so on set.

        Raises SettingsError, which names the wrong variable.
        """
        limits = {
            name: whole(variables, f"{prefix}_{name.upper()}", default, most)
            for name, default, most in (
                ("max_bytes", MAX_BYTES, LARGEST),
                ("max_seconds", MAX_SECONDS, WEEK),
                ("idle_seconds", IDLE_SECONDS, WEEK),
            )
        }
        hosts = tuple(_host(host) for host in _listed(variables.get(f"{prefix}_ALLOWED_HOSTS", "")))
        refused = f"{prefix}_REFUSED_NETWORKS"
        return cls(hosts, tuple(_networks(refused, variables.get(refused) or DEFAULT)), **limits)

    def places(self, host: str, port: int, seconds: float = RESOLVE_SECONDS) -> list[Place]:
        """Return the socket addresses of a host.

        Raises RequestError when the host is not allowed, cannot be resolved within `seconds` (RESOLVE_SECONDS at
        most), or when one of its addresses is refused.
        """
        if self.hosts and not any(_matches(host, allowed) for allowed in self.hosts):
            raise RequestError(f"The host {host} is not among those that may be asked", final=True)
        found = resolved(host, port, seconds)
        for _, where in found:
            self._check(host, str(where[0]))
        return found

    def _check(self, host: str, text: str) -> None:
        for address in _meant(ipaddress.ip_address(text)):
            for network in (*self.refused, *(ipaddress.ip_network(net) for net in ALWAYS)):
                if address.version == network.version and address in network:
                    what = text if host == text else f"{host} ({text})"
                    raise RequestError(f"{what} is in a network that may not be asked: {network}", final=True)


def resolved(host: str, port: int, seconds: float = RESOLVE_SECONDS) -> list[Place]:
    """Return the socket addresses of a host; RequestError when it has none, or none within `seconds`."""
    try:
        return places(host, port, min(seconds, RESOLVE_SECONDS))
    except NotResolvedInTime as error:
        raise RequestError(str(error)) from None
    except ValueError:
        raise RequestError(f"{host} is no name of a host", final=True) from None
    except OSError as error:
        raise RequestError(f"The name {host} cannot be resolved: {error.strerror or error}") from error


def _meant(address: Address) -> Iterator[Address]:
    """Yield an address and the IPv4 addresses that are embedded in it."""
    yield address
    if isinstance(address, ipaddress.IPv6Address):
        inner = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
        if any(address in network for network in TRANSLATED):
            inner.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        yield from (one for one in inner if one is not None)


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _networks(variable: str, text: str) -> Iterator[Network]:
    for part in _listed(text):
        for net in GROUPS.get(part.lower(), (part,)):
            try:
                yield ipaddress.ip_network(net, strict=False)
            except ValueError:
                groups = ", ".join(GROUPS)
                raise SettingsError(
                    f"{variable}: {part!r} is neither a network such as 10.0.0.0/8 nor one of {groups}"
                ) from None


def _host(name: str) -> str:
    return name.lower().strip("[]").rstrip(".")


def _matches(host: str, allowed: str) -> bool:
    name = _host(host)
    return name.endswith(allowed[1:]) if allowed.startswith("*.") else name == allowed
