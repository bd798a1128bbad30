"""Fills the drop-downs of the triggers' forms from the engine.

Each function returns value to store -> label to show, and raises EngineError.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lib.config.form import Form
from lib.credentials import open_engine
from lib.engine.expected import expected_form
from lib.trigger.containers.container import own_name

Choices = dict[str, str]
Entry = Mapping[str, Any]


@expected_form()
def containers(_context: Any, config: Form) -> Choices:
    """Offer all containers by name: ContainerList."""
    return _sorted(
        (own_name(entry), f"{own_name(entry)} ({_about(entry.get('Image'), entry.get('State'))})")
        for entry in _containers(config)
    )


@expected_form()
def images(_context: Any, config: Form) -> Choices:
    """Offer the images that have a tag: ImageList."""
    entries = open_engine(config).get("/images/json").json()
    return _sorted(
        (tag, tag) for entry in entries for tag in entry.get("RepoTags") or () if tag != "<none>:<none>"
    )


@expected_form()
def networks(_context: Any, config: Form) -> Choices:
    """Offer all networks by name: NetworkList."""
    entries = open_engine(config).get("/networks").json()
    return _sorted(
        (entry["Name"], f"{entry['Name']} ({_about(entry.get('Driver'), entry.get('Scope'))})")
        for entry in entries
    )


@expected_form()
def services(_context: Any, config: Form) -> Choices:
    """Offer all services of the swarm by name: ServiceList."""
    entries = open_engine(config).get("/services").json()
    return _sorted((entry["Spec"]["Name"], entry["Spec"]["Name"]) for entry in entries)


@expected_form()
def nodes(_context: Any, config: Form) -> Choices:
    """Offer all nodes of the swarm by host name: NodeList."""
    entries = open_engine(config).get("/nodes").json()
    hosts = (
        (str((entry.get("Description") or {}).get("Hostname") or entry["ID"]), entry) for entry in entries
    )
    return _sorted(
        (host, f"{host} ({_about((entry.get('Spec') or {}).get('Role'))})") for host, entry in hosts
    )


@expected_form()
def labels(_context: Any, config: Form) -> Choices:
    """Offer the labels that containers carry, as key=value: ContainerList."""
    pairs = {
        f"{key}={value}"
        for entry in _containers(config)
        for key, value in (entry.get("Labels") or {}).items()
    }
    return _sorted((pair, pair) for pair in pairs)


def _containers(config: Form) -> list[Entry]:
    listed: list[Entry] = open_engine(config).get("/containers/json", {"all": True}, query=("all",)).json()
    return listed


def _about(*facts: Any) -> str:
    return ", ".join(str(fact or "?") for fact in facts)


def _sorted(pairs: Iterable[tuple[str, str]]) -> Choices:
    return dict(sorted(pairs))
