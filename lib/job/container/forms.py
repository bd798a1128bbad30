"""One form for values of a container that engines tell in several: what is given and what is told become comparable.

Each function takes a value of a create body or of an inspect and returns its form; None is the form of all that is
empty, since engines write null, "", 0, [] and {} for one another.
"""

from __future__ import annotations

import posixpath
import signal
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from lib import jsontext

Form = Callable[[Any], Any]
_NO_LIMIT = (0, -1, None)
_TERM = "TERM"


def plain(value: Any) -> Any:
    """Return a value as it is, without what is empty in it."""
    if isinstance(value, Mapping):
        kept = {str(key): plain(item) for key, item in value.items()}
        return {key: item for key, item in kept.items() if item is not None} or None
    if isinstance(value, list | tuple):
        return [plain(item) for item in value] or None
    return None if value in ("", 0, False) else value


def as_set(value: Any) -> Any:
    """Return a list without its order and its repeats."""
    items = (plain(item) for item in value or ())
    return sorted({jsontext.encode(item).decode(): item for item in items}.items()) or None


def command(value: Any) -> list[str] | None:
    """Return a command as a list: a text is one word, and [""] takes the image's away, as [] does."""
    words = [value] if isinstance(value, str) else [str(word) for word in value or ()]
    return None if words in ([], [""]) else words


def variables(value: Any) -> dict[str, str | None]:
    """Return variables by name; of two with one name the last counts, and one without = has None."""
    found: dict[str, str | None] = {}
    for one in value or ():
        name, equals, text = str(one).partition("=")
        found[name] = text if equals else None
    return found


def texts(value: Any) -> dict[str, str]:
    """Return an object of texts: engines turn numbers into them."""
    return {str(key): "" if item is None else str(item) for key, item in (value or {}).items()}


def port(key: Any) -> str:
    """Return a port with its protocol: 80 is 80/tcp."""
    number, _, protocol = str(key).lower().partition("/")
    return f"{number}/{protocol or 'tcp'}"


def folder(value: Any) -> str | None:
    """Return a path without what changes nothing in it."""
    text = str(value or "")
    return f"/{posixpath.normpath(text).lstrip('/')}" if text.startswith("/") else text or None


def signal_name(value: Any) -> str:
    """Return the name of a signal: 15, "15", TERM and SIGTERM are one; without any it is TERM."""
    text = str(value or "").strip().upper().removeprefix("SIG")
    if text.isdigit() and int(text) in {one.value for one in signal.Signals}:
        return signal.Signals(int(text)).name.removeprefix("SIG")
    return text or _TERM


def capabilities(value: Any) -> Any:
    """Return capabilities as a set: net_admin and CAP_NET_ADMIN are one."""
    return sorted({str(one).upper().removeprefix("CAP_") for one in value or ()}) or None


def no_limit(value: Any) -> Any:
    """Return a limit where 0 and -1 mean none."""
    return None if value in _NO_LIMIT else value


def policy(value: Any) -> dict[str, Any]:
    """Return a restart policy; its count means something for on-failure alone."""
    name = str((value or {}).get("Name") or "no")
    count = int((value or {}).get("MaximumRetryCount") or 0)
    return {"Name": name, **({"MaximumRetryCount": count} if name == "on-failure" and count else {})}


def limits_by_name(value: Any) -> Any:
    """Return ulimits by their names."""
    return {str(one["Name"]): [one.get("Soft") or 0, one.get("Hard") or 0] for one in value or ()} or None


def tmpfs(value: Any) -> Any:
    """Return mounts in memory by their folders, options without order."""
    return {
        str(folder(place)): sorted(option for option in str(options or "").split(",") if option)
        for place, options in (value or {}).items()
    } or None


def devices(value: Any) -> Any:
    """Return devices as a set; the place inside is that outside, and all is allowed, where nothing else is said."""
    return as_set(
        {
            "PathOnHost": one.get("PathOnHost"),
            "PathInContainer": one.get("PathInContainer") or one.get("PathOnHost"),
            "CgroupPermissions": one.get("CgroupPermissions") or "rwm",
        }
        for one in value or ()
    )


def links(value: Iterable[Any] | None) -> Any:
    """Return links: an inspect tells db:alias as /db:/web/alias."""
    found = (str(one).partition(":") for one in value or ())
    return (
        sorted(
            f"{source.rpartition('/')[2]}:{(alias or source).rpartition('/')[2]}"
            for source, _, alias in found
        )
        or None
    )
