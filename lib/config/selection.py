"""Decides which objects a step watches: by name or id, by label, by image. An empty selection takes everything."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from lib.config.form import Form, words

_ID = re.compile(r"(?:sha256:)?[0-9a-f]{12,64}")


def names_match(patterns: Iterable[str], names: Iterable[str], ids: Iterable[str] = ()) -> bool:
    """Return whether a pattern (with `*` and `?`) matches a name, or is the beginning of an id (12 digits or more)."""
    for pattern in patterns:
        if any(fnmatchcase(name, pattern) for name in names):
            return True
        if _ID.fullmatch(pattern) and any(
            one.removeprefix("sha256:").startswith(pattern.removeprefix("sha256:")) for one in ids
        ):
            return True
    return False


def labels_match(wanted: Iterable[str], labels: Mapping[str, str]) -> bool:
    """Return whether all wanted labels are present, each written `key` or `key=value`."""
    for label in wanted:
        key, equals, value = label.partition("=")
        if key not in labels or (equals and labels[key] != value):
            return False
    return True


def image_matches(patterns: Iterable[str], image: str) -> bool:
    """Return whether a pattern matches the image's reference, with or without its tag or digest."""
    bare = image.partition("@")[0]
    last = bare.rpartition("/")[2]
    untagged = bare[: len(bare) - len(last)] + last.partition(":")[0]
    return any(fnmatchcase(name, pattern) for pattern in patterns for name in (image, bare, untagged))


@dataclass(frozen=True)
class Selection:
    """The fields of the form that select containers: containers, names, labels, images."""

    names: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    images: tuple[str, ...] = ()

    @classmethod
    def of(cls, form: Form, *lists: str) -> Selection:
        """Read the form; `lists` are further fields with names. Raises BadInput."""
        names = (name for field in ("containers", "names", *lists) for name in words(form, field))
        return cls(tuple(names), words(form, "labels"), words(form, "images"))

    def takes(
        self, names: Iterable[str], ids: Iterable[str], labels: Mapping[str, str], *images: str
    ) -> bool:
        """Return whether an object is selected: by its names, its labels and its images, each if the form has any.

        Of several names or images one match suffices; all labels must match. `images` are all references of the
        object's image, such as its name and its id.
        """
        if self.names and not names_match(self.names, tuple(names), tuple(ids)):
            return False
        if not labels_match(self.labels, labels):
            return False
        return not self.images or any(image_matches(self.images, image) for image in images)
