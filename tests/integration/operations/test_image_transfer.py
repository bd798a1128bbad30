"""Images that are built, and that come and go: pull, push, import, save, load."""

from __future__ import annotations

import base64
import http.server
import json
import threading
from collections.abc import Iterator

import pytest

from lib.sailor.message.ids import random_id
from tests.integration.operations.proving import Body, Names, failure, refusals, success
from tests.integration.operations.site import Site
from tests.integration.operations.test_container_files import names_in, tar_of
from tests.lab.token_registry import DIGEST, TokenRegistry

pytestmark = pytest.mark.engine


@pytest.fixture
def name(site: Site) -> Iterator[str]:
    """A name for an image that the test makes."""
    name = f"lab/{random_id()}:1"
    yield name
    site.engine.wire.ask("DELETE", f"/images/{name}", force="true")


def dockerfile(site: Site, *lines: str) -> str:
    return "\n".join([f"FROM {site.engine.image}", *lines, ""])


@success("ImageBuild")
def test_a_dockerfile_in_the_message_is_built(site: Site, name: str) -> None:
    text = dockerfile(site, "ARG WHO", "RUN echo hello $WHO > /greeting", 'LABEL a="b c"')
    body = {"dockerfileText": text, "t": name, "buildargs": {"WHO": "you & me"}, "labels": '{"from": "text"}'}
    built = site.do("ImageBuild", body)
    found = site.engine.wire.do("GET", f"/images/{name}/json").json()
    assert found["Id"] == built["id"]
    assert {"a": "b c", "from": "text"}.items() <= found["Config"]["Labels"].items()
    assert any(name in tag for tag in built["tags"])
    assert any("hello" in line for line in built["lines"])


@success("ImageBuild")
@pytest.mark.parametrize("form", ["attachment", "base64", "url"])
def test_a_context_is_built(site: Site, name: str, form: str) -> None:
    context = tar_of(**{"Own.dockerfile": dockerfile(site, "COPY a /a"), "a": "one"})
    body = {"t": name, "dockerfile": "Own.dockerfile", "forcerm": True}
    with served(context) as url:
        attachments = {}
        if form == "attachment":
            attachments = {"context": site.attachment(context)}
        elif form == "url":
            body["url"] = url
        else:
            body["requestBody"] = base64.b64encode(context).decode()
        assert site.do("ImageBuild", body, attachments=attachments)["id"].startswith("sha256:")


class served(threading.Thread):  # noqa: N801 - reads as a function
    """Bytes at a URL, for a while."""

    def __init__(self, content: bytes) -> None:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                """Nothing to say."""

        self.server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        super().__init__(target=self.server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> str:
        self.start()
        return f"http://127.0.0.1:{self.server.server_port}/context.tar"

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


@failure("ImageBuild")
def test_a_build_that_fails_names_the_step(site: Site, name: str) -> None:
    text = dockerfile(site, "RUN echo before; exit 9", "RUN true")
    told = site.fails("ImageBuild", {"dockerfileText": text, "t": name}, "StreamFailed")
    assert "RUN echo before" in told


@success("ImageBuild")
def test_progress_is_emitted_line_by_line_when_asked_for(site: Site, name: str) -> None:
    body = {"dockerfileText": dockerfile(site, "RUN echo hello"), "t": name}
    *progress, result = site.run("ImageBuild", body, emitBehavior="emitIndividually").bodies
    assert any("hello" in str(line["progress"]) for line in progress)
    assert result["id"]


@success("ImagePush", "ImageCreate", "DistributionInspect")
@pytest.mark.parametrize("login", ["field", "text", "credential", "config.json"])
def test_an_image_goes_to_a_registry_with_password_and_comes_back(site: Site, login: str) -> None:
    registry = site.secured
    repo = f"{registry.address}/shop/{random_id()}"
    site.engine.wire.do("POST", f"/images/{site.engine.image}/tag", repo=repo, tag="1.10")
    account = {"username": registry.user, "password": registry.password}
    auth: Body = {}
    settings: Body = {}
    if login == "field":
        auth = {"X_Registry_Auth": account}
    elif login == "text":
        auth = {"X_Registry_Auth": registry.header["X-Registry-Auth"]}
    elif login == "credential":
        settings = {"registries": {registry.address: account}}
    else:  # as docker login writes it (fault 8.11)
        both = base64.b64encode(f"{registry.user}:{registry.password}".encode()).decode()
        entry = {"auth": both}
        settings = {"registries": json.dumps({"auths": {f"http://{registry.address}/v1/": entry}})}
    pushed = site.do("ImagePush", {"name": repo, "tag": "1.10", **auth}, **settings)
    assert pushed["digest"].startswith("sha256:")
    looked_up = site.do("DistributionInspect", {"name": f"{repo}:1.10", **auth}, **settings)
    assert looked_up["Descriptor"]["digest"] == pushed["digest"]
    site.engine.wire.do("DELETE", f"/images/{repo}:1.10")
    pulled = site.do("ImageCreate", {"fromImage": f"{repo}:1.10", **auth}, **settings)
    assert pulled["digest"] == pushed["digest"]
    assert any(repo in tag for tag in pulled["tags"])
    site.engine.wire.do("DELETE", f"/images/{repo}:1.10")


@success("DistributionInspect")
@pytest.mark.parametrize("login", ["field", "text", "credential"])
def test_the_token_of_a_login_that_has_auth_too_reaches_its_registry(site: Site, login: str) -> None:
    """Fault 8.11: the token was left out, and the registry saw nobody."""
    entry = {"auth": base64.b64encode(b"00000000-0000:").decode(), "identitytoken": "token-1"}
    with TokenRegistry(site.lab, "token-1") as registry:
        asked: Body = {"name": f"{registry.address}/shop/web:1"}
        settings: Body = {}
        if login == "field":
            asked["X_Registry_Auth"] = entry
        elif login == "text":
            asked["X_Registry_Auth"] = base64.b64encode(json.dumps(entry).encode()).decode()
        else:
            settings = {"registries": {registry.address: entry}}
        told = site.do("DistributionInspect", asked, **settings)
        assert told["Descriptor"]["digest"] == DIGEST
        assert set(registry.shown) == {"token-1"}


@success("ImageCreate")
def test_a_pull_without_a_tag_asks_for_latest_only(site: Site) -> None:
    repo = site.registry.push(site.lab, "shop/many:latest").rpartition(":")[0]
    site.registry.push(site.lab, "shop/many:2")
    for tag in ("latest", "2"):
        site.engine.wire.do("DELETE", f"/images/{repo}:{tag}")
    site.do("ImageCreate", {"fromImage": repo})
    tags = [image["RepoTags"] for image in site.engine.wire.do("GET", "/images/json").json()]
    assert f"{repo}:latest" in str(tags)
    assert f"{repo}:2" not in str(tags)
    site.engine.wire.do("DELETE", f"/images/{repo}:latest")


@success("ImageCreate")
def test_an_archive_is_imported(site: Site, name: str) -> None:
    repo, _, tag = name.partition(":")
    body = {"fromSrc": "-", "repo": repo, "tag": tag, "changes": ['CMD ["true"]'], "message": "imported"}
    made = site.do("ImageCreate", body, attachments={"root": site.attachment(tar_of(a="one"))})
    found = site.engine.wire.do("GET", f"/images/{name}/json").json()
    assert found["Config"]["Cmd"] == ["true"]
    assert made["id"] == found["Id"]


@failure("ImagePush", "ImageCreate", "DistributionInspect")
def test_a_registry_with_password_takes_nothing_from_strangers(site: Site) -> None:
    repo = f"{site.secured.address}/shop/secret"
    site.engine.wire.do("POST", f"/images/{site.engine.image}/tag", repo=repo, tag="1")
    auth = {"X_Registry_Auth": {"username": "lab", "password": "wrong-one"}}
    refused = ("StreamFailed", "EngineFault", "Unauthorized", "NotFound")
    for told in (
        site.fails("ImagePush", {"name": repo, "tag": "1", **auth}, *refused),
        site.fails("ImageCreate", {"fromImage": f"{repo}:1", **auth}, *refused),
        site.fails("DistributionInspect", {"name": f"{repo}:1", **auth}, *refused),
    ):
        assert "wrong-one" not in told
    site.engine.wire.do("DELETE", f"/images/{repo}:1")


@success("ImageGet", "ImageGetAll", "ImageLoad")
def test_images_are_saved_and_loaded(site: Site, name: str) -> None:
    repo, _, tag = name.partition(":")
    site.engine.wire.do("POST", f"/images/{site.engine.image}/tag", repo=repo, tag=tag)
    one = site.run("ImageGet", {"name": name})
    both = site.do("ImageGetAll", {"names": [name, site.engine.image]})
    assert {"manifest.json"} <= set(names_in(site.content(both["attachment"])))
    site.engine.wire.do("DELETE", f"/images/{name}")
    loaded = site.do("ImageLoad", {"quiet": True}, attachments=one.messages[0].attachments)
    assert any(name in tag for tag in loaded["tags"])
    site.engine.wire.do("GET", f"/images/{name}/json")


@failure("ImageLoad")
def test_rubbish_is_not_loaded(site: Site) -> None:
    stored = {"rubbish": site.attachment(b"\x1f\x8b\x08" + b"rubbish" * 1000)}
    site.fails("ImageLoad", {}, "StreamFailed", "Refused", "EngineFault", attachments=stored)


@failure("ImageLoad")
def test_nothing_is_loaded_from_nothing(site: Site) -> None:
    assert "attachment" in site.fails("ImageLoad", {}, "BadInput")
    two = {name: site.attachment(b"x") for name in ("a", "b")}
    assert "a, b" in site.fails("ImageLoad", {}, "BadInput", attachments=two)


@refusals(
    ImageGet=({"name": "nothing/here:1"}, "NotFound", "EngineFault"),
    ImageGetAll=({"names": ["nothing/here:1"]}, "NotFound", "EngineFault"),
    ImagePush=({"name": "127.0.0.1:1/nothing", "tag": "1"}, "NotFound", "EngineFault", "StreamFailed"),
)
def test_what_cannot_be_done(site: Site, key: str, body: Body, names: Names) -> None:
    site.fails(key, body, *names)


@success("ImageBuild")
def test_layers_are_squashed_on_an_experimental_engine(site: Site, name: str) -> None:
    text = dockerfile(site, "RUN touch /a", "RUN touch /b")
    outcome = site.run(
        "ImageBuild", {"dockerfileText": text, "t": name, "squash": True}, errorPolicy="throwError"
    )
    if site.containerd:  # its image store cannot
        assert [error["name"] for error in outcome.errors] == ["NotSupported"]
    else:
        assert not outcome.errors
