"""Fields of a body that the spoken API version does not have, on real engines (fault 8.2)."""

from __future__ import annotations

import pytest

from lib.engine.version import Version
from lib.sailor.message.ids import random_id
from tests.integration.operations.kinds import KINDS
from tests.integration.operations.site import Site

pytestmark = pytest.mark.engine


def test_a_part_of_a_volume_is_mounted_or_nothing_is_fault_8_2(site: Site) -> None:
    """Engines before API 1.45 drop the field, and the container sees the whole volume."""
    name = f"part-{random_id()}"
    mount = {"Type": "volume", "Source": name, "Target": "/v", "VolumeOptions": {"Subpath": "only/this"}}
    body = {"Image": site.engine.image, "HostConfig": {"Mounts": [mount]}}
    fields = {"name": name, "requestBody": body}
    if Version(*KINDS[site.name].api) < Version(1, 45):
        told = site.fails("ContainerCreate", fields, "VersionMismatch")
        assert "requestBody.HostConfig.Mounts[0].VolumeOptions.Subpath: it needs API 1.45" in told
        listed = site.do("ContainerList", {"all": True, "filters": {"name": [name]}})
        assert listed["results"] == []
    else:
        made = site.do("ContainerCreate", fields)["Id"]
        shown = site.do("ContainerInspect", {"id": made})
        assert shown["HostConfig"]["Mounts"][0]["VolumeOptions"]["Subpath"] == "only/this"
        site.do("ContainerDelete", {"id": made, "force": True, "v": True})


def test_what_engines_knew_before_it_was_documented_is_not_refused_fault_8_2(site: Site) -> None:
    """Subnets of networks stand in the documents since API 1.41; a network without it was made, with a warning."""
    if site.name != "20.10":
        pytest.skip("speaks API 1.25, too")
    config = {"Subnet": "10.214.0.0/24", "Gateway": "10.214.0.7"}
    body = {"Name": f"net-{random_id()}", "IPAM": {"Config": [config]}}
    made = site.do("NetworkCreate", {"requestBody": body}, apiVersion="1.25")["Id"]
    assert site.do("NetworkInspect", {"id": made})["IPAM"]["Config"] == [config]
    site.do("NetworkDelete", {"id": made})

    host = {"Init": True, "PortBindings": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "18080"}]}}
    create = {"requestBody": {"Image": site.engine.image, "HostConfig": host}}
    container = site.do("ContainerCreate", create, apiVersion="1.25")["Id"]
    shown = site.do("ContainerInspect", {"id": container})["HostConfig"]
    assert {name: shown[name] for name in host} == host
    site.do("ContainerDelete", {"id": container})
