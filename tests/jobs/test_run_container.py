"""RunContainer on real engines: what goes in, what comes out, and what is left."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.actions.stepping import run_step
from tests.jobs.crash import nothing_left, things
from tests.jobs.engines import config, own
from tests.jobs.finding import failed
from tests.jobs.places import Place, unpacked
from tests.lab.engine import IMAGE, LabEngine
from tests.lab.socket_proxy import READS, SocketProxy

__all__ = ["own"]
pytestmark = pytest.mark.engine
KEY = "RunContainer"


@pytest.fixture
def place(own: LabEngine, tmp_path: Path) -> Iterator[Place]:
    """Steps on an engine that has the same containers, volumes and networks afterwards."""
    with nothing_left(own):
        yield Place(own, tmp_path)


def sh(script: str, **fields: Any) -> dict[str, Any]:
    return {"image": IMAGE, "command": ["sh", "-c", script], **fields}


def stored(place: Place, attachment: dict[str, Any]) -> bytes:
    with place.storage.open(attachment) as blob:
        return b"".join(blob.chunks())


@pytest.mark.shows("RunContainer", "succeeds")
def test_a_program_runs_to_its_end(place: Place) -> None:
    body = place.do(KEY, sh("echo out; echo err >&2; exit 0"))
    assert (body["exitCode"], body["ok"], body["stdout"], body["stderr"]) == (0, True, "out\n", "err\n")
    assert sorted(body["text"].splitlines()) == ["err", "out"]
    assert (body["reached"], body["endedBy"], body["oomKilled"], body["repeat"]) == (
        True,
        "program",
        False,
        False,
    )
    assert body["startedAt"] <= body["finishedAt"]
    assert body["image"]["reference"] == IMAGE
    assert body["image"]["id"].startswith("sha256:")
    assert [one["action"] for one in body["plan"]] == ["create", "start", "remove"]
    assert body["changed"]
    assert "truncated" not in body


def test_the_image_is_asked_for_once(own: LabEngine) -> None:
    with nothing_left(own), SocketProxy(own.socket, ".*") as proxy:
        (body,) = run_step(KEY, sh("true"), config(own, otherServer=proxy.url)).bodies
    assert [call for call in proxy.calls if "/images/" in call] == [f"GET /images/{IMAGE}/json"]
    told = own.wire.do("GET", f"/images/{IMAGE}/json").json()
    assert body["image"]["id"] == told["Id"]


def test_all_settings_of_the_container_are_its_own(place: Place) -> None:
    body = place.do(
        KEY,
        sh(
            "id -u; pwd; echo $A $B $C; cat /proc/1/cgroup >/dev/null",
            env={"A": "x", "B": 5, "C": True},
            user=7,
            workingDir="/tmp",
            labels={"team": "web"},
            entrypoint=[],
            memoryMb=64,
            cpus=0.5,
            network="none",
        ),
    )
    assert body["stdout"] == "7\n/tmp\nx 5 true\n"


def test_settings_come_last(place: Place) -> None:
    settings = {"Hostname": "box", "Env": ["A=2"], "HostConfig": {"ReadonlyRootfs": True}}
    body = place.do(KEY, sh("hostname; echo $A; touch /x || echo no", env={"A": "1"}, settings=settings))
    assert body["stdout"] == "box\n2\nno\n"


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"HostConfig": {"RestartPolicy": {"Name": "always"}}}, "RestartPolicy"),
        ({"HostConfig": {"AutoRemove": True}}, "AutoRemove"),
        ({"Tty": True}, "Tty"),
        ({"HostConfig": 5}, "HostConfig"),
        ({"Labels": 5}, "Labels"),
    ],
)
def test_what_would_break_the_run_is_refused(place: Place, settings: dict[str, Any], named: str) -> None:
    assert named in place.fails(KEY, sh("true", settings=settings), "BadInput")


def test_a_command_as_text_meets_no_shell(place: Place) -> None:
    body = place.do(KEY, {"image": IMAGE, "command": "echo 'a  b' \"c\" $HOME | cat"})
    assert body["stdout"] == "a  b c $HOME | cat\n"
    assert "no shell reads | $NAME here" in body["warnings"][0]
    assert not place.do(KEY, {"image": IMAGE, "command": "echo 'a | $b' \\; \\$c"})["warnings"]
    assert "No closing quotation" in place.fails(KEY, {"image": IMAGE, "command": "echo 'a"}, "BadInput")


def test_input_is_heard_whole(place: Place) -> None:
    assert place.do(KEY, sh("cat", stdinText="grüße\n"))["stdout"] == "grüße\n"
    assert place.do(KEY, sh("cat; echo .", stdinText=""))["stdout"] == ".\n"


def test_five_megabytes_of_input_are_heard_whole(place: Place) -> None:
    data = bytes(range(256)) * 20_000
    body = place.do(KEY, sh("sleep 0.3; wc -c; cat", stdinAttachment="data"), {"data": data})
    assert body["stdout"] == f"{len(data)}\n"


def test_a_program_that_does_not_want_its_input_ends_well(place: Place) -> None:
    body = place.do(KEY, sh("exec 0<&-; echo enough", stdinAttachment="data"), {"data": bytes(3_000_000)})
    assert (body["stdout"], body["exitCode"]) == ("enough\n", 0)


def test_files_go_in_and_come_out(place: Place) -> None:
    files = [
        {"path": "/work/deep/er/in.txt", "content": "hello"},
        {"path": "/usr/local/bin/tool", "content": "#!/bin/sh\necho tool", "mode": "0755"},
        {"path": "/data.bin", "attachment": "data"},
    ]
    script = (
        "cat /work/deep/er/in.txt; tool; mkdir -p /out; cp /data.bin /out; echo x > /out/x; wc -c < /data.bin"
    )
    body = place.do(
        KEY,
        sh(script, filesIn=files, filesOut=["/work/deep/er/in.txt", "/out", "/nothing"]),
        {"data": bytes(100_000)},
    )
    assert body["stdout"] == "hellotool\n100000\n"
    one, two = body["files"]
    assert (one["path"], one["name"], one["size"]) == ("/work/deep/er/in.txt", "in.txt", 5)
    assert stored(place, one["attachment"]) == b"hello"
    members = unpacked(stored(place, two["attachment"]))
    assert {name.removeprefix("./") for name in members} >= {"data.bin", "x"}
    assert two["name"] == "out.tar"
    assert body["warnings"] == ["filesOut: /nothing is not there"]
    assert [one["action"] for one in body["plan"]] == ["create", "copy", "start", "remove"]


def test_two_files_of_one_name_are_two_attachments(place: Place) -> None:
    script = "mkdir /a /b; echo a > /a/x; echo b > /b/x"
    outcome = place.step(KEY, sh(script, filesOut=["/a/x", "/b/x"]))
    (message,) = outcome.messages
    assert len(message.attachments) == 2
    assert [stored(place, one["attachment"]) for one in outcome.bodies[0]["files"]] == [b"a\n", b"b\n"]


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"filesIn": [{"path": "x", "content": ""}]}, "BadInput"),
        ({"filesIn": [{"path": "/../x", "content": ""}]}, "BadInput"),
        ({"filesIn": [{"path": "/x"}]}, "BadInput"),
        ({"filesIn": [{"path": "/x", "attachment": "none"}]}, "BadInput"),
        ({"filesIn": [{"path": "/etc/passwd/x", "content": ""}]}, "Refused"),
        ({"filesOut": ["x"]}, "BadInput"),
        ({"filesOut": ["/a/../b"]}, "BadInput"),
        ({"stdinText": "a", "stdinAttachment": "b"}, "BadInput"),
        ({"stdinAttachment": "none"}, "BadInput"),
        ({"network": "nowhere"}, "NotStarted"),
        ({"command": ["/nope"]}, "NotStarted"),
        ({"workingDir": "/etc/passwd"}, "Refused"),
        ({"volumes": ["relative/path:/x"]}, "Refused"),
        ({"image": "sha256:" + "0" * 64}, "NotFound"),
        ({"image": "nowhere.invalid/x:1", "pull": "never"}, "NotFound"),
    ],
    ids=lambda value: json.dumps(value)[:50],
)
@pytest.mark.shows("RunContainer", "fails")
def test_what_cannot_run_leaves_nothing(place: Place, fields: dict[str, Any], name: str) -> None:
    error = place.step(KEY, sh("true") | fields, errorPolicy="throwError").errors[0]
    names = ("Refused", "EngineFault", "NotFound") if name == "Refused" else (name,)
    assert error["name"] in names, error


@pytest.mark.shows("RunContainer", "fails")
def test_a_bad_exit_tells_the_last_lines(place: Place) -> None:
    text = place.fails(KEY, sh("echo working; echo broken >&2; exit 3"), "BadExit")
    assert "ended with code 3. Its last lines: " in text
    assert "broken" in text
    (body,) = place.step(KEY, sh("echo x >&2; exit 3"), errorPolicy="emit").bodies
    assert (body["error"]["exitCode"], body["error"]["stderr"]) == (3, "x\n")


def test_a_bad_exit_can_be_emitted(place: Place) -> None:
    body = place.do(KEY, sh("echo x; exit 3", filesOut=["/etc/passwd"]), badExit="emit")
    assert (body["exitCode"], body["ok"], body["stdout"], len(body["files"])) == (3, False, "x\n", 1)


def test_trap_3_a_refused_start_is_no_exit_code(place: Place) -> None:
    """The engine tells 127 and `created` of it; nothing has run."""
    for settings in ({"badExit": "emit"}, {"okCodes": [127, 128]}):
        wish = {"image": IMAGE, "command": ["/nope"]} | ({} if "badExit" in settings else settings)
        text = place.fails(KEY, wish, "NotStarted", **({} if "okCodes" in settings else settings))
        assert "/nope" in text


def test_trap_8_bound_ports_are_published(own: LabEngine, tmp_path: Path) -> None:
    settings = {"HostConfig": {"PortBindings": {"80": [{"HostIp": "127.0.0.1", "HostPort": "18080"}]}}}
    wish = sh("sleep 600", settings=settings)
    outcome = Place(own, tmp_path).step(KEY, wish, maxSeconds="0.5", whenTimeIsUp="emit")
    identity = outcome.bodies[0]["container"]["id"]
    (port,) = own.wire.do("GET", f"/containers/{identity}/json").json()["NetworkSettings"]["Ports"]["80/tcp"]
    assert (port["HostIp"], port["HostPort"]) == ("127.0.0.1", "18080")
    own.remove(identity)


def test_other_codes_can_be_good(place: Place) -> None:
    assert place.do(KEY, sh("exit 3", okCodes=[0, 3]))["ok"]
    assert place.do(KEY, sh("exit 3", okCodes="[3]"))["ok"]
    place.fails(KEY, sh("exit 0", okCodes=[3]), "BadExit")


def test_trap_21_the_end_of_each_output_is_kept(place: Place) -> None:
    """Engines hear both at once: the last line of one may come before hundreds of the other."""
    body = place.do(KEY, sh("seq 1 100000; echo é; echo last >&2"), maxBytes="1000")
    assert body["truncated"] == "maxBytes"
    assert body["stdout"].endswith("99999\n100000\né\n")
    assert body["stderr"] == "last\n"
    assert 980 <= len(body["text"].encode()) <= 1000


def test_trap_2_three_thousand_lines_are_all_there(place: Place) -> None:
    body = place.do(KEY, sh("seq 1 3000"))
    assert body["stdout"].splitlines() == [str(number) for number in range(1, 3001)]


def test_output_that_is_no_text_is_told(place: Place) -> None:
    body = place.do(KEY, sh(r"printf 'a\377b'"))
    assert body["stdout"] == "a\ufffdb"
    assert "UTF-8" in body["warnings"][0]


@pytest.mark.parametrize("stdin", [None, "said"])
def test_output_is_heard_where_the_log_cannot_be_read(place: Place, stdin: str | None) -> None:
    settings = {"HostConfig": {"LogConfig": {"Type": "none"}}}
    fields = {"stdinText": stdin} if stdin else {}
    body = place.do(KEY, sh("echo heard; cat", settings=settings, **fields))
    assert body["stdout"] == f"heard\n{stdin or ''}"


def test_volumes_are_mounted_and_stay(own: LabEngine, tmp_path: Path) -> None:
    place = Place(own, tmp_path)
    own.wire.do("POST", "/volumes/create", {"Name": "kept"})
    with nothing_left(own):
        place.do(KEY, sh("echo x > /data/x", volumes=["kept:/data"]))
        assert place.do(KEY, sh("cat /data/x", volumes='["kept:/data:ro"]'))["stdout"] == "x\n"
    own.wire.do("DELETE", "/volumes/kept")


def test_anonymous_volumes_go_with_their_container(place: Place) -> None:
    place.do(KEY, sh("touch /data/x", volumes=["/data"]))


def test_kept_evidence_is_named_and_labelled(own: LabEngine, tmp_path: Path) -> None:
    place = Place(own, tmp_path)
    body = place.do(KEY, sh("echo x", idempotencyKey="kept", labels={"a": "b"}), evidence="keep")
    again = place.do(KEY, sh("echo x", idempotencyKey="kept", labels={"a": "b"}), evidence="keep")
    assert (again["repeat"], again["stdout"], again["container"]) == (True, "x\n", body["container"])
    assert (again["plan"], again["changed"]) == ([], False)
    told = own.wire.do("GET", f"/containers/{body['container']['id']}/json").json()
    labels = told["Config"]["Labels"]
    prefix = "docker-engine-connector."
    assert {name.removeprefix(prefix) for name in labels if name.startswith(prefix)} == {
        *("run", "job", "step", "spec", "until")
    }
    assert labels["a"] == "b"
    assert len(labels[f"{prefix}spec"]) == 64  # trap 23: a hash, for every list repeats all labels
    text = place.fails(KEY, sh("echo y", idempotencyKey="kept"), "NotSettled", evidence="keep")
    assert "another input with the same idempotency key" in text
    own.remove(body["container"]["id"])


def test_kept_evidence_of_a_failure_gives_way_to_a_retry(own: LabEngine, tmp_path: Path) -> None:
    place = Place(own, tmp_path)
    for _ in range(2):
        place.fails(KEY, sh("exit 4", idempotencyKey="fails"), "BadExit", evidence="keep")
    kept = [name for name in things(own)["containers"] if ".failed-" in name]
    assert len(kept) == 2
    for name in kept:
        own.remove(name.split()[0].removeprefix("/"))


def test_a_program_that_needs_more_memory_is_told_so(place: Place) -> None:
    body = place.do(
        KEY,
        sh("tail /dev/zero", memoryMb=8, settings={"HostConfig": {"MemorySwap": 8 << 20}}),
        badExit="emit",
    )
    assert (body["exitCode"], body["oomKilled"], body["endedBy"]) == (137, True, "program")


def test_a_dry_run_plans_what_a_run_does(place: Place) -> None:
    wish = sh("true", filesIn=[{"path": "/x", "content": "x"}], idempotencyKey="dry")
    with SocketProxy(place.engine.socket, READS) as proxy:
        dry = place.do(KEY, wish, dryRun=True, otherServer=proxy.url)
        assert not proxy.refused
    real = place.do(KEY, wish)
    assert (dry["plan"], dry["dryRun"], dry["changed"]) == (real["plan"], True, False)
    assert "exitCode" not in dry
    assert dry["container"]["name"] == real["container"]["name"]


@pytest.mark.shows("RunContainer", "read_only")
def test_a_credential_that_may_only_read_plans_and_does_not_run(place: Place) -> None:
    assert place.do(KEY, sh("true"), dryRun=True, accessMode="readOnly")["plan"]
    with SocketProxy(place.engine.socket, ".*") as proxy:
        place.fails(KEY, sh("true"), "ReadOnly", accessMode="readOnly", otherServer=proxy.url)
        assert [call for call in proxy.calls if not call.startswith(("GET", "HEAD"))] == []


def test_files_that_cannot_be_stored_are_refused_beforehand(place: Place) -> None:
    outcome = run_step(KEY, sh("true", filesOut=["/x"]), config(place.engine, errorPolicy="throwError"))
    assert failed(outcome) == ("BadInput", failed(outcome)[1])
    assert "no storage" in failed(outcome)[1]
