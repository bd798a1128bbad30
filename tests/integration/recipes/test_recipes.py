"""The recipes of docs/cookbook.md, each run from its file by the local runner, on an engine of each age."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.recipes.kitchen import Kitchen
from tests.lab.engine import IMAGE
from tests.lab.registry import Registry
from tests.lab.registry_content import digest_of, put_image

pytestmark = pytest.mark.engine

A_SECOND = 1_000_000_000
WELL = {"Test": ["CMD", "true"], "Interval": A_SECOND}


def states(kitchen: Kitchen) -> dict[str, str]:
    listed = kitchen.ask("/containers/json", all=True)
    return {one["Names"][0][1:]: one["State"] for one in listed}


def volumes(kitchen: Kitchen) -> set[str]:
    return {one["Name"] for one in kitchen.ask("/volumes")["Volumes"] or ()}


def test_nightly_prune_tells_first_and_removes_when_it_is_told_to(kitchen: Kitchen) -> None:
    kitchen.engine.create(name="never-started")
    kitchen.engine.run(name="busy")
    kitchen.engine.wire.do("POST", "/networks/create", {"Name": "lonely"})

    first = kitchen.report("nightly-prune", age="1ns")
    before = states(kitchen)
    then = kitchen.report("nightly-prune", age="1ns", steps={"prune": {"dryRun": False}})

    assert before == {"never-started": "created", "busy": "running"}
    assert states(kitchen) == {"busy": "running"}
    assert "subject: Would free" in first
    assert "subject: Freed" in then
    for said in (first, then):
        assert "container never-started" in said
        assert "network lonely" in said
        assert "busy" not in said
    assert not [one for one in kitchen.ask("/networks") if one["Name"] == "lonely"]


def test_nightly_prune_leaves_what_is_young(kitchen: Kitchen) -> None:
    kitchen.engine.create(name="young")

    assert "young" not in kitchen.report("nightly-prune", steps={"prune": {"dryRun": False}})
    assert states(kitchen) == {"young": "created"}


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


@pytest.fixture
def web(kitchen: Kitchen, recipe_registry: Registry) -> str:
    """The full name of an image of the registry, with one container that follows it and one that does not."""
    reference = recipe_registry.push(kitchen.engine, "shop/web:stable")
    kitchen.engine.wire.do("POST", "/images/create", fromImage=reference)
    kitchen.engine.run(name="front", Image=reference, Labels={"auto-update": "true"}, Healthcheck=WELL)
    kitchen.engine.run(name="pinned", Image=reference, Healthcheck=WELL)
    return reference


def watching(reference: str) -> dict[str, dict[str, Any]]:
    return {"watch": {"references": reference, "minutes": "0"}}


def test_redeploy_updated_replaces_those_that_want_it(
    kitchen: Kitchen, recipe_registry: Registry, web: str
) -> None:
    def updated() -> None:
        kitchen.engine.import_image("newer:1")
        kitchen.engine.wire.do("POST", "/images/newer:1/tag", repo=web.rpartition(":")[0], tag="stable")
        recipe_registry.push(kitchen.engine, "shop/web:stable", "newer:1")

    before = {name: kitchen.ask(f"/containers/{name}/json")["Image"] for name in ("front", "pinned")}
    said = kitchen.reported("redeploy-updated", updated, steps=watching(web))

    after = {name: kitchen.ask(f"/containers/{name}/json")["Image"] for name in ("front", "pinned")}
    assert after == {"front": kitchen.ask("/images/newer:1/json")["Id"], "pinned": before["pinned"]}
    assert states(kitchen) == {"front": "running", "pinned": "running"}
    assert f"container: front\naction: redeployed\nimage: {web}\n" in said
    assert f"digest: {digest_of(recipe_registry, 'shop/web:stable')}\n" in said


def test_redeploy_updated_brings_the_old_one_back(
    kitchen: Kitchen, recipe_registry: Registry, web: str
) -> None:
    before = kitchen.ask("/containers/front/json")["Id"]

    # an image without any program
    said = kitchen.reported(
        "redeploy-updated",
        lambda: put_image(recipe_registry, "shop/web:stable", mark="empty"),
        steps=watching(web),
    )

    assert "container: front\naction: rolledBack\n" in said
    assert kitchen.ask("/containers/front/json")["Id"] == before
    assert states(kitchen)["front"] == "running"


def test_batch_job_works_on_an_order_once(kitchen: Kitchen) -> None:
    first = kitchen.report("batch-job", image=IMAGE)
    again = kitchen.report("batch-job", image=IMAGE)

    assert "order: 4711\nexit code: 0\noutput: apples\n: pears\n" in first
    assert "errors: 2\n" in first
    for said, repeat in ((first, "no"), (again, "yes")):
        assert f"result: result.txt, 13 bytes\ndone before: {repeat}\n" in said
    assert list(states(kitchen).values()) == ["exited"]


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
    assert states(kitchen) == {"shop": "running"}
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


def test_registry_mirror_copies_what_it_has_not(
    kitchen: Kitchen, recipe_registry: Registry, web: str
) -> None:
    mirror = f"{recipe_registry.address}/mirror"

    first, again = (kitchen.report("registry-mirror", steps=watching(web), mirror=mirror) for _ in range(2))

    digest = digest_of(recipe_registry, "shop/web:stable")
    assert digest_of(recipe_registry, "mirror/shop/web:stable") == digest
    assert f"from: {web}\nto: {mirror}/shop/web:stable\naction: mirrored\ndigest: {digest}\n" in first
    assert "action: none\n" in again


def test_config_push_reloads_what_is_good_and_takes_back_what_is_not(kitchen: Kitchen) -> None:
    kitchen.volume("nginx-conf", files={"site.conf": "server old"})
    mounted = {"HostConfig": {"Binds": ["nginx-conf:/c"]}}
    for name in ("one", "two"):
        kitchen.engine.run(name=name, Labels={"app": "nginx"}, **mounted)
    check = 'sh -c "grep -q server /c/site.conf || ! echo no server"'
    programs = {"check": check, "reload": "cp /c/site.conf /loaded"}

    good = kitchen.report("config-push", content="server new", **programs)
    bad = kitchen.report("config-push", content="nonsense", **programs)

    assert "changed: yes\noutcome: reloaded in 2 containers\n" in good
    assert "changed: yes\noutcome: refused, the old one is back\ncheck said: no server" in bad
    assert kitchen.told_by(["cat", "/c/site.conf"], **mounted) == "server new"
