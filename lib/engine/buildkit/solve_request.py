"""What Control's Solve is asked for: the fields of ImageBuild in BuildKit's own words."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from lib.engine.buildkit.choice import platforms
from lib.engine.errors import BadInput
from lib.engine.protobuf import Value, message
from lib.engine.request.build_cache import CachePlace, cache_places
from lib.engine.request.build_outputs import BuildOutput
from lib.engine.request.query import is_true, parsed
from lib.engine.text import shown

_FRONTEND = "dockerfile.v0"
_HUB, _OFFICIAL = "docker.io", "library"


def solve_request(
    ref: str, session: str, fields: Mapping[str, Any], context: str, output: BuildOutput
) -> bytes:
    """Return the SolveRequest; `context` is the address of the context. Raises BadInput."""
    exporter, attributes = _exporter(fields, output)
    exports = cache_places(fields.get("cacheTo"), "cacheTo")
    imports = cache_places(fields.get("cachefrom"), "cachefrom")
    frontend = _frontend(fields, context)
    if imports:
        places = [{"Type": place.type, "Attrs": dict(place.attributes)} for place in imports]
        frontend["cache-imports"] = json.dumps(places)
    parts: list[tuple[int, Value | str]] = [(1, ref)]
    if exporter:
        parts += [(3, exporter), *_map(4, attributes)]
    parts += [(5, session), (6, _FRONTEND), *_map(7, frontend)]
    parts.append((8, message(*[(4, _place(one)) for one in exports], *[(5, _place(one)) for one in imports])))
    if frontend.get("force-network-mode") == "host":
        parts.append((9, "network.host"))
    return message(*parts)


def normalised(tag: str) -> str:
    """Return the whole name of an image, as engines keep it: with registry, repository and tag."""
    first, slash, rest = tag.partition("/")
    named = slash and ("." in first or ":" in first or first == "localhost")
    host, path = (first, rest) if named else (_HUB, tag)
    if host == _HUB and "/" not in path:
        path = f"{_OFFICIAL}/{path}"
    last = path.rpartition("/")[2]
    return f"{host}/{path}" if ":" in last or "@" in last else f"{host}/{path}:latest"


def check_names(fields: Mapping[str, Any], output: BuildOutput) -> None:
    """Raise BadInput where it is not plain which names an image gets: POST /build would push it by `t` alone.

    A push without any name would be a success that pushes nothing.
    """
    tags = _tags(fields)
    if wrong := next((tag for tag in tags if "," in tag), None):
        raise BadInput(
            f"t has {shown(wrong)}, and a name has no comma", field="t", hint="Give several names as a list"
        )
    own = _own_names(output)
    if tags and own and set(map(normalised, tags)) != set(map(normalised, own)):
        raise BadInput(
            "outputs has a name, and t has others; an image gets one of both",
            field="outputs",
            hint="Give all names in t; with push the image is pushed by each of them",
        )
    if output.attributes.get("push") == "true" and not (tags or own):
        raise BadInput("outputs has push, and there is no name to push by", field="t", hint="Give it in t")


def _tags(fields: Mapping[str, Any]) -> list[str]:
    given = fields.get("t") or []
    return [str(tag) for tag in (given if isinstance(given, list) else [given])]


def _own_names(output: BuildOutput) -> list[str]:
    names = output.attributes.get("name", "") if output.type != "tar" else ""
    return [name for name in names.split(",") if name]


def _exporter(fields: Mapping[str, Any], output: BuildOutput) -> tuple[str, Mapping[str, str]]:
    if output.type == "cacheonly":
        return "", {}
    names = ",".join(map(normalised, _tags(fields) or _own_names(output)))
    return output.type or "moby", {
        **output.attributes,
        **({"name": names} if names and output.type != "tar" else {}),
    }


def _frontend(fields: Mapping[str, Any], context: str) -> dict[str, str]:
    network = str(fields.get("networkmode") or "")
    written = {
        "context": context,
        "filename": str(fields.get("dockerfile") or "Dockerfile"),
        "target": str(fields.get("target") or ""),
        "platform": ",".join(platforms(fields)),
        "shm-size": str(fields.get("shmsize") or ""),
        "ulimit": ",".join(map(_ulimit, _list(fields, "ulimits"))),
        "force-network-mode": network if network in ("host", "none") else "",
        "add-hosts": ",".join(str(host).replace(":", "=", 1) for host in _list(fields, "extrahosts")),
    }
    written = {name: text for name, text in written.items() if text}
    if is_true(fields.get("nocache")):
        written["no-cache"] = ""
    if is_true(fields.get("pull")):
        written["image-resolve-mode"] = "pull"
    if is_true(fields.get("inlineCache")):
        written["build-arg:BUILDKIT_INLINE_CACHE"] = "1"
    arguments, labels = _object(fields, "buildargs"), _object(fields, "labels")
    written |= {f"build-arg:{name}": str(text) for name, text in arguments.items() if text is not None}
    return written | {f"label:{name}": str(text) for name, text in labels.items()}


def _ulimit(entry: Any) -> str:
    if not isinstance(entry, Mapping) or not {"Name", "Soft", "Hard"} <= set(entry):
        raise BadInput("ulimits must be objects with Name, Soft and Hard", field="ulimits")
    return f"{entry['Name']}={entry['Soft']}:{entry['Hard']}"


def _list(fields: Mapping[str, Any], name: str) -> Sequence[Any]:
    value = fields.get(name)
    if isinstance(value, str) and value.lstrip().startswith("["):
        value = parsed(value, name)
    return value if isinstance(value, list) else [value] if value else []


def _object(fields: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = parsed(fields.get(name) or {}, name)
    if not isinstance(value, dict):
        raise BadInput(f"{name} must be an object", field=name)
    return value


def _map(number: int, items: Mapping[str, str]) -> list[tuple[int, Value | str]]:
    return [(number, message((1, key), (2, text))) for key, text in items.items()]


def _place(place: CachePlace) -> bytes:
    return message((1, place.type), *_map(2, place.attributes))
