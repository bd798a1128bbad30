"""Refusals with a misleading status, and what they mean: engines answer 500 for faults of a registry or of the caller.

A row has the statuses with which engines send the text (none: any status), the words that all stand in the text (in
lower case), the class of the error, and the hint. The first row that fits counts. Words are searched as plain text, so
the time is linear in the length of the text.
"""

from __future__ import annotations

from typing import NamedTuple

from lib.engine.errors import (
    Busy,
    Conflict,
    EngineFault,
    NoManager,
    NotFound,
    NotSupported,
    Refused,
    Unauthorized,
)


class Known(NamedTuple):
    """A refusal that is recognised by its text."""

    statuses: tuple[int, ...]
    words: tuple[str, ...]
    kind: type[Refused]
    hint: str


_LOGIN = "Check the registry login (field X_Registry_Auth, or registries in the credential)"
_BINDS = (
    "Write /folder/of/the/host:/folder/in/container[:ro], or volume:/folder/in/container; "
    "paths such as C:\\data are for Windows engines, on Linux give the absolute path on the engine's host"
)
_NO_PROGRAM = "Cmd or Entrypoint names a program that the image does not have"
_FILE_OR_FOLDER = "A file cannot be mounted over a folder, nor a folder over a file"
_NO_NETWORK = "The network is not there; NetworkList shows which there are"
_PORT = "The port of the host is taken by another container or process: choose another HostPort, or leave it empty"
_CERTIFICATE = (
    "The engine does not trust the registry's certificate: its operator puts the CA into /etc/docker/certs.d"
)
_PLAIN = "The registry speaks plain HTTP: its host belongs into insecure-registries of the engine"
_NAME = "Write the name in lower case and without blanks, such as registry.example.org/shop/web:1.4"
_SEEN = "It was changed meanwhile: leave version empty and the step reads it anew, or inspect it and send Version.Index"
_BUSY = "The registry was asked too often: log in (registries in the credential), or ask less often"
_NO_REMOTE = (
    "remote must be the address of a git repository, of an archive or of a Dockerfile (http, https, git)"
)
_NO_CACHE_ONLY = "This engine does not build for the cache alone: leave outputs empty, or give tar"
_NO_EXPORTER = "This output needs an engine with the containerd image store; tar works on all"
_NO_CACHE_TYPE = "This engine does not write such a cache; with the containerd image store registry is one"
_NEEDS_BUILDKIT = "The classic builder does not know it: set version to auto or 2"
_NO_SQUASH = "The containerd image store cannot squash: leave squash empty; stages keep an image small"
_TAKEN = "The name is taken: choose another one, or change or delete the object that has it"
_ADDRESSES = "Another network has these addresses: choose another IPAM.Config"
_NO_SPACE = "The disk of the engine is full: ImagePrune, ContainerPrune, VolumePrune or BuildPrune make room"
_LOGS = "Logs of this driver are read where it sends them; json-file, local and journald can be read here"

KNOWN = (
    # SwarmUnlock soon after a wrong key: the engine has not yet closed what it opened then.
    Known(
        (500,),
        ("failed to open wal", "file already locked"),
        Busy,
        "The engine still ends an earlier try: try again",
    ),
    # Refusals of a registry that the engine reports as its own fault (20.10: all of them, newer ones: some).
    Known((500,), ("toomanyrequests",), Busy, _BUSY),
    Known((500,), ("too many requests",), Busy, _BUSY),
    Known((429,), ("toomanyrequests",), Busy, _BUSY),
    Known((500,), ("no basic auth credentials",), Unauthorized, _LOGIN),
    Known((500,), ("authentication required",), Unauthorized, _LOGIN),
    Known((500,), ("unauthorized:",), Unauthorized, _LOGIN),
    Known((500,), ("unauthorized", "401"), Unauthorized, _LOGIN),
    Known((500,), ("incorrect username or password",), Unauthorized, _LOGIN),
    Known((500,), ("requested access to the resource is denied",), Unauthorized, _LOGIN),
    Known((404,), ("pull access denied",), NotFound, f"The image does not exist, or wants a login. {_LOGIN}"),
    Known((404, 500), ("manifest unknown",), NotFound, "The registry has no such tag or digest"),
    Known((404, 500), ("name unknown",), NotFound, "The registry has no such repository"),
    Known(
        (404, 500),
        ("no matching manifest for",),
        NotFound,
        "The image is not there for this platform: name another one in platform",
    ),
    Known(
        (404,), ("no such image",), NotFound, "Check name and tag; ImageCreate pulls an image that is missing"
    ),
    Known((500,), ("x509:",), Refused, _CERTIFICATE),
    Known((500,), ("server gave http response to https client",), Refused, _PLAIN),
    Known((400, 500), ("invalid reference format",), Refused, _NAME),
    Known((400, 500), ("repository name must not be more than",), Refused, _NAME),
    # Contexts and outputs of BuildKit.
    Known((500,), ("no local sources enabled",), Refused, _NO_REMOTE),
    Known((500,), ('exporter "" could not be found',), NotSupported, _NO_CACHE_ONLY),
    Known((500,), ('exporter "', "could not be found"), NotSupported, _NO_EXPORTER),
    Known((500,), ("unknown cache exporter",), NotSupported, _NO_CACHE_TYPE),
    # A Dockerfile for BuildKit with the classic builder.
    Known((400, 500), ("requires buildkit",), Refused, _NEEDS_BUILDKIT),
    # Of an engine that does not tell its image store beforehand, after the build.
    Known((500, 501), ("squash", "not implemented"), NotSupported, _NO_SQUASH),
    # Swarm.
    Known((500,), ("update out of sequence",), EngineFault, _SEEN),
    Known(
        (400,),
        ("does not have a previous spec",),
        Refused,
        "There is nothing to go back to: the service was not updated since it was created",
    ),
    Known(
        (400,),
        ("mismatched runtime",),
        Refused,
        "With a version the body replaces the whole Spec: send it complete, or leave version empty to change a part",
    ),
    Known(
        (503,),
        ("already part of a swarm",),
        Conflict,
        "This engine is in a swarm: leave it with SwarmLeave first, or go on with SwarmInspect",
    ),
    Known(
        (503,), ("leave the swarm on a node",), Conflict, "Set force if this manager shall leave all the same"
    ),
    Known(
        (503,),
        ("timeout was reached before node joined",),
        EngineFault,
        "Joining goes on in the background: look with SystemInfo (Swarm.LocalNodeState)",
    ),
    Known((503,), ("does not have a leader",), EngineFault, "Too few managers of the swarm are online"),
    Known((503,), ("needs to be unlocked",), NoManager, "The swarm is locked: give its key with SwarmUnlock"),
    Known(
        (503,),
        ("swarm",),
        NoManager,
        "This engine is no swarm manager at present: use a manager, or SwarmInit, SwarmJoin, SwarmUnlock first",
    ),
    # Networks: the present state forbids the call, reported as 403 or 404.
    Known(
        (403,),
        ("address already in use",),
        Conflict,
        "Another container of the network has this address: choose another one, or leave it empty",
    ),
    Known(
        (403,),
        ("pool overlaps",),
        Conflict,
        _ADDRESSES,
    ),
    # The addresses are free already, the bridge of the network that is being removed is not yet gone.
    Known((403,), ("conflicts with network", "networks have overlapping"), Conflict, _ADDRESSES),
    Known(
        (),
        ("non-overlapping", "address pool"),
        Conflict,
        "The engine has no addresses left: NetworkPrune removes unused networks, or give IPAM.Config",
    ),
    Known((500,), ("volume already exists",), Conflict, "Another call makes a volume of this name just now"),
    Known((403,), ("has active endpoints",), Conflict, "Disconnect its containers first (NetworkDisconnect)"),
    Known((403,), ("already exists in network",), Conflict, "The container is connected to this network"),
    Known(
        (403, 500), ("is not connected to",), Conflict, "NetworkInspect shows which containers are connected"
    ),
    Known((400,), ("network", "is in use by"), Conflict, "Take it out of the service first (ServiceUpdate)"),
    Known((403,), ("have same bridge name",), Conflict, "Choose another com.docker.network.bridge.name"),
    Known((403,), ("pre-defined network",), Refused, "bridge, host and none belong to the engine"),
    Known((403,), ("predefined",), Refused, "bridge, host and none belong to the engine"),
    Known(
        (404,),
        ("sandbox", "not found"),
        EngineFault,
        "The engine has lost the container's network: restart the container (ContainerRestart)",
    ),
    Known(
        (404,),
        ("looking up volume plugin",),
        Refused,
        "The engine has no such volume driver; PluginList and SystemInfo show which there are",
    ),
    Known((404,), ("could not find the file",), NotFound, "Check the path; the container is there"),
    # Names.
    Known((409, 500), ("name", "already in use"), Conflict, _TAKEN),
    Known((409,), ("already exists",), Conflict, _TAKEN),
    Known((500,), ("network name", "already used"), Conflict, _TAKEN),
    Known((500,), ("cannot be removed without force",), Conflict, "Stop the container first, or set force"),
    # The state of a container, reported as a fault of the engine.
    Known((409, 500), ("is not paused",), Conflict, "Only a paused container can be resumed"),
    Known((409, 500), ("is already paused",), Conflict, "ContainerUnpause resumes it"),
    Known((409, 500), ("is not running",), Conflict, "Start the container first (ContainerStart)"),
    Known((), ("port is already allocated",), Conflict, _PORT),
    Known((500,), ("address already in use",), Conflict, _PORT),
    Known(
        (400, 403, 500),
        ("rootfs is marked read-only",),
        Conflict,
        "The container's root cannot be written: choose a path in one of its volumes",
    ),
    Known((500, 501), ("logging driver does not support reading",), NotSupported, _LOGS),
    Known((501,), ("mode change",), NotSupported, "Delete the service and create it in the other mode"),
    # Mistakes of the caller.
    Known((400, 500), ("invalid volume specification",), Refused, _BINDS),
    Known((400, 500), ("invalid mode:",), Refused, _BINDS),
    Known((400, 500), ("volume name is too short",), Refused, _BINDS),
    Known((400, 500), ("invalid characters for a local volume name",), Refused, _BINDS),
    Known((400, 500), ("mount path must be absolute",), Refused, _BINDS),
    Known((400, 500), ("illegal base64 data",), Refused, "Data must be the content in base64"),
    Known(
        (400, 404, 500),
        ("executable file not found",),
        Refused,
        _NO_PROGRAM,
    ),
    Known((400, 404, 500), ("exec: ", "no such file or directory"), Refused, _NO_PROGRAM),
    Known((400, 500), ("mount a directory onto a file",), Refused, _FILE_OR_FOLDER),
    Known((404,), ("network ", " not found"), NotFound, _NO_NETWORK),
    Known((500,), ("no space left on device",), EngineFault, _NO_SPACE),
)


def known_in_stream(text: str) -> Known | None:
    """Return the row for a failure in the progress of a build, pull or push, which has no status; or None."""
    return known(500, text) or known(404, text)


def known(status: int, text: str) -> Known | None:
    """Return the row for a refusal, or None."""
    lower = text.lower()
    for row in KNOWN:
        if (not row.statuses or status in row.statuses) and all(word in lower for word in row.words):
            return row
    return None
