"""One engine of each kind for all tests of operations, and the table of what was shown on which."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import Protocol

import pytest

from lib.local.sandbox.busybox_image import LocalImageError
from lib.local.sandbox.private_engine import PrivateEngineError
from lib.local.sandbox.supervisor import SupervisorError
from tests.integration.operations import abilities
from tests.integration.operations.kinds import KINDS, Kind, differs
from tests.integration.operations.site import Site
from tests.lab.engine import LabEngine
from tests.lab.newer import NewerEngineError
from tests.lab.podman import PodmanError
from tests.lab.skipping import missing, skip_anywhere
from tests.lab.ssh_server import SshServer

MARK = "operation(*keys, case): the test shows that operations succeed, or how they fail"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", MARK)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every test runs on each kind of engine."""
    named = [mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")]
    if "site" in metafunc.fixturenames and not any("site" in names for names in named):
        metafunc.parametrize("site", list(KINDS), indirect=True, scope="session")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """But not on one that is known to do otherwise."""
    items[:] = [
        item
        for item in items
        if not _belongs_elsewhere(item)
        and not any(case != "refused" and differs(kind, key) for kind, key, case in _shown(item))
    ]


def _belongs_elsewhere(item: pytest.Item) -> bool:
    """Whether a test shows no operation, and its kind of engine is for some operations only."""
    spec = getattr(item, "callspec", None)
    kind = KINDS.get(spec.params.get("site")) if spec else None
    return bool(kind and kind.operations) and not any(item.iter_markers("operation"))


def _shown(item: pytest.Item) -> Iterator[tuple[str, str, str]]:
    """The kind of engine, the operation and the case, of all that a test shows."""
    spec = getattr(item, "callspec", None)
    kind = spec.params.get("site") if spec else None
    for mark in item.iter_markers("operation"):
        for key in mark.args:
            if kind:
                yield kind, key, mark.kwargs["case"]


@pytest.fixture(scope="session")
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    """An engine of one kind, private to these tests."""
    kind: Kind = KINDS[request.param]
    usual = kind.name == "20.10"
    try:
        engine = kind.start(1)
    except (PrivateEngineError, LocalImageError, NewerEngineError, PodmanError, SupervisorError) as problem:
        reason = f"no engine {kind.name}: {problem}"
        missing(reason) if usual else skip_anywhere(reason)
    ssh: SshServer | None = request.getfixturevalue("ssh_server") if kind.over_ssh else None
    site = Site(kind.name, engine, lambda: _second(kind), kind.prefix, ssh=ssh)
    yield site
    site.close()


def _second(kind: Kind) -> LabEngine:
    engine = kind.start(2)
    assert isinstance(engine, LabEngine)
    return engine


MakeContainer = Callable[..., str]


class Able(Protocol):
    """Tells the table of builds what an engine can: an ability, and whether it was seen, or a word for how."""

    def __call__(self, ability: str, seen: str | bool) -> None: ...


@pytest.fixture
def able(site: Site, record_property: Callable[[str, object], None]) -> Able:
    """What tells the table of the engine under test."""

    def tell(ability: str, seen: str | bool) -> None:
        word = seen if isinstance(seen, str) else abilities.YES if seen else abilities.NO
        record_property("ability", (ability, site.name, word))

    return tell


@pytest.fixture
def create(site: Site) -> Iterator[MakeContainer]:
    """`site.create`, with the containers removed after the test."""
    yield from _made(site, site.create)


@pytest.fixture
def start(site: Site) -> Iterator[MakeContainer]:
    """`site.started`, likewise."""
    yield from _made(site, site.started)


@pytest.fixture
def ended(site: Site) -> Iterator[MakeContainer]:
    """`site.ended`, likewise."""
    yield from _made(site, site.ended)


def _made(site: Site, make: MakeContainer) -> Iterator[MakeContainer]:
    made: list[str] = []

    def one(*command: str, **settings: object) -> str:
        made.append(make(*command, **settings))
        return made[-1]

    yield one
    for container in made:
        site.remove(container)


@pytest.fixture(scope="session")
def running(site: Site) -> Iterator[str]:
    """A container that does nothing, for tests that only look at it."""
    container = site.started("sleep", "600", name="bystander")
    yield container
    site.remove(container)


@pytest.fixture(scope="session")
def swarm(site: Site) -> Iterator[Site]:
    """The site as the manager of a swarm of one."""
    first = site.pair.addresses[0]
    init = {"AdvertiseAddr": first, "ListenAddr": f"{first}:2377"}
    site.engine.wire.do("POST", "/swarm/init", init)
    yield site
    site.engine.wire.ask("POST", "/swarm/leave", force="true")


@pytest.fixture
def outsider(site: Site) -> Iterator[LabEngine]:
    """The second engine, in no swarm before and after the test."""
    yield site.other
    site.other.wire.ask("POST", "/swarm/leave", force="true")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if call.when == "call" or report.outcome != "passed":
        for kind, key, case in _shown(item):
            report.user_properties.append(("operation", (key, kind, case, report.outcome)))
    return report
