"""The order in which the examples of all actions are run: what one of them makes, later ones need."""

from __future__ import annotations

from tests.integration.operations.plugin import plugin_archive
from tests.samples.world import SAID, STREAMS, World

LABEL = {"team": "shop"}


def containers(world: World) -> None:
    run = world.run
    for key in ("NetworkCreate", "VolumeCreate", "ContainerCreate", "ContainerStart", "NetworkConnect"):
        run(key)
    world.until(
        "the first line",
        lambda: SAID in world.ask("GET", "/containers/web/logs", stdout=1).body.decode("latin-1"),
    )
    world.ask(
        "POST",
        "/containers/create",
        {"Image": "nginx:1.27", "Cmd": ["sh"], "OpenStdin": True, "Tty": True},
        name="shell",
    )
    world.ask("POST", "/containers/shell/start")
    for key in (
        "ContainerInspect",
        "ContainerTop",
        "ContainerLogs",
        "ContainerStats",
        "ContainerPause",
        "ContainerUnpause",
    ):
        run(key, **(STREAMS if key in ("ContainerLogs", "ContainerStats") else {}))
    run("ContainerResize", {"id": "shell"})
    run("ContainerKill")
    run("ContainerUpdate")
    made = run("ContainerExec")
    run("ExecInspect", {"id": made["Id"]})
    run("ExecStart", {"id": made["Id"]})
    shell = world.ask("POST", "/containers/shell/exec", {"Cmd": ["sleep", "60"], "Tty": True}).json()["Id"]
    world.ask("POST", f"/exec/{shell}/start", {"Detach": True, "Tty": True})
    run("ExecResize", {"id": shell})
    run("PutContainerArchive")
    for key in ("ContainerArchiveInfo", "ContainerArchive", "ContainerExport", "ContainerChanges"):
        run(key)
    run("ContainerAttach", {"id": "shell", "stdinText": "echo reload\n"}, maxSeconds="3")
    run("ContainerAttachWebsocket", {"logs": True}, maxSeconds="3")
    run("ImageCommit")
    for key in ("NetworkList", "NetworkInspect", "NetworkDisconnect", "VolumeList", "VolumeInspect"):
        run(key)
    for key in ("ContainerStop", "ContainerWait", "ContainerRestart"):
        run(key)
    world.ask("POST", "/containers/web/stop")
    run("SystemEvents", {"since": "10m", "until": "0s"}, **STREAMS)
    run("ContainerRename")
    run("ContainerList")
    run("ContainerDelete")
    world.ask("POST", "/containers/create", {"Image": "nginx:1.27", "Labels": LABEL}, name="old")
    run("ContainerPrune", {"filters": {"label": ["team=shop"]}})
    world.ask("DELETE", "/containers/shell", force=1)


def images(world: World) -> None:
    run = world.run
    for key in ("ImageTag", "ImageInspect", "ImageHistory"):
        run(key)
    run("ImageBuild", {"pull": None})
    run("ImageList", {"filters": {"reference": ["nginx"]}})
    run("ImagePush", {"X_Registry_Auth": None})
    run("DistributionInspect", {"name": "registry.example.org/shop/web:1.4"})
    run("ImageGetAll")
    run("ImageGet")
    archive = {"images.tar": next(iter(world.attachments.values()))}
    run("ImageLoad", attachments=archive)
    run("ImageDelete")
    run("ImageCreate", {"fromImage": "registry.example.org/shop/web", "tag": "1.4", "platform": None})
    run("SystemDataUsage")
    run("ImagePrune", {"filters": {"dangling": ["false"]}})
    run("BuildPrune", {"filters": None})
    run("VolumePrune")
    run("VolumeDelete")
    run("NetworkDelete")
    world.ask("POST", "/networks/create", {"Name": "old-net"})
    run("NetworkPrune", {"filters": None})


def engine(world: World) -> None:
    for key in ("SystemInfo", "SystemVersion", "SystemPing", "SystemPingHead", "Session"):
        world.run(key)


def plugins(world: World) -> None:
    run = world.run
    archive = {"plugin.tar": world.storage.store([plugin_archive()], content_type="application/x-tar")}
    for version in ("3", "2"):
        name = f"registry.example.org/plugins/disk:{version}"
        run("PluginCreate", {"name": name}, attachments=archive)
        run("PluginPush", {"name": name})
        run("PluginDelete", {"name": name})
    run("GetPluginPrivileges")
    run("PluginPull")
    for key in (
        "PluginSet",
        "PluginEnable",
        "PluginList",
        "PluginInspect",
        "PluginDisable",
        "PluginUpgrade",
        "PluginDelete",
    ):
        run(key)


def swarm(world: World) -> None:
    run = world.run
    world.import_server()
    run("SwarmInit")
    for key in ("SwarmInspect", "SwarmUpdate", "SwarmUnlockkey", "NodeList"):
        run(key)
    node = world.ask("GET", "/nodes").json()[0]["ID"]
    run("NodeInspect", {"id": node})
    run("NodeUpdate", {"id": node, "requestBody": {"Labels": {"zone": "a"}}})
    for key in ("SecretCreate", "SecretInspect", "SecretList", "SecretUpdate", "SecretDelete"):
        run(key)
    for key in ("ConfigCreate", "ConfigInspect", "ConfigList", "ConfigUpdate", "ConfigDelete"):
        run(key)
    run("ServiceCreate")

    def said() -> bool:
        tasks = world.ask("GET", "/tasks").json()
        return len([one for one in tasks if one["Status"]["State"] == "running"]) >= 3

    world.until("the tasks to run", said)
    for key in ("ServiceInspect", "ServiceList", "TaskList"):
        run(key)
    task = world.ask("GET", "/tasks").json()[0]["ID"]
    run("TaskInspect", {"id": task})
    run("TaskLogs", {"id": task}, **STREAMS)
    run("ServiceLogs", **STREAMS)
    run("ServiceUpdate")
    run("ServiceDelete")
    run("SwarmLeave", {"force": True})


PARTS = (engine, containers, images, plugins, swarm)
