"""Trigger imageUpdated: a reference has a new digest in its registry. Nothing is pulled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lib.engine.errors import BadInput, NotFound, Refused
from lib.engine.registry import RegistryAuth, host_of_reference
from lib.engine.request.registry_login import HUB
from lib.form import Form, choice, text, whole, words
from lib.polling.clock import SECOND, iso
from lib.polling.compact import digits, mark, number, pieces
from lib.polling.registry import Outcome, outcome, pause
from lib.selection import images
from lib.trigger import Finding, Found, Poll, trigger

__all__ = ["image_updated", "images"]

HUB_MINUTES, OTHER_MINUTES = 60, 5
REFERENCE, DIGEST, HOST, TIME = 6, 11, 6, 6
UNKNOWN = "A" * DIGEST
CODES: dict[Outcome, str] = {"ok": "o", "unauthorized": "u", "notFound": "n", "unreachable": "x"}
OUTCOMES = {code: meaning for meaning, code in CODES.items()}
TEXTS: dict[Outcome, str] = {
    "unauthorized": "{} cannot be read: its registry wants a login. Add the host to the credential's registries",
    "notFound": "{} does not exist in its registry",
    "unreachable": "{} cannot be looked up: the engine gets no answer from its registry",
    "rateLimited": "The registry {} refuses further questions for now; it is left alone for {} minutes",
}
SAMPLE = {
    "kind": "updated",
    "reference": "shop/web:2.4",
    "registry": "docker.io",
    "digest": "sha256:1b2a394857660718293a4b5c6d7e8f90128f0f1c1ed3a6e3ba7b6d4d0a3f5f0c",
    "previous": "9f86d081884c7d65",
    "mediaType": "application/vnd.oci.image.index.v1+json",
    "platforms": ["linux/amd64", "linux/arm64"],
    "local": [],
    "localOutdated": None,
    "timestamp": "2026-01-01T12:00:00Z",
}


@dataclass(frozen=True)
class Known:
    """What is known of a reference: the first 64 bits of its digest, and how the last look-up went."""

    digest: str = UNKNOWN
    status: Outcome = "ok"


@dataclass(frozen=True)
class Asked:
    """When a registry was asked last, since when it may be asked again, and how often in a row it refused."""

    at: int = 0
    again: int = 0
    failures: int = 0


@dataclass(frozen=True)
class Digests:
    """All references (18 characters each) and registries (19 each), by marks of their names."""

    references: Mapping[str, Known] = field(default_factory=dict)
    hosts: Mapping[str, Asked] = field(default_factory=dict)

    def to_state(self) -> dict[str, Any]:
        """Return the JSON form."""
        references = "".join(name + one.digest + CODES[one.status] for name, one in self.references.items())
        hosts = "".join(
            name + digits(one.at, TIME) + digits(one.again, TIME) + digits(min(one.failures, 63), 1)
            for name, one in self.hosts.items()
        )
        return {"references": references, "registries": hosts}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Digests:
        """Read `to_state`."""
        end = REFERENCE + DIGEST
        references = {
            one[:REFERENCE]: Known(one[REFERENCE:end], OUTCOMES[one[end]])
            for one in pieces(state["references"], end + 1)
        }
        hosts = {
            one[:HOST]: Asked(number(one[HOST : HOST + TIME]), number(one[HOST + TIME : -1]), number(one[-1]))
            for one in pieces(state["registries"], HOST + 2 * TIME + 1)
        }
        return cls(references, hosts)


def current(poll: Poll[Digests]) -> dict[str, Any] | None:
    """Return the present digest of the first reference, for a debug run."""
    reference = _references(poll.form)[0]
    try:
        return _body(poll, reference, _inspect(poll, reference), Known())
    except Refused:
        return None


@trigger("imageUpdated", read=Digests.from_state, sample=SAMPLE, live=current)
def image_updated(poll: Poll[Digests]) -> Found[Digests]:
    """Look up the digest of every reference in its registry: DistributionInspect."""
    references = _references(poll.form)
    before = poll.state or Digests()
    findings: list[Finding] = []
    known = {mark(name, REFERENCE): before.references.get(mark(name, REFERENCE)) for name in references}
    hosts: dict[str, Asked] = {}
    for host in dict.fromkeys(host_of_reference(name) for name in references):
        asked = before.hosts.get(mark(host, HOST), Asked())
        if _may_ask(poll, host, asked):
            theirs = [name for name in references if host_of_reference(name) == host]
            asked = _ask(poll, host, theirs, asked, known, findings)
        hosts[mark(host, HOST)] = asked
    return Found(findings, Digests({name: one for name, one in known.items() if one}, hosts))


def _references(form: Form) -> list[str]:
    names = list(dict.fromkeys((*words(form, "references"), *words(form, "images"))))
    if not names:
        raise BadInput("references: name at least one image, such as nginx:1.27")
    for name in names:
        if "@" in name:
            raise BadInput(
                f"references: {name} is pinned to a digest and can never change. Name it by its tag"
            )
    return names


def _may_ask(poll: Poll[Digests], host: str, asked: Asked) -> bool:
    default = HUB_MINUTES if host == HUB else OTHER_MINUTES
    minutes = whole(poll.form, "minutes", default, least=0, most=10080)
    if poll.now < asked.at:  # the engine's clock was set back
        return True
    return poll.now >= asked.again and (not asked.at or poll.now - asked.at >= minutes * 60)


def _ask(
    poll: Poll[Digests],
    host: str,
    references: list[str],
    asked: Asked,
    known: dict[str, Known | None],
    findings: list[Finding],
) -> Asked:
    """Look the references of one registry up; a refusal for asking too often ends it and postpones the rest."""
    for reference in references:
        name = mark(reference, REFERENCE)
        old = known[name]
        try:
            answer = _inspect(poll, reference)
        except Refused as refusal:
            status = outcome(refusal)
            if status == "rateLimited":
                wait = pause(asked.failures + 1)
                if not asked.failures:
                    text = TEXTS[status].format(host, wait // 60)
                    findings.append(poll.warning(status, text, f"{host} {asked.at}", registry=host))
                return Asked(asked.at, poll.now + wait, asked.failures + 1)
            if status != (old or Known()).status:
                findings.append(_problem(poll, reference, status, old))
            known[name] = replace(old or Known(), status=status)
            continue
        known[name] = Known(_short(answer))
        if _is_news(poll, reference, answer, old):
            findings.append(_finding(poll, reference, answer, old or Known()))
    return Asked(poll.now)


def _inspect(poll: Poll[Digests], reference: str) -> Mapping[str, Any]:
    reply = poll.engine.get(
        "/distribution/{+name}/json", {"name": reference}, headers=(RegistryAuth("name"),), timeout="slow"
    )
    answer: Mapping[str, Any] = reply.json()
    return answer


def _digest(answer: Mapping[str, Any]) -> str:
    return str((answer.get("Descriptor") or answer.get("descriptor") or {}).get("digest") or "")


def _short(answer: Mapping[str, Any]) -> str:
    return digits(int(_digest(answer).partition(":")[2][:16], 16), DIGEST)


def _is_news(poll: Poll[Digests], reference: str, answer: Mapping[str, Any], old: Known | None) -> bool:
    if old and old.digest == _short(answer):
        return False
    if choice(poll.form, "compare", ("registry", "local")) == "local":
        return _digest(answer) not in _local(poll, reference)
    return (old is not None and old.digest != UNKNOWN) or (poll.state is None and poll.start is not None)


def _local(poll: Poll[Digests], reference: str) -> list[str]:
    try:
        image = poll.engine.get("/images/{+name}/json", {"name": reference}).json()
    except NotFound:
        return []
    return [entry.partition("@")[2] for entry in image.get("RepoDigests") or ()]


def _finding(poll: Poll[Digests], reference: str, answer: Mapping[str, Any], old: Known) -> Finding:
    return Finding(_body(poll, reference, answer, old), f"{reference} {_digest(answer)} {old.digest}")


def _body(poll: Poll[Digests], reference: str, answer: Mapping[str, Any], old: Known) -> dict[str, Any]:
    local = _local(poll, reference)
    platforms = [
        "/".join(part for part in (one.get("os"), one.get("architecture"), one.get("variant")) if part)
        for one in answer.get("Platforms") or ()
    ]
    return {
        "kind": "updated",
        "reference": reference,
        "registry": host_of_reference(reference),
        "digest": _digest(answer),
        "previous": None if old.digest == UNKNOWN else f"{number(old.digest):016x}",
        "mediaType": (answer.get("Descriptor") or {}).get("mediaType"),
        "platforms": platforms,
        "local": local,
        "localOutdated": _digest(answer) not in local if local else None,
        "timestamp": iso(poll.now * SECOND),
    }


def _problem(poll: Poll[Digests], reference: str, status: Outcome, old: Known | None) -> Finding:
    identity = f"{reference} {old} {text(poll.form, 'references')}"
    return poll.warning(status, TEXTS[status].format(reference), identity, reference=reference)
