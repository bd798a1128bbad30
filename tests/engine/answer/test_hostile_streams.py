"""Streams without an end, or of what no engine sends, end in a clear error of ours (fault 8.18, fault 8.30)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, repeat
from typing import Any

import pytest

from lib.engine.answer.frames import LONGEST_FRAME, frames
from lib.engine.answer.jsonlines import LONGEST_LINE, records
from lib.engine.answer.names import LONGEST_NAME, MOST_NAMES
from lib.engine.answer.progress import LONGEST_LINE as LONGEST_TEXT_LINE
from lib.engine.answer.progress import Progress
from lib.engine.errors import StreamFailed
from tests.engine.answer.collecting import collect


def test_an_endless_line_is_an_error_fault_8_18() -> None:
    chunks = repeat(b"x" * 65_536)
    with pytest.raises(StreamFailed, match=rf"longer than {LONGEST_LINE} bytes"):
        list(records(chunks))

    whole = b'{"a":"' + b"x" * (LONGEST_LINE - 8) + b'"}'
    assert len(next(records([whole, b"\n"]))["a"]) == LONGEST_LINE - 8


def test_a_frame_that_never_ends_is_an_error_fault_8_18() -> None:
    longer = b"\1\0\0\0" + (LONGEST_FRAME + 1).to_bytes(4)
    with pytest.raises(StreamFailed, match=rf"no frame of at most {LONGEST_FRAME} bytes"):
        list(frames([longer, *[b"x" * 65_536] * 3]))


def test_the_engines_own_error_in_a_frame_is_told_in_short_fault_8_18() -> None:
    text = b"no " * 100_000
    with pytest.raises(StreamFailed) as caught:
        list(frames([b"\3\0\0\0" + len(text).to_bytes(4) + text]))
    assert len(str(caught.value)) < 3_000


def layers() -> Iterator[Any]:
    return ({"status": "Downloading", "id": f"{number:012x}"} for number in count())


def ids() -> Iterator[Any]:
    return ({"aux": {"ID": f"sha256:{number:064x}"}} for number in count())


def digests() -> Iterator[Any]:
    return ({"status": f"Digest: sha256:{number:064x}"} for number in count())


def tags() -> Iterator[Any]:
    return ({"stream": f"Successfully tagged a:{number}\n"} for number in count())


@pytest.mark.parametrize("endless", [layers, ids, digests, tags])
def test_endless_names_are_an_error_fault_8_18(endless: Any) -> None:
    with pytest.raises(StreamFailed, match=rf"more than {MOST_NAMES} {endless.__name__}"):
        collect(endless())


def test_long_texts_are_kept_in_short_fault_8_18() -> None:
    progress = Progress()
    long = "a" * 1_000_000
    progress.feed({"stream": f"{long}\n"})
    progress.feed({"status": long, "id": long})
    progress.feed({"status": long, "id": "0123456789ab"})
    progress.feed({"aux": {"ID": long, "Digest": long, "Tag": long}})
    progress.feed({"stream": f"Successfully tagged {long}\n"})
    result = progress.result().as_dict()

    assert (result["ids"], result["digests"], result["tags"]) == ([], [], [])
    assert all(len(line) <= LONGEST_TEXT_LINE + 14 for line in result["lines"])
    assert len(result["layers"][0]["status"]) == LONGEST_NAME
    with pytest.raises(StreamFailed) as caught:
        progress.feed({"errorDetail": {"message": long}, "error": long, "id": long})
    assert len(str(caught.value)) < 3_000


@pytest.mark.parametrize(
    "record",
    [
        {"status": "Pulling", "id": "0123456789ab", "progressDetail": "soon"},
        {"status": "Pulling", "id": "0123456789ab", "progressDetail": {"current": "many"}},
        {"status": "Pulling", "id": ["0123456789ab"], "progressDetail": [1]},
        {"status": "Pulling", "id": {"a": 1}},
        {"aux": {"ID": {"a": 1}, "Digest": 5, "Tag": ["x"]}},
        {"stream": 5, "status": ["x"], "aux": "x"},
    ],
)
def test_fields_of_a_wrong_type_count_for_nothing_fault_8_30(record: Any) -> None:
    progress = Progress()
    progress.feed(record)
    result = progress.result()
    assert (result.ids, result.digests, result.tags, result.bytes) == ([], [], [], 0)


@pytest.mark.parametrize(
    "line", [b"[" * 50_000, b'{"a":' * 3_000 + b"1" + b"}" * 3_000, b'{"a":' + b"1" * 5_000 + b"}"]
)
def test_records_that_python_cannot_hold_are_an_error_fault_8_30(line: bytes) -> None:
    with pytest.raises(StreamFailed, match="is no JSON object"):
        list(records([line, b"\n"]))


def test_big_integers_of_records_stay_integers_fault_8_34() -> None:
    assert next(records([b'{"a":18446744073709551616}\n'])) == {"a": 2**64}
