"""Flow files, as child processes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.local.running import Ended, run


def node(place: str, function: str, **fields: Any) -> dict[str, Any]:
    return {"id": place, "command": f"team/tiny:{function}@1.0.0", "fields": fields}


def edge(source: str, target: str, **config: Any) -> dict[str, Any]:
    return {"source": source, "target": target, "config": config}


def flow(folder: Path, *arguments: str | Path, **parts: Any) -> Ended:
    file = folder / "flow.json"
    file.write_text(json.dumps(parts))
    return run("flow", file, "--times", "1", "--json", *arguments)


def data(ended: Ended) -> list[tuple[str, Any]]:
    return [(line["step"], line["message"]["body"]) for line in ended.emissions if line["event"] == "data"]


def test_messages_are_mapped_from_step_to_step_and_see_all_earlier_ones(tmp_path: Path) -> None:
    ended = flow(
        tmp_path,
        nodes=[node("step_1", "count", step=7), node("step_2", "echo"), node("step_3", "echo")],
        edges=[
            edge("step_1", "step_2", mapper_type="jsonata", mapper={"text": '"n is " & n'}),
            edge("step_2", "step_3", mapper={"both": "text & ', ' & elasticio.step_1.body.n"}),
        ],
    )

    assert ended.code == 0
    assert data(ended) == [
        ("step_1", {"n": 7}),
        ("step_2", {"text": "n is 7"}),
        ("step_3", {"both": "n is 7, 7"}),
    ]
    assert list(ended.emissions[2]["message"]["passthrough"]) == ["step_1", "step_2", "step_3"]


def test_one_step_may_lead_to_several_and_conditions_choose(tmp_path: Path) -> None:
    ended = flow(
        tmp_path,
        nodes=[node("t", "count"), node("a", "echo"), node("b", "echo"), node("c", "echo")],
        edges=[edge("t", "a"), edge("t", "b", condition="n > 1"), edge("t", "c", condition="n = 1")],
    )

    assert data(ended) == [("t", {"n": 1}), ("a", {"n": 1}), ("c", {"n": 1})]


def test_an_error_in_one_branch_leaves_the_others_alone(tmp_path: Path) -> None:
    ended = flow(
        tmp_path,
        nodes=[node("t", "count"), node("a", "fail"), node("b", "echo"), node("c", "echo")],
        edges=[edge("t", "a"), edge("t", "b", mapper={"x": "$nosuch()"}), edge("t", "c")],
    )

    errors = [(line["step"], line["message"]["name"]) for line in ended.emissions if line["event"] == "error"]
    assert ended.code == 1
    assert errors == [("a", "ValueError"), ("b", "MappingError")]
    assert data(ended)[-1] == ("c", {"n": 1})


def test_the_snapshot_is_stored_after_everything_that_follows_from_a_message(tmp_path: Path) -> None:
    ended = flow(tmp_path, nodes=[node("t", "count"), node("a", "echo")], edges=[edge("t", "a")])

    assert [(line["step"], line["event"]) for line in ended.emissions] == [
        ("t", "data"),
        ("a", "data"),
        ("t", "snapshot"),
    ]


def test_flow_variables_reach_mappers(tmp_path: Path) -> None:
    ended = flow(
        tmp_path,
        variables={"team": "blue"},
        nodes=[node("t", "count"), node("a", "echo")],
        edges=[edge("t", "a", mapper={"team": "$getFlowVariables().team"})],
    )

    assert data(ended)[-1] == ("a", {"team": "blue"})


def test_settings_come_from_option_file_and_step_option_in_this_order(tmp_path: Path) -> None:
    ended = flow(
        tmp_path,
        "--config",
        '{"server": "unix", "a": 1, "b": 1, "c": 1}',
        "--config-of",
        "s",
        '{"c": 3}',
        nodes=[node("t", "count"), node("s", "configured", b=2, c=2)],
        edges=[edge("t", "s")],
    )

    assert data(ended)[-1] == ("s", {"server": "unix", "a": 1, "b": 2, "c": 3})


def test_a_report_makes_readable_what_leaves_the_last_steps(tmp_path: Path) -> None:
    file = tmp_path / "flow.json"
    nodes, edges = [node("t", "count"), node("a", "echo")], [edge("t", "a")]
    report = {"mapper": {"the number": "elasticio.t.body.n", "good": "n = 1"}}
    file.write_text(json.dumps({"name": "Numbers", "nodes": nodes, "edges": edges, "report": report}))

    ended = run("flow", file, "--times", "1")

    assert ended.code == 0
    assert [line.split() for line in ended.out.splitlines() if "│" in line] == [
        ["│", "the", "number", "│", "1", "│"],
        ["│", "good", "│", "yes", "│"],
    ]


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        (
            {"nodes": [node("t", "count"), node("a", "ech")], "edges": [edge("t", "a")]},
            'did you mean \\"echo\\"?',
        ),
        ({"nodes": [node("t", "count")], "edges": [edge("t", "x")]}, "edge t -> x: there is no node x"),
        ({"nodes": [node("t", "count")], "edges": [], "report": "n &"}, "report: the mapper is no JSONata"),
    ],
)
def test_a_flow_that_cannot_run_is_refused_before_anything_runs(
    tmp_path: Path, parts: dict[str, Any], said: str
) -> None:
    ended = flow(tmp_path, **parts)

    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err


def test_a_setting_for_a_step_that_is_not_there_is_refused(tmp_path: Path) -> None:
    ended = flow(tmp_path, "--config-of", "x", "{}", nodes=[node("t", "count")], edges=[])

    assert ended.code == 2
    assert "no such node" in ended.err


def test_a_mapping_that_finds_nothing_is_told_once(tmp_path: Path) -> None:
    edges = [edge("t", "a", mapper={"x": "N", "n": "n"})]
    file = tmp_path / "flow.json"
    file.write_text(json.dumps({"nodes": [node("t", "count"), node("a", "echo")], "edges": edges}))

    ended = run("flow", file, "--times", "2", "--every", "1ms")

    assert ended.err.count("t -> a: 'x' found nothing with 'N'; t has n; did you mean n?") == 1


def test_steps_are_shown_beside_the_report_where_people_ask_for_them(tmp_path: Path) -> None:
    file = tmp_path / "flow.json"
    nodes, edges = [node("t", "count"), node("a", "echo")], [edge("t", "a")]
    file.write_text(json.dumps({"nodes": nodes, "edges": edges, "report": {"mapper": {"the number": "n"}}}))

    plain, steps = run("flow", file, "--times", "1"), run("flow", file, "--times", "1", "--steps")

    assert "t →" not in plain.out
    assert "a →" not in plain.out
    assert steps.out.index("t →") < steps.out.index("a →") < steps.out.index("the number")
