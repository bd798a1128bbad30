"""An image archive (OCI) in which an attestation stands beside the image, as BuildKit writes it."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from typing import Any

PREDICATE = "https://slsa.dev/provenance/v0.2"
_OCI = "application/vnd.oci.image"
_NAME = "io.containerd.image.name"


class _Layout:
    """The blobs of the archive."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}'}

    def blob(self, content: Any, media_type: str, **more: Any) -> dict[str, Any]:
        """Keep a blob; returns its descriptor."""
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        digest = hashlib.sha256(data).hexdigest()
        self.files[f"blobs/sha256/{digest}"] = data
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(data), **more}

    def archive(self) -> bytes:
        content = io.BytesIO()
        with tarfile.open(fileobj=content, mode="w") as tar:
            for name, data in self.files.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(data)
                tar.addfile(entry, io.BytesIO(data))
        return content.getvalue()


def statement(mark: str) -> dict[str, Any]:
    """The statement that the attestation makes."""
    return {
        "_type": "https://in-toto.io/Statement/v0.1",
        "predicateType": PREDICATE,
        "subject": [{"name": "image", "digest": {"sha256": "0" * 64}}],
        "predicate": {"builder": {"id": mark}},
    }


def attested_archive(name: str, architecture: str, mark: str) -> bytes:
    """The archive of an image `name` ("repository:tag") with one file and one attestation."""
    layout = _Layout()
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as tar:
        entry = tarfile.TarInfo("mark")
        entry.size = len(mark)
        tar.addfile(entry, io.BytesIO(mark.encode()))
    image = _manifest(
        layout, _config(architecture, layer.getvalue()), [(layer.getvalue(), f"{_OCI}.layer.v1.tar", {})]
    )
    image |= {"platform": {"os": "linux", "architecture": architecture}}
    said = json.dumps(statement(mark)).encode()
    attestation = _manifest(
        layout,
        _config("unknown", said, system="unknown"),
        [(said, "application/vnd.in-toto+json", {"in-toto.io/predicate-type": PREDICATE})],
    )
    attestation |= {
        "platform": {"os": "unknown", "architecture": "unknown"},
        "annotations": {
            "vnd.docker.reference.type": "attestation-manifest",
            "vnd.docker.reference.digest": image["digest"],
        },
    }
    both = {"schemaVersion": 2, "mediaType": f"{_OCI}.index.v1+json", "manifests": [image, attestation]}
    index = layout.blob(both, both["mediaType"], annotations={_NAME: f"docker.io/{name}"})
    layout.files["index.json"] = json.dumps({"schemaVersion": 2, "manifests": [index]}).encode()
    return layout.archive()


def _manifest(
    layout: _Layout, config: dict[str, Any], layers: list[tuple[bytes, str, dict[str, str]]]
) -> dict[str, Any]:
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{_OCI}.manifest.v1+json",
        "config": layout.blob(config, f"{_OCI}.config.v1+json"),
        "layers": [layout.blob(data, kind, annotations=notes) for data, kind, notes in layers],
    }
    return layout.blob(manifest, f"{_OCI}.manifest.v1+json")


def _config(architecture: str, layer: bytes, *, system: str = "linux") -> dict[str, Any]:
    layers = [f"sha256:{hashlib.sha256(layer).hexdigest()}"]
    return {
        "architecture": architecture,
        "os": system,
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": layers},
    }
