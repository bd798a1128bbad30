"""An engine with two registries beside it, and what a mirror job finds and leaves on all three."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from lib.sailor.message.ids import random_id
from tests.actions.stepping import forget_engines, run_step
from tests.jobs.engines import BOTH, begin, config
from tests.lab.engine import LabEngine
from tests.lab.registry import Registry, RegistryError
from tests.lab.registry_content import digest_of, put_image
from tests.lab.skipping import missing

__all__ = ["ALL", "CONTAINERD", "KEY", "Mirrors", "lab", "mirrors"]
KEY = "MirrorImage"
CONTAINERD = "28.5-containerd"
ALL = (*BOTH, CONTAINERD)


@dataclass
class Mirrors:
    """`a` and `b` are open, `locked` wants a login; `containerd` says that the engine pushes what it pulled."""

    engine: LabEngine
    a: Registry
    b: Registry
    locked: Registry
    containerd: bool

    def names(self, target: Registry | None = None) -> tuple[str, str]:
        """A source and a target that nobody has used yet."""
        image = f"app-{random_id()}:1"
        return f"{self.a.address}/{image}", f"{(target or self.b).address}/{image}"

    def published(self, target: Registry | None = None, **how: Any) -> tuple[str, str]:
        """The same, with an image at the source."""
        names = self.names(target)
        put_image(self.a, plain(names[0]), **{"mark": random_id(), **how})
        return names

    def mirror(
        self, source: str, target: str, settings: dict[str, Any] | None = None, **fields: Any
    ) -> dict[str, Any]:
        """The output of the job."""
        body = {"from": source, "to": target, **fields}
        outcome = run_step(KEY, body, config(self.engine, **(settings or {})))
        assert outcome.errors == []
        (found,) = outcome.bodies
        assert isinstance(found, dict)
        return found

    def refused(
        self, source: str, target: str, settings: dict[str, Any] | None = None, **fields: Any
    ) -> dict[str, Any]:
        """The error of the job, as a message."""
        policy = {"errorPolicy": "emit", **(settings or {})}
        return self.mirror(source, target, policy, **fields)["error"]  # type: ignore[no-any-return]

    def digest(self, name: str) -> str:
        """What a whole name means in its registry, "" for nothing."""
        registry = next(one for one in (self.a, self.b, self.locked) if name.startswith(f"{one.address}/"))
        return digest_of(registry, plain(name))

    def image(self, name: str) -> dict[str, Any] | None:
        """An image of the engine as inspected, None where it has none."""
        answer = self.engine.wire.ask("GET", f"/images/{name}/json")
        return answer.json() if answer.status == 200 else None

    def pull(self, name: str, **query: Any) -> str:
        """Pull a name with its tag, and return the image's id."""
        self.engine.wire.do("POST", "/images/create", fromImage=name, **query)
        image = self.image(name)
        assert image is not None, name
        return str(image["Id"])

    def state(self) -> dict[str, Any]:
        """All images with their names, volumes and containers of the engine."""
        images = self.engine.wire.do("GET", "/images/json", all=True).json()
        volumes = self.engine.wire.do("GET", "/volumes").json()["Volumes"] or []
        containers = self.engine.wire.do("GET", "/containers/json", all=True).json()
        return {
            "images": sorted(
                (one["Id"], sorted(one["RepoTags"] or ()), sorted(one["RepoDigests"] or ())) for one in images
            ),
            "volumes": sorted(one["Name"] for one in volumes),
            "containers": sorted(one["Id"] for one in containers),
        }

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """Fail where a block leaves the engine otherwise than it was."""
        before = self.state()
        yield
        after = self.state()
        assert after == before, (before, after)


def plain(name: str) -> str:
    """A name without its registry."""
    return name.partition("/")[2]


@contextmanager
def mirrors(engine: str) -> Iterator[Mirrors]:
    """An engine of its own with its registries."""
    with ExitStack() as undo:
        one = begin(engine)
        undo.callback(one.close)
        undo.callback(forget_engines)
        try:
            registries = [Registry(one, secured=secured) for secured in (False, False, True)]
        except RegistryError as problem:
            missing(str(problem))
        for registry in registries:
            undo.callback(registry.close)
        yield Mirrors(one, *registries, containerd=one.keeps_images_in_containerd)


@pytest.fixture(scope="module", params=ALL)
def lab(request: Any) -> Iterator[Mirrors]:
    with mirrors(request.param) as found:
        yield found
