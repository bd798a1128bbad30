"""Sockets in an engine's network namespace, where its registries and published ports are."""

from __future__ import annotations

import ctypes
import os
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

NEW_NETWORK = 0x40000000


def connect_inside(namespace: str, port: int, timeout: float = 60) -> socket.socket:
    """A connection to a port of the namespace's own loopback; it may be used out here."""
    return _inside(namespace, lambda: socket.create_connection(("127.0.0.1", port), timeout))


def listen_inside(namespace: str, port: int = 0) -> socket.socket:
    """A listening socket on a (free) port of the namespace's loopback, to be served out here."""
    return _inside(namespace, lambda: socket.create_server(("127.0.0.1", port)))


def bind_inside(namespace: str) -> socket.socket:
    """A socket that is bound to a free port of the namespace's loopback; another may listen there."""
    return _inside(namespace, _bound)


def _bound() -> socket.socket:
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind(("127.0.0.1", 0))
    return bound


def _inside(namespace: str, make: Callable[[], socket.socket]) -> socket.socket:
    """A namespace belongs to a thread, so a short-lived one goes there; "" is the machine's own."""
    if not namespace:
        return make()
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(_enter_and_make, namespace, make).result()


def _enter_and_make(namespace: str, make: Callable[[], socket.socket]) -> socket.socket:
    descriptor = os.open(namespace, os.O_RDONLY)
    try:
        if ctypes.CDLL(None, use_errno=True).setns(descriptor, NEW_NETWORK) != 0:
            raise OSError(ctypes.get_errno(), "setns")
    finally:
        os.close(descriptor)
    return make()
