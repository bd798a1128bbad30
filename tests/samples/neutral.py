"""Answers of a real engine without what belongs to a machine: ids, addresses, times, names of hosts, folders."""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections.abc import Callable, Mapping
from typing import Any

ITEMS, WORDS = 2, 12
"""Most items of a list that are kept: of objects, and of texts and numbers."""
TEXT = 240
"""Most characters of a text that are kept."""
DAY = "2026-01-31"
SECONDS = 1_769_860_800
"""Midnight of DAY."""
FIXED: dict[str, Any] = {
    "Pid": 4242,
    "KernelVersion": "6.1.0-28-amd64",
    "kernelVersion": "6.1.0-28-amd64",
    "OperatingSystem": "Debian GNU/Linux 12 (bookworm)",
    "OSVersion": "12",
    "NCPU": 4,
    "MemTotal": 8_217_165_824,
    "MemoryBytes": 8_217_165_824,
    "NanoCPUs": 4_000_000_000,
    "DockerRootDir": "/var/lib/docker",
    "Hostname": "engine-1",
    "HttpProxy": "",
    "HttpsProxy": "",
    "NoProxy": "",
    "TrustRoot": "-----BEGIN CERTIFICATE-----\n...\n-----END CERTIFICATE-----\n",
    "Worker": "SWMTKN-1-from-a-secret-store",
    "Manager": "SWMTKN-1-from-a-secret-store",
    "UnlockKey": "SWMKEY-1-from-a-secret-store",
}
"""Values of properties that say something of the machine, or that are secret."""
_LONG = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_SHORT = re.compile(r"(?<![0-9a-f:])[0-9a-f]{12}(?![0-9a-f])")
_SWARM = re.compile(r"(?<![0-9a-z])[0-9a-z]{25}(?![0-9a-z])")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MAC = re.compile(r"(?<![0-9a-f:])[0-9a-f]{2}(?::[0-9a-f]{2}){5}(?![0-9a-f:])")
_LAB = re.compile(r"10\.9[89]\.\d+\.")
"""Where the lab's engines have their networks."""
_TIME = re.compile(r"20\d\d-\d\d-\d\dT")
_TINY, _HUGE = 1_600_000_000, 1_600_000_000_000_000_000


class Neutral:
    """One mapping of everything that is replaced, so that equal things stay equal; `known`: text -> in its place."""

    def __init__(self, known: Mapping[str, str]) -> None:
        self._known = dict(known)
        self._ids: dict[str, str] = {}

    def of(self, value: Any, name: str = "") -> Any:
        """Return a value of JSON; `name` is that of its property."""
        if name in FIXED and isinstance(value, (str, int)):
            return FIXED[name]
        if isinstance(value, dict):
            bare = all(one is None for one in value.values())  # something has to be left
            return {
                self._text(key): self.of(one, key) for key, one in value.items() if one is not None or bare
            }
        if isinstance(value, list):
            most = ITEMS if any(isinstance(one, (dict, list)) for one in value) else WORDS
            return [self.of(one) for one in value[:most]]
        if isinstance(value, str):
            return FIXED["Hostname"] if value == os.uname().nodename else self._text(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return SECONDS * 10**9 if value > _HUGE else SECONDS if value > _TINY and value < 2**32 else value
        return value

    def _text(self, text: str) -> str:
        for given, instead in self._known.items():
            text = text.replace(given, instead)
        text = _LONG.sub(self._mapped(lambda number: hashlib.sha256(number).hexdigest()), text)
        text = _SHORT.sub(self._short, text)
        text = _SWARM.sub(
            self._mapped(
                lambda number: base64.b32encode(hashlib.sha256(number).digest())[:25].decode().lower()
            ),
            text,
        )
        text = _UUID.sub("7TVY:AAAA:EXAMPLE", text)
        text = _MAC.sub("02:42:ac:1e:00:02", text)
        text = _LAB.sub("172.17.0.", text)
        text = _TIME.sub(f"{DAY}T", text)
        return text if len(text) <= TEXT else f"{text[:TEXT]}..."

    def _mapped(self, make: Callable[[bytes], str]) -> Callable[[re.Match[str]], str]:
        def instead(match: re.Match[str]) -> str:
            if match[0] in self._ids.values():
                return match[0]
            return self._ids.setdefault(match[0], make(str(len(self._ids)).encode()))

        return instead

    def _short(self, match: re.Match[str]) -> str:
        for whole, instead in self._ids.items():
            if whole.startswith(match[0]):
                return instead[:12]
        return match[0] if any(one.startswith(match[0]) for one in self._ids.values()) else "3f4a9c1e5b7d"
