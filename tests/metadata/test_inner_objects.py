"""docs/operations.md: fields of inner objects are told once, folded, and each object leads there."""

from __future__ import annotations

import re
from pathlib import Path

from lib.metadata.inner_objects import InnerObjects

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/operations.md").read_text("utf-8")


def field(kind: str, **more: object) -> dict[str, object]:
    return {"title": kind.capitalize(), "description": "", "type": kind, **more}


SIZE = field("object", properties={"width": field("number"), "height": field("number")})
SCHEMA = {"definitions": {"Box": field("object", properties={"size": SIZE})}}


def test_an_object_is_told_once_and_leads_to_the_objects_within_it() -> None:
    objects = InnerObjects()
    box = {"$ref": "#/definitions/Box", "title": "Box", "description": ""}
    head = objects.table("Input", {"box": box, "boxes[].size": SIZE, "free": field("object")}, SCHEMA)
    lines = objects.section()

    assert "| `box` | [object](#object-box) |" in "\n".join(head)
    assert "| `free` | object |" in "\n".join(head)
    assert [line for line in lines if line.startswith("####")] == ["#### Object box", "#### Object size"]
    assert "| `size` | [object](#object-size) | **Object**. |  |" in lines


def test_lists_and_maps_of_objects_lead_there_too() -> None:
    objects = InnerObjects()
    properties = {
        "list": field("array", items=SIZE),
        "map": field("object", additionalProperties=field("object", properties={"a": field("string")})),
    }
    text = "\n".join(objects.table("Output", properties, {}))

    assert "list of [object](#object-list)" in text
    assert "object of [objects](#object-map)" in text


def test_objects_of_one_name_with_other_fields_have_numbers() -> None:
    objects = InnerObjects()
    other = field("object", properties={"depth": field("number")})
    text = "\n".join(objects.table("Input", {"size": SIZE, "inner.size": other, "again.size": SIZE}, {}))

    assert re.findall(r"#(object-[\w-]+)", text) == ["object-size", "object-size-2", "object-size"]


def test_the_page_tells_what_a_host_config_has() -> None:
    create = PAGE.partition("\n### ContainerCreate\n")[2].partition("\n### ")[0]
    (anchor,) = re.findall(r"\| `requestBody.HostConfig` \| \[object\]\(#([\w-]+)\)", create)
    inner = PAGE.partition(
        f"\n#### Object HostConfig{anchor.removeprefix('object-hostconfig').replace('-', ' ')}\n"
    )[2]
    fields = inner.partition("\n#### ")[0]
    assert "| `RestartPolicy` | [object](#object-" in fields
    assert "| `Memory` | whole number |" in fields
