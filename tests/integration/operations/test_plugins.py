"""Plugins: made, pushed, pulled, set, enabled."""

from __future__ import annotations

import pytest

from lib.sailor.message.ids import random_id
from tests.integration.operations.plugin import plugin_archive
from tests.integration.operations.proving import Body, Names, failure, refusals, success
from tests.integration.operations.site import Site

pytestmark = pytest.mark.engine


@pytest.fixture(scope="session")
def pushed(site: Site) -> str:
    """A plugin in the registry that wants a password."""
    name = f"{site.secured.address}/plugins/disk:1"
    stored = {"plugin": site.attachment(plugin_archive())}
    assert site.do("PluginCreate", {"name": name}, attachments=stored) == {}
    told = site.do("PluginPush", {"name": name, "X_Registry_Auth": account(site)})
    assert told["digest"].startswith("sha256:")
    site.do("PluginDelete", {"name": name})
    return name


def account(site: Site) -> dict[str, str]:
    return {"username": site.secured.user, "password": site.secured.password}


@success("PluginCreate", "PluginPush", "GetPluginPrivileges", "PluginPull", "PluginUpgrade", "PluginDelete")
def test_a_plugin_goes_to_the_registry_and_comes_back(site: Site, pushed: str) -> None:
    logins = {"registries": {site.secured.address: account(site)}}
    asked = site.do("GetPluginPrivileges", {"remote": pushed}, **logins)["results"]
    assert [privilege["Name"] for privilege in asked] == ["network"]
    name = f"disk-{random_id()}:latest"
    body = {"remote": pushed, "name": name, "requestBody": asked}
    site.do("PluginPull", body, **logins)
    assert site.do("PluginInspect", {"name": name})["PluginReference"] == pushed
    site.do("PluginUpgrade", body, **logins)
    assert site.do("PluginDelete", {"name": name, "force": True}) == {}


@success("PluginEnable", "PluginDisable", "PluginSet", "PluginInspect", "PluginList")
@failure("PluginEnable", "PluginDisable", "PluginSet", "PluginDelete", "PluginPush", "PluginUpgrade")
def test_a_plugin_is_set_enabled_and_disabled(site: Site) -> None:
    name = f"disk-{random_id()}:latest"
    stored = {"plugin": site.attachment(plugin_archive())}
    site.do("PluginCreate", {"name": name}, attachments=stored)
    assert site.do("PluginSet", {"name": name, "requestBody": ["DEBUG=1"]}) == {}
    assert site.do("PluginEnable", {"name": name}) == {}
    found = site.do("PluginInspect", {"name": name})
    assert (found["Enabled"], found["Settings"]["Env"]) == (True, ["DEBUG=1"])
    listed = site.do("PluginList", {"filters": {"enabled": ["true"]}})["results"]
    assert [plugin["Name"] for plugin in listed] == [name]
    site.fails("PluginEnable", {"name": name, "timeout": 1}, "Conflict", "EngineFault")
    site.fails("PluginSet", {"name": name, "requestBody": ["DEBUG=2"]}, "Conflict", "EngineFault")
    site.fails("PluginDelete", {"name": name}, "Conflict", "EngineFault")
    assert site.do("PluginDisable", {"name": name, "force": True}) == {}
    site.fails("PluginDisable", {"name": name}, "Conflict", "EngineFault")
    site.do("PluginDelete", {"name": name})


@failure("PluginPull")
def test_what_the_registry_lacks_is_not_installed(site: Site) -> None:
    remote = f"{site.registry.address}/plugins/none:1"
    refused = ("NotFound", "Refused", "EngineFault", "StreamFailed")
    site.fails("PluginPull", {"remote": remote, "name": "none", "requestBody": []}, *refused)


@failure("PluginCreate")
def test_rubbish_is_no_plugin(site: Site) -> None:
    stored = {"rubbish": site.attachment(b"\x1f\x8b\x08" + b"rubbish" * 1000)}
    body = {"name": f"rubbish-{random_id()}"}
    site.fails("PluginCreate", body, "EngineFault", "Refused", "OutcomeUnknown", attachments=stored)


@refusals(
    GetPluginPrivileges=({"remote": "no such name"}, "Refused", "EngineFault"),
    PluginList=({"filters": {"nonsense": ["x"]}}, "Refused", "EngineFault"),
    PluginInspect=({"name": "nothing"}, "NotFound"),
    PluginDelete=({"name": "nothing"}, "NotFound"),
    PluginEnable=({"name": "nothing"}, "NotFound"),
    PluginDisable=({"name": "nothing"}, "NotFound"),
    PluginSet=({"name": "nothing", "requestBody": ["A=b"]}, "NotFound"),
    PluginPush=({"name": "nothing"}, "NotFound", "EngineFault"),
    PluginUpgrade=(
        {"name": "nothing", "remote": "127.0.0.1:1/x", "requestBody": []},
        "NotFound",
        "EngineFault",
    ),
)
def test_what_cannot_be_done(site: Site, key: str, body: Body, names: Names) -> None:
    site.fails(key, body, *names)
