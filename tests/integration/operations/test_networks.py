"""Networks, and who is connected to them."""

from __future__ import annotations

import pytest

from lib.sailor.message.ids import random_id
from tests.integration.operations.proving import Body, Make, Names, failure, refusals, success
from tests.integration.operations.site import Site

pytestmark = pytest.mark.engine


@success("NetworkCreate", "NetworkInspect", "NetworkList", "NetworkDelete")
def test_a_network_is_made_found_and_deleted(site: Site) -> None:
    name = f"net-{random_id()}"
    body = {
        "Name": name,
        "Driver": "bridge",
        "Internal": True,
        "Labels": {"case": "net"},
        "CheckDuplicate": True,
    }
    made = site.do("NetworkCreate", {"requestBody": body})["Id"]
    assert site.do("NetworkInspect", {"id": name, "verbose": True})["Id"] == made
    results = site.do("NetworkList", {"filters": {"name": [name]}})["results"]
    assert [network["Id"] for network in results] == [made]
    assert site.do("NetworkDelete", {"id": made}) == {}


@success("NetworkConnect", "NetworkDisconnect")
def test_a_container_is_connected_and_disconnected(site: Site, start: Make) -> None:
    made, container = site.do("NetworkCreate", {"requestBody": {"Name": f"net-{random_id()}"}})["Id"], start()
    config = {"Aliases": ["www"], "IPAMConfig": {}}
    site.do("NetworkConnect", {"id": made, "requestBody": {"Container": container, "EndpointConfig": config}})
    assert container in site.do("NetworkInspect", {"id": made})["Containers"]
    site.do("NetworkDisconnect", {"id": made, "requestBody": {"Container": container, "Force": True}})
    assert not site.do("NetworkInspect", {"id": made})["Containers"]
    site.do("NetworkDelete", {"id": made})


@failure("NetworkCreate", "NetworkConnect", "NetworkDelete")
def test_what_is_in_the_way_is_no_matter_of_access(site: Site, create: Make, start: Make) -> None:
    """Fault 8.20: Docker Engines answer 403."""
    if site.name == "podman":
        pytest.skip("Podman has other texts")
    subnet = {"IPAM": {"Config": [{"Subnet": "10.213.0.0/24"}]}}
    body = {"Name": f"net-{random_id()}", **subnet}
    made = site.do("NetworkCreate", {"requestBody": body})["Id"]
    holder, other = start(), create()
    address = {"IPAMConfig": {"IPv4Address": "10.213.0.9"}}
    try:
        overlapping = {"Name": f"net-{random_id()}", **subnet}
        assert "IPAM" in site.fails("NetworkCreate", {"requestBody": overlapping}, "Conflict")
        taken = {"id": made, "requestBody": {"Container": holder, "EndpointConfig": address}}
        site.do("NetworkConnect", taken)
        second = {"id": made, "requestBody": {"Container": other, "EndpointConfig": address}}
        site.do("NetworkConnect", second)  # it does not run, so the address is asked for when it starts
        assert "another one" in site.fails("ContainerStart", {"id": other}, "Conflict")
        assert "NetworkDisconnect" in site.fails("NetworkDelete", {"id": made}, "Conflict")
    finally:
        site.remove(holder)
        site.remove(other)
        site.engine.wire.ask("DELETE", f"/networks/{made}")


@success("NetworkPrune")
def test_unused_networks_with_a_label_are_pruned(site: Site) -> None:
    name = f"net-{random_id()}"
    site.do("NetworkCreate", {"requestBody": {"Name": name, "Labels": {"case": name}}})
    assert site.do("NetworkPrune", {"filters": {"label": [f"case={name}"]}})["NetworksDeleted"] == [name]


@refusals(
    NetworkList=({"filters": {"nonsense": ["x"]}}, "Refused", "EngineFault"),
    NetworkInspect=({"id": "nothing"}, "NotFound"),
    NetworkCreate=({"requestBody": {"Name": "bridge"}}, "Conflict", "Refused", "EngineFault"),
    NetworkConnect=({"id": "nothing", "requestBody": {"Container": "nothing"}}, "NotFound"),
    NetworkDisconnect=({"id": "nothing", "requestBody": {"Container": "nothing"}}, "NotFound"),
    NetworkDelete=({"id": "nothing"}, "NotFound"),
    NetworkPrune=({"filters": {"nonsense": ["x"]}}, "Refused", "EngineFault"),
)
def test_what_cannot_be_done(site: Site, key: str, body: Body, names: Names) -> None:
    site.fails(key, body, *names)
