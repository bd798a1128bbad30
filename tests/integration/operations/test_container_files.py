"""Files of containers: in, out, and what was changed."""

from __future__ import annotations

import base64
import io
import tarfile

import pytest

from tests.integration.operations.proving import Body, Make, Names, failure, refusals, success
from tests.integration.operations.site import Site

pytestmark = pytest.mark.engine


def names_in(archive: bytes) -> list[str]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return tar.getnames()


def text_in(archive: bytes, name: str) -> str:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        found = tar.extractfile(name)
        assert found is not None
        return found.read().decode()


def tar_of(**files: str) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as tar:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            tar.addfile(info, io.BytesIO(text.encode()))
        end = tar.offset
    # Two blocks of zeros end an archive. Podman stops reading there, and where it has not taken what comes behind them
    # by then, it says so: "broken pipe".
    return target.getvalue()[: end + 2 * tarfile.BLOCKSIZE]


@success("PutContainerArchive", "ContainerArchiveInfo", "ContainerArchive")
def test_one_file_goes_in_and_comes_out(site: Site, create: Make) -> None:
    made = create()
    file = {"name": "grüße.txt", "content": "Grüße\n", "mode": "0600"}
    assert site.do("PutContainerArchive", {"id": made, "path": "/tmp", "file": file}) == {}
    stat = site.do("ContainerArchiveInfo", {"id": made, "path": "/tmp/grüße.txt"})
    assert (stat["name"], stat["size"], stat["kind"], stat["permissions"]) == ("grüße.txt", 8, "file", "0600")
    out = site.do("ContainerArchive", {"id": made, "path": "/tmp/grüße.txt"})
    assert text_in(site.content(out["attachment"]), "grüße.txt") == "Grüße\n"
    assert out["size"] == out["attachment"]["size"]


@success("PutContainerArchive")
@pytest.mark.parametrize("form", ["the only attachment", "attachment", "base64"])
def test_an_archive_goes_in(site: Site, create: Make, form: str) -> None:
    made, content = create(), tar_of(a="one", b="two")
    body, attachments = {"id": made, "path": "/tmp"}, {"files": site.attachment(content)}
    if form == "attachment":
        body["attachment"] = "files"
        attachments["other"] = site.attachment(b"rubbish")
    elif form == "base64":
        body["requestBody"], attachments = base64.b64encode(content).decode(), {}
    site.do("PutContainerArchive", body, attachments=attachments)
    out = site.do("ContainerArchive", {"id": made, "path": "/tmp/"})
    assert {"tmp/a", "tmp/b"} <= set(names_in(site.content(out["attachment"])))


@success("ContainerChanges")
def test_changed_files_are_listed(site: Site, ended: Make) -> None:
    made = ended("touch", "/tmp/new")
    results = site.do("ContainerChanges", {"id": made})["results"]
    assert {"Path": "/tmp/new", "Kind": 1} in results


@success("ContainerExport")
def test_all_files_are_exported(site: Site, create: Make) -> None:
    out = site.run("ContainerExport", {"id": create()})
    (message,) = out.messages
    name = message.body["name"]
    assert message.attachments[name] == message.body["attachment"]
    assert any(entry.endswith("etc/passwd") for entry in names_in(site.content(message.attachments[name])))


@failure("ContainerExport")
def test_an_export_stops_at_the_limit_of_the_step(site: Site, create: Make) -> None:
    text = site.fails("ContainerExport", {"id": create()}, "LimitReached", maxBytes="100000")
    assert "100000" in text


PLACE = {"id": "nothing", "path": "/tmp"}


@refusals(
    ContainerChanges=({"id": "nothing"}, "NotFound"),
    ContainerExport=({"id": "nothing"}, "NotFound"),
    ContainerArchive=(PLACE, "NotFound"),
    ContainerArchiveInfo=(PLACE, "NotFound"),
    PutContainerArchive=({**PLACE, "file": {"name": "a", "content": "b"}}, "NotFound"),
)
def test_what_cannot_be_done(site: Site, key: str, body: Body, names: Names) -> None:
    site.fails(key, body, *names)


@failure("ContainerArchive", "ContainerArchiveInfo")
def test_a_path_that_is_not_there(site: Site, create: Make) -> None:
    made = create()
    site.fails("ContainerArchive", {"id": made, "path": "/none"}, "NotFound")
    site.fails("ContainerArchiveInfo", {"id": made, "path": "/none"}, "NotFound")


@failure("PutContainerArchive")
@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "..", "a/../../b"])
def test_a_file_name_cannot_lead_out_of_the_directory(site: Site, name: str) -> None:
    text = site.fails("PutContainerArchive", {**PLACE, "file": {"name": name, "content": "x"}}, "BadInput")
    assert name in text
