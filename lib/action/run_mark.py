"""The label by which what an operation made is known again: the setting markRun writes it, SettleOutcome looks for it.

All deliveries of one message to one step have the same one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lib.engine.text import parsed
from lib.sailor import Context
from lib.sailor.message.ids import derived_id, random_id

PREFIX = "docker-engine-connector."
RUN = f"{PREFIX}run"
_IN_BODY, _IN_QUERY = "requestBody", "labels"
PLACES = {
    "ContainerCreate": _IN_BODY,
    "VolumeCreate": _IN_BODY,
    "NetworkCreate": _IN_BODY,
    "ServiceCreate": _IN_BODY,
    "SecretCreate": _IN_BODY,
    "ConfigCreate": _IN_BODY,
    "ImageCommit": _IN_BODY,
    "ImageBuild": _IN_QUERY,
}
"""Where the labels of what an operation makes stand in its input."""


def run_of(context: Context, key: str) -> str:
    """Return the run of a message in this step; a random one where the message has no id."""
    if not context.input_id:
        return random_id()
    step = f"{context.settings.flow_id}/{context.settings.step_id}"
    return derived_id("operation", key, step, context.input_id)


def marked(key: str, fields: Mapping[str, Any], run: str) -> dict[str, Any]:
    """Return the fields of an operation of PLACES with the label; a body that is no object stays as it is."""
    place = PLACES[key]
    value = parsed(fields.get(place) or {}, place)
    if not isinstance(value, dict):
        return dict(fields)
    if place == _IN_QUERY:
        return {**fields, place: {**value, RUN: run}}
    labels = value.get("Labels") or {}
    if not isinstance(labels, dict):
        return dict(fields)
    return {**fields, place: {**value, "Labels": {**labels, RUN: run}}}
