"""What an input says of a secret or config, and its content, which is hidden in all that is logged or told."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lib.engine.errors import BadInput
from lib.engine.text import utf8
from lib.job.comparison import Difference, difference, of_maps, texts
from lib.job.repeat import spec_of
from lib.job.vault.kind import Kept, Kind
from lib.job.vault.mark import MARK, mark_of
from lib.job.work import Work

UPDATE, NEW_VERSION = "update", "newVersion"
_LONGEST = 64
_NAME = re.compile(r"[a-zA-Z0-9](?:[a-zA-Z0-9._-]{0,62}[a-zA-Z0-9])?")


@dataclass(frozen=True)
class Wish:
    """What is given; None is what the input leaves out."""

    kind: Kind
    name: str
    content: bytes = field(repr=False)
    labels: Mapping[str, str] | None = None
    templating: bool | None = None

    @classmethod
    def of(cls, work: Work, kind: Kind, name: str) -> Wish:
        """Read an input; BadInput where it has no content, or one that no engine takes."""
        fields = work.fields
        return cls(kind, name, content_of(work, kind), texts(fields, "labels"), fields.get("templating"))

    @property
    def spec(self) -> str:
        """The mark of the wish; nothing of the content is in it, for it has no salt."""
        return spec_of([self.name, self.labels, self.templating])

    def other_content(self, kept: Kept) -> list[Difference]:
        """Return what cannot be changed and differs: the content, which is not told, and templating."""
        same = kept.has(self.content)
        found: list[Difference] = [] if same else [{"path": "content", "effect": "recreate"}]
        if self.templating is not None and self.templating != kept.templating:
            found.append(difference("templating", kept.templating, self.templating))
        return found

    def other_labels(self, kept: Kept) -> list[Difference]:
        """Return the labels that differ; they can be changed."""
        return of_maps("labels", self.labels, kept.labels, UPDATE)

    def body(self, name: str, labels: Mapping[str, str]) -> dict[str, Any]:
        """Return what creates it."""
        mark = {} if self.kind.readable else {MARK: mark_of(self.content)}
        body: dict[str, Any] = {"Name": name, "Labels": {**labels, **(self.labels or {}), **mark}}
        body["Data"] = base64.b64encode(self.content).decode()
        return body | ({"Templating": {"Name": "golang"}} if self.templating else {})


def name_of(work: Work, kind: Kind, *, versioned: bool) -> str:
    """Return the name of the input; BadInput for one that no engine takes, its version counted in."""
    name = str(work.fields["name"]).strip()
    longest = _LONGEST - len(".v999") if versioned else _LONGEST
    if not _NAME.fullmatch(name) or len(name) > longest:
        raise BadInput(
            f"name: no {kind.name} can have this one",
            field="name",
            hint=f"Up to {longest} letters, digits, dots, dashes and underscores; the ends are letters or digits",
        )
    return name


def content_of(work: Work, kind: Kind) -> bytes:
    """Return the content of the input, text or attachment; it is masked from now on, in base64 too."""
    fields = work.fields
    given = [name for name in ("content", "attachment") if fields.get(name) is not None]
    if len(given) != 1:
        text = "content and attachment are both given" if given else "Neither content nor attachment is given"
        raise BadInput(f"{text}: give one of them", field=given[-1] if given else "content")
    (way,) = given
    content = utf8(str(fields[way]), way) if way == "content" else _read(work, kind, str(fields[way]))
    work.context.logger.secrets.add(_written(content))
    if not content or len(content) > kind.most:
        raise BadInput(
            f"{way} has {len(content)} bytes, and a {kind.name} has 1 to {kind.most}",
            field=way,
            hint=None if content else "An empty one cannot be kept in a swarm",
        )
    return content


def _read(work: Work, kind: Kind, name: str) -> bytes:
    upload, content = work.attached(name), bytearray()
    upload.open()
    try:
        for piece in upload:
            content += piece
            if len(content) > kind.most:
                raise BadInput(
                    f"attachment has more than the {kind.most} bytes of a {kind.name}", field="attachment"
                )
    finally:
        upload.close()
    return bytes(content)


def _written(content: bytes) -> list[str]:
    """Return the texts in which a content could be told; the masking adds their forms in JSON, URLs and base64."""
    told = [content.hex(), content.hex().upper()]
    try:
        return [content.decode(), *told]
    except UnicodeDecodeError:
        packed = base64.b64encode(content), base64.urlsafe_b64encode(content)
        return [content.decode("latin-1"), *(one.decode() for one in packed), *told]
