"""The commands that run steps: action, trigger and flow. Each returns the exit code: 0, or 1 after an error."""

from __future__ import annotations

import os
import tempfile
from argparse import Namespace
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lib.local.attachments import SavedAttachments, attached
from lib.local.catalog.catalog import Catalog, Function
from lib.local.component_folder import folder_of
from lib.local.flow.flowfile import Flow, read_flow
from lib.local.in_process.run import Run
from lib.local.in_process.schedule import Schedule, poll
from lib.local.in_process.steps import StepFactory
from lib.local.output.emission import Output
from lib.local.problems import UsageError
from lib.local.settings_of import Surroundings, configs_of
from lib.local.state import StateFile
from lib.local.values import json_object, json_value
from lib.sailor.component import Component
from lib.sailor.message import Message


def run_action(options: Namespace, output: Output) -> int:
    """Run one action on one message."""
    catalog = Catalog.read(folder_of(options))
    function = catalog.find(options.key, "action")
    attachments = {name: attached(path) for name, path in options.attachment}
    output.running({function.key: function})
    message = Message(body=json_value("--body", options.body), attachments=attachments)
    with factory(options, output) as steps:
        run = Run(steps, comes_back=options.rebound_pause is not None)
        step = run.only(function.key, configuration(options, surroundings(options, output, catalog)))
        run.work(step, message)
    return int(run.failed)


def run_trigger(options: Namespace, output: Output) -> int:
    """Poll one trigger on a schedule, and keep its snapshot in the state file."""
    catalog = Catalog.read(folder_of(options))
    function = catalog.find(options.key, "trigger")
    output.running({function.key: function})
    with factory(options, output) as steps:
        run = Run(steps, StateFile(options.state))
        step = run.only(function.key, configuration(options, surroundings(options, output, catalog)))
        poll(run, step, Schedule(options.every, options.times), steps.cancelled)
    return int(run.failed)


def run_flow(options: Namespace, output: Output) -> int:
    """Run a flow file: poll its trigger and pass messages along its edges."""
    catalog = Catalog.read(folder_of(options))
    flow = read_flow(options.file, catalog.keys("trigger"), catalog.keys("action"))
    output.running(functions_of(flow, catalog))
    configs = flow_configs(options, flow, surroundings(options, output, catalog))
    with factory(options, output, flow.variables) as steps:
        schedule, state = Schedule(options.every, options.times), StateFile(options.state)
        if options.amqp:
            return _run_over_broker(options.amqp, flow, configs, steps, state, schedule)
        run = Run(steps, state)
        trigger = run.link(flow, configs)
        poll(run, trigger, schedule, steps.cancelled)
    return int(run.failed)


def functions_of(flow: Flow, catalog: Catalog) -> dict[str, Function]:
    """Return the function that each step of a flow runs, by step id."""
    return {step: catalog.functions[node.function] for step, node in flow.nodes.items()}


def _run_over_broker(
    uri: str,
    flow: Flow,
    configs: Mapping[str, Mapping[str, Any]],
    steps: StepFactory,
    state: StateFile,
    schedule: Schedule,
) -> int:
    from lib.local.broker.run import BrokerRun  # imported late: without a broker its client is not needed

    with BrokerRun(uri, flow, configs, steps, state) as run:
        run.poll(schedule)
    return int(run.failed)


def surroundings(options: Namespace, output: Output, catalog: Catalog) -> Surroundings:
    """Return what the environment says of the engine, and of logins where the component's credential takes them."""
    return Surroundings(
        os.environ,
        options.engine,
        output.note,
        registries="registries" in catalog.credential,
        ssh="sshKey" in catalog.credential,
    )


def flow_configs(options: Namespace, flow: Flow, around: Surroundings) -> dict[str, dict[str, Any]]:
    """Return the configuration by step id, from environment, --config, flow file, --config-of; later ones win."""
    shared = _given(options)
    own = configs_of(options.config_of, flow.nodes)
    return {
        step: around.configuration(shared, node.config, own.get(step, {}))
        for step, node in flow.nodes.items()
    }


def configuration(options: Namespace, around: Surroundings) -> dict[str, Any]:
    """Return the configuration of the only step, from environment and --config."""
    return around.configuration(_given(options))


def _given(options: Namespace) -> dict[str, Any]:
    return json_object("--config", options.config) if options.config else {}


@contextmanager
def factory(
    options: Namespace, output: Output, variables: Mapping[str, str] | None = None
) -> Iterator[StepFactory]:
    """Yield the factory for the steps of one run; without --data the run's files are removed at the end."""
    component = Component(str(folder_of(options)))
    with _data_folder(options.data) as data:
        steps = StepFactory(
            component,
            output,
            data,
            options.debug,
            options.rebound_pause or 15.0,
            variables or {},
            saved=SavedAttachments(data, data / "attachments") if options.data else None,
        )
        try:
            yield steps
        finally:
            steps.cancelled.set()
            if options.data is None and any(data.rglob("*")):
                output.note("The attachments of this run are removed; --data DIR keeps them")


@contextmanager
def _data_folder(given: Path | None) -> Iterator[Path]:
    if given is None:
        with tempfile.TemporaryDirectory(prefix="step-data-") as folder:
            yield Path(folder)
        return
    try:
        given.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--data {given} cannot be used: {error.strerror}") from error
    yield given
