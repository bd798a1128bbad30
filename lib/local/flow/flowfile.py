"""Reads flow files in the platform's form: nodes, edges, commands, mappers.

All problems of the file are collected and raised as one FlowProblems: first those of single nodes and edges, and if
there are none, those of the flow's shape.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lib.local.flow.graph import problems_of
from lib.local.flow.mapper import Mapper, MappingError, compile_condition, compile_mapper
from lib.local.problems import FlowProblems
from lib.local.values import json_file

_COMMAND = re.compile(r"^(?:(?P<component>[^/:@]+/[^:@]+):)?(?P<function>\w+)(?:@(?P<version>.+))?$")
_STEP_ID = re.compile(r"^[A-Za-z_][\w-]*$")


@dataclass(frozen=True)
class Node:
    """One step: `function` is the key of its trigger or action, `config` its fields and those of its credential."""

    id: str
    function: str
    name: str
    config: Mapping[str, Any] = field(repr=False)  # may hold passwords


@dataclass(frozen=True)
class Edge:
    """Joins one step to the next, by step ids; without a mapper the body is passed unchanged."""

    source: str
    target: str
    mapper: Mapper | None = None
    condition: Mapper | None = None


@dataclass(frozen=True)
class Flow:
    """A flow without problems: one trigger, no circle, every step reachable.

    `nodes` are by step id, `edges` by the id of their source, in the order of the file. `report`, which other
    platforms ignore, maps messages of the last steps to a value that is shown to people.
    """

    name: str
    nodes: Mapping[str, Node]
    edges: Mapping[str, tuple[Edge, ...]]
    trigger: Node
    variables: Mapping[str, str]
    report: Mapper | None = None


def read_flow(path: Path, triggers: frozenset[str], actions: frozenset[str]) -> Flow:
    """Return the flow in a file; `triggers` and `actions` are the component's keys. Raises FlowProblems, UsageError."""
    return parse_flow(json_file(path), triggers, actions, where=str(path), name=path.stem)


def parse_flow(
    document: Any,
    triggers: frozenset[str],
    actions: frozenset[str],
    *,
    where: str = "the flow",
    name: str = "flow",
) -> Flow:
    """Return the flow in a JSON document, which may also have the form of the platform's API (inside `graph`).

    Raises FlowProblems, whose text begins with `where`.
    """
    attributes = _unwrapped(document)
    graph = attributes.get("graph", attributes)
    raw_nodes, raw_edges = graph.get("nodes"), graph.get("edges", [])
    if not isinstance(raw_nodes, list) or not raw_nodes or not isinstance(raw_edges, list):
        raise FlowProblems(
            where, ['a flow is an object {"nodes": [...], "edges": [...]} with at least one node']
        )
    variables = attributes.get("variables") or {}
    problems: list[str] = []
    nodes = _nodes(raw_nodes, triggers | actions, problems)
    edges = _edges(raw_edges, variables, problems)
    report = _report(attributes.get("report"), variables, problems)
    links = [(edge.source, edge.target) for edge in edges]
    starts = [node.id for node in nodes.values() if node.function in triggers]
    if not problems:
        problems = problems_of(list(nodes), links, starts)
    if problems:
        raise FlowProblems(where, problems)
    by_source = {node: tuple(edge for edge in edges if edge.source == node) for node in nodes}
    return Flow(attributes.get("name") or name, nodes, by_source, nodes[starts[0]], variables, report)


def _unwrapped(document: Any) -> dict[str, Any]:
    for key in ("data", "attributes"):
        if isinstance(document, dict) and key in document:
            document = document[key]
    return document if isinstance(document, dict) else {}


def _nodes(raw_nodes: list[Any], functions: frozenset[str], problems: list[str]) -> dict[str, Node]:
    nodes: dict[str, Node] = {}
    for place, raw in enumerate(raw_nodes):
        name = f"node {raw['id']}" if isinstance(raw, dict) and raw.get("id") else f"nodes[{place}]"
        found = _node_problems(raw, functions)
        if not found and raw["id"] in nodes:
            found = ["the id is taken by an earlier node; every node needs its own"]
        if found:
            problems.extend(f"{name}: {problem}" for problem in found)
            continue
        match = _COMMAND.match(raw["command"])
        function = match["function"] if match else ""
        config = {**(raw.get("credentials") or {}), **(raw.get("fields") or {})}
        nodes[raw["id"]] = Node(raw["id"], function, raw.get("name") or function, config)
    return nodes


def _node_problems(raw: Any, functions: frozenset[str]) -> list[str]:
    if not isinstance(raw, dict):
        return ['a node is an object like {"id": "step_1", "command": "team/component:function@version"}']
    if raw.get("error"):
        return ["error-handler nodes run on the platform only; take the node out of the file"]
    found = []
    if not isinstance(raw.get("id"), str) or not _STEP_ID.match(raw["id"]):
        found.append('"id" must be a text of letters, digits, _ and -, such as "step_1"')
    found.extend(_command_problems(raw.get("command"), functions))
    found.extend(
        f'"{key}" must be an object'
        for key in ("fields", "credentials")
        if not isinstance(raw.get(key) or {}, dict)
    )
    return found


def _command_problems(command: Any, functions: frozenset[str]) -> list[str]:
    match = _COMMAND.match(command) if isinstance(command, str) else None
    if not match:
        return ['"command" must have the form "team/component:function@version"']
    if match["function"] in functions:
        return []
    from difflib import get_close_matches

    near = get_close_matches(match["function"], functions, n=1, cutoff=0.6)
    advice = f'did you mean "{near[0]}"?' if near else "see the command list for those it has"
    return [f'the component has no trigger or action "{match["function"]}"; {advice}']


def _edges(raw_edges: list[Any], variables: Mapping[str, str], problems: list[str]) -> list[Edge]:
    edges = []
    for place, raw in enumerate(raw_edges):
        if not isinstance(raw, dict) or not all(
            isinstance(raw.get(end), str) for end in ("source", "target")
        ):
            problems.append(
                f'edges[{place}]: an edge names two nodes: {{"source": "step_1", "target": "step_2"}}'
            )
            continue
        try:
            edges.append(_edge(raw, variables))
        except MappingError as error:
            problems.append(f"edge {raw['source']} -> {raw['target']}: {error}")
    return edges


def _report(raw: Any, variables: Mapping[str, str], problems: list[str]) -> Mapper | None:
    if raw is None:
        return None
    try:
        return compile_mapper(raw.get("mapper") if isinstance(raw, dict) else raw, variables)
    except MappingError as error:
        problems.append(f"report: {error}")
        return None


def _edge(raw: Mapping[str, Any], variables: Mapping[str, str]) -> Edge:
    config = raw.get("config") or {}
    kind = config.get("mapper_type", "jsonata")
    if kind != "jsonata":
        raise MappingError(f'mapper_type "{kind}" is not known here; write the mapper as "jsonata"')
    mapper, condition = config.get("mapper"), config.get("condition")
    return Edge(
        raw["source"],
        raw["target"],
        None if mapper is None else compile_mapper(mapper, variables),
        None if condition is None else compile_condition(condition, variables),
    )
