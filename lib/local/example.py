"""The command example: runs the crash watch flow on a real engine and lets a container crash, for the flow to report.

1. Find an engine (options, or as the docker command line does), or start a private one.
2. Poll once, so that all later events are new to the flow.
3. Let a container crash, and poll until the flow reports it, for 60 s at most.
"""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lib.credentials import open_engine
from lib.local.catalog.catalog import Catalog
from lib.local.commands import factory, flow_configs, functions_of, surroundings
from lib.local.component_folder import OWN_COMPONENT
from lib.local.flow.flowfile import Flow, read_flow
from lib.local.in_process.run import Run
from lib.local.in_process.schedule import Schedule, poll
from lib.local.output.emission import Output
from lib.local.sandbox.busybox_image import LocalImageError
from lib.local.sandbox.crash_demo import EXIT_CODE, LAST_LINE, CrashDemo
from lib.local.sandbox.packages import ENGINE_PACKAGES, PackagesMissing, ensure_packages
from lib.local.sandbox.private_engine import PrivateEngineError, private_engine
from lib.sailor.message import Message

FLOW = OWN_COMPONENT / "examples" / "flows" / "crash-watch.json"
_DEADLINE = 60.0
"""Seconds."""
_SCHEDULE = Schedule(every=0.5)


def run_example(options: Namespace, output: Output) -> int:
    """Run the crash watch until it reports the crash; return the exit code: 0 for the right report, else 1."""
    catalog = Catalog.read(OWN_COMPONENT)
    flow = read_flow(FLOW, catalog.keys("trigger"), catalog.keys("action"))
    try:
        with _engine(options, output, catalog) as url:
            options.engine = url
            return _watch(options, flow, output, catalog)
    except (PrivateEngineError, PackagesMissing, LocalImageError) as error:
        output.problem(str(error))
        return 1


def _watch(options: Namespace, flow: Flow, output: Output, catalog: Catalog) -> int:
    configs = flow_configs(options, flow, surroundings(options, output, catalog))
    engine = open_engine(configs[flow.trigger.id], warn=output.note)
    output.note(f"using the engine at {engine.endpoint}, API {engine.version}")
    output.running(functions_of(flow, catalog))
    reports: dict[str, Any] = {}
    with factory(options, output) as steps, CrashDemo(engine, output) as demo:
        run = Run(steps, on_report=lambda report: reports.update({report.get("container"): report}))
        trigger = run.link(flow, configs)
        run.work(trigger, Message())  # the first poll only notes the place
        demo.crash()
        output.note(f"polling the flow {flow.name} until it reports the crash")
        end = time.monotonic() + _DEADLINE
        poll(
            run,
            trigger,
            _SCHEDULE,
            steps.cancelled,
            lambda: demo.container in reports or run.failed or time.monotonic() > end,
        )
        return _judge(reports.get(demo.container), demo, output)


def _judge(report: dict[str, Any] | None, demo: CrashDemo, output: Output) -> int:
    if report is None:
        output.problem(f"The crash of {demo.container} was not reported")
        return 1
    found = (report.get("exit code"), report.get("last log line"))
    if found != (EXIT_CODE, LAST_LINE):
        output.problem(f"The report is wrong: exit code {found[0]}, last log line {found[1]!r}")
        return 1
    return 0


@contextmanager
def _engine(options: Namespace, output: Output, catalog: Catalog) -> Iterator[str | None]:
    """Yield --engine; if nothing names an engine and none runs here, the URL of a private one."""
    if options.engine or options.config or surroundings(options, output, catalog).choice.found:
        yield options.engine
        return
    output.note(
        "no engine is named by DOCKER_HOST or a context, and none runs here, so a private one is started"
    )
    ensure_packages(ENGINE_PACKAGES, output.note)
    with private_engine() as engine:
        yield engine.url
        output.note("ending the private engine")
