"""Contexts that a step packs itself."""

from __future__ import annotations

import base64
import io
import tarfile
from typing import Any

import pytest

from lib.engine.errors import BadInput
from lib.engine.request.build_context import BuildContext, packs

DOCKERFILE = {"name": "Dockerfile", "content": "FROM x\n"}


def held(**fields: Any) -> dict[str, tuple[bytes, int]]:
    data = b"".join(BuildContext(fields).upload())
    found = {}
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for member in archive:
            content = archive.extractfile(member)
            assert content is not None
            found[member.name] = content.read(), member.mode
    return found


def test_files_are_packed_with_their_content_and_mode() -> None:
    packed = base64.b64encode(bytes(range(256))).decode()
    files = [
        DOCKERFILE,
        {"name": "./bin/run", "content": "größe", "mode": "755"},
        {"name": "data", "base64": packed},
        {"name": "empty", "content": "", "mode": None},
    ]
    assert held(files=files) == {
        "Dockerfile": (b"FROM x\n", 0o644),
        "bin/run": ("größe".encode(), 0o755),
        "data": (bytes(range(256)), 0o644),
        "empty": (b"", 0o644),
    }


def test_a_text_stands_for_the_dockerfile_among_files() -> None:
    fields = {"dockerfileText": "FROM y\n", "dockerfile": "sub/Own", "files": [DOCKERFILE]}
    assert set(held(**fields)) == {"Dockerfile", "sub/Own"}
    assert held(dockerfileText="FROM y\n", files=[DOCKERFILE])["Dockerfile"] == (b"FROM y\n", 0o644)
    assert BuildContext(fields).dockerfile == "FROM y\n"
    assert BuildContext({"files": [{"name": "Dockerfile", "base64": "/w=="}]}).dockerfile == ""


def ignoring(name: str, text: str, **fields: Any) -> set[str]:
    files = [
        DOCKERFILE,
        {"name": name, "content": text},
        {"name": "a", "content": ""},
        {"name": "s/b", "content": ""},
    ]
    return set(held(files=[*files, *fields.pop("more", [])], **fields))


def test_a_dockerignore_leaves_out_all_but_what_the_builder_needs() -> None:
    assert ignoring(".dockerignore", "s") == {"Dockerfile", ".dockerignore", "a"}
    assert ignoring(".dockerignore", "*\n!a") == {"Dockerfile", ".dockerignore", "a"}
    assert ignoring("s/.dockerignore", "a") == {"Dockerfile", "s/.dockerignore", "a", "s/b"}


def test_that_of_the_dockerfile_goes_first() -> None:
    more = [{"name": ".dockerignore", "content": "s"}]
    assert ignoring("Dockerfile.dockerignore", "a", more=more) == {
        "Dockerfile",
        "Dockerfile.dockerignore",
        ".dockerignore",
        "s/b",
    }


def test_the_first_file_has_no_extended_header() -> None:
    """BuildKit takes such an archive for a Dockerfile."""
    files = [{"name": "ä", "content": ""}, {"name": "x" * 200, "content": ""}, DOCKERFILE]
    data = b"".join(BuildContext({"files": files}).upload())
    assert data.startswith(b"Dockerfile\0")


@pytest.mark.parametrize("name", ["größe", "d/" * 60 + "Dockerfile"])
def test_nor_has_what_stands_before_a_first_file_that_needs_one(name: str) -> None:
    upload = BuildContext({"dockerfileText": "FROM x\n", "dockerfile": name}).upload()
    data = b"".join(upload)
    assert data.startswith(b"./\0")
    assert len(data) == upload.size
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        assert archive.getnames() == [".", name]


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ([{"name": "a", "content": ""}], "files has no Dockerfile"),
        ([DOCKERFILE, {"name": "Dockerfile", "content": ""}], "stands twice"),
        ([DOCKERFILE, {"name": "./Dockerfile", "content": ""}], "stands twice"),
        ([DOCKERFILE, {"name": "Dockerfile/a", "content": ""}], "as a file and as a folder"),
        ([{"name": "../a", "content": ""}], "no file below the root"),
        ([{"name": "/a", "content": ""}], "no file below the root"),
        ([{"name": "a/", "content": ""}], "no file below the root"),
        ([{"name": "a\0b", "content": ""}], "no file below the root"),
        ([DOCKERFILE, {"name": "a/" + "ä" * 128, "content": ""}], "is longer than 255 bytes"),
        ([{"name": "\ud800", "content": ""}], "surrogate"),
        ([{"name": "a", "content": "\ud800"}], "surrogate"),
        ([{"name": "a"}], "one of content and base64"),
        ([{"name": "a", "content": "", "base64": ""}], "one of content and base64"),
        ([{"name": "a", "base64": "!"}], "cannot be read as base64"),
        ([{"name": "a", "content": "", "mode": "9"}], "octal"),
        ([{"name": "a", "content": "", "mode": "77777"}], "octal"),
        ([{"content": ""}], "must have a name"),
        (["a"], "must have a name"),
        ({"a": 1}, "must be a list"),
        ([DOCKERFILE, {"name": ".dockerignore", "content": "["}], ".dockerignore has the pattern"),
        ([DOCKERFILE, {"name": ".dockerignore", "base64": "/w=="}], ".dockerignore is no text"),
    ],
)
def test_files_that_are_no_context_are_refused(files: Any, told: str) -> None:
    with pytest.raises(BadInput) as caught:
        BuildContext({"files": files}).upload()
    assert told in str(caught.value)


@pytest.mark.parametrize("name", ["../Dockerfile", "/Dockerfile", "sub/", "x" * 300, "\ud800"])
def test_a_name_for_a_dockerfile_of_text_is_one_below_the_root(name: str) -> None:
    with pytest.raises(BadInput) as caught:
        BuildContext({"dockerfileText": "FROM x\n", "dockerfile": name})
    assert caught.value.field == "dockerfile"


@pytest.mark.parametrize("other", ["attachment", "url", "requestBody", "remote"])
def test_a_build_has_one_context(other: str) -> None:
    with pytest.raises(BadInput, match="one context"):
        packs({"files": [DOCKERFILE], other: "x"})
    assert not packs({other: "x"})
    assert packs({"dockerfileText": "FROM x"})
