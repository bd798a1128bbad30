"""Images that no engine made, put into a registry: of any platform, compressed in any way, several under one tag."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import random
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.lab.registry import Registry, RegistryError

_DOCKER = "application/vnd.docker"
MANIFEST = f"{_DOCKER}.distribution.manifest.v2+json"
INDEX = f"{_DOCKER}.distribution.manifest.list.v2+json"
_CREATED = 201


def put_image(
    registry: Registry, name: str, *, mark: str, architecture: str = "amd64", level: int = 1, size: int = 4000
) -> str:
    """Put an image ("repository:tag", or "repository" for its digest alone) and return its digest."""
    return _image(registry, name, mark, architecture, level, size)["digest"]


def put_index(
    registry: Registry, name: str, architectures: Sequence[str], *, mark: str, attested: bool = False
) -> str:
    """Put one image for each architecture under one tag and return the digest of the list."""
    repository, _, tag = name.partition(":")
    manifests = []
    for architecture in architectures:
        platform = {"os": "linux", "architecture": architecture}
        manifests.append(
            _image(registry, repository, f"{mark}-{architecture}", architecture, 1, 4000)
            | {"platform": platform}
        )
    if attested:  # as BuildKit does it
        unknown = {"platform": {"os": "unknown", "architecture": "unknown"}}
        manifests.append(_image(registry, repository, f"{mark}-attested", "unknown", 1, 100) | unknown)
    listed = {"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}
    return _manifest(registry, repository, tag, listed)["digest"]


def digest_of(registry: Registry, name: str) -> str:
    """What a tag means in a registry, "" for nothing."""
    repository, _, tag = name.partition(":")
    headers = {"Accept": f"{MANIFEST}, {INDEX}", **registry.login}
    answer = registry.wire.ask("HEAD", f"/v2/{repository}/manifests/{tag}", headers=headers)
    return str(answer.headers.get("Docker-Content-Digest", ""))


@contextmanager
def takes_no_manifest(registry: Registry, repository: str) -> Iterator[None]:
    """A registry whose disk fails at the end of each push: it takes the layers, and cannot write what names them."""
    folder = Path(
        registry.supervisor.folder, "data/docker/registry/v2/repositories", repository, "_manifests"
    )
    folder.mkdir(parents=True)
    obstacle = folder / "revisions"
    obstacle.touch()
    yield
    obstacle.unlink()


def _image(
    registry: Registry, name: str, mark: str, architecture: str, level: int, size: int
) -> dict[str, Any]:
    repository, _, tag = name.partition(":")
    content, file = io.BytesIO(), tarfile.TarInfo("mark")
    data = random.Random(mark).randbytes(size)  # it differs, and cannot be compressed
    file.size = size
    with tarfile.open(fileobj=content, mode="w") as tar:
        tar.addfile(file, io.BytesIO(data))
    layer = content.getvalue()
    config = {
        "os": "linux",
        "architecture": architecture,
        "config": {"Cmd": [mark]},
        "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]},
        "history": [{"created_by": mark}],
    }
    told = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {
            "mediaType": f"{_DOCKER}.container.image.v1+json",
            **_blob(registry, repository, json.dumps(config).encode()),
        },
        "layers": [
            {
                "mediaType": f"{_DOCKER}.image.rootfs.diff.tar.gzip",
                **_blob(registry, repository, gzip.compress(layer, level, mtime=0)),
            }
        ],
    }
    return _manifest(registry, repository, tag, told)


def _manifest(registry: Registry, repository: str, tag: str, told: dict[str, Any]) -> dict[str, Any]:
    data = json.dumps(told).encode()
    kind = str(told["mediaType"])
    path = f"/v2/{repository}/manifests/{tag or _digest(data)}"
    answer = registry.wire.ask("PUT", path, data, headers={"Content-Type": kind, **registry.login})
    _check(answer.status, path)
    return {"mediaType": kind, "digest": _digest(data), "size": len(data)}


def _blob(registry: Registry, repository: str, data: bytes) -> dict[str, Any]:
    begun = registry.wire.ask("POST", f"/v2/{repository}/blobs/uploads/", headers=registry.login)
    where = urlsplit(begun.headers["Location"])
    query = dict(parse_qsl(where.query)) | {"digest": _digest(data)}
    headers = {"Content-Type": "application/octet-stream", **registry.login}
    answer = registry.wire.ask("PUT", where.path, data, headers=headers, **query)
    _check(answer.status, where.path)
    return {"digest": _digest(data), "size": len(data)}


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _check(status: int, path: str) -> None:
    if status != _CREATED:
        raise RegistryError(f"PUT {path}: {status}")
