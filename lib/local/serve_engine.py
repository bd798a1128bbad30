"""The command engine: a private engine to try things on, which stays until Ctrl-C and is removed then."""

from __future__ import annotations

import signal
import threading
from argparse import Namespace
from typing import Any

from lib.credentials import open_engine
from lib.local.engine.environment import credentials_of
from lib.local.sandbox.busybox_image import LocalImageError
from lib.local.sandbox.local_image import import_local_image
from lib.local.sandbox.packages import ENGINE_PACKAGES, PackagesMissing, ensure_packages
from lib.local.sandbox.private_engine import PrivateEngine, PrivateEngineError, private_engine

IMAGE = ("busybox", "local")
_A_LOOK = 1.0  # seconds between two looks whether the engine still runs


def serve_engine(options: Namespace, output: Any) -> int:
    """Start an engine with an image, tell its address, and wait for Ctrl-C; return 0, or 1 if there is no engine."""
    try:
        ensure_packages(ENGINE_PACKAGES, output.note)
        output.note("starting a private engine")
        with private_engine() as engine:
            client = open_engine(credentials_of({}, engine.url), warn=output.note)
            try:
                image = import_local_image(client, *IMAGE)
            finally:
                client.close()
            if options.json:
                output.value({"DOCKER_HOST": engine.url, "image": image})
            else:
                output.text(f"export DOCKER_HOST={engine.url}", "bold")
                output.note(f"It has the image {image}. Ctrl-C ends the engine and removes all that is on it")
            return _until_interrupted(engine, output)
    except (PrivateEngineError, PackagesMissing, LocalImageError) as error:
        output.problem(str(error))
        return 1


def _until_interrupted(engine: PrivateEngine, output: Any) -> int:
    over = threading.Event()  # nobody sets it: the signal comes as an exception
    signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # shells ignore it for what runs in the background
    try:
        while engine.supervisor.running:
            over.wait(_A_LOOK)
    except KeyboardInterrupt:
        output.note("ending the private engine")
        return 0
    output.problem("The engine has ended")
    return 1
