"""Attestations: what stands beside an image in containerd's store and says how it was built."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lib.sailor.message.ids import random_id
from tests.integration.operations.proving import failure, success
from tests.integration.operations.site import Site
from tests.lab.attested_image import PREDICATE, attested_archive, statement

pytestmark = pytest.mark.engine


@pytest.fixture
def attested(site: Site) -> Iterator[tuple[str, str]]:
    """The name of an image with an attestation, and the mark in it."""
    if not site.containerd:
        pytest.skip("its image store keeps no attestations")
    name, mark = f"lab/{random_id()}:1", random_id()
    site.engine.wire.do("POST", "/images/load", attested_archive(name, architecture(site), mark))
    yield name, mark
    site.engine.wire.ask("DELETE", f"/images/{name}", force="true")


def architecture(site: Site) -> str:
    arch: str = site.engine.wire.do("GET", "/version").json()["Arch"]
    return arch


def test_an_attestation_is_a_manifest_beside_that_of_its_image(site: Site, attested: tuple[str, str]) -> None:
    if not site.at_least("1.47"):
        pytest.skip("its lists have no manifests")
    (listed,) = site.do("ImageList", {"manifests": True, "filters": {"reference": [attested[0]]}})["results"]
    by_kind = {manifest["Kind"]: manifest for manifest in listed["Manifests"]}
    assert set(by_kind) == {"image", "attestation"}
    assert by_kind["attestation"]["AttestationData"]["For"] == by_kind["image"]["ID"]


@success("ImageAttestations")
def test_attestations_are_told_with_their_statements(site: Site, attested: tuple[str, str]) -> None:
    name, mark = attested
    asked = {"name": name, "platform": {"os": "linux", "architecture": architecture(site)}}
    (told,) = site.do("ImageAttestations", {**asked, "statement": True})["results"]
    assert (told["PredicateType"], told["Statement"]) == (PREDICATE, statement(mark))
    assert site.do("ImageAttestations", {**asked, "type": ["https://spdx.dev/Document"]})["results"] == []


@failure("ImageAttestations")
def test_attestations_of_an_image_that_is_not_there(site: Site) -> None:
    asked = {"name": "lab/absent:1", "platform": {"os": "linux", "architecture": architecture(site)}}
    told = site.fails(
        "ImageAttestations", asked, "NotFound", "NotSupported"
    )  # 501: the store has none at all
    assert "/images/lab/absent:1/attestations" in told
