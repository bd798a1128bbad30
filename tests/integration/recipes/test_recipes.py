"""The recipes of docs/cookbook.md for containers, volumes and engines, each run from its file by the local runner."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.recipes.kitchen import Kitchen
from tests.lab.engine import IMAGE

pytestmark = pytest.mark.engine

A_SECOND = 1_000_000_000


def volumes(kitchen: Kitchen) -> set[str]:
    return {one["Name"] for one in kitchen.ask("/volumes")["Volumes"] or ()}


def test_nightly_prune_tells_first_and_removes_when_it_is_told_to(kitchen: Kitchen) -> None:
    kitchen.engine.create(name="never-started")
    kitchen.engine.run(name="at-work")
    kitchen.engine.wire.do("POST", "/networks/create", {"Name": "lonely"})

    first = kitchen.report("nightly-prune", age="1ns")
    before = kitchen.states()
    then = kitchen.report("nightly-prune", age="1ns", steps={"prune": {"dryRun": False}})

    assert before == {"never-started": "created", "at-work": "running"}
    assert kitchen.states() == {"at-work": "running"}
    assert "subject: Would free" in first
    assert "subject: Freed" in then
    for said in (first, then):
        assert "container never-started" in said
        assert "network lonely" in said
        assert "at-work" not in said
    assert not [one for one in kitchen.ask("/networks") if one["Name"] == "lonely"]


def test_nightly_prune_leaves_what_is_young(kitchen: Kitchen) -> None:
    kitchen.engine.create(name="young")

    assert "young" not in kitchen.report("nightly-prune", steps={"prune": {"dryRun": False}})
    assert kitchen.states() == {"young": "created"}


def test_self_healing_starts_what_is_unhealthy_anew(kitchen: Kitchen) -> None:
    sick = {"Test": ["CMD-SHELL", "test ! -e /dev/shm/sick || ! echo out of order"], "Interval": A_SECOND}
    web = kitchen.engine.run(
        ["sh", "-c", "echo ready; exec sleep 600"], name="web", Healthcheck={**sick, "Retries": 1}
    )

    said = kitchen.reported("self-healing", lambda: command(kitchen, web, "touch", "/dev/shm/sick"))

    assert "container: web\nticket: none, it is well again\naction: restart\nhealth: healthy\n" in said
    assert "last check: out of order\nlast line: ready\n" in said


def test_self_healing_opens_a_ticket_where_a_new_start_is_no_help(kitchen: Kitchen) -> None:
    sick = {"Test": ["CMD-SHELL", "test ! -e /sick || ! echo broken"], "Interval": A_SECOND, "Retries": 1}
    web = kitchen.engine.run(name="web", Healthcheck=sick)

    said = kitchen.reported("self-healing", lambda: command(kitchen, web, "touch", "/sick"))

    assert "container: web\nticket: open: " in said
    assert "health: unhealthy\nlast check: broken\n" in said


def command(kitchen: Kitchen, container: str, *words: str) -> None:
    wire = kitchen.engine.wire
    made = wire.do("POST", f"/containers/{container}/exec", {"Cmd": words}).json()["Id"]
    wire.do("POST", f"/exec/{made}/start", {"Detach": True})


def test_batch_job_works_on_an_order_once(kitchen: Kitchen) -> None:
    first = kitchen.report("batch-job", image=IMAGE)
    again = kitchen.report("batch-job", image=IMAGE)

    assert "order: 4711\nexit code: 0\noutput: apples\n: pears\n" in first
    assert "errors: 2\n" in first
    for said, repeat in ((first, "no"), (again, "yes")):
        assert f"result: result.txt, 13 bytes\ndone before: {repeat}\n" in said
    assert list(kitchen.states().values()) == ["exited"]


def test_volume_backup_and_restore_drill(kitchen: Kitchen) -> None:
    daily = {"Labels": {"backup": "daily"}}
    kitchen.volume("orders", files={"open": "pears"}, **daily)
    kitchen.volume("bills", files={"paid": ""}, **daily)
    kitchen.volume("cache", files={"any": "thing"})
    kitchen.volume("backups")
    kitchen.engine.run(name="shop", HostConfig={"Binds": ["orders:/orders"]})

    backup = kitchen.report("volume-backup")
    stored = kitchen.told_by(["ls", "/v"], HostConfig={"Binds": ["backups:/v"]})
    drill = kitchen.report("restore-drill", image=IMAGE)

    assert backup.count("files: 1\n") == backup.count("consistent: yes\n") == 2
    assert stored.split() == ["bills.tgz", "orders.tgz"]
    assert kitchen.states() == {"shop": "running"}
    assert "volume: orders\nfiles: 1\ngood: yes\ncheck said: /restored/open\n" in drill
    assert "volume: bills\nfiles: 1\ngood: no\n" in drill  # a file without content
    assert volumes(kitchen) == {"orders", "bills", "cache", "backups"}


def test_crash_report_has_the_lines_before_the_end(kitchen: Kitchen) -> None:
    def crashes() -> None:
        program = ["sh", "-c", "echo connecting; echo ERROR no database; exit 3"]
        kitchen.engine.wait(kitchen.engine.run(program, name="shop"))

    said = kitchen.reported("crash-report", crashes)

    assert f"title: shop crashed with code 3\nimage: {IMAGE}\n" in said
    assert f"image id: {kitchen.ask(f'/images/{IMAGE}/json')['Id']}\nrestarts: 0\nout of memory: no\n" in said
    assert 'matches: 1\nbefore: ["connecting"]\nline: ERROR no database\n' in said


def test_disk_alarm_reports_what_is_left_when_cleaning_up_is_not_enough(kitchen: Kitchen) -> None:
    limit = {"watch": {"imagesGigabytes": "0.001"}}

    assert kitchen.report("disk-alarm") == ""
    said = kitchen.report("disk-alarm", steps=limit)

    assert "above: images\nfreed MB: 0\nlimit MB: 1\n" in said
    assert f"largest: {IMAGE} " in said


def test_config_push_reloads_what_is_good_and_takes_back_what_is_not(kitchen: Kitchen) -> None:
    kitchen.volume("nginx-conf", files={"site.conf": "server old"})
    mounted: dict[str, Any] = {"HostConfig": {"Binds": ["nginx-conf:/c"]}}
    assert "outcome: reloaded in 0 containers\n" in kitchen.report("config-push")
    for name in ("one", "two"):
        kitchen.engine.run(name=name, Labels={"app": "nginx"}, **mounted)
    check = 'sh -c "grep -q server /c/site.conf || ! echo no server"'
    programs = {"check": check, "reload": "cp /c/site.conf /loaded"}

    good = kitchen.report("config-push", content="server new", **programs)
    bad = kitchen.report("config-push", content="nonsense", **programs)

    assert "changed: yes\noutcome: reloaded in 2 containers\n" in good
    assert "changed: yes\noutcome: refused, the old one is back\ncheck said: no server" in bad
    assert kitchen.told_by(["cat", "/c/site.conf"], **mounted) == "server new"
