from __future__ import annotations

from pathlib import Path

import pytest

from lib.action.input.validation import Problem, Validator, marks, validator

SCHEMAS = Path(__file__).parents[2] / "schemas"


def errors(key, body):
    return [str(problem) for problem in validator(SCHEMAS / f"{key}.in.json").errors(body)]


def test_a_missing_field_is_named():
    assert errors("ContainerInspect", {}) == ["id: is required"]
    assert errors("PutContainerArchive", {"id": "web", "path": "/", "file": {"name": "a"}}) == [
        "file.content: is required"
    ]


def test_a_wrong_type_is_named_with_what_is_expected_and_what_came():
    body = {"requestBody": {"Image": 5, "HostConfig": {"Binds": ["/a:/a", 3]}}}
    assert errors("ContainerCreate", body) == [
        "requestBody.Image: must be a text, not 5",
        "requestBody.HostConfig.Binds[1]: must be a text, not 3",
    ]


def test_the_body_itself_must_be_an_object():
    assert validator(SCHEMAS / "ContainerList.in.json").errors([1]) == [
        Problem("", "must be an object, not a list of 1")
    ]


def test_a_choice_is_named_with_its_values():
    assert errors("ContainerWait", {"id": "web", "condition": "later"}) == [
        'condition: must be one of not-running, next-exit, removed, not the text "later"'
    ]


@pytest.mark.parametrize("value", [True, "true", "False", "1", "", None])
def test_a_boolean_parameter_takes_its_text_forms(value):
    assert errors("ContainerList", {"all": value}) == []


@pytest.mark.parametrize("value", [5, 5.0, "5", "-1", "", None])
def test_a_number_parameter_takes_its_text_forms(value):
    assert errors("ContainerList", {"limit": value}) == []


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"all": "maybe"}, 'all: must be true or false, not the text "maybe"'),
        ({"all": 1}, "all: must be true or false, not 1"),
        ({"limit": "five"}, 'limit: must be a whole number, not the text "five"'),
        ({"limit": 5.5}, "limit: must be a whole number, not 5.5"),
        ({"filters": 3}, "filters: must be an object or a text, not 3"),
    ],
)
def test_other_forms_of_a_parameter_are_refused(body, problem):
    assert errors("ContainerList", body) == [problem]


def test_request_bodies_are_strict_about_numbers_but_whole_floats_are_whole():
    assert errors("ContainerUpdate", {"id": "web", "requestBody": {"Memory": 5.0}}) == []
    assert errors("ContainerUpdate", {"id": "web", "requestBody": {"Memory": "5"}}) == [
        'requestBody.Memory: must be a whole number, not the text "5"'
    ]


@pytest.mark.parametrize(
    "value", [{"status": ["exited"]}, {"status": "exited", "exited": 0}, '{"status": ["exited"]}', "", None]
)
def test_filters_are_taken_as_object_and_as_text(value):
    assert errors("ContainerList", {"filters": value}) == []


def test_a_text_that_must_be_json_is_checked():
    (problem,) = errors("ContainerList", {"filters": "{"})
    assert problem.startswith("filters: must be an object or a text of JSON (")


def test_null_in_a_body_means_not_given_as_the_engine_itself_writes_it():
    assert (
        errors(
            "ContainerCreate", {"requestBody": {"Image": "x", "Env": None, "HostConfig": {"Isolation": ""}}}
        )
        == []
    )


def test_nothing_longer_than_a_word_is_repeated_in_an_error():
    secret = "a-very-long-registry-password"
    assert secret not in "".join(errors("ContainerList", {"limit": secret, "all": [secret]}))


def test_a_validator_is_compiled_once_per_file():
    assert validator(SCHEMAS / "ContainerList.in.json") is validator(str(SCHEMAS / "ContainerList.in.json"))


def test_marks_are_the_versions_of_the_fields():
    found = marks(validator(SCHEMAS / "BuildPrune.in.json").schema)
    assert found["keep_storage"] == ("1.39", "1.51")
    assert found["reserved_space"] == ("1.48", None)
    assert marks(validator(SCHEMAS / "PluginCreate.in.json").schema)["attachment"] == (None, None)


def test_null_beside_a_reference_is_taken_where_it_is_allowed():
    schema = {
        "type": "object",
        "properties": {
            "a": {"$ref": "#/definitions/Name", "required": True},
            "b": {"$ref": "#/definitions/Name", "required": True, "x-nullable": True},
        },
        "definitions": {"Name": {"type": "string"}},
    }
    assert [str(p) for p in Validator(schema).errors({"a": None, "b": None})] == [
        "a: must be a text, not null"
    ]


def test_an_answer_may_hold_values_that_no_schema_names_yet():
    checker = validator(SCHEMAS / "ContainerList.out.json")
    assert checker.errors({"results": [{"State": "hibernating", "Labels": None, "Ports": None}]}) == []
    assert [str(p) for p in checker.errors({"results": [{"State": 5}]})] == [
        "results[0].State: must be a text, not 5"
    ]
