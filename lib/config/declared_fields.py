"""The settings that component.json declares for an action or trigger, and the check that a step has no others.

A misspelt setting would do nothing. What the platform adds to a configuration is let through.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from lib import jsontext
from lib.config.form import Form, Labelled, among, flag, meant, text, words
from lib.engine.errors import BadInput

MANIFEST = Path(__file__).parents[2] / "component.json"
# Names, with commas, that a platform adds beyond those that are known here.
VARIABLE = "EXTRA_SETTINGS"
# The id of a credential of either scheme, the schedule of a flow, and what Open Integration Hub puts beside the fields.
_ADDED = frozenset({"secretId", "interval", "cron", "nodeSettings"})
_PREFIXES = ("_", "elasticio", "ELASTICIO")

Fields = Mapping[str, Mapping[str, Any]]


def checked(function: str, config: Form) -> Labelled:
    """Return a step's configuration with the labels of its fields.

    Raises BadInput for a name that neither the function nor the credential declares, and for a value that a list
    of choices or a tick cannot have. Values of the credential are left to those who read them.
    """
    own, labels = _declared(function)
    form = Labelled(config, labels)
    for name in config:
        if name in own:
            _check(form, name, own[name])
        elif name not in labels and not _added(name):
            raise _unknown(function, name, labels)
    return form


def checked_credential(config: Form) -> Labelled:
    """Return a credential's values with their labels; raises BadInput for an unknown name."""
    labels = _labels(_component()["credentials"]["fields"])
    for name in config:
        if name not in labels and not _added(name):
            raise _unknown("the credential", name, labels)
    return Labelled(config, labels)


@cache
def _declared(function: str) -> tuple[Fields, Mapping[str, str]]:
    """Return the fields of an action or trigger, and the labels of these and of the credential's."""
    component = _component()
    functions = component["actions"] | component.get("triggers", {})
    own: Fields = functions[function].get("fields", {})
    return own, _labels(component["credentials"]["fields"]) | _labels(own)


def _component() -> dict[str, Any]:
    tree: dict[str, Any] = jsontext.decode(MANIFEST.read_bytes())
    return tree


def _labels(fields: Fields) -> dict[str, str]:
    return {name: field["label"] for name, field in fields.items()}


def _added(name: str) -> bool:
    if name in _ADDED or name.startswith(_PREFIXES):
        return True
    return name in {one.strip() for one in os.environ.get(VARIABLE, "").split(",")}


def _check(form: Form, name: str, field: Mapping[str, Any]) -> None:
    model = field.get("model")
    if field["viewClass"] == "CheckBoxView":
        flag(form, name)
    elif field["viewClass"] == "MultiSelectView" and isinstance(model, dict):
        among(form, name, words(form, name), tuple(model))
    elif isinstance(model, dict) and (value := text(form, name)):
        among(form, name, (value,), tuple(model))


def _unknown(owner: str, name: str, labels: Mapping[str, str]) -> BadInput:
    by_label = {label.casefold(): key for key, label in labels.items()}
    labelled = by_label.get(name.casefold())
    close = f"Did you mean {labelled}?" if labelled else meant(name, labels).rstrip()
    told = close or f"It has {', '.join(labels)}"
    return BadInput(f"{name[:100]}: is no setting of {owner}. {told}", field=name[:100])
