"""Tells from its first bytes whether an upload is a tar archive.

For anything else, an engine fails late, fails with an unclear text, or reports success.
"""

from __future__ import annotations

from lib.engine.errors import BadInput

BLOCK = 512
_COMPRESSED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd")
_SKIPPABLE = b"\x2a\x4d\x18"  # bytes 1 to 3 of a skippable frame of zstd; byte 0 is 0x50 to 0x5f
_OTHERS = (
    (b"PK\x03\x04", "a zip archive"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"%PDF", "a PDF document"),
    (b"\x7fELF", "a program"),
    (b"H4sI", "a gzip archive in base64 text: decode it first"),
)
_TEXTS = (
    ("FROM ", "a Dockerfile"),
    ("# SYNTAX", "a Dockerfile"),
    ("ARG ", "a Dockerfile"),
    ("{", "JSON text"),
    ("[", "JSON text"),
    ("<", "a web page, maybe an error or a login"),
)
_LAYOUT = {ord(character): None for character in "\r\n\t"}
_HINT = (
    "Give a tar archive, plain or compressed with gzip, bzip2 or xz; "
    "one text file goes into the field file of PutContainerArchive, a Dockerfile into dockerfileText of ImageBuild"
)


def check_archive(beginning: bytes, field: str) -> None:
    """Raise BadInput if the content begins as no archive does; it names the field and what the content looks like.

    `beginning` is the first 512 bytes, or all of a shorter content.
    """
    if beginning.startswith(_COMPRESSED) or _is_zstd(beginning) or _is_tar(beginning[:BLOCK]):
        return
    raise BadInput(f"{field} is no tar archive but {_kind(beginning)}", field=field, hint=_HINT)


def _is_zstd(data: bytes) -> bool:
    return data[1:4] == _SKIPPABLE and data[0] >> 4 == 5  # noqa: PLR2004


def _is_tar(block: bytes) -> bool:
    """Whether a block is a header with the right checksum, or the zeros that an archive ends with."""
    if len(block) < BLOCK:
        return False
    if block[257:262] == b"ustar" or not any(block):
        return True
    digits = block[148:156].strip(b" \0")
    if not digits or digits.strip(b"01234567"):
        return False
    return int(digits, 8) == sum(block[:148]) + 8 * 0x20 + sum(block[156:])


def _kind(data: bytes) -> str:
    for magic, kind in _OTHERS:
        if data.startswith(magic):
            return kind
    return _kind_of_text(data[:BLOCK]) if data else "empty"


def _kind_of_text(data: bytes) -> str:
    try:
        text = data.decode().lstrip()
    except UnicodeDecodeError as fault:
        if fault.start < BLOCK - 3:  # otherwise only the last character is cut
            return "something else"
        text = data[: fault.start].decode().lstrip()
    if not text.translate(_LAYOUT).isprintable():
        return "something else"
    return next((kind for word, kind in _TEXTS if text.upper().startswith(word)), "plain text")
