"""Which columns a list has, how wide they are, and what the note says of the rest."""

from __future__ import annotations

from typing import Any

import pytest

from lib.local.output.columns import Column, declared, value_at
from lib.local.output.fitting import fitted, width
from lib.local.output.grid import Rows, grid
from lib.local.output.lists import Listing, View, listings, note, row_columns

ITEM = {"Id": "1", "Labels": {"a.b": "dotted"}, "Mounts": [{"To": "/x"}, {"To": "/y"}], "Spec": {"Name": "n"}}
SCHEMA = {
    "properties": {
        "rows": {
            "x-columns": [
                {"title": "ID", "path": "Id", "form": "shortId"},
                {"title": "NAME", "path": "Spec.Name"},
                {"title": "SIZE", "path": "Size"},
                {"title": "TO", "path": "Mounts.To", "wide": True},
            ]
        }
    }
}


def titles(view: View, *items: Any) -> list[str]:
    (found,) = listings({"rows": list(items)}, SCHEMA, view)
    return [column.title for column in found.columns]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("Id", "1"),
        ("Spec.Name", "n"),
        ("Labels.a.b", "dotted"),
        ("Mounts.To", ["/x", "/y"]),
        ("Mounts.1.To", "/y"),
        ("Mounts.7.To", None),
        ("Mounts.99999999999999999999999.To", None),
        ("Id.x", None),
        (".", None),
        ("x" + ".x" * 4999, None),
    ],
)
def test_a_path_leads_to_its_value_or_to_none(path: str, value: Any) -> None:
    assert value_at(ITEM, path) == value


def test_columns_are_those_of_the_schema_that_any_item_has() -> None:
    assert titles(View(), ITEM) == ["ID", "NAME"]
    assert titles(View(), ITEM, {"Size": 0}) == ["ID", "NAME", "SIZE"]
    assert titles(View(wide=True), ITEM, {"Other": "x"}) == ["ID", "NAME", "TO", "Other"]
    assert titles(View(columns=("id", "Labels.a.b")), ITEM) == ["ID", "Labels.a.b"]


def test_an_empty_list_shows_its_head_where_nothing_else_is_said() -> None:
    (found,) = listings({"rows": [], "Warnings": None}, SCHEMA, View())
    assert [column.title for column in found.columns] == ["ID", "NAME", "SIZE"]
    assert listings({"rows": [], "changed": True}, SCHEMA, View()) == []


def test_the_note_names_what_is_not_shown_and_what_no_item_has() -> None:
    (found,) = listings({"rows": [ITEM]}, SCHEMA, View(columns=("Id", "Spec.Nam")))
    laid = grid(found.columns, found.rows, 80)

    said = note(found, laid.widths, laid.cut)
    assert said.startswith("1 item; not shown: Labels, Mounts; see --wide")
    assert said.endswith("no item has Spec.Nam (did you mean Spec.Name?)")


def test_where_no_item_has_an_asked_column_the_usual_ones_are_shown() -> None:
    assert titles(View(columns=("nosuch",)), ITEM) == ["ID", "NAME"]


@pytest.mark.parametrize(
    "mark", [7, "x", [3, None, {"title": "T"}, {"title": "", "path": "a"}], {"a": 1}, [[]]]
)
def test_a_schema_may_declare_junk(mark: Any) -> None:
    assert declared({"x-columns": mark}) == ()
    assert listings({"rows": [ITEM]}, {"properties": mark}, View()) == []
    assert row_columns(ITEM, {"properties": {"rows": mark}, "x-columns": mark}, View()) == ()


@pytest.mark.parametrize(
    "items", [[1, "x", None], [{"Id": {"deep": 1}}], [[]], [{"Id": "\x1b[2J\n\u202e" * 400}]]
)
def test_hostile_items_stay_on_their_line(items: list[Any]) -> None:
    (found,) = listings({"rows": items}, SCHEMA, View(columns=("ID", "Id"))) or [
        Listing("rows", (Column("ID", "Id"),), items)
    ]
    for room in (20, None):
        laid = grid(found.columns, found.rows, room)
        assert len(laid.lines) == len(items) + 1
        assert not {"\n", "\x1b", "\u202e"} & set("".join(line.plain for line in laid.lines))


def test_the_widest_columns_are_cut_first_and_ids_never() -> None:
    assert fitted([12, 30, 10], 60) == [12, 30, 10]
    assert fitted([12, 30, 10], 40) == [12, 14, 10]
    assert fitted([12, 30, 10], 32) == [9, 9, 10]
    assert fitted([12, 30, 10], 32, rigid=(True,)) == [12, 8, 8]
    assert fitted([12, 30, 10], 27) == [12, 13]
    assert fitted([12, 30], 20, rigid=(True,)) == [12]
    assert fitted([40], 3) == [3]
    assert fitted([], 80) == []


def test_wide_characters_take_two_columns() -> None:
    laid = grid((Column("N", "n"), Column("M", "m")), [("漢字漢字漢字", "x"), ("abc", "y")], 12)

    assert [line.cell_len for line in laid.lines] == [12, 12, 12]
    assert laid.cut == ("N",)


def test_rows_that_come_one_by_one_share_a_head_until_something_else_is_shown() -> None:
    columns, rows = (Column("ID", "Id"),), Rows()

    def lines() -> list[str]:
        return [line.plain for line in rows.lines("step", columns, ITEM, 80)]

    assert lines() == ["ID", "1"]
    assert lines() == ["1"]
    rows.broken()
    assert lines() == ["ID", "1"]


@pytest.mark.parametrize(
    ("given", "found"),
    [("100", 100), ("5", 20), ("9999", 1000), ("0", 160), ("x", 160), ("", 160), ("1" * 50, 160)],
)
def test_the_width_is_that_of_the_environment_or_160(given: str, found: int) -> None:
    assert width({"COLUMNS": given}, ()) == found
