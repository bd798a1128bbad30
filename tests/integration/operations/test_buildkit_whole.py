"""One build with all that BuildKit asks a step for, which fails at its end: what is told of it, and what is not."""

from __future__ import annotations

import json
import subprocess

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from lib.sailor.message.ids import random_id
from tests.integration.operations.conftest import Able
from tests.integration.operations.proving import Body, failure, success
from tests.integration.operations.site import Site
from tests.integration.operations.test_buildkit import BUILDKIT, EACH_STORE, name
from tests.integration.operations.test_buildkit_session import mount, private_base
from tests.integration.operations.test_buildkit_ssh import MOUNT, context, written

__all__ = ["name"]

pytestmark = [pytest.mark.engine, EACH_STORE]


@success("ImageBuild")
@failure("ImageBuild")
def test_a_build_with_everything_fails_with_its_reason_and_shows_no_secret(
    site: Site, name: str, able: Able
) -> None:
    if site.name == "podman":
        return
    registry, secret, printed = site.secured, f"hush-{random_id()}", f"hush-{random_id()}"
    key = written(ed25519.Ed25519PrivateKey.generate())
    agent = "L=$(ls /ssh/ld-*) && $L --library-path /ssh /ssh/ssh-add -L"
    base = private_base(site)
    lines = [
        f"FROM {base} AS made",
        "COPY same /same",
        "COPY ssh /ssh",
        "RUN echo root:x:0:0::/:/bin/sh > /etc/passwd",
        mount("token", f"test -s /run/secrets/token && echo {random_id()}", required="true"),
        f"{MOUNT} {agent}",
        f"FROM {base}",
        "COPY --from=made /same /same",
        mount("shown", "echo before; cat /run/secrets/shown; cat /run/secrets/shown >&2; exit 7"),
    ]
    body: Body = {
        "t": name,
        **BUILDKIT,
        "secrets": {"token": secret, "shown": printed},
        "ssh": key,
        "X_Registry_Config": {registry.address: {"username": registry.user, "password": registry.password}},
    }
    same = random_id()
    archive = context("\n".join(lines), same=same)
    failed = site.run(
        "ImageBuild", body, attachments={"context": site.attachment(archive)}, errorPolicy="throwError"
    )
    (error,) = failed.errors
    assert error["name"] == "StreamFailed"
    assert "RUN --mount=type=secret,id=shown echo before" in error["message"]
    assert "ended with exit code 7. Before it: before\n***" in error["message"]

    # The same with its last step mended, and another file beside: what was done is taken from the cache.
    lines[-1] = mount("shown", "cat /run/secrets/shown >&2")
    archive = context("\n".join(lines), same=same, other=random_id())
    again = site.run("ImageBuild", body, attachments={"context": site.attachment(archive)})
    (built,) = again.bodies
    status = {f"{step['stage']} {step['name']}": step["status"] for step in built["steps"]}
    copies = [found for step, found in status.items() if "COPY" in step]
    assert copies == ["cached"] * 3
    assert (built["secretsMissing"], built["secretsUnused"]) == ([], ["token"])  # its step was cached

    told = json.dumps([failed.errors, again.bodies, failed.log, again.log])
    history = json.dumps(site.engine.wire.do("GET", f"/images/{name}/history").json())
    for hidden in (secret, printed, registry.password, key.splitlines()[2]):
        assert hidden not in told + history
    # Nor on the disk of the engine: layers, cache, log. What a step prints, engines from 23 on keep in their history.
    found = subprocess.run(
        ["grep", "-rlF", secret, site.lab.folder], capture_output=True, text=True, check=False
    )
    assert found.stdout == ""
    able("all of it in one build", seen=True)
