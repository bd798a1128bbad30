from __future__ import annotations

import time

import pytest

from tests.integration.operations.proving import Body, Make, Names, failure, refusals, success
from tests.integration.operations.site import Site
from tests.lab.search_index import SearchIndex

pytestmark = pytest.mark.engine


@success("SystemPing", "SystemPingHead")
def test_a_ping_tells_the_facts_of_the_headers(site: Site) -> None:
    body = site.do("SystemPing")
    assert body.pop("text").strip() == "OK"
    assert site.do("SystemPingHead") == body
    assert body["apiVersion"] == site.version


@success("SystemVersion", "SystemInfo")
def test_version_and_info_name_the_engine(site: Site) -> None:
    assert site.do("SystemVersion")["Version"].startswith(site.engine.version)
    assert site.do("SystemInfo")["ServerVersion"].startswith(site.engine.version)


@success("SystemDataUsage")
def test_disk_usage_lists_the_image(site: Site, running: str) -> None:
    assert any(image["Size"] > 1_000_000 for image in site.do("SystemDataUsage")["Images"])


@success("SystemEvents")
def test_events_of_the_past_come_one_by_one_or_together(site: Site, ended: Make) -> None:
    began = int(time.time()) - 1
    container = ended("true")
    inputs = {
        "since": began,
        "until": int(time.time()) + 1,
        "filters": {"container": [container], "event": ["die"]},
    }
    results = site.do("SystemEvents", inputs)["results"]
    assert [event["Action"] for event in results] == ["die"]
    assert site.run("SystemEvents", inputs, emitBehavior="emitIndividually").bodies == results


@success("SystemAuth")
def test_a_login_that_the_registry_takes(site: Site) -> None:
    assert site.do("SystemAuth", {"requestBody": site.secured.account})["Status"] == "Login Succeeded"


@failure("SystemAuth")
def test_a_login_with_a_wrong_password_is_refused(site: Site) -> None:
    account = {**site.secured.account, "password": "wrong"}
    assert "wrong" not in site.fails("SystemAuth", {"requestBody": account}, "EngineFault", "Unauthorized")


TOLD = ("SystemPing", "SystemPingHead", "SystemVersion", "SystemInfo", "SystemDataUsage")


@pytest.mark.parametrize("key", [pytest.param(key, marks=failure(key)) for key in TOLD])
def test_nothing_is_told_by_an_engine_that_is_not_there(site: Site, key: str) -> None:
    nowhere = f"{site.engine.url}.gone"
    text = site.fails(key, {}, "Unreachable", otherServer=nowhere)
    assert nowhere in text


@refusals(
    SystemEvents=({"since": 20, "until": 10}, "Refused"),
)
def test_what_the_engine_does_not_take(site: Site, key: str, body: Body, names: Names) -> None:
    site.fails(key, body, *names)


@success("ImageSearch")
def test_a_search_asks_the_index_of_the_host(site: Site) -> None:
    with SearchIndex(site.lab, ["shop/web", "shop/worker", "other"]) as index:
        found = site.do("ImageSearch", {"term": f"{index.address}/shop", "limit": 5})["results"]
    assert {image["name"].rpartition("shop/")[2] for image in found} == {"web", "worker"}


@failure("ImageSearch")
def test_a_search_at_a_host_that_is_not_there_fails(site: Site) -> None:
    site.fails("ImageSearch", {"term": "127.0.0.1:1/shop"}, "EngineFault", "Refused")
