"""EnsureContainer behind a proxy that forbids calls: reads are enough where nothing is to do, and for a dry run."""

from __future__ import annotations

from typing import Any

import pytest

from tests.actions.stepping import run_step
from tests.jobs.containers import KEY, ensure, inspect, name, network, of, wish
from tests.jobs.engines import own
from tests.jobs.finding import done, failed
from tests.lab.engine import LabEngine
from tests.lab.socket_proxy import READS, SocketProxy

__all__ = ["name", "own"]
pytestmark = pytest.mark.engine


def through(proxy: SocketProxy, body: dict[str, Any], **settings: Any) -> Any:
    address = {"server": "2", "otherServer": proxy.url, "errorPolicy": "throwError", **settings}
    return run_step(KEY, body, address)


def but(call: str) -> str:
    """All calls but some."""
    return f"(?!{call}$).*"


def test_dry_run_and_nothing_to_do_need_reads_alone(own: LabEngine, name: str) -> None:
    with SocketProxy(own.socket, READS) as proxy:
        made = done(through(proxy, wish(name), dryRun=True))
        ensure(own, name)
        anew = done(through(proxy, wish(name, env={"A": "1"}), dryRun=True))
        gone = done(through(proxy, wish(name, state="absent"), dryRun=True))
        none = done(through(proxy, wish(name)))
        assert proxy.refused == []

    assert [told["action"] for told in (made, anew, gone, none)] == [
        "created",
        "recreated",
        "removed",
        "none",
    ]
    assert [told["changed"] for told in (made, anew, gone, none)] == [False] * 4


CREATE, START, STOP = "POST /containers/create", "POST /containers/[^/]+/start", "POST /containers/[^/]+/stop"
UPDATE, RENAME = "POST /containers/[^/]+/update", "POST /containers/[^/]+/rename"
CONNECT = "POST /networks/[^/]+/connect"


@pytest.mark.parametrize("call", [CREATE, UPDATE, STOP, RENAME, CONNECT])
def test_a_permission_that_is_missing_fails_and_the_old_one_goes_on(
    own: LabEngine, name: str, call: str
) -> None:
    both = [{"name": network(own, f"{name}-1")}, {"name": network(own, f"{name}-2")}]
    ensure(own, name, restart="always", networks=both)
    before = inspect(own, name)
    with SocketProxy(own.socket, but(call)) as proxy:
        error = failed(through(proxy, wish(name, restart="always", networks=both, env={"A": "1"})))
        assert proxy.refused
    now = inspect(own, name)

    assert (error[0], "403" in error[1]) == ("Unauthorized", True), error
    assert (now["Id"], now["State"]["Running"], of(own, name)) == (before["Id"], True, [name])
    assert now["HostConfig"]["RestartPolicy"]["Name"] == "always"
    assert ensure(own, name, restart="always", networks=both)["action"] == "none"


def test_without_the_permission_to_start_nothing_new_stays_up(own: LabEngine, name: str) -> None:
    with SocketProxy(own.socket, but(START)) as proxy:
        assert failed(through(proxy, wish(name)))[0] == "NotStarted"
    assert inspect(own, name)["State"]["Status"] == "created"
    assert ensure(own, name)["action"] == "started"


def test_without_the_permission_to_delete_the_old_one_is_left_and_told(own: LabEngine, name: str) -> None:
    ensure(own, name)
    with SocketProxy(own.socket, but("DELETE .*")) as proxy:
        error = failed(through(proxy, wish(name, env={"A": "1"}, idempotencyKey="one")))
    assert (error[0], "403" in error[1]) == ("Unauthorized", True)
    assert len(of(own, name)) == 2

    told = ensure(own, name, env={"A": "1"}, idempotencyKey="one")
    assert (told["container"]["state"], of(own, name)) == ("running", [name])


def test_who_may_not_look_at_networks_may_use_them(own: LabEngine, name: str) -> None:
    one = network(own, f"{name}-1")
    with SocketProxy(own.socket, but("GET /networks/[^/]+")) as proxy:
        told = done(through(proxy, wish(name, networks=[{"name": one}])))

    assert (told["action"], list(told["container"]["networks"])) == ("created", [one])
