"""Who may import whom: floors of the house and inside of its rooms, from the ground up.

A module or package names only what stands on a floor below its own. Two on one floor do not know each other. What a
floor is for stands beside it where the names do not say it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HOUSE = "the house"

FLOORS: dict[str, tuple[str, ...]] = {
    HOUSE: (
        "lib.jsontext lib.backoff lib.resolving",
        "lib.engine lib.sailor",  # each could be used without the other
        "lib.config",
        "lib.credentials",
        "lib.action lib.trigger",
        "lib.job",
        "lib.metadata lib.local actions triggers verify_credentials",
    ),
    "lib.action": ("attachment_storage run_mark schemas settings", "input output", "action"),
    "lib.action.input": (
        "field_names filled message_secrets sources",
        "field_versions uploads validation",
    ),
    "lib.action.output": ("live process_output", "stream_messages", "response_form", "answer"),
    "lib.config": ("form labels", "declared_fields pattern selection"),
    "lib.engine": (
        "errors closing timeouts",
        "text pem expected protobuf",
        "version host",
        "proxy ssh tls",
        "endpoint",
        "request",
        "http",  # alone opens sockets
        "answer",
        "negotiation",
        "client",
        "attach swarm_update",
        "buildkit",
    ),
    "lib.engine.request": (
        (
            "archive_kind build_cache build_outputs build_secrets dockerignore published_ports registry_login scalar "
            "secret_data times upload"
        ),
        "filters path registry_auth tar_writer",
        "build_context query",
        "process_input",
    ),
    "lib.engine.http": (
        "bounds known_refusals request_head retry retry_after",
        "error_response reader",
        "connection faults tunnel",  # from here on, what goes out is an EngineError
        "connect exchange status",
        "response",
        "ssh",
        "adapter",
        "sender",
    ),
    "lib.engine.http.ssh": (
        "bounded host_keys identity",
        "channels",
        "dial_stdio login tunnel",
        "connections",
    ),
    "lib.engine.answer": (
        "frames jsonlines limits names pathstat reply stats step_output tar_header trace",
        "build_steps log_lines progress tar_check",
        "build_failure streams tar_reader",
        "build_progress",
    ),
    "lib.engine.buildkit": (
        "calls choice image_store ssh_keys",
        "frame_limit",
        "context_pull output_file rpc_client rpc_server services solve_request ssh_agent",
        "control offered",
        "session solve",
        "build",
    ),
    "lib.engine.attach": ("duplex_socket", "handshake http2", "duplex websocket", "session"),
    "lib.sailor": (
        "errors transport coroutines ending secrets",
        "environment logging component",
        "net stdlog",
        "settings",
        "message",
        "platform",
        "step",
        "amqp hooks",
        "standalone service",
        "startup",
        "run",
    ),
    "lib.sailor.secrets": ("masking names",),
    "lib.sailor.net": ("addresses destinations limited_socket", "connections", "exchange", "fetching"),
    "lib.sailor.message": ("cipher ids message", "headers", "decoding object_references"),
    "lib.sailor.platform": ("http", "api object_storage", "attachments states"),
    "lib.sailor.step": (
        "error_texts snapshot throttle",
        "encoder",
        "resources",
        "emitter",
        "context",
        "step",
        "workers",
    ),
    "lib.sailor.amqp": (
        "header_table pika_connection tls unacked",
        "fitting parameters",
        "pika_properties",
        "io_thread",
        "reconnecting",
        "consumer publisher",
        "publish_retry",
        "transport",
    ),
    "lib.sailor.standalone": ("folder in_process", "step"),
    "lib.job": (
        "errors last_end settings repeat targets writes",
        "comparison users waiting",
        "work",
        "volume_creation",
        "job networks states transfer vault volume",
        "image",
        "files image_update log_search log_wait find",
        "mirror prune report",
        "request run",
        "command replacement service",
        "healing rotation",
        "container",
        "settle",
    ),
    "lib.job.container": (
        "create_body forms processors texts",
        "endpoints mounts ports table",
        "differences merging told",
        "checks",
        "wish",
        "found network_names",
        "compared creation states",
        "recreation updates",
        "brought",
        "ensured",
    ),
    "lib.job.command": (
        "elsewhere memory outcome record",
        "wish",
        "turn",
        "ending",
        "following",
        "running",
        "several",
        "everywhere",
    ),
    "lib.job.replacement": (
        "body names verdict",
        "dependants evidence making refusals",
        "machine",
        "abandoned redeploy",
    ),
    "lib.job.settle": (
        "evidence sameness signals tried verdict",
        "image_making made subject",
        "commands connections containers creation images membership plugins prunes removal running swarms",
        "settled",
    ),
    "lib.job.service": (
        "lists service",
        "differences image references tasks",
        "convergence failures update wish",
        "rollout wanted",
        "ensured",
    ),
    "lib.job.rotation": ("services versions", "rotated"),
    "lib.job.request": ("answers headers target", "request"),
    "lib.job.run": (
        "command container good_codes tail",
        "conversation files outcome sweep wish",
        "placing",
        "running",
    ),
    "lib.job.report": ("findings parts", "report"),
    "lib.job.mirror": (
        "hiccups lost wish",
        "memo registry",
        "here",
        "tidying transfer",
        "keeping",
        "mirrored",
    ),
    "lib.job.prune": ("rules", "choice", "pruned"),
    "lib.job.files": (
        "entries helper_container quiet volume_memo",
        "place unpacking",
        "contents paths volume_archive",
        "copy_out folders",
        "backup copy_in",
        "restore",
    ),
    "lib.job.vault": ("mark", "kind", "users wish", "ensured"),
    "lib.job.networks": ("network", "several wish allocation", "creation memo", "recreation", "ensured"),
    "lib.job.find": ("kinds terms", "flat", "candidates", "lookup pages", "deletion"),
    "lib.trigger": (
        "budget clock cursor marks parallel",
        "engine_identity faults",
        "turn",
        "poll",
        "delivery state_room",
        "state_keeper events",
        "containers",
        "images logs objects tasks",
        "trigger dropdowns",
    ),
    "lib.trigger.marks": ("columns compact", "markset"),
    "lib.trigger.events": (
        "actions fingerprints",
        "filter resync ring_memory stream",
        "recent ring",
        "live",
    ),
    "lib.trigger.containers": (
        "container lifecycle news",
        "conditions ended gauges list_status looks turns",
        "between messages",
        "comparison",
        "farewells",
    ),
    "lib.trigger.logs": ("frames", "position", "messages places reading", "notices unreadable"),
    "lib.trigger.images": ("digests reference", "registry_refusals", "rounds"),
    "lib.trigger.objects": ("objects", "seen", "lists"),
    "lib.trigger.tasks": ("swarm tasks told",),
    "lib.local": (
        "attachments component_folder parser problems",
        "engine options state values",
        "catalog settings_of",
        "output",
        "flow sandbox",
        "in_process",
        "broker",
        "commands",
        "completion example serve_engine verify",
        "cli",
        "__main__",
    ),
    "lib.local.engine": ("docker_config pem_files sockets ssh_files", "context environment logins", "choice"),
    "lib.local.catalog": ("catalog", "sample search", "describe"),
    "lib.local.output": (
        "emission fitting ports shown",
        "forms",
        "columns json_lines status step_log",
        "grid lists",
        "terminal",
        "pages",
    ),
    "lib.local.flow": ("graph mapper", "flowfile nothing_found", "routing"),
    "lib.local.sandbox": (
        "busybox_image packages supervisor supervisor_process",
        "local_image private_engine",
        "crash_demo",
    ),
    "lib.local.in_process": ("steps", "run", "schedule"),
    "lib.local.broker": ("platform_server step_process topology", "events step_environment", "run"),
    "actions": (
        (
            "configs containers distribution execs images jobs networks nodes plugins secrets services session "
            "swarm system volumes"
        ),
        "tasks",
    ),
    "actions.jobs": ("change clean ensure expert files find run",),
    "lib.metadata": (
        "facts image layout words",
        "dialect documentation jobs outputs parameter",
        "columns commands manifest",
        "pages whole",
        "inner_objects schema_in schema_out",
        "errors_page jobs_page missing operations_page podman proxy_rules",
        "build",
    ),
}

LIBRARIES = {
    "pika": "lib.sailor.amqp",
    "h2": "lib.engine.buildkit",
    "docker": "nothing: the engine client is our own",
}
"""Which package alone may name a library."""

SOCKETS = (
    "lib.resolving",
    "lib.engine.http",
    "lib.sailor.net",
    "lib.local",
)
"""Where connections are opened: nowhere else is `create_connection` or `connect` of a socket called."""

CARRIERS = ("lib.sailor.amqp", "lib.sailor.standalone")
"""How messages come and go: a step knows `lib.sailor.transport` alone."""
CHOOSING_A_CARRIER = ("lib.sailor.startup", "lib.local", *CARRIERS)


def files() -> list[Path]:
    found = [path for folder in ("lib", "actions", "triggers") for path in (ROOT / folder).rglob("*.py")]
    return [*found, ROOT / "verify_credentials.py"]


def name_of(path: Path) -> str:
    dotted = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    return dotted.removesuffix(".__init__")


MODULES = {name_of(path): path for path in files()}


@cache
def imports(module: str) -> tuple[tuple[int, str], ...]:
    """(line, imported module) for each import, also those inside functions."""
    found: list[tuple[int, str]] = []
    for node in ast.walk(ast.parse(MODULES[module].read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            assert not node.level, f"{module}:{node.lineno} a relative import hides the floor"
            for alias in node.names:
                below = f"{node.module}.{alias.name}"
                found.append((node.lineno, below if below in MODULES else node.module))
        elif isinstance(node, ast.Import):
            found += ((node.lineno, alias.name) for alias in node.names)
    return tuple(found)


def within(module: str, place: str) -> bool:
    return module == place or module.startswith(f"{place}.")


def part(module: str, room: str) -> str:
    """The direct part of a room that a module belongs to, "" where it is not in the room."""
    if room == HOUSE:
        names = module.split(".")
        return ".".join(names[:2]) if names[0] == "lib" and len(names) > 1 else names[0]
    return module.removeprefix(f"{room}.").split(".")[0] if module.startswith(f"{room}.") else ""


def broken(room: str, floors: tuple[str, ...]) -> Iterator[str]:
    height = {name: number for number, names in enumerate(floors) for name in names.split()}
    for module, path in MODULES.items():
        if module in ("lib", room) or not (here := part(module, room)):
            continue
        if here not in height:
            yield f"{path.relative_to(ROOT)}: {here} has no floor in {room}; give it one in FLOORS"
            continue
        for line, other in imports(module):
            there = part(other, room) if other in MODULES and other != "lib" else ""
            if there in ("", here) or (other == room and room != HOUSE):
                continue
            if height.get(there, -1) >= height[here]:
                yield (
                    f"{path.relative_to(ROOT)}:{line} imports {other}: in {room}, {there} is not below {here}"
                )


@pytest.mark.parametrize("room", FLOORS)
def test_imports_run_downwards(room: str) -> None:
    found = list(broken(room, FLOORS[room]))
    assert not found, "\n".join(found)


def test_each_package_has_floors() -> None:
    packages = {name for name, path in MODULES.items() if path.name == "__init__.py"}
    assert packages - FLOORS.keys() - {"lib", "triggers"} == set()


def test_each_floor_is_there() -> None:
    for room, floors in FLOORS.items():
        parts = {part(module, room) for module in MODULES if module != "lib"} - {""}
        assert {name for names in floors for name in names.split()} == parts, room


def test_imports_have_no_circles() -> None:
    graph = {module: {name for _, name in imports(module) if name in MODULES} for module in MODULES}
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as circle:
        pytest.fail(" -> ".join(circle.args[1]))


def test_only_the_places_for_it_name_a_library_or_a_carrier() -> None:
    found = []
    for module, path in MODULES.items():
        for line, other in imports(module):
            owner = LIBRARIES.get(other.partition(".")[0])
            if owner and not within(module, owner):
                found.append(f"{path.relative_to(ROOT)}:{line} imports {other}, which is for {owner} alone")
            if any(within(other, one) for one in CARRIERS):
                allowed = any(within(module, one) for one in CHOOSING_A_CARRIER)
                found += [] if allowed else [f"{path.relative_to(ROOT)}:{line} imports {other}: {CARRIERS}"]
    assert not found, "\n".join(found)


def test_only_the_places_for_it_open_connections() -> None:
    calls = ("create_connection", "connect", "connect_ex", "getaddrinfo")
    found = []
    for module, path in MODULES.items():
        if any(within(module, place) for place in SOCKETS):
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                owner = node.func.value
                named = isinstance(owner, ast.Name) and owner.id in ("socket", "sock")
                if named and node.func.attr in calls:
                    found.append(f"{path.relative_to(ROOT)}:{node.lineno} opens a connection")
    assert not found, "\n".join(found)


def test_files_stay_small_and_are_named_for_a_concept() -> None:
    for path in files():
        assert path.stem not in ("utils", "util", "helpers", "common", "misc", "base"), path
        assert len(path.read_text("utf-8").splitlines()) <= 300, path
