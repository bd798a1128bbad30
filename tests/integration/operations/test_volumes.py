"""Volumes."""

from __future__ import annotations

import pytest

from lib.sailor.message.ids import random_id
from tests.integration.operations.proving import Body, Names, failure, refusals, success
from tests.integration.operations.site import Site

pytestmark = pytest.mark.engine


@success("VolumeCreate", "VolumeInspect", "VolumeList", "VolumeDelete")
def test_a_volume_is_made_found_and_deleted(site: Site) -> None:
    name = f"vol-{random_id()}"
    body = {"Name": name, "Driver": "local", "Labels": {"case": "volume"}}
    assert site.do("VolumeCreate", {"requestBody": body})["Name"] == name
    assert site.do("VolumeInspect", {"name": name})["Labels"] == {"case": "volume"}
    found = site.do("VolumeList", {"filters": {"name": [name]}})["Volumes"]
    assert [volume["Name"] for volume in found] == [name]
    assert site.do("VolumeDelete", {"name": name, "force": False}) == {}


@success("VolumePrune")
def test_unused_volumes_with_a_label_are_pruned(site: Site) -> None:
    label = f"case={random_id()}"
    made = site.do("VolumeCreate", {"requestBody": {"Labels": dict([label.split("=")])}})["Name"]
    filters = {"label": [label], "all": ["true"]} if site.version >= "1.42" else {"label": [label]}
    assert site.do("VolumePrune", {"filters": filters})["VolumesDeleted"] == [made]


@success("VolumeUpdate")
def test_a_cluster_volume_is_paused(swarm: Site, site: Site) -> None:
    name = f"vol-{random_id()}"
    access = {"Scope": "single", "Sharing": "none", "MountVolume": {}}
    spec = {"Group": "lab", "AccessMode": access}
    site.do("VolumeCreate", {"requestBody": {"Name": name, "Driver": "csi", "ClusterVolumeSpec": spec}})
    change = {"Spec": {"Availability": "pause"}}
    assert site.do("VolumeUpdate", {"name": name, "requestBody": change}) == {}
    found = site.do("VolumeInspect", {"name": name})["ClusterVolume"]
    assert found["Spec"]["Availability"] == "pause"
    assert found["Spec"]["Group"] == "lab"
    version = found["Version"]["Index"]
    change = {"Spec": {**found["Spec"], "Availability": "active"}}
    site.do("VolumeUpdate", {"name": name, "version": version, "requestBody": change})
    site.fails("VolumeUpdate", {"name": name, "version": version, "requestBody": change}, "EngineFault")
    site.do("VolumeDelete", {"name": name, "force": True})


@failure("VolumeUpdate")
def test_a_volume_of_one_engine_has_nothing_to_update(site: Site) -> None:
    name = f"vol-{random_id()}"
    site.do("VolumeCreate", {"requestBody": {"Name": name}})
    body = {"name": name, "requestBody": {"Spec": {"Availability": "pause"}}}
    assert "version" in site.fails("VolumeUpdate", body, "BadInput")
    site.do("VolumeDelete", {"name": name})


@refusals(
    VolumeList=({"filters": {"nonsense": ["x"]}}, "Refused", "EngineFault"),
    VolumeCreate=({"requestBody": {"Name": "no/such name"}}, "Refused", "EngineFault"),
    VolumeInspect=({"name": "nothing"}, "NotFound"),
    VolumeDelete=({"name": "nothing"}, "NotFound"),
    VolumePrune=({"filters": {"nonsense": ["x"]}}, "Refused", "EngineFault"),
)
def test_what_cannot_be_done(site: Site, key: str, body: Body, names: Names) -> None:
    site.fails(key, body, *names)
