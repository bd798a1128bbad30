from __future__ import annotations

import pytest

from lib.metadata import words as word_files
from lib.metadata.facts import load
from lib.metadata.missing import report
from lib.metadata.schema_in import schema_in
from lib.metadata.schema_out import schema_out
from lib.metadata.words import humanised

FACTS = load()


def test_every_operation_and_every_input_has_words_and_no_word_is_for_nothing():
    words = word_files.load()
    for key in FACTS.operations:
        schema_in(key, FACTS, words)
        schema_out(key, FACTS, words)
        assert words.operation(key, "description")
    assert report(words, FACTS) == []


@pytest.mark.parametrize(
    ("name", "readable"),
    [
        ("RestartCount", "Restart count"),
        ("Id", "ID"),
        ("ImageID", "Image ID"),
        ("IPAddress", "IP address"),
        ("io_service_time", "Io service time"),
        ("NanoCPUs", "Nano CPUs"),
        ("os.version", "Os version"),
    ],
)
def test_a_name_without_words_is_made_readable(name, readable):
    assert humanised(name) == readable


def test_words_of_a_definition_go_before_those_for_all():
    words = word_files.load()
    words.definitions = {
        "A": {"Name": ["Of A", "..."], "Part.Size": ["Size of the part", "..."]},
        "_any": {"Name": ["Of any", "..."]},
    }
    assert words.property("A", "Name", needed=True)[0] == "Of A"
    assert words.property("A", "Part.Name", needed=True)[0] == "Of any"
    assert words.property("A", "Part.Size", needed=True)[0] == "Size of the part"
    assert words.property("B", "Name", needed=True)[0] == "Of any"
    assert words.missing == set()


def test_missing_words_are_remembered_only_where_they_are_needed():
    words = word_files.load()
    words.definitions = {}
    assert words.property("B", "RestartCount", needed=False) == ("Restart count", "")
    assert words.missing == set()
    words.property("B", "RestartCount", needed=True)
    assert words.missing == {("B", "RestartCount")}
