"""The comparison of a container with the create body that it shall have been made of.

Two ways: `given` compares what the body has and leaves all else alone; strict also wants all else to be as image and
engine make it. Values of variables and of log options are told by nobody: they are often secret.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lib.job.comparison import RECREATE, UPDATE, Difference, difference, foreign
from lib.job.container import forms, table
from lib.job.container.forms import plain
from lib.job.container.mounts import of_mounts
from lib.job.container.ports import of_bindings
from lib.job.container.processors import of_processors

_HIDDEN = "a value that is not shown"
_UNLABELLED = "label=disable"
_OTHER = "another value that is not shown"
Tree = Mapping[str, Any]


def differences(body: Tree, told: Tree, image: Tree, *, strict: bool = False) -> list[Difference]:
    """Compare a body of ContainerCreate with an answer of ContainerInspect; `image` is the Config of its image.

    Networks, MAC address and the image itself are compared elsewhere.
    """
    config, host = told["Config"], told["HostConfig"]
    wish = body.get("HostConfig") or {}
    return [
        *_command(body, config, image, strict=strict),
        *_keyed("Env", body, config, image, forms.variables, strict=strict, hidden=True),
        *_keyed("Labels", body, config, image, lambda value: foreign(forms.texts(value)), strict=strict),
        *_ports(body, config, image, host, strict=strict),
        *_healthcheck(body, config, image, strict=strict),
        *_others("", body, config, image, strict=strict),
        *of_bindings(wish.get("PortBindings"), host.get("PortBindings"), strict=strict),
        *of_mounts(body, told, image, strict=strict),
        *of_processors(wish, host, strict=strict),
        *_security(wish.get("SecurityOpt"), host.get("SecurityOpt"), strict=strict),
        *_log(wish.get("LogConfig") or {}, host.get("LogConfig") or {}),
        *_keyed("HostConfig.Sysctls", wish, host, {}, forms.texts, strict=strict),
        *_others("HostConfig.", wish, host, {}, strict=strict),
    ]


def without(found: Iterable[Difference], ignored: Iterable[str]) -> list[Difference]:
    """Return differences without those whose path is ignored, or is below one that is."""
    paths = [one.strip().rstrip(".") for one in ignored]
    return [
        one
        for one in found
        if not any(one["path"] == path or one["path"].startswith(f"{path}.") for path in paths)
    ]


def _command(body: Tree, config: Tree, image: Tree, *, strict: bool) -> list[Difference]:
    """Compare Entrypoint and Cmd. With an entrypoint of one's own the image's command does not count."""
    given, words = body.get("Entrypoint"), forms.command(body.get("Cmd"))
    entry = image.get("Entrypoint") if given is None else given
    if words is None and given in (None, []):
        words = forms.command(image.get("Cmd"))
    wanted = {"Entrypoint": forms.command(entry), "Cmd": words}
    asked = {"Entrypoint"} if given is not None or strict else set()
    asked |= {"Cmd"} if given is not None or body.get("Cmd") or strict else set()
    there = {name: forms.command(config.get(name)) for name in wanted}
    return [difference(one, there[one], wanted[one]) for one in sorted(asked) if there[one] != wanted[one]]


def _keyed(
    path: str, given: Tree, told: Tree, image: Tree, form: forms.Form, *, strict: bool, hidden: bool = False
) -> list[Difference]:
    name = path.rpartition(".")[2]
    wanted, there = form(given.get(name)), form(told.get(name))
    if strict:
        wanted = {**form(image.get(name)), **wanted}
    wrong = [key for key, value in wanted.items() if key not in there or there[key] != value]
    extra = [key for key in there if key not in wanted] if strict else []
    found = []
    for key in (*wrong, *extra):
        before, after = there.get(key), wanted.get(key)
        if hidden:
            before, after = _OTHER if key in there else None, _HIDDEN if key in wanted else None
        found.append(difference(f"{path}.{key}", before, after))
    return found


def _ports(body: Tree, config: Tree, image: Tree, host: Tree, *, strict: bool) -> list[Difference]:
    """Compare ExposedPorts; a port that is published need not be told among them (engines from 29 on)."""
    wanted = {forms.port(key) for key in body.get("ExposedPorts") or ()}
    there = {forms.port(key) for key in config.get("ExposedPorts") or ()}
    published = {forms.port(key) for key in host.get("PortBindings") or ()}
    found = [difference(f"ExposedPorts.{one}", None, {}) for one in sorted(wanted - there - published)]
    if strict:
        own = {forms.port(key) for key in image.get("ExposedPorts") or ()}
        extra = sorted(there - wanted - own - published)
        found += [difference(f"ExposedPorts.{one}", {}, None) for one in extra]
    return found


def _healthcheck(body: Tree, config: Tree, image: Tree, *, strict: bool) -> list[Difference]:
    """Compare the parts of the health check; those that are missing come from the image."""
    given = plain(body.get("Healthcheck")) or {}
    told, own = plain(config.get("Healthcheck")) or {}, plain(image.get("Healthcheck")) or {}
    wanted = {**dict.fromkeys(told), **own, **given} if strict else given
    return [
        difference(f"Healthcheck.{part}", told.get(part), value)
        for part, value in wanted.items()
        if told.get(part) != value
    ]


def _security(given: Any, told: Any, *, strict: bool) -> Iterator[Difference]:
    """Compare SecurityOpt; an engine itself adds label=disable to what is privileged or sees the host's processes."""
    if given is None and not strict:
        return
    wanted = {str(one) for one in given or ()}
    there = {str(one) for one in told or ()}
    if wanted != there - ({_UNLABELLED} - wanted):
        yield difference("HostConfig.SecurityOpt", sorted(there) or None, sorted(wanted) or None)


def _log(given: Tree, told: Tree) -> Iterator[Difference]:
    if not given.get("Type"):
        return  # the engine's own
    if given["Type"] != told.get("Type"):
        yield difference("HostConfig.LogConfig.Type", told.get("Type"), given["Type"])
    wanted, there = forms.texts(given.get("Config")), forms.texts(told.get("Config"))
    for key, value in wanted.items():
        if there.get(key) != value:
            before = _OTHER if key in there else None
            yield difference(f"HostConfig.LogConfig.Config.{key}", before, _HIDDEN)


def _others(room: str, given: Tree, told: Tree, image: Tree, *, strict: bool) -> Iterator[Difference]:
    for name in sorted({*given, *(told if strict else ())}):
        path = f"{room}{name}"
        if path in table.APART or path in table.NOT_COMPARED:
            continue
        value = given.get(name)
        if plain(value) is None and not room and name in table.FROM_IMAGE:
            value = image.get(name)
        if plain(value) is None and path in table.ENGINES_OWN:
            continue
        form = table.FORMS.get(path, plain)
        before, after = form(told.get(name)), form(value)
        if before != after:
            yield difference(path, told.get(name) or None, value or None, effect_of(path, after))


def effect_of(path: str, after: Any) -> str:
    """Return what takes a difference away: an engine updates what is set, and hardly anything that is removed."""
    return UPDATE if path in table.UPDATABLE and (after is not None or path in table.REMOVABLE) else RECREATE
