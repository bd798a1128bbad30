"""Checks image references, so that a wrong one is reported without asking a registry."""

from __future__ import annotations

import re

LONGEST_NAME, LONGEST_TAG = 255, 128
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_HOST = re.compile(r"(?:[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_])?|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?", re.IGNORECASE)
_PART = re.compile(r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*")
_TAG = re.compile(r"\w[\w.-]*", re.ASCII)


def problem(reference: str) -> str | None:
    """Return what is wrong with a reference and how to correct it, None if it is "[host[:port]/]path[:tag]"."""
    if found := _SCHEME.match(reference):
        return f"Leave {found[0]} out"
    if any(character.isspace() for character in reference):
        return "It has a blank in it. Write one reference a line, or separate them by commas"
    if "@" in reference:
        return "It is pinned to a digest and can never change. Name it by its tag"
    return _misspelt(*split(reference))


def _misspelt(name: str, tag: str | None) -> str | None:
    host, path = _host(name)
    if host and not _HOST.fullmatch(host):
        return f"{host} is no host of a registry"
    if path != path.lower():
        return f"Names of images have no upper case: {name.removesuffix(path)}{path.lower()}"
    if not path or len(name) > LONGEST_NAME or not all(_PART.fullmatch(part) for part in path.split("/")):
        return "Write it as in nginx:1.27 or registry.example.org/shop/web:stable"
    if tag is not None and (len(tag) > LONGEST_TAG or not _TAG.fullmatch(tag)):
        return f"{tag[:LONGEST_TAG] or 'Nothing'} is no tag"
    return None


def split(reference: str) -> tuple[str, str | None]:
    """Return the name and the tag of a reference; the tag is None if there is none."""
    name, colon, tag = reference.rpartition(":")
    return (name, tag) if colon and "/" not in tag else (reference, None)


def spellings(reference: str) -> list[str]:
    """Return the forms in which an error text may name a reference or its repository, the longest first.

    A form has always a `/` or a tag, so that no ordinary word of the text is one.
    """
    name, tag = split(reference)
    _, path = _host(name)
    last = path.rpartition("/")[2]
    names = {name, path, f"library/{path}", f"docker.io/library/{path}"}
    tagged = {f"{one}:{tag or 'latest'}" for one in (*names, last)}
    return sorted({*tagged, *(one for one in names if "/" in one)}, key=len, reverse=True)


def _host(name: str) -> tuple[str, str]:
    """Return the host of a name ("" if it has none) and the path."""
    first, slash, rest = name.partition("/")
    named = slash and ("." in first or ":" in first or first == "localhost")
    return (first, rest) if named else ("", name)
