"""What is mounted into a container, compared by the folder inside: Binds, Mounts and anonymous volumes in one form.

An engine keeps Binds and Mounts as they were given. Of an anonymous volume only that it is there can be compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from lib.job.comparison import Difference, difference
from lib.job.container.forms import folder, plain

_MODES = {"rw": None, "": None}
_OPTIONS = ("BindOptions", "VolumeOptions", "TmpfsOptions", "ImageOptions", "ClusterOptions")
ANONYMOUS = "anonymous volume"
_ENGINES_NAME = re.compile("[0-9a-f]{64}")
Mounted = dict[str, Any]


def of_mounts(
    given: Mapping[str, Any],
    told: Mapping[str, Any],
    image: Mapping[str, Any],
    *,
    strict: bool = False,
) -> list[Difference]:
    """Compare the mounts of a create body with an inspect; `image` is the Config of its image.

    `strict`: there are no others but the image's. Of a mount that is given, parts that are left out are not compared.
    """
    wanted = dict(given_mounts(given))
    kept = dict(given_mounts({"HostConfig": told.get("HostConfig")}))
    there = {str(folder(one.get("Destination"))): one for one in told.get("Mounts") or ()}
    found = []
    for target, mount in wanted.items():
        present = kept.get(target) or ({"Type": ANONYMOUS} if target in there else None)
        if mount["Type"] == ANONYMOUS and present is not None:
            continue
        if present is None or not _agree(mount, present):
            found.append(difference(f"Mounts.{target}", present, mount))
    if strict:
        own = {str(folder(target)) for target in image.get("Volumes") or ()}
        extra = [target for target in {**kept, **there} if target not in wanted and target not in own]
        found += [
            difference(f"Mounts.{one}", kept.get(one, {"Type": ANONYMOUS}), None) for one in sorted(extra)
        ]
    return found


def anonymous(told: Mapping[str, Any]) -> dict[str, str]:
    """Return the anonymous volumes of an inspected container, folder -> name: those that only the engine named.

    Of a volume that an entry of Binds without a source made, engines tell the place alone: .../NAME/_data.
    """
    named = {
        target
        for target, mount in given_mounts({"HostConfig": told["HostConfig"]})
        if mount["Type"] != ANONYMOUS and not _ENGINES_NAME.fullmatch(str(mount.get("Source")))
    }
    return {
        str(folder(one["Destination"])): str(
            one.get("Name") or str(one.get("Source")).rpartition("/")[0].rpartition("/")[2]
        )
        for one in told.get("Mounts") or ()
        if one.get("Type") == "volume" and folder(one["Destination"]) not in named
    }


def taken_over(body: Mapping[str, Any], told: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return a create body with the anonymous volumes of an inspected container, and the folders of those left out.

    A volume is left out where the body mounts something else in its place.
    """
    volumes = anonymous(told)
    other = {
        target
        for target, mount in given_mounts(body)
        if mount["Type"] != ANONYMOUS and mount.get("Source") != volumes.get(target)
    }
    carried = {target: name for target, name in volumes.items() if target not in other}
    host = dict(body.get("HostConfig") or {})
    for part in ("Binds", "Mounts"):
        host[part] = [one for one in host.get(part) or () if target_of(part, one) not in carried]
    host["Mounts"] += [
        {"Type": "volume", "Source": name, "Target": target} for target, name in carried.items()
    ]
    return {**body, "HostConfig": host}, sorted(set(volumes) - set(carried))


def left_behind(body: Mapping[str, Any], told: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return a create body without the anonymous volumes of an inspected container, and their folders."""
    volumes = anonymous(told)
    host = dict(body.get("HostConfig") or {})
    host["Mounts"] = [one for one in host.get("Mounts") or () if one.get("Source") not in volumes.values()]
    return {**body, "HostConfig": host}, sorted(volumes)


def target_of(part: str, entry: Any) -> str | None:
    """Return the folder of an entry of Binds or Mounts."""
    if part == "Mounts":
        return folder(entry.get("Target"))
    words = str(entry).split(":")
    return folder(words[1] if len(words) > 1 else words[0])


def given_mounts(body: Mapping[str, Any]) -> Iterator[tuple[str, Mounted]]:
    """Yield what a create body mounts, as folder and what is there."""
    host = body.get("HostConfig") or {}
    for target in body.get("Volumes") or ():
        yield str(folder(target)), {"Type": ANONYMOUS}
    for bind in host.get("Binds") or ():
        yield _bind(str(bind))
    for mount in host.get("Mounts") or ():
        yield str(folder(mount.get("Target"))), _mount(mount)


def _bind(text: str) -> tuple[str, Mounted]:
    parts = text.split(":")
    if len(parts) == 1:
        return str(folder(text)), {"Type": ANONYMOUS}
    source, target, *modes = parts
    kind = "bind" if source.startswith("/") else "volume"
    said = {mode for mode in ",".join(modes).split(",") if mode not in _MODES}
    mounted: Mounted = {"Type": kind, "Source": folder(source), "ReadOnly": "ro" in said}
    return str(folder(target)), mounted | ({"Modes": more} if (more := sorted(said - {"ro"})) else {})


def _mount(mount: Mapping[str, Any]) -> Mounted:
    kind = str(mount.get("Type") or "")
    if kind == "volume" and not mount.get("Source"):
        return {"Type": ANONYMOUS}
    read = {"Type": kind, "Source": folder(mount.get("Source")), "ReadOnly": bool(mount.get("ReadOnly"))}
    return read | {name: value for name in _OPTIONS if (value := plain(mount.get(name))) is not None}


def _agree(given: Mounted, told: Mounted) -> bool:
    same = all(given.get(part) == told.get(part) for part in ("Type", "Source", "ReadOnly", "Modes"))
    return same and all(_within(given[name], told.get(name)) for name in _OPTIONS if name in given)


def _within(given: Any, told: Any) -> bool:
    """Whether all given parts are told so."""
    if isinstance(given, Mapping):
        return isinstance(told, Mapping) and all(
            _within(value, told.get(key)) for key, value in given.items()
        )
    return bool(given == told)
