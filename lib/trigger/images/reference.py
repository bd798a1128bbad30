"""What a reference to an image must look like, so that a wrong one is told as what it is and no registry is asked."""

from __future__ import annotations

import re

LONGEST_NAME, LONGEST_TAG = 255, 128
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_HOST = re.compile(r"(?:[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_])?|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?", re.IGNORECASE)
_PART = re.compile(r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*")
_TAG = re.compile(r"\w[\w.-]*", re.ASCII)


def problem(reference: str) -> str | None:
    """Return what is wrong with "[host[:port]/]path[:tag]" and how to mend it, None where nothing is."""
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
    """Return the name and the tag of a reference; None where it names no tag."""
    name, colon, tag = reference.rpartition(":")
    return (name, tag) if colon and "/" not in tag else (reference, None)


def spellings(reference: str) -> list[str]:
    """Return how a reference and its repository may stand in a text, the longest first; never a bare word."""
    name, tag = split(reference)
    _, path = _host(name)
    last = path.rpartition("/")[2]
    names = {name, path, f"library/{path}", f"docker.io/library/{path}"}
    tagged = {f"{one}:{tag or 'latest'}" for one in (*names, last)}
    return sorted({*tagged, *(one for one in names if "/" in one)}, key=len, reverse=True)


def _host(name: str) -> tuple[str, str]:
    """Return the host of a name, "" where it names none, and the path."""
    first, slash, rest = name.partition("/")
    named = slash and ("." in first or ":" in first or first == "localhost")
    return (first, rest) if named else ("", name)
