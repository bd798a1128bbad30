"""What an engine answers goes into the next request as it came: no field of it is refused (fault 8.31)."""

from __future__ import annotations

from typing import Any

import pytest

from lib.sailor.message.ids import random_id
from tests.integration.operations.plugin import plugin_archive
from tests.integration.operations.proving import success
from tests.integration.operations.site import Site
from tests.lab.skipping import skip_anywhere
from tests.lab.waiting import wait_until

pytestmark = pytest.mark.engine

LIMITS = {"Memory": 64 << 20, "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 2}}


def not_podman(site: Site) -> None:
    if site.name == "podman":
        skip_anywhere("Podman itself does not take back what it answers here")


@success("ContainerCreate", "ContainerInspect")
def test_a_container_is_made_as_another_one_is(site: Site) -> None:
    """Fault 8.31: Config, HostConfig and the networks of ContainerInspect are the body of ContainerCreate."""
    not_podman(site)
    first = site.started(
        "sleep",
        "600",
        HostConfig={**LIMITS, "PortBindings": {"80/tcp": [{"HostPort": ""}]}, "Tmpfs": {"/t": ""}},
        ExposedPorts={"80/tcp": {}},
        Healthcheck={"Test": ["NONE"]},
        Labels={"Lables": "x"},
    )
    found = site.do("ContainerInspect", {"id": first})
    networks = {"EndpointsConfig": found["NetworkSettings"]["Networks"]}
    body = {**found["Config"], "HostConfig": found["HostConfig"], "NetworkingConfig": networks}
    # An engine that is spoken to in an older version shows fields that this version does not have.
    older = {"unknownFields": "pass"} if site.name.endswith("-at-1.33") else {}
    if older:
        told = site.fails("ContainerCreate", {"requestBody": body}, "VersionMismatch")
        assert "HostConfig.MaskedPaths: it needs API 1.38" in told
    second = site.do("ContainerCreate", {"requestBody": body}, **older)["Id"]
    again = site.do("ContainerInspect", {"id": second})
    assert again["Config"]["Labels"] == found["Config"]["Labels"]
    for key in ("Memory", "RestartPolicy", "PortBindings"):
        assert again["HostConfig"][key] == found["HostConfig"][key]
    for container in (first, second):
        site.remove(container)


@success("ImageCommit", "ImageInspect", "ContainerCreate")
def test_a_container_and_an_image_are_made_of_the_config_of_an_image(site: Site) -> None:
    """Fault 8.31: Config of ImageInspect."""
    config = site.do("ImageInspect", {"name": site.engine.image})["Config"]
    body = {**config, "Image": site.engine.image, "Cmd": ["true"]}
    made = site.do("ContainerCreate", {"requestBody": body})["Id"]
    tag = random_id()
    site.do("ImageCommit", {"container": made, "repo": "again", "tag": tag, "requestBody": config})
    site.engine.wire.ask("DELETE", f"/images/again:{tag}")
    site.remove(made)


@success("ContainerUpdate", "ContainerInspect")
def test_limits_of_one_container_become_those_of_another(site: Site) -> None:
    """Fault 8.31: what ContainerUpdate takes of HostConfig; names in another case are taken as the engine does."""
    made = site.create("sleep", "600", HostConfig=LIMITS)
    found = site.do("ContainerInspect", {"id": made})["HostConfig"]
    change = {"memory": found["Memory"] * 2, "MEMORYSWAP": found["Memory"] * 4}
    site.do("ContainerUpdate", {"id": made, "requestBody": change})
    after = site.do("ContainerInspect", {"id": made})["HostConfig"]
    assert (after["Memory"], after["MemorySwap"]) == (found["Memory"] * 2, found["Memory"] * 4)
    site.remove(made)


@success("NetworkCreate", "NetworkInspect")
def test_a_network_is_made_as_another_one_was(site: Site) -> None:
    """Fault 8.31: the whole answer of NetworkInspect is taken; what the engine itself wrote counts for nothing."""
    not_podman(site)
    name = f"net-{random_id()}"
    body = {"Name": name, "Driver": "bridge", "Internal": True, "Labels": {"a": "b"}}
    site.do("NetworkCreate", {"requestBody": body})
    found = site.do("NetworkInspect", {"id": name, "verbose": False})
    site.do("NetworkDelete", {"id": name})
    site.do("NetworkCreate", {"requestBody": found})
    again = site.do("NetworkInspect", {"id": name})
    kept = ("Name", "Driver", "Internal", "Labels", "IPAM", "Options")
    assert {key: again[key] for key in kept} == {key: found[key] for key in kept}
    site.do("NetworkDelete", {"id": name})


@success("NetworkConnect", "ContainerInspect")
def test_a_container_is_connected_as_it_was(site: Site) -> None:
    """Fault 8.31: an entry of NetworkSettings.Networks is the EndpointConfig of NetworkConnect."""
    name = f"net-{random_id()}"
    site.do("NetworkCreate", {"requestBody": {"Name": name}})
    made = site.started("sleep", "600")
    site.do("NetworkConnect", {"id": name, "requestBody": {"Container": made}})
    entry = site.do("ContainerInspect", {"id": made})["NetworkSettings"]["Networks"][name]
    site.do("NetworkDisconnect", {"id": name, "requestBody": {"Container": made, "Force": True}})
    site.do("NetworkConnect", {"id": name, "requestBody": {"Container": made, "EndpointConfig": entry}})
    site.remove(made)
    site.do("NetworkDelete", {"id": name})


@success("VolumeCreate", "VolumeInspect")
def test_a_volume_is_made_as_another_one_was(site: Site) -> None:
    """Fault 8.31: the whole answer of VolumeInspect, but for its Options, which are DriverOpts in a request."""
    name = f"vol-{random_id()}"
    options = {"type": "tmpfs", "device": "tmpfs"}
    site.do("VolumeCreate", {"requestBody": {"Name": name, "DriverOpts": options, "Labels": {"a": "b"}}})
    found = site.do("VolumeInspect", {"name": name})
    assert "DriverOpts" in site.fails("VolumeCreate", {"requestBody": found}, "BadInput")
    opts = found.pop("Options")
    site.do("VolumeDelete", {"name": name})
    site.do("VolumeCreate", {"requestBody": {**found, "DriverOpts": opts}})
    again = site.do("VolumeInspect", {"name": name})
    assert (again["Options"], again["Labels"]) == (options, found["Labels"])
    site.do("VolumeDelete", {"name": name})
    found["Options"] = None
    site.do("VolumeCreate", {"requestBody": found})
    site.do("VolumeDelete", {"name": name})


@success("PluginInspect", "PluginSet")
def test_settings_of_a_plugin_are_set_again(site: Site) -> None:
    """Fault 8.31: Settings.Env of PluginInspect is the body of PluginSet."""
    name = f"disk-{random_id()}:latest"
    stored = {"plugin": site.attachment(plugin_archive())}
    site.do("PluginCreate", {"name": name}, attachments=stored)
    found = site.do("PluginInspect", {"name": name})["Settings"]["Env"]
    assert site.do("PluginSet", {"name": name, "requestBody": found}) == {}
    site.do("PluginDelete", {"name": name})


@success("SwarmInspect", "SwarmUpdate")
def test_the_spec_of_a_swarm_goes_back(swarm: Site, site: Site) -> None:
    """Fault 8.31: Spec of SwarmInspect is the body of SwarmUpdate."""
    found = site.do("SwarmInspect")
    body = {"version": found["Version"]["Index"], "requestBody": found["Spec"]}
    assert site.do("SwarmUpdate", body) == {}
    node = site.do("NodeList")["results"][0]
    again = {"id": node["ID"], "version": node["Version"]["Index"], "requestBody": node["Spec"]}
    assert site.do("NodeUpdate", again) == {}


@success("ServiceInspect", "ServiceUpdate", "ServiceCreate", "TaskInspect")
def test_the_spec_of_a_service_goes_back(swarm: Site, site: Site) -> None:
    """Fault 8.31: Spec of ServiceInspect is the body of ServiceUpdate and of ServiceCreate, with every field set."""
    name = f"service-{random_id()}"
    made = site.do("ServiceCreate", {"requestBody": rich(site, name)})["ID"]
    # The swarm writes the endpoint a moment later, which makes a new version.
    wait_until(lambda: allocated(site, made), "the ports of the service")
    found = site.do("ServiceInspect", {"id": made, "insertDefaults": True})
    body = {"id": made, "version": found["Version"]["Index"], "requestBody": found["Spec"]}
    site.do("ServiceUpdate", body)
    after = site.do("ServiceInspect", {"id": made})
    assert after["Spec"]["TaskTemplate"]["ContainerSpec"]["Healthcheck"] == {"Test": ["NONE"]}
    twin = site.do("ServiceCreate", {"requestBody": {**after["Spec"], "Name": f"{name}-2"}})["ID"]
    for service in (made, twin):
        site.do("ServiceDelete", {"id": service})


def allocated(site: Site, service: str) -> bool:
    found = site.engine.wire.do("GET", f"/services/{service}").json()
    return bool(found.get("Endpoint", {}).get("Ports"))


def rich(site: Site, name: str) -> dict[str, Any]:
    container = {
        "Image": site.engine.image,
        "Command": ["sleep", "600"],
        "HealthCheck": {"Test": ["NONE"]},  # as documents spell it; engines say Healthcheck
        "Hosts": ["10.0.0.1 db"],
        "DNSConfig": {"Search": ["x.test"]},
        "Mounts": [{"Type": "tmpfs", "Target": "/t", "TmpfsOptions": {"SizeBytes": 1 << 20}}],
        "Privileges": {"SELinuxContext": {"Disable": True}},
        "Sysctls": {"net.ipv4.ip_unprivileged_port_start": "0"},
    }
    template = {
        "ContainerSpec": container,
        "Resources": {"Limits": {"MemoryBytes": 64 << 20}, "Reservations": {"MemoryBytes": 8 << 20}},
        "RestartPolicy": {"Condition": "none"},
        "Placement": {"Preferences": [{"Spread": {"SpreadDescriptor": "node.labels.zone"}}]},
        "LogDriver": {"Name": "json-file", "Options": {"max-file": "2"}},
    }
    ports = [{"TargetPort": 80, "Protocol": "tcp", "PublishMode": "host"}]
    return {
        "Name": name,
        "Labels": {"case": "service"},
        "TaskTemplate": template,
        "Mode": {"Replicated": {"Replicas": 0}},
        "UpdateConfig": {"Parallelism": 1},
        "EndpointSpec": {"Ports": ports},
    }


@pytest.mark.parametrize(
    "resource",
    [
        pytest.param("Secret", marks=success("SecretInspect", "SecretUpdate")),
        pytest.param("Config", marks=success("ConfigInspect", "ConfigUpdate")),
    ],
)
def test_the_spec_of_a_secret_and_of_a_config_goes_back(swarm: Site, site: Site, resource: str) -> None:
    """Fault 8.31: Spec of SecretInspect and ConfigInspect is the body of their updates."""
    body = {"Name": f"kept-{random_id()}", "Data": "YQ==", "Labels": {"a": "1"}}
    made = site.do(f"{resource}Create", {"requestBody": body})["ID"]
    found = site.do(f"{resource}Inspect", {"id": made})
    again = {"id": made, "version": found["Version"]["Index"], "requestBody": found["Spec"]}
    assert site.do(f"{resource}Update", again) == {}
    site.do(f"{resource}Delete", {"id": made})
