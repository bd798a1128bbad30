"""Fault 8.16: texts of others are read in linear time.

Each text is so large that reading it in quadratic time would take hours, and a reader that holds the interpreter
can only be ended from outside. So each runs in a process of its own, whose deadline is for the hang alone.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab.waiting import DEADLINE

ROOT = Path(__file__).parent.parent
BEFORE = """
import json
from collections.abc import Iterator
from requests import Response

MEGA = 1_000_000

def refused(body, status=502):
    from lib.engine.http.error_response import refusal
    response = Response()
    response._content, response.status_code, response.reason = body, status, "Bad Gateway"
    error = refusal(response, "GET", "/x")
    assert len(str(error)) < 5_000, len(str(error))
    assert error.message
    return error

def bad(call, *arguments, **named):
    from lib.engine.errors import EngineError
    try:
        call(*arguments, **named)
    except EngineError as error:
        assert len(str(error)) < 5_000, len(str(error))
    else:
        raise AssertionError("not refused")

def hiding(*texts):
    from lib.sailor.secrets.masking import Secrets
    secrets = Secrets()
    secrets.add(texts)
    return secrets
"""
CASES = {
    # Error texts of engines and proxies.
    "page of brackets": 'refused(b"<" * (8 * MEGA))',
    "page of open tags": 'refused(b"<a" * (4 * MEGA))',
    "page of tags": 'refused(b"<a>" * (3 * MEGA))',
    "page of blanks": 'refused(b"<" + b" " * (8 * MEGA))',
    "JSON of brackets": 'refused(json.dumps({"message": "<" * (8 * MEGA)}).encode())',
    "JSON of lists": 'refused(b"[" * (8 * MEGA))',
    "many keys": "refused(json.dumps({str(i): i for i in range(MEGA // 2)}).encode())",
    "version": 'refused(b"client version 1" + b"1." * (4 * MEGA), 400)',
    "many versions": 'refused(b"client version 1.1 is too " * (MEGA // 3), 400)',
    "path": 'refused(b"Path " + b"a" * (8 * MEGA), 404)',
    # Credential and message.
    "PEM without ends": """
from lib.engine import pem
bad(pem.pem, "-----BEGIN CERTIFICATE-----" * (pem.LONGEST // 27), field="tlsCa", kind="CERTIFICATE")
""",
    "PEM of dashes": """
from lib.engine import pem
bad(pem.pem, "-" * pem.LONGEST, field="tlsCa", kind="CERTIFICATE")
bad(pem.pem, "-----BEGIN " * (pem.LONGEST // 11), field="tlsCa", kind="CERTIFICATE")
bad(pem.pem, "-----END " * (pem.LONGEST // 9), field="tlsCa", kind="CERTIFICATE")
bad(pem.pem, "-----BEGIN A----------END B-----" * (pem.LONGEST // 32), field="tlsCa", kind="CERTIFICATE")
""",
    "PEM of headers": """
from lib.engine import pem
body = "a: b " * (pem.LONGEST // 5 - 20)
pem.pem(f"-----BEGIN CERTIFICATE-----{body}-----END CERTIFICATE-----", field="tlsCa", kind="CERTIFICATE")
body = "a" * (pem.LONGEST - 100)
pem.pem(f"-----BEGIN CERTIFICATE-----{body}-----END CERTIFICATE-----", field="tlsCa", kind="CERTIFICATE")
""",
    "address": """
from lib.engine import Endpoint
for text in ("http://h" + "/v1" * MEGA, "http://h/v" + "1" * MEGA, "http://" + "a." * MEGA, "http://" + "é." * MEGA,
             "http://" + "@" * MEGA, "http://[" + ":" * MEGA + "]", "http://h:" + "1" * MEGA, "//" * MEGA):
    try:
        Endpoint.parse(text)
    except Exception as error:
        assert type(error).__name__ == "BadInput", error
        assert len(str(error)) < 5_000
""",
    "registry logins": """
from lib.engine import Registries
bad(Registries.parse, {"r": {"auth": "a=" * MEGA}})
bad(Registries.parse, "[" * MEGA)
""",
    "repeated key": """
from lib.engine.text import parsed
keys = ",".join(f'"{i}":1' for i in range(MEGA // 4))
bad(parsed, "{" + keys + ',"249999":1}', "filters")
""",
    "times": """
from lib.engine.request.times import seconds_of
for text in ("1" * MEGA, "1h" * MEGA, "1." * MEGA, "2026-01-31T12:00:00." + "1" * MEGA, " " * MEGA):
    bad(seconds_of, text, "since")
""",
    # Streams.
    "progress": """
from lib.engine.answer.progress import Progress
for text in ("digest: " * MEGA, "digest: " + ":a" * MEGA, "Step 1" * MEGA, "sha256:" * MEGA, chr(27) * (4 * MEGA),
             "The push refers to repository [" + "]" * MEGA, "Successfully tagged " + "a" * MEGA, chr(10) * MEGA):
    Progress().feed({"stream": text})
    Progress().feed({"status": text, "id": text[:100]})
""",
    "log lines": """
from lib.engine.answer.log_lines import log_lines
time = b"2026-01-31T12:00:00."
for data in (time + b"1" * (8 * MEGA), (time + b"1Z ") * MEGA, bytes([10]) * MEGA):
    for frames in ([("stdout", data)], [("stdout", data[i:i + 999]) for i in range(0, len(data), 999)]):
        for tty in (True, False):
            for _ in log_lines(frames, timestamps=True, tty=tty):
                pass
""",
    "statistics": """
from lib.engine.answer.stats import _nanoseconds
assert _nanoseconds("2026-01-31T12:00:00." + "1" * (8 * MEGA)) is None
""",
    "registry's refusal": """
from lib.engine.errors import Refused
from lib.trigger.images.registry_refusals import outcome
for text in ("unauthorize" * MEGA, "[" * MEGA, '"' * MEGA, '"a' * MEGA + "b", "https://" * MEGA, "status " * MEGA):
    outcome(Refused(text), "app")
""",
    "time of the engine": """
from lib.trigger.clock import _ISO
assert _ISO.fullmatch("2026-01-31T12:00:00." + "1" * (8 * MEGA) + "x") is None
""",
    # Masking itself.
    "texts to mask": """
secrets = hiding("secret-of-many", "aaaaaa", "aaaa")
for text in ("a" * MEGA, "secret-of-man" * MEGA, "YWFhYWFh" * MEGA, " … " * MEGA, "secret-of-m …" * MEGA, "%" * MEGA):
    secrets.mask(text)
""",
    "secrets to hide": """
hiding("a" * (8 * MEGA), "-----" * MEGA, chr(10).join(["abcdefghij" + str(i) for i in range(MEGA)])).mask("text " * 500)
secrets = hiding(*(f"secret-number-{i}" for i in range(MEGA // 4)))
assert "secret-number-77" not in secrets.mask("about secret-number-77")
""",
    "configuration": """
from lib.sailor.secrets.names import secrets_within, without_secrets
for text in ("://" * MEGA, "@" * MEGA, "a=" * MEGA, "://a:b@" * MEGA, "token=" * MEGA, "{" * MEGA, "[" * MEGA):
    for key in ("server", "token"):
        list(secrets_within({key: text}))
        without_secrets({key: text})
""",
    "message": """
from lib.action.input.message_secrets import message_secrets
schema = json.loads(open("schemas/ContainerCreate.in.json").read())
body = {"requestBody": {"Env": ["A=" + "b=" * MEGA] * 3, "Labels": {"x": "a=,&" * MEGA}, "Cmd": "[" * MEGA}}
list(message_secrets(schema, body))
""",
    # The platform's side.
    "numbers of the environment": """
from lib.sailor.environment import camel_case, integer, looks_mistaken
for text in ("0" * (8 * MEGA), " " * MEGA, "-" + "1" * MEGA, "0x" + "f" * MEGA, "A_" * MEGA, "AaA" * MEGA):
    integer(text, 1)
    looks_mistaken(text, "int")
    camel_case(text)
""",
    "header": """
from lib.sailor.message.headers import number
for text in (" " * MEGA, "1" * MEGA + "x", "1." * MEGA):
    number(text, 1)
""",
    "ids and addresses": """
from lib.sailor.net.addresses import segment, shown
from lib.sailor.errors import RequestError
for text in ("%25" * 340, "%25" * MEGA, "." * MEGA, "a" * MEGA):
    try:
        segment(text)
    except RequestError as error:
        assert len(str(error)) < 5_000
    assert len(shown("http://" + text)) < 5_000
""",
}


@pytest.mark.parametrize("name", CASES)
def test_fault_8_16_a_large_text_ends(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BEFORE + CASES[name]],
        cwd=ROOT,
        timeout=DEADLINE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
