from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lib.local.flow.flowfile import Flow, parse_flow, read_flow
from lib.local.problems import FlowProblems, UsageError

TRIGGERS = frozenset({"tick", "tock"})
ACTIONS = frozenset({"ContainerList", "ContainerInspect", "echo"})


def node(step: str, function: str, **more: Any) -> dict[str, Any]:
    return {"id": step, "command": f"team/docker:{function}@latest", **more}


def edge(source: str, target: str, **config: Any) -> dict[str, Any]:
    return {"source": source, "target": target, "config": config}


def parsed(nodes: list[Any], edges: list[Any], **more: Any) -> Flow:
    return parse_flow({"nodes": nodes, "edges": edges, **more}, TRIGGERS, ACTIONS)


def problems(nodes: list[Any], edges: list[Any]) -> tuple[str, ...]:
    with pytest.raises(FlowProblems) as caught:
        parsed(nodes, edges)
    return caught.value.problems


def test_a_flow_has_its_trigger_nodes_and_edges_by_source() -> None:
    flow = parsed(
        [
            node("a", "echo"),
            node("t", "tick", fields={"n": 1}, credentials={"server": "unix"}),
            node("b", "echo"),
        ],
        [edge("t", "a"), edge("t", "b", mapper={"x": "y"})],
        name="fan out",
    )

    assert (flow.name, flow.trigger.id, flow.trigger.config) == ("fan out", "t", {"server": "unix", "n": 1})
    assert [step.target for step in flow.edges["t"]] == ["a", "b"]
    assert flow.edges["t"][0].mapper is None
    assert flow.edges["t"][1].mapper is not None


def test_the_form_of_the_platform_s_interface_is_read_too() -> None:
    graph = {"nodes": [node("t", "tick")], "edges": []}

    flow = parse_flow({"data": {"attributes": {"name": "exported", "graph": graph}}}, TRIGGERS, ACTIONS)

    assert (flow.name, flow.trigger.function) == ("exported", "tick")


def test_settings_of_a_node_stay_out_of_its_repr() -> None:
    assert "hunter2" not in repr(parsed([node("t", "tick", credentials={"tlsKey": "hunter2"})], []))


def test_a_command_may_be_the_bare_function() -> None:
    assert parsed([{"id": "t", "command": "tick"}], []).trigger.function == "tick"


def test_an_unknown_function_is_named_with_the_nearest_one() -> None:
    found = problems([node("t", "tick"), node("a", "ContainerLst")], [edge("t", "a")])

    assert found == (
        'node a: the component has no trigger or action "ContainerLst"; did you mean "ContainerList"?',
    )


def test_all_problems_of_the_nodes_are_told_at_once() -> None:
    found = problems(
        [{"id": "1x", "command": "a b"}, node("t", "tick", fields=[1]), node("e", "echo", error=True), 5], []
    )

    assert [problem.split(":")[0] for problem in found] == [
        "node 1x",
        "node 1x",
        "node t",
        "node e",
        "nodes[3]",
    ]


def test_two_nodes_with_one_id_are_refused() -> None:
    assert problems([node("t", "tick"), node("t", "echo")], []) == (
        "node t: the id is taken by an earlier node; every node needs its own",
    )


def test_an_edge_to_an_unknown_node_is_named() -> None:
    assert problems([node("t", "tick")], [edge("t", "gone")]) == (
        "edge t -> gone: there is no node gone; the nodes are t",
    )


def test_a_circle_is_named_with_all_its_nodes() -> None:
    found = problems(
        [node("t", "tick"), node("a", "echo"), node("b", "echo"), node("c", "echo")],
        [edge("t", "a"), edge("a", "b"), edge("b", "a"), edge("b", "c")],
    )

    assert found == ("circle a -> b -> a: take one of these edges out, messages would run for ever",)


def test_a_node_that_leads_to_itself_is_a_circle() -> None:
    assert (
        "circle a -> a"
        in problems([node("t", "tick"), node("a", "echo")], [edge("t", "a"), edge("a", "a")])[0]
    )


def test_two_triggers_are_refused() -> None:
    assert problems([node("t", "tick"), node("u", "tock")], []) == (
        "nodes t, u run triggers; a flow begins with exactly one, split it into flows",
    )


def test_a_flow_without_a_trigger_is_refused() -> None:
    assert "no node runs a trigger" in problems([node("a", "echo")], [])[0]


def test_an_edge_into_the_trigger_is_refused() -> None:
    assert problems([node("t", "tick"), node("a", "echo")], [edge("a", "t")])[0].startswith(
        "edge a -> t: a trigger"
    )


def test_a_node_that_is_never_reached_is_named() -> None:
    assert problems([node("t", "tick"), node("a", "echo")], []) == (
        "node a: no edge leads to it; connect it or take it out",
    )


def test_a_mapper_that_does_not_compile_names_edge_and_field() -> None:
    found = problems([node("t", "tick"), node("a", "echo")], [edge("t", "a", mapper={"to": "a &"})])

    assert found[0].startswith("edge t -> a: 'to' is no JSONata expression")


def test_another_kind_of_mapper_is_refused() -> None:
    found = problems(
        [node("t", "tick"), node("a", "echo")], [edge("t", "a", mapper_type="handlebars", mapper={})]
    )

    assert found == (
        'edge t -> a: mapper_type "handlebars" is not known here; write the mapper as "jsonata"',
    )


def test_what_is_no_flow_at_all_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "flow.json"
    file.write_text("[]")
    with pytest.raises(FlowProblems, match='"nodes"'):
        read_flow(file, TRIGGERS, ACTIONS)


def test_broken_json_is_told_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "flow.json"
    file.write_text('{"nodes": [\n  oops]}')
    with pytest.raises(UsageError, match="line 2, column 3"):
        read_flow(file, TRIGGERS, ACTIONS)
