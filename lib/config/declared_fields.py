"""Checks that a step has only settings that component.json declares for its action or trigger.

A misspelt setting would have no effect, so it is refused. Names that the platform adds to a configuration pass.
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
# An environment variable with further names that a platform adds, separated by commas.
VARIABLE = "EXTRA_SETTINGS"
# The id of the credential, the schedule of the flow, and a field of Open Integration Hub.
_ADDED = frozenset({"secretId", "interval", "cron", "nodeSettings"})
_PREFIXES = ("_", "elasticio", "ELASTICIO")

Fields = Mapping[str, Mapping[str, Any]]


def checked(function: str, config: Form) -> Labelled:
    """Return a step's configuration with the labels of its fields; `function` is the key of the action or trigger.

    Raises BadInput for a name that neither the function nor the credential declares, and for a value that is not
    possible in a drop-down or check box. Values of the credential are checked where they are read.
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
    """Return the fields of an action or trigger, and name -> label of these and of the credential's fields."""
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
