"""The sockets at which an engine of this machine or user is found where no setting names one."""

from __future__ import annotations

import socket
from collections.abc import Mapping

from lib.engine.endpoint import DEFAULT_SOCKET

_PATIENCE = 2.0  # seconds for a connect on this machine


def usual_sockets(environ: Mapping[str, str]) -> list[str]:
    """Return the paths, the likeliest first: the system's, rootless Docker, Docker Desktop, Podman."""
    home, runtime = environ.get("HOME"), environ.get("XDG_RUNTIME_DIR")
    return [
        DEFAULT_SOCKET,
        *([f"{runtime}/docker.sock"] if runtime else []),
        *([f"{home}/.docker/run/docker.sock", f"{home}/.docker/desktop/docker.sock"] if home else []),
        *([f"{runtime}/podman/podman.sock"] if runtime else []),
        "/run/podman/podman.sock",
    ]


def answering_socket(environ: Mapping[str, str]) -> str | None:
    """Return the first of the usual sockets at which somebody listens."""
    return next((path for path in usual_sockets(environ) if _answers(path)), None)


def _answers(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_PATIENCE)
        try:
            connection.connect(path)
        except (OSError, ValueError):  # ValueError: a zero byte in a path
            return False
        return True
