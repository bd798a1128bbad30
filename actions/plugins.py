"""Actions on the plugins of the engine."""

from __future__ import annotations

from lib.action import Answer, action
from lib.engine import Engine, Fields
from lib.engine.request.query import filters, whole
from lib.engine.request.registry_auth import RegistryAuth

_START_SECONDS = 30


@action("PluginList")
def plugin_list(engine: Engine, fields: Fields) -> Answer:
    """List plugins: GET /plugins."""
    return engine.get("/plugins", fields, query=(filters(),))


@action("GetPluginPrivileges")
def get_plugin_privileges(engine: Engine, fields: Fields) -> Answer:
    """Show what a plugin asks for: GET /plugins/privileges."""
    return engine.get(
        "/plugins/privileges", fields, query=("remote",), headers=(RegistryAuth("remote"),), timeout="slow"
    )


@action("PluginPull")
def plugin_pull(engine: Engine, fields: Fields) -> Answer:
    """Install a plugin: POST /plugins/pull."""
    return engine.progress(
        "/plugins/pull",
        fields,
        query=("remote", "name"),
        headers=(RegistryAuth("remote"),),
        body=fields.get("requestBody") or [],
    )


@action("PluginInspect")
def plugin_inspect(engine: Engine, fields: Fields) -> Answer:
    """Inspect a plugin: GET /plugins/{name}/json."""
    return engine.get("/plugins/{+name}/json", fields)


@action("PluginDelete")
def plugin_delete(engine: Engine, fields: Fields) -> Answer:
    """Delete a plugin: DELETE /plugins/{name}."""
    return engine.delete("/plugins/{+name}", fields, query=("force",))


@action("PluginEnable")
def plugin_enable(engine: Engine, fields: Fields) -> Answer:
    """Enable a plugin: POST /plugins/{name}/enable. The engine requires a timeout, so there is a default."""
    fields = {"timeout": _START_SECONDS, **fields}
    return engine.post("/plugins/{+name}/enable", fields, query=(whole("timeout"),), timeout="slow")


@action("PluginDisable")
def plugin_disable(engine: Engine, fields: Fields) -> Answer:
    """Disable a plugin: POST /plugins/{name}/disable."""
    return engine.post("/plugins/{+name}/disable", fields, query=("force",), timeout="slow")


@action("PluginUpgrade")
def plugin_upgrade(engine: Engine, fields: Fields) -> Answer:
    """Upgrade a plugin: POST /plugins/{name}/upgrade."""
    return engine.progress(
        "/plugins/{+name}/upgrade",
        fields,
        query=("remote",),
        headers=(RegistryAuth("remote"),),
        body=fields.get("requestBody") or [],
    )


@action("PluginCreate", upload=lambda _: True)
def plugin_create(engine: Engine, fields: Fields) -> Answer:
    """Create a plugin from an archive: POST /plugins/create."""
    return engine.post("/plugins/create", fields, query=("name",), body="requestBody", timeout="transfer")


@action("PluginPush")
def plugin_push(engine: Engine, fields: Fields) -> Answer:
    """Push a plugin to its registry: POST /plugins/{name}/push."""
    return engine.progress("/plugins/{+name}/push", fields, headers=(RegistryAuth("name"),))


@action("PluginSet")
def plugin_set(engine: Engine, fields: Fields) -> Answer:
    """Configure a plugin: POST /plugins/{name}/set."""
    return engine.post("/plugins/{+name}/set", fields, body=fields.get("requestBody") or [])
