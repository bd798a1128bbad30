"""Steps that speak to an agent of SSH: the real ssh-add lists the key in the step, and has it sign."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from lib.sailor.message.ids import random_id
from tests.integration.operations.conftest import Able
from tests.integration.operations.proving import failure, success
from tests.integration.operations.site import Site
from tests.integration.operations.test_buildkit import BUILDKIT, build, name
from tests.lab.skipping import missing

__all__ = ["name"]

pytestmark = pytest.mark.engine
PrivateKey = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
MOUNT = "RUN --mount=type=ssh"


def written(key: PrivateKey) -> str:
    form = serialization.PrivateFormat.OpenSSH
    text = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    return text.decode()


def public(key: PrivateKey) -> str:
    form = serialization.PublicFormat.OpenSSH
    return key.public_key().public_bytes(serialization.Encoding.OpenSSH, form).decode()


def context(dockerfile: str, *keys: str, **more: str) -> bytes:
    """A context with the host's ssh-add and all that it is linked with, and `more` files."""
    program = shutil.which("ssh-add") or missing(
        "ssh-add is not installed: install the package openssh-client"
    )
    linked = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    held = io.BytesIO()
    # BuildKit looks at the first 1,024 bytes: an extended header before the first file would be no archive to it.
    with tarfile.open(fileobj=held, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path in {program, *re.findall(r"(/\S+) \(0x", linked)}:
            tar.add(Path(path).resolve(), f"ssh/{Path(path).name}")
        files = {
            "Dockerfile": dockerfile,
            **more,
            **{f"ssh/key{number}.pub": key for number, key in enumerate(keys)},
        }
        for place, text in files.items():
            member = tarfile.TarInfo(place)
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return held.getvalue()


@success("ImageBuild")
def test_a_step_lists_the_keys_and_has_them_sign(site: Site, name: str, able: Able) -> None:
    # The last one is listed only: ssh-add -T asks RSA keys for signatures with SHA-1, which are refused.
    keys: list[PrivateKey] = [
        ed25519.Ed25519PrivateKey.generate(),
        ec.generate_private_key(ec.SECP256R1()),
        rsa.generate_private_key(65_537, 2048),
    ]
    run = f"{MOUNT} L=$(ls /ssh/ld-*) && $L --library-path /ssh /ssh/ssh-add"
    lines = [f"FROM {site.engine.image}", "COPY ssh /ssh", "RUN echo root:x:0:0::/:/bin/sh > /etc/passwd"]
    lines += [
        f"{run} -L",
        f"{run} -T /ssh/key0.pub && echo signed {random_id()}",
        f"{run} -T /ssh/key1.pub && echo too",
    ]
    body = {"t": name, **BUILDKIT, "ssh": {"default": [written(key) for key in keys]}}
    archive = context("\n".join(lines), *map(public, keys[:2]))
    attachments = {"context": site.attachment(archive)}
    if site.name == "podman":
        assert "ssh cannot be given" in site.fails(
            "ImageBuild", body, "NotSupported", attachments=attachments
        )
        able("ssh", seen=False)
        return
    built = site.do("ImageBuild", body, attachments=attachments)
    said = "\n".join(built["lines"])
    # Of the keys themselves a part may be hidden: a private key has the public one in it.
    for kind in ("ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa"):
        assert f" {kind} " in said
    assert re.search(r"^#\d+ signed ", said, re.MULTILINE)
    assert re.search(r"^#\d+ too$", said, re.MULTILINE)
    assert "PRIVATE" not in said
    able("ssh", seen=True)


@failure("ImageBuild")
def test_a_key_that_the_dockerfile_requires_is_named(site: Site, name: str) -> None:
    body = build(site, name, "RUN --mount=type=ssh,id=git,required=true true")
    told = site.fails("ImageBuild", body, "StreamFailed")
    if site.name != "podman":
        assert "needs an SSH key" in told
        body["ssh"] = written(ed25519.Ed25519PrivateKey.generate())
        assert "needs an SSH key for the id git" in site.fails("ImageBuild", body, "StreamFailed")
