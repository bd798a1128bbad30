"""What a BuildKit build gives: an image in the engine, one in a registry, or an archive that the engine sends back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lib.engine.errors import BadInput
from lib.engine.text import parsed

ARCHIVES = ("tar", "oci", "docker")
"""Types that the engine sends back as a tar archive."""
_TYPES = (*ARCHIVES, "local", "moby", "image", "cacheonly")
_FORM = 'Write [{"type": "tar"}], or [{"type": "image", "name": "registry.example.org/web:1", "push": true}]'


@dataclass(frozen=True)
class BuildOutput:
    """One output; `type` is "" for the usual one, an image in the engine."""

    type: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_archive(self) -> bool:
        """Whether the engine sends it back."""
        return self.type in ARCHIVES

    @property
    def has_image_id(self) -> bool:
        """Whether a build that succeeds names an image."""
        return self.type in ("", "moby")

    def as_list(self) -> list[dict[str, Any]]:
        """Return the query parameter `outputs`."""
        return [{"Type": self.type, "Attrs": dict(self.attributes)}] if self.type else []


def build_output(value: Any) -> BuildOutput:
    """Read the field `outputs`: a list of one {type, further attributes}, or its JSON text. Raises BadInput.

    Engines take one output only, and values of attributes are texts. `local` means a folder of the client: it is given
    as a tar archive with the same files, and `dest` has no meaning here.
    """
    if value in (None, "", []):
        return BuildOutput()
    tree = parsed(value, "outputs")
    entries = tree if isinstance(tree, list) else [tree]
    if not entries:
        return BuildOutput()
    if len(entries) > 1:
        raise BadInput("outputs has more than one entry, and engines take one", field="outputs", hint=_FORM)
    if not isinstance(entries[0], Mapping):
        raise BadInput("outputs must be a list of objects", field="outputs", hint=_FORM)
    return _output(entries[0])


def _output(entry: Mapping[str, Any]) -> BuildOutput:
    found: dict[str, Any] = {}
    for name, item in entry.items():
        if name.lower() == "attrs" and isinstance(item, Mapping):
            found |= item
        elif item is not None:
            found["type" if name.lower() == "type" else name] = item
    kind = found.pop("type", "")
    if kind not in _TYPES:
        raise BadInput(
            f"outputs has the type {kind!r}", field="outputs", hint=f"It is one of {', '.join(_TYPES)}"
        )
    found.pop("dest", None)
    return BuildOutput(
        "tar" if kind == "local" else kind, {name: _text(name, item) for name, item in found.items()}
    )


def _text(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int):
        return str(value)
    raise BadInput(f"outputs has a value of {name} that is no text", field="outputs", hint=_FORM)
