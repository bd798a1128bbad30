"""Where the context of a build comes from, for both builders: files of the message, archives, private repositories."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from lib.sailor.message.ids import random_id
from tests.integration.operations.conftest import Able
from tests.integration.operations.proving import Body, failure, success
from tests.integration.operations.site import Site
from tests.integration.operations.test_buildkit import BUILDKIT, EACH_STORE, name
from tests.integration.operations.test_container_files import tar_of
from tests.integration.operations.test_image_transfer import served
from tests.lab.git_server import GitServer

__all__ = ["name"]

pytestmark = [pytest.mark.engine, EACH_STORE]
BOTH = pytest.mark.parametrize("version", ["1", "2"])


@success("ImageBuild")
@BOTH
def test_files_of_the_message_are_the_context_but_what_is_left_out(
    site: Site, name: str, version: str
) -> None:
    text = f"FROM {site.engine.image}\nCOPY . /c\nRUN /c/bin/run && echo found $(cd /c && echo $(find . -type f))\n"
    files = [
        {"name": "größe.txt", "content": "ä"},
        {"name": "sub/Own", "content": text},
        {"name": "bin/run", "content": f"#!/bin/sh\necho ran {random_id()}\n", "mode": "0755"},
        {"name": "data", "base64": base64.b64encode(bytes(range(256))).decode()},
        {"name": "logs/a.log", "content": "left out"},
        {"name": "logs/keep.log", "content": "kept"},
        {"name": ".dockerignore", "content": "# no logs\nlogs\n!logs/keep.log\n"},
    ]
    built = site.do(
        "ImageBuild", {"files": files, "dockerfile": "sub/Own", "t": name, **BUILDKIT, "version": version}
    )
    if site.name == "podman":  # it reads the file itself, too
        return
    (found,) = [line for line in built["lines"] if "found ./" in line]
    names = set(found.partition("found ")[2].split())
    assert names == {"./größe.txt", "./sub/Own", "./bin/run", "./data", "./logs/keep.log", "./.dockerignore"}


@success("ImageBuild")
@BOTH
def test_a_dockerfile_may_have_any_name_below_the_root(site: Site, name: str, version: str) -> None:
    body = {"dockerfileText": f"FROM {site.engine.image}\n", "dockerfile": "d/" * 60 + "größe", "t": name}
    assert site.do("ImageBuild", {**body, **BUILDKIT, "version": version})["id"]


@success("ImageBuild")
@pytest.mark.parametrize("form", ["attachment", "base64", "url"])
def test_archives_are_contexts_of_buildkit(site: Site, name: str, form: str) -> None:
    context = tar_of(**{"Own.dockerfile": f"FROM {site.engine.image}\nCOPY a /a\n", "a": random_id()})
    body: Body = {"t": name, "dockerfile": "Own.dockerfile", **BUILDKIT}
    attachments: dict[str, Any] = {}
    with served(context) as url:
        if form == "attachment":
            attachments = {"context": site.attachment(context)}
        else:
            body |= {"url": url} if form == "url" else {"requestBody": base64.b64encode(context).decode()}
        assert site.do("ImageBuild", body, attachments=attachments)["id"].startswith("sha256:")


@success("ImageBuild")
def test_a_copy_stays_cached_although_the_archive_is_another(site: Site, name: str) -> None:
    text = f"FROM {site.engine.image}\nCOPY same /same\nCOPY other /other\n"
    mark = random_id()

    def built(other: str) -> list[str]:
        files = [
            {"name": "Dockerfile", "content": text},
            {"name": "same", "content": mark},
            {"name": "other", "content": other},
        ]
        steps = site.do("ImageBuild", {"files": files, "t": name, **BUILDKIT})["steps"]
        return [step["status"] for step in steps if step["name"].startswith("COPY")]

    assert built("one") == ["done", "done"]
    assert built("two") == (["done", "done"] if site.name == "podman" else ["cached", "done"])


@success("ImageBuild")
@failure("ImageBuild")
@pytest.mark.parametrize("place", ["message", "credential"])
def test_a_private_repository_is_opened_by_a_token(site: Site, name: str, place: str, able: Able) -> None:
    if site.name == "podman":
        return
    token = f"hush-{random_id()}"
    given = {"GIT_AUTH_TOKEN": token}
    text, folder = f"FROM {site.engine.image}\nCOPY a /a\n", "web" if site.at_least("1.42") else ""
    files = {f"{folder}/Dockerfile".lstrip("/"): text, f"{folder}/a".lstrip("/"): random_id()}
    with GitServer(site.lab, files, token) as git:
        body: Body = {"remote": f"{git.url}#main:{folder}".rstrip(":"), "t": name, **BUILDKIT}
        if place == "message":
            built = site.do("ImageBuild", {**body, "secrets": given})
            # An engine may send no token before it is asked for one.
            told = site.fails(
                "ImageBuild", {**body, "secrets": {"GIT_AUTH_TOKEN": "wrong-one"}}, "StreamFailed"
            )
            assert git.refused
            assert "wrong-one" not in told
        else:
            built = site.do("ImageBuild", body, buildSecrets=json.dumps(given))
    assert built["id"].startswith("sha256:")
    assert built["secretsMissing"] == []
    assert token not in json.dumps(built)
    able("private git repository", seen=True)
