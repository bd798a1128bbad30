"""What filters select, and which lines and events lie between two times, on real engines."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from lib.sailor.message.ids import random_id
from tests.integration.operations.proving import success
from tests.integration.operations.site import Site

pytestmark = pytest.mark.engine
Make = Callable[..., str]
# The forms in which a flow may say the same.
FORMS: list[Callable[[str, str], Any]] = [
    lambda key, value: {"label": {key: value}},
    lambda key, value: {"label": {f"{key}={value}": True}},
    lambda key, value: {"label": [f"{key}={value}"]},
    lambda key, value: {"label": f"{key}={value}"},
    lambda key, value: json.dumps({"label": {key: value}}),
]
EMPTY: list[Any] = [
    None,
    "",
    {},
    {"label": None},
    {"label": []},
    {"label": {}},
    {"label": ""},
    '{"label": [""]}',
]


def every(site: Site, **more: Any) -> dict[str, Any]:
    """Filters without which a volume prune of newer engines spares named volumes."""
    return {**more, "all": True} if site.version >= "1.42" else more


@success("VolumePrune", "VolumeList")
def test_a_volume_prune_takes_the_value_of_a_label_into_account(site: Site) -> None:
    """Faults 8.1 and 8.2: it deleted the volumes of production too, and all of them for an empty filter."""
    key = f"env{random_id()}"
    kept = site.do("VolumeCreate", {"requestBody": {"Name": f"prod-{key}", "Labels": {key: "prod"}}})["Name"]

    def there() -> set[str]:
        found = site.do("VolumeList", {"filters": {"label": {key: True}}})["Volumes"] or []
        return {volume["Name"] for volume in found}

    for form in FORMS:
        name = f"test-{key}"
        site.do("VolumeCreate", {"requestBody": {"Name": name, "Labels": {key: "test"}}})
        listed = site.do("VolumeList", {"filters": form(key, "test")})["Volumes"]
        assert [volume["Name"] for volume in listed] == [name]
        for empty in EMPTY:
            site.fails("VolumePrune", {"filters": empty}, "BadInput")
        for value in ("nope", 5):
            site.do("VolumePrune", {"filters": every(site, label={key: value})})
        assert there() == {name, kept}
        wanted = form(key, "test")
        if isinstance(wanted, dict):
            wanted = every(site, **wanted)
        elif site.version >= "1.42":
            wanted = json.dumps(every(site, **json.loads(wanted)))
        assert site.do("VolumePrune", {"filters": wanted})["VolumesDeleted"] == [name]
        assert there() == {kept}
    if site.name != "podman":  # it has no label! for volumes
        site.do("VolumePrune", {"filters": every(site, **{"label": {key: True}, "label!": {key: "prod"}})})
        assert there() == {kept}
    site.do("VolumeDelete", {"name": kept})


@success("ContainerPrune", "ContainerList")
def test_a_container_prune_takes_value_and_time_into_account(site: Site, create: Make) -> None:
    """Faults 8.1, 8.2 and 8.12: label and `until` as they come out of other steps."""
    key = f"env{random_id()}"
    kept = create(Labels={key: "prod"})

    def there(**filters: Any) -> list[str]:
        found = site.do("ContainerList", {"all": True, "filters": {"label": {key: True}, **filters}})
        return [container["Id"] for container in found["results"]]

    for form in FORMS:
        first, second = create(Labels={key: "test"}), create(Labels={key: "test"})
        assert set(there(label={key: "test"})) == {first, second}
        for empty in EMPTY:
            site.fails("ContainerPrune", {"filters": empty}, "BadInput")
        site.do("ContainerPrune", {"filters": {"label": {key: "nope"}}})
        # Podman takes what was made before the time, others also what was made at it.
        edge = second if site.name == "podman" else first
        made = site.do("ContainerInspect", {"id": edge})["Created"]
        until = {"label": {key: True}, "label!": {key: "prod"}, "until": made}
        assert site.do("ContainerPrune", {"filters": until})["ContainersDeleted"] == [first]
        site.do("ContainerPrune", {"filters": {**until, "until": "24h"}})
        assert set(there()) == {second, kept}
        assert site.do("ContainerPrune", {"filters": form(key, "test")})["ContainersDeleted"] == [second]
        assert there() == [kept]


@success("NetworkPrune", "NetworkList")
def test_a_network_prune_takes_the_value_of_a_label_into_account(site: Site) -> None:
    """Faults 8.1 and 8.2."""
    key = f"env{random_id()}"
    body = {"Name": f"prod-{key}", "Labels": {key: "prod"}}
    site.do("NetworkCreate", {"requestBody": body})
    for form in FORMS:
        site.do("NetworkCreate", {"requestBody": {"Name": f"test-{key}", "Labels": {key: "test"}}})
        listed = site.do("NetworkList", {"filters": form(key, "test")})["results"]
        assert [network["Name"] for network in listed] == [f"test-{key}"]
        for empty in EMPTY:
            site.fails("NetworkPrune", {"filters": empty}, "BadInput")
        site.do("NetworkPrune", {"filters": {"label": {key: "nope"}}})
        assert site.do("NetworkPrune", {"filters": form(key, "test")})["NetworksDeleted"] == [f"test-{key}"]
    left = site.do("NetworkList", {"filters": {"label": {key: True}}})["results"]
    assert [network["Name"] for network in left] == [f"prod-{key}"]
    site.do("NetworkDelete", {"id": f"prod-{key}"})


@success("ImagePrune", "ImageList")
def test_an_image_prune_takes_the_value_of_a_label_into_account(site: Site, ended: Make) -> None:
    """Faults 8.1 and 8.2."""
    key = f"env{random_id()}"
    container = ended("true")

    def image(value: str) -> str:
        change = {"container": container, "repo": f"{value}-{key}", "changes": [f"LABEL {key}={value}"]}
        site.do("ImageCommit", change)
        return f"{value}-{key}:latest"

    def there(filters: Any) -> set[str]:
        found = site.do("ImageList", {"filters": filters})["results"]
        return {tag for one in found for tag in one["RepoTags"]}

    kept = image("prod")
    for form in FORMS:
        name = image("test")
        assert there(form(key, "test")) == {name}
        for empty in EMPTY:
            site.fails("ImagePrune", {"filters": empty}, "BadInput")
        site.do("ImagePrune", {"filters": {"dangling": False, "label": {key: "nope"}}})
        assert there({"label": {key: True}}) == {name, kept}
        wanted = form(key, "test")
        wanted = wanted if isinstance(wanted, dict) else json.loads(wanted)
        site.do("ImagePrune", {"filters": json.dumps({**wanted, "dangling": False})})
        assert there({"label": {key: True}}) == {kept}
    site.do("ImageDelete", {"name": kept})


@success("BuildPrune")
def test_filters_of_the_build_cache_are_taken_and_labels_refused(site: Site) -> None:
    """Faults 8.1 and 8.2: engines overlook labels there, and flags without a value were left out."""
    for empty in EMPTY:
        site.fails("BuildPrune", {"filters": empty}, "BadInput")
    site.fails("BuildPrune", {"filters": {"label": {"env": "test"}}}, "BadInput")
    site.fails("BuildPrune", {"filters": {"private": []}}, "BadInput")
    site.do("BuildPrune", {"all": True})  # what other tests have built
    for filters in ({"private": True}, {"inuse": "true", "shared": True}, {"until": "24h"}, {"id": "x"}):
        assert site.do("BuildPrune", {"filters": filters})["SpaceReclaimed"] == 0


def nanoseconds(time: str) -> str:
    """A time of the engine as Unix seconds, by the lab's own arithmetic."""
    from datetime import datetime

    whole, _, part = time.rstrip("Z").partition(".")
    return f"{int(datetime.fromisoformat(whole + '+00:00').timestamp())}.{part.ljust(9, '0')}"


@success("ContainerLogs")
def test_the_time_of_a_log_line_selects_that_line(site: Site, ended: Make) -> None:
    """Fault 8.12: given back as `until` it left the line out, for its last three digits were lost."""
    container = ended("sh", "-c", "for i in 1 2 3 4 5 6; do echo $i; done")
    asked = {"id": container, "stdout": True, "timestamps": True}
    lines = site.do("ContainerLogs", asked)["results"]
    assert [line["text"] for line in lines] == list("123456")
    assert all(line["time"].endswith("Z") for line in lines)
    times = [nanoseconds(line["time"]) for line in lines]
    if site.name == "podman":  # it writes times in whole seconds
        assert site.do("ContainerLogs", {**asked, "since": lines[0]["time"]})["results"] == lines
        return
    assert len(set(times)) == len(lines)
    for index, line in enumerate(lines):
        for time in (
            line["time"],
            times[index],
            times[index].replace(".", ""),
            int(times[index].replace(".", "")),
        ):
            after = site.do("ContainerLogs", {**asked, "since": time})["results"]
            assert after == lines[index:], time
            if "until" not in UNKNOWN.get(site.name, ()):
                between = site.do("ContainerLogs", {**asked, "since": time, "until": time})["results"]
                assert between == [line], time
    assert site.do("ContainerLogs", {**asked, "since": "1h"})["results"] == lines
    assert "milliseconds" in site.fails("ContainerLogs", {**asked, "since": 1700000000000}, "BadInput")


# Inputs that came later than the version which is spoken.
UNKNOWN = {"26.1-at-1.33": ("until",)}


@success("SystemEvents")
def test_the_time_of_an_event_selects_that_event(site: Site) -> None:
    """Fault 8.12: `timeNano` of one event as the time from which and up to which others are read."""
    key = f"vol-{random_id()}"
    for number in range(3):
        site.do("VolumeCreate", {"requestBody": {"Name": f"{key}-{number}"}})
    names = [f"{key}-{number}" for number in range(3)]
    asked = {"filters": {"type": "volume", "event": "create", "volume": names}}
    events = site.do("SystemEvents", {**asked, "since": "1h", "until": "0s"})["results"]
    assert [event["Actor"]["ID"] for event in events] == names
    for index, event in enumerate(events):
        nano = event["timeNano"]
        for time in (nano, str(nano), f"{nano // 10**9}.{nano % 10**9:09d}"):
            assert site.do("SystemEvents", {**asked, "since": time, "until": time})["results"] == [event]
            later = site.do("SystemEvents", {**asked, "since": time, "until": "0s"})["results"]
            assert later == events[index:]
    for name in names:
        site.do("VolumeDelete", {"name": name})
