"""The build context that a step packs itself: files of the message, without those that a `.dockerignore` leaves out."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from posixpath import normpath
from typing import Any

from lib.engine.errors import BadInput
from lib.engine.request.dockerignore import ignored
from lib.engine.request.tar_writer import File, archive
from lib.engine.request.upload import Upload
from lib.engine.text import utf8

MOST_FILES = 10_000
"""Files of one context; an archive holds any number."""
IGNORE = ".dockerignore"
_MODE = 0o644
_LONGEST_PLAIN = 100  # bytes of a name in the header of a tar
_LONGEST_PART = 255  # bytes of a name between slashes, as file systems have it


class BuildContext:
    """The context of a build whose message has `dockerfileText`, or `files` with {name, content or base64, mode}.

    `dockerfile` is the text of the Dockerfile, "" if it is no text. Raises BadInput for a file without a usable name or
    content, for a name that stands twice or is both file and folder, and for files without the Dockerfile.
    """

    def __init__(self, fields: Mapping[str, Any]) -> None:
        name = str(fields.get("dockerfile") or "Dockerfile")
        text = fields.get("dockerfileText")
        named = dict(_named(fields.get("files") or []))
        self._name = normpath(name)
        if text:
            named[_name(name, "dockerfile")] = File(name, utf8(str(text), "dockerfileText"))
        self._files = named
        if self._name not in named:
            raise BadInput(
                f"files has no {name}",
                field="files",
                hint="Add it, give its text in dockerfileText, or its name in dockerfile",
            )
        _check_folders(named)
        self.dockerfile = self._text(self._name, strict=False)

    def upload(self) -> Upload:
        """Return the tar of the files that are not left out."""
        left_out = self._left_out()
        sent = [file for name, file in self._files.items() if name not in left_out]
        sent.sort(key=lambda file: (not _is_plain(file.name), file.name != self._name))
        # An extended header before all else would be no archive to BuildKit, which looks at 1,024 bytes.
        return archive(sent, root=not _is_plain(sent[0].name))

    def _left_out(self) -> set[str]:
        # BuildKit's own name for it goes first; the builder itself needs these files, whatever the patterns say.
        own = f"{self._name}{IGNORE}"
        name = next((name for name in (own, IGNORE) if name in self._files), "")
        if not name:
            return set()
        leaves_out = ignored(self._text(name), name)
        return {path for path in self._files if path not in (self._name, name) and leaves_out(path)}

    def _text(self, name: str, *, strict: bool = True) -> str:
        content = self._files[name].content
        try:
            return content.decode() if isinstance(content, bytes) else ""
        except UnicodeDecodeError:
            if strict:
                raise BadInput(f"{name} is no text", field="files") from None
            return ""


def packs(fields: Mapping[str, Any]) -> bool:
    """Whether the step packs the context itself. Raises BadInput for `files` beside another context."""
    if not fields.get("files"):
        return bool(fields.get("dockerfileText"))
    other = next((name for name in ("attachment", "url", "requestBody", "remote") if fields.get(name)), None)
    if other:
        raise BadInput(
            f"files and {other} are both given, and a build has one context",
            field="files",
            hint="Give one of them; files may stand beside dockerfileText",
        )
    return True


def _is_plain(name: str) -> bool:
    return name.isascii() and len(name) <= _LONGEST_PLAIN


def _named(files: Sequence[Any]) -> Iterator[tuple[str, File]]:
    if not isinstance(files, list) or len(files) > MOST_FILES:
        raise BadInput(f"files must be a list of up to {MOST_FILES} files", field="files")
    seen = set()
    for number, file in enumerate(files):
        field = f"files[{number}]"
        if not isinstance(file, Mapping) or not isinstance(file.get("name"), str):
            raise BadInput(
                f"{field} must have a name",
                field="files",
                hint='Write {"name": "index.html", "content": "..."}',
            )
        name = _name(file["name"], field)
        if name in seen:
            raise BadInput(f"{field}: the name {name[:200]!r} stands twice", field="files")
        seen.add(name)
        yield name, File(name, _content(file, field), mode=_mode(file.get("mode"), field))


def _name(name: str, field: str) -> str:
    normal, owner = normpath(name), field.partition("[")[0]
    utf8(name, f"{field}.name" if owner == "files" else field)
    bad = not name or name.endswith("/") or normal.startswith(("/", "../")) or normal in (".", "..")
    if bad or "\0" in name:
        raise BadInput(f"{field}: {name[:200]!r} is no file below the root of the context", field=owner)
    if any(len(part.encode()) > _LONGEST_PART for part in normal.split("/")):
        raise BadInput(
            f"{field}: a part of the name {name[:200]!r} is longer than {_LONGEST_PART} bytes", field=owner
        )
    return normal


def _content(file: Mapping[str, Any], field: str) -> bytes:
    text, packed = file.get("content"), file.get("base64")
    if (text is None) == (packed is None):
        raise BadInput(f"{field} must have one of content and base64", field="files")
    if packed is None:
        return utf8(str(text), f"{field}.content")
    try:
        return base64.b64decode("".join(str(packed).split()), validate=True)
    except (binascii.Error, ValueError):
        raise BadInput(f"{field}.base64 cannot be read as base64", field="files") from None


def _mode(value: Any, field: str) -> int:
    text = str(value or "")
    if not text:
        return _MODE
    if len(text) > 4 or text.strip("01234567"):  # noqa: PLR2004 - 0 and three digits
        raise BadInput(f"{field}.mode must be octal text such as 0755", field="files")
    return int(text, 8)


def _check_folders(named: Mapping[str, File]) -> None:
    """Raise BadInput for a file whose name is a folder of another one."""
    for name in named:
        folder = name.rpartition("/")[0]
        while folder:
            if folder in named:
                raise BadInput(f"files has {folder[:200]!r} as a file and as a folder", field="files")
            folder = folder.rpartition("/")[0]
