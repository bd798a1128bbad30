"""What the image store of an engine cannot give, told before anything is built; engines say so after it, or not at all.

An engine that does not tell its store is not kept from trying.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lib.engine.client import Engine
from lib.engine.errors import BadInput, EngineError, NotSupported
from lib.engine.request.build_cache import cache_places
from lib.engine.request.build_outputs import BuildOutput
from lib.engine.request.query import is_true

_OUTPUTS_OF_CONTAINERD = ("oci", "docker", "image")


def check_squash(engine: Engine, fields: Mapping[str, Any]) -> None:
    """Raise NotSupported for `squash` on an engine with the containerd image store.

    It would build the image, tag it and fail then.
    """
    if not is_true(fields.get("squash")):
        return
    if _has_containerd_store(engine):
        raise NotSupported(
            "squash does not work with the containerd image store of this engine",
            method="POST",
            path="/build",
            hint="Leave squash empty; stages of the Dockerfile keep an image small",
        )


def check_output(engine: Engine, output: BuildOutput) -> None:
    """Raise NotSupported for an output that the engine's image store does not give; engines say so after seconds."""
    if output.type in _OUTPUTS_OF_CONTAINERD and _has_containerd_store(engine) is False:
        raise NotSupported(
            f"Output {output.type} needs an engine with the containerd image store",
            method="POST",
            path="/build",
            hint="tar works on all engines; an image is pushed by ImagePush and saved by ImageGet",
        )


def check_platforms(engine: Engine, output: BuildOutput) -> None:
    """Raise for an output that the engine cannot give for several platforms; it would say so after the build."""
    if output.type == "docker":
        raise BadInput(
            "outputs of the type docker are for one platform",
            field="outputs",
            hint="Give oci or tar, or build each platform on its own",
        )
    if output.type not in ("tar", "cacheonly") and _has_containerd_store(engine) is False:
        raise NotSupported(
            "An image for several platforms needs an engine with the containerd image store",
            method="POST",
            path="/grpc",
            hint='Give outputs [{"type": "tar"}], or build each platform on its own',
        )


def check_cache(engine: Engine, fields: Mapping[str, Any]) -> None:
    """Raise for a cache that cannot be read or written; the engine would say so after the build, or not at all."""
    places = cache_places(fields.get("cacheTo"), "cacheTo")
    for name, used in (
        ("cacheTo", places),
        ("cachefrom", cache_places(fields.get("cachefrom"), "cachefrom")),
    ):
        if any(place.type == "local" for place in used):
            raise BadInput(
                f"{name} has the type local, a folder beside Docker's own client; a step has none",
                field=name,
                hint="registry keeps a cache in a registry, inline in the image itself",
            )
    other = next((place.type for place in places if place.type != "inline"), "")
    if other and _has_containerd_store(engine) is False:
        raise NotSupported(
            f"A cache of the type {other} needs an engine with the containerd image store",
            method="POST",
            path="/grpc",
            hint="inlineCache works with this one: the cache is in the image, and cachefrom names the image",
        )


def _has_containerd_store(engine: Engine) -> bool | None:
    """Return whether the engine keeps images in containerd's store, None if it does not tell."""
    try:
        status = engine.get("/info").json().get("DriverStatus")
    except (EngineError, AttributeError):
        return None
    return ["driver-type", "io.containerd.snapshotter.v1"] in status if isinstance(status, list) else None
