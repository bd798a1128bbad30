"""What MirrorImage shall do: two references, as engines show them, and which of the platforms is meant."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib.engine.errors import BadInput
from lib.trigger.images.reference import problem, split

_DIGEST = re.compile(r"sha(?:256:[0-9a-f]{64}|512:[0-9a-f]{128})")
_PLATFORM = re.compile(r"[a-z0-9]{1,32}/[a-z0-9_]{1,32}(?:/[a-z0-9_.]{1,32})?")
_HUB = ("docker.io/", "index.docker.io/")


@dataclass(frozen=True, slots=True)
class Wish:
    """`repository` and `name` are of the source, without and with its tag or digest; `to` always has a tag."""

    repository: str
    name: str
    to: str
    platform: str = ""
    only_if_different: bool = True
    only_if_single_platform: bool = False
    clean_up: bool = True

    @property
    def to_repository(self) -> str:
        """The target without its tag."""
        return self.to.rpartition(":")[0]

    @property
    def to_tag(self) -> str:
        """The tag of the target."""
        return self.to.rpartition(":")[2]

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Wish:
        """Read the fields of a message; BadInput names the one that is wrong."""
        repository, tag, digest = _parts(str(fields["from"]), "from")
        target, target_tag, pinned = _parts(str(fields["to"]), "to")
        if pinned:
            raise BadInput(
                "to: a registry makes the digest itself", field="to", hint="Give a tag in its place"
            )
        if not (target_tag := target_tag or tag):
            if digest:
                raise BadInput(
                    "to has no tag, and from is named by its digest", field="to", hint="Give a tag"
                )
            target_tag = "latest"
        name = f"{repository}@{digest}" if digest else f"{repository}:{tag or 'latest'}"
        to = f"{target}:{target_tag}"
        if to == name:
            raise BadInput(f"from and to both name {to}", field="to", hint="Give the place of the copy")
        return cls(
            repository,
            name,
            to,
            _platform(str(fields.get("platform") or "")),
            bool(fields.get("onlyIfDifferent", True)),
            bool(fields.get("onlyIfSinglePlatform", False)),
            bool(fields.get("cleanUp", True)),
        )

    def pinned(self, digest: str) -> str:
        """Return the source by its digest: a pull of it moves no tag of the engine."""
        return f"{self.repository}@{digest}"


def is_digest(text: str) -> bool:
    """Whether a text is the digest of a manifest."""
    return _DIGEST.fullmatch(text) is not None


def fits(platform: str, wanted: str) -> bool:
    """Whether a platform such as linux/arm64/v8 is the wanted one, as far as the shorter of them tells."""
    return all(a == b for a, b in zip(platform.split("/"), wanted.split("/"), strict=False))


def _parts(text: str, field: str) -> tuple[str, str, str]:
    """Return repository, tag and digest of a reference, without the parts that engines leave out for Docker Hub."""
    name, at, digest = text.strip().partition("@")
    if at and not is_digest(digest):
        raise BadInput(
            f"{field}: what follows the @ is no digest", field=field, hint="Write name@sha256: and 64 digits"
        )
    if wrong := problem(name):
        raise BadInput(f"{field}: {wrong}", field=field)
    repository, tag = split(name)
    for hub in _HUB:
        repository = repository.removeprefix(hub)
    if repository.count("/") == 1:
        repository = repository.removeprefix("library/")
    return repository, "" if digest else tag or "", digest


def _platform(text: str) -> str:
    platform = text.strip().lower()
    if platform and not _PLATFORM.fullmatch(platform):
        raise BadInput(
            "platform is none", field="platform", hint="Write it as in linux/arm64 or linux/arm/v7"
        )
    return platform
