"""The body of ContainerCreate for a container like one that is there, made from another image.

An inspect mixes what its maker gave with what the image gave: variables, labels, the command. What is equal to the old
image's is taken out, so that the new image's own counts. Where a maker gave the very value of the old image, that
cannot be told apart; a wish for a whole container says it better.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lib.engine.errors import BadInput
from lib.engine.request.scalar import scalar
from lib.engine.text import parsed, shown
from lib.job.repeat import PREFIX
from lib.job.run.wish import merged

Tree = dict[str, Any]
_SHORT = 12
_KERNELS = "RLIMIT_"
_LIKE_IMAGE = ("User", "WorkingDir", "Healthcheck", "StopSignal", "Shell")
_OF_CONFIG = (
    *("Cmd", "Entrypoint", "Domainname", "Tty", "OpenStdin", "StdinOnce", "AttachStdin", "StopTimeout"),
    *_LIKE_IMAGE,
)
_NO_NETWORKS = ("host", "none", "container:")


def body_of(old: Mapping[str, Any], image: Mapping[str, Any], reference: str) -> Tree:
    """Return the body for a container like `old` (ContainerInspect) without what `image` (ImageInspect) gave it.

    Networks are not in it, see `endpoints`. Answers of another form raise KeyError, TypeError or ValueError.
    """
    config, given = old["Config"], image.get("Config") or {}
    body: Tree = {"Image": reference}
    for name in _OF_CONFIG:
        value = config.get(name)
        if value not in (None, "", [], {}, False) and not (name in _LIKE_IMAGE and value == given.get(name)):
            body[name] = value
    _leave_command(body, given)
    known = given.get("Env") or []
    body["Env"] = [one for one in config.get("Env") or [] if one not in known]
    labels, own = config.get("Labels") or {}, given.get("Labels") or {}
    body["Labels"] = {
        name: value
        for name, value in labels.items()
        if own.get(name) != value and not name.startswith(PREFIX)
    }
    for name in ("ExposedPorts", "Volumes"):
        image_has = given.get(name) or {}
        left: Tree = {key: {} for key in config.get(name) or {} if key not in image_has}
        if left:
            body[name] = left
    host = dict(old["HostConfig"])
    host["Links"] = [_link(str(link)) for link in host.get("Links") or []] or None
    if host.get("Ulimits"):
        host["Ulimits"] = [_limit(entry) for entry in host["Ulimits"]]
    mode = str(host.get("NetworkMode") or "")
    name = str(config.get("Hostname") or "")
    if name and not str(old["Id"]).startswith(name) and not mode.startswith(_NO_NETWORKS[::2]):
        body["Hostname"] = name
    body["HostConfig"] = {key: value for key, value in host.items() if value is not None}
    return body


def with_volumes(body: Tree, old: Mapping[str, Any]) -> list[str]:
    """Mount the anonymous volumes of a container by their names; return the folders where they are."""
    host = body["HostConfig"]
    taken = {str(mount.get("Target")) for mount in host.get("Mounts") or []}
    taken |= {str(bind).split(":")[1] for bind in host.get("Binds") or [] if ":" in str(bind)}
    found = []
    for mount in old.get("Mounts") or []:
        target = str(mount.get("Destination"))
        if mount.get("Type") == "volume" and target not in taken:
            entry = {"Type": "volume", "Source": str(mount["Name"]), "Target": target}
            host["Mounts"] = [*(host.get("Mounts") or []), entry]
            found.append(target)
    return found


def changed(body: Tree, fields: Mapping[str, Any]) -> Tree:
    """Return the body with `env`, `labels` and `settings` of the input; null takes something away. Raises BadInput."""
    env = dict(str(one).partition("=")[::2] for one in body["Env"])
    for name, value in _object(fields, "env").items():
        if value is None:
            env.pop(name, None)
        else:
            env[name] = scalar(value, "env")
    labels = merged(body["Labels"], _object(fields, "labels"))
    settings = _object(fields, "settings")
    for path in ("RestartPolicy", "AutoRemove"):
        if path == "AutoRemove" and (settings.get("HostConfig") or {}).get(path):
            raise BadInput(
                "settings.HostConfig.AutoRemove cannot be given", field="settings", hint="It has no way back"
            )
    whole = merged(body | {"Labels": labels}, settings)
    whole["Env"] = (
        [f"{name}={value}" for name, value in env.items()] if "Env" not in settings else settings["Env"]
    )
    whole["Labels"] = {
        name: scalar(value, "labels")
        for name, value in (whole.get("Labels") or {}).items()
        if value is not None
    }
    return {name: value for name, value in whole.items() if value is not None}


def endpoints(old: Mapping[str, Any]) -> dict[str, Tree]:
    """Return network -> settings of all networks of a container, the main one first; nothing where it has none."""
    mode = str(old["HostConfig"].get("NetworkMode") or "")
    if mode.startswith(_NO_NETWORKS):
        return {}
    short = str(old["Id"])[:_SHORT]
    own = {short, str(old["Config"].get("Hostname") or "")}
    found: dict[str, Tree] = {}
    for name, told in (old["NetworkSettings"].get("Networks") or {}).items():
        kept: Tree = {
            key: told[key] for key in ("IPAMConfig", "Links", "DriverOpts", "GwPriority") if told.get(key)
        }
        aliases = [alias for alias in told.get("Aliases") or [] if alias not in own]
        if aliases and name != "bridge":  # the default network knows none
            kept["Aliases"] = aliases
        found[str(name)] = kept
    main = [name for name in found if name == mode or (mode in ("default", "") and name == "bridge")]
    return {name: found[name] for name in (*main, *(one for one in found if one not in main))}


def _leave_command(body: Tree, given: Mapping[str, Any]) -> None:
    """Leave command and entrypoint to the image where they are its own; with another entrypoint the command stays."""
    if body.get("Entrypoint") == (given.get("Entrypoint") or None):
        body.pop("Entrypoint", None)
        if body.get("Cmd") == given.get("Cmd"):
            body.pop("Cmd", None)


def _link(told: str) -> str:
    """Return a link as create takes it: an inspect writes /db:/web/alias for db:alias."""
    source, _, alias = told.partition(":")
    return f"{source.rpartition('/')[2]}:{alias.rpartition('/')[2]}"


def _object(fields: Mapping[str, Any], name: str) -> Tree:
    value = parsed(fields.get(name) or {}, name)
    if not isinstance(value, dict):
        raise BadInput(f"{name} must be an object, not {shown(value)}", field=name)
    return value


def _limit(entry: Tree) -> Tree:
    """Return a limit with the name that engines take; Podman shows it as the kernel calls it (RLIMIT_NOFILE)."""
    return {**entry, "Name": str(entry["Name"]).removeprefix(_KERNELS).lower()}
