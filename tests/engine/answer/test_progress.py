from __future__ import annotations

import json

import pytest

from lib.engine.answer.jsonlines import records
from lib.engine.answer.progress import Progress
from lib.engine.errors import StreamCut, StreamFailed
from tests.engine.answer.collecting import collect

IMAGE = "sha256:" + "4" * 64
DIGEST = "sha256:" + "3" * 64
LAYER = "f1482d4fe3bc"

BUILD = [
    {"stream": "Step 1/2 : FROM busybox:local"},
    {"stream": "\n"},
    {"stream": " ---> 4d4bb73089b1\n"},
    {"stream": "Step 2/2 : RUN make"},
    {"stream": "\n"},
    {"stream": "\x1b[91mwarning\n\x1b[0m"},
    {"stream": "done\n"},
]
BUILT = [
    {"aux": {"ID": IMAGE}},
    {"stream": "Successfully built 444444444444\n"},
    {"stream": "Successfully tagged registry:5000/x/y:1\n"},
    {"stream": "Successfully tagged other:2\n"},
]
REFUSED = {
    "errorDetail": {"code": 2, "message": "The command '/bin/sh -c make' returned a non-zero code: 2"},
    "error": "The command '/bin/sh -c make' returned a non-zero code: 2",
}


def wire(*items: dict) -> list[bytes]:
    """As the engine writes it."""
    return [json.dumps(item).encode() + b"\r\n" for item in items]


def test_a_build_gives_the_id_the_tags_and_the_last_lines():
    result = collect(records(wire(*BUILD, *BUILT)))
    assert result.ids == [IMAGE]
    assert result.tags == ["registry:5000/x/y:1", "other:2"]
    assert result.lines[:5] == [
        "Step 1/2 : FROM busybox:local",
        " ---> 4d4bb73089b1",
        "Step 2/2 : RUN make",
        "warning",
        "done",
    ]


def test_a_quiet_build_gives_the_id():
    assert collect(records(wire({"stream": IMAGE + "\n"}))).ids == [IMAGE]


def test_a_multi_stage_build_ends_with_the_id_of_the_image():
    other = "sha256:" + "5" * 64
    assert collect([{"aux": {"ID": other}}, {"aux": {"ID": IMAGE}}]).ids == [other, IMAGE]


def test_a_failed_build_names_the_step_and_what_it_said():
    with pytest.raises(StreamFailed) as caught:
        collect(records(wire(*BUILD, REFUSED)))
    error = caught.value
    assert error.step == "Step 2/2 : RUN make"
    assert error.message.endswith("returned a non-zero code: 2 (at Step 2/2 : RUN make)")
    assert error.hint is not None
    assert error.hint.endswith("warning\ndone")
    assert error.status is None


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("no basic auth credentials", "registries"),
        ("unauthorized: authentication required", "registries"),
        ("denied: requested access to the resource is denied", "registries"),
        ("toomanyrequests: You have reached your pull rate limit", "log in"),
        ("manifest for r/nope:1 not found: manifest unknown: manifest unknown", "no such tag"),
        ("pull access denied for x, repository does not exist", "wants a login"),
        ("write /var/lib/x: no space left on device", "ImagePrune"),
    ],
)
def test_a_failure_that_is_known_says_what_to_do(text, hint):
    """fault 8.33: the table of refusals was asked for answers alone, not for failures among the progress."""
    with pytest.raises(StreamFailed, match=f"{hint}.*Before it") as caught:
        collect(records(wire(*BUILD, {"errorDetail": {"message": text}, "error": text})))
    assert caught.value.message.startswith(text)


def test_the_command_of_a_build_is_no_refusal_whatever_it_says():
    """fault 8.33."""
    text = "The command '/bin/sh -c echo no space left on device; false' returned a non-zero code: 1"
    with pytest.raises(StreamFailed) as caught:
        collect(records(wire({"errorDetail": {"code": 1, "message": text}, "error": text})))
    assert caught.value.hint is None


@pytest.mark.parametrize(
    "lines",
    [
        [REFUSED],
        [REFUSED, *BUILD],
        [*BUILD, REFUSED, *BUILT],
        [{"error": REFUSED["error"]}],
        [{"errorDetail": {"message": REFUSED["error"]}}],
    ],
    ids=["only", "first", "in the midst", "old form alone", "new form alone"],
)
def test_a_failure_counts_wherever_it_stands(lines):
    with pytest.raises(StreamFailed, match="non-zero code: 2"):
        collect(records(wire(*lines)))


def test_a_failure_without_line_end_counts():
    with pytest.raises(StreamFailed, match="non-zero code: 2"):
        collect(records([b"".join(wire(*BUILD, REFUSED)).rstrip()]))


def test_a_failure_before_a_cut_counts_more_than_the_cut():
    with pytest.raises(StreamFailed, match="non-zero code: 2"):
        collect(records([*wire(*BUILD, REFUSED), b'{"stre']))


def test_a_cut_is_no_success():
    with pytest.raises(StreamCut):
        collect(records([*wire(*BUILD), b'{"stre']))


def test_a_code_like_a_status_is_kept():
    with pytest.raises(StreamFailed) as caught:
        collect([{"errorDetail": {"code": 401, "message": "login first"}, "error": "login first"}])
    assert caught.value.status == 401


def test_a_failure_without_words_is_a_failure():
    with pytest.raises(StreamFailed, match="gave no reason"):
        collect([{"errorDetail": {"code": 1}}])


def test_a_push_gives_tag_digest_layers_and_bytes():
    result = collect(
        records(
            wire(
                {"status": "The push refers to repository [127.0.0.1:5071/x/y]"},
                {"status": "Preparing", "progressDetail": {}, "id": LAYER},
                {"status": "Pushing", "progressDetail": {"current": 512, "total": 1024}, "id": LAYER},
                {"status": "Pushing", "progressDetail": {"current": 1536, "total": 1024}, "id": LAYER},
                {"status": "Pushed", "progressDetail": {}, "id": LAYER},
                {"status": f"1: digest: {DIGEST} size: 528"},
                {"progressDetail": {}, "aux": {"Tag": "1", "Digest": DIGEST, "Size": 528}},
            )
        )
    )
    assert result.tags == ["127.0.0.1:5071/x/y:1"]
    assert result.digests == [DIGEST]
    assert result.layers == [{"id": LAYER, "status": "Pushed", "bytes": 1536}]
    assert result.bytes == 1536


def test_a_push_without_aux_gives_the_digest_of_its_last_line():
    assert collect([{"status": f"1: digest: {DIGEST} size: 528"}]).digests == [DIGEST]


def test_a_failed_transfer_names_the_layer():
    lines = [
        {"status": "Pulling from x/y", "id": "1"},
        {"status": "Downloading", "progressDetail": {"current": 1, "total": 9}, "id": LAYER},
        {"error": "unexpected EOF"},
    ]
    with pytest.raises(StreamFailed) as caught:
        collect(lines)
    assert caught.value.step == f"layer {LAYER}"
    assert caught.value.message == f"unexpected EOF (at layer {LAYER})"


def test_a_build_that_pulls_its_base_fails_at_its_step():
    lines = [BUILD[0], {"status": "Downloading", "progressDetail": {"current": 1}, "id": LAYER}, REFUSED]
    with pytest.raises(StreamFailed) as caught:
        collect(lines)
    assert caught.value.step == "Step 1/2 : FROM busybox:local"


@pytest.mark.parametrize("status", ["Downloaded newer image for x/y:1", "Image is up to date for x/y:1"])
def test_a_pull_gives_tag_and_digest(status):
    result = collect(
        [
            {"status": "Pulling from x/y", "id": "1"},
            {"status": "Already exists", "progressDetail": {}, "id": LAYER},
            {"status": f"Digest: {DIGEST}"},
            {"status": f"Status: {status}"},
        ]
    )
    assert result.tags == ["x/y:1"]
    assert result.digests == [DIGEST]
    assert [layer["id"] for layer in result.layers] == [LAYER]


def test_a_tag_that_looks_like_a_layer_is_none():
    assert collect([{"status": "Pulling from x/y", "id": "deadbeefcafe"}]).layers == []


def test_a_load_gives_names_and_ids():
    result = collect([{"stream": "Loaded image: busybox:local\n"}, {"stream": f"Loaded image ID: {IMAGE}\n"}])
    assert result.tags == ["busybox:local"]
    assert result.ids == [IMAGE]


def test_an_import_gives_the_id():
    assert collect([{"status": IMAGE}]).ids == [IMAGE]


def test_buildkits_packed_log_is_passed_over():
    result = collect([{"id": "moby.buildkit.trace", "aux": "Cm0KR3NoYTI1Ng=="}, {"aux": {"ID": IMAGE}}])
    assert (result.ids, result.lines) == ([IMAGE], [])


def test_fields_of_unexpected_types_do_no_harm():
    assert collect([{"stream": 1, "status": [], "aux": [], "progressDetail": None}]).lines == []


def test_only_the_last_lines_are_kept():
    assert collect(({"stream": f"{n}\n"} for n in range(1000)), keep=3).lines == ["997", "998", "999"]


def test_the_result_is_a_message_body():
    ticks = iter([10.0, 12.5])
    progress = Progress(clock=lambda: next(ticks))
    progress.feed({"aux": {"ID": IMAGE}})
    assert progress.result().as_dict() == {
        "id": IMAGE,
        "ids": [IMAGE],
        "digests": [],
        "tags": [],
        "layers": [],
        "bytes": 0,
        "durationSeconds": 2.5,
        "lines": [],
    }


def test_a_build_that_could_not_be_squashed_says_what_to_do() -> None:
    text = "error squashing image: not implemented"
    with pytest.raises(StreamFailed, match=r"not implemented.*leave squash empty"):
        collect(records(wire(*BUILD, {"errorDetail": {"message": text}, "error": text})))
