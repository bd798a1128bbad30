"""Makes component.json: what the platform shows of the component, and where the code of each function is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lib.metadata.documentation import README, help_of, section
from lib.metadata.facts import Facts, Tree
from lib.metadata.jobs import JobWords
from lib.metadata.words import Words

# Sections of docs/operations.md and files in actions/, in the order in which users see them.
RESOURCES = (
    "containers",
    "execs",
    "images",
    "networks",
    "volumes",
    "system",
    "services",
    "tasks",
    "swarm",
    "nodes",
    "secrets",
    "configs",
    "plugins",
    "distribution",
    "session",
)
FIRST_JOB = 400
_READS = ("GET", "HEAD")
_OURS_OF_TRIGGERS = ("fields", "metadata", "calls", "mayCall")
_OURS = ("kinds", "keys", "reads", "body", "of")


def manifest(
    facts: Facts,
    words: Words,
    jobs: Mapping[str, JobWords],
    version: str,
    home: str,
    outputs: dict[str, Tree],
) -> Tree:
    """Return component.json.

    `home`: `documentation.address`. `outputs`: trigger key -> out-schema.
    """
    component = words.component
    tree: Tree = {key: component[key] for key in ("title", "description")}
    tree |= {"version": version, "buildType": "docker"}
    tree["help"] = help_of(component["help"]["description"], home, README)
    tree["credentials"] = {"fields": {name: _field(item) for name, item in words.credentials.items()}}
    if "envVars" in component:
        tree["envVars"] = component["envVars"]
    if words.triggers:
        tree["triggers"] = {key: _trigger(key, table, home, outputs) for key, table in words.triggers.items()}
    keys = ordered(facts)
    # Jobs come first: whoever looks for a wish should find it before its parts.
    tree["actions"] = {
        key: _job(job, words, home) | {"order": FIRST_JOB - number}
        for number, (key, job) in enumerate(jobs.items())
    }
    instead: dict[str, list[str]] = {}
    for job in jobs.values():
        for key in job.replaces:
            instead.setdefault(key, []).append(job.key)
    tree["actions"] |= {
        key: _action(key, facts, words, home, instead.get(key, [])) | {"order": order}
        for key, order in zip(keys, range(len(keys), 0, -1), strict=True)
    }
    return tree


def ordered(facts: Facts) -> list[str]:
    """Return the keys of all operations, grouped by resource."""
    return [
        key
        for resource in RESOURCES
        for key, operation in facts.operations.items()
        if operation["resource"] == resource
    ]


def _action(key: str, facts: Facts, words: Words, home: str, jobs: list[str]) -> Tree:
    operation = facts.operations[key]
    description = words.operation(key, "description")
    action: Tree = {
        "title": words.operation(key, "title"),
        "description": description,
        "help": help_of(" ".join([description, *_in_one_step(jobs)]), home, section("operations", key)),
        "main": f"./actions/{operation['resource']}.py",
    }
    if "deprecated" in operation:
        action["deprecated"] = True
    action["fields"] = {
        name: _field(setting | setting.get("of", {}).get(_kind(key, facts), {}))
        for name, setting in words.settings.items()
        if _offered(setting, key, facts)
    }
    action["metadata"] = {"in": f"./schemas/{key}.in.json", "out": f"./schemas/{key}.out.json"}
    return action


def _in_one_step(jobs: list[str]) -> list[str]:
    """Return the sentence that names the jobs which stand for an operation, in a list; none where there is none."""
    if len(jobs) > 1:
        return [f"The jobs {', '.join(jobs[:-1])} and {jobs[-1]} do this in one step."]
    return [f"The job {name} does this in one step." for name in jobs]


def _job(job: JobWords, words: Words, home: str) -> Tree:
    instead = f" In place of {', '.join(job.replaces)}." if job.replaces else ""
    settings = {name: words.settings[name] for name in job.table["settings"]}
    return {
        "title": job.title,
        "description": job.description,
        "help": help_of(f"Job. {job.description}{instead}", home, section("jobs", job.key)),
        "main": f"./actions/jobs/{job.group}.py",
        "fields": {
            name: _field(item | item.get("of", {}).get("job", {}) | item.get("of", {}).get(job.key, {}))
            for name, item in settings.items()
        },
        "metadata": {"in": f"./schemas/{job.key}.in.json", "out": f"./schemas/{job.key}.out.json"},
    }


def _kind(key: str, facts: Facts) -> str:
    """Return the kind of an operation that decides which settings it has: `settings` in its shape, else `answer`."""
    shape = facts.shapes[key]
    kind: str = shape.get("settings", shape["answer"])
    return kind


def _offered(setting: Tree, key: str, facts: Facts) -> bool:
    operation = facts.operations[key]
    if "kinds" in setting and _kind(key, facts) not in setting["kinds"]:
        return False
    if "keys" in setting and key not in setting["keys"]:
        return False
    if setting.get("body") and "definition" not in operation.get("body", {}):
        return False
    names_one = any(parameter["in"] == "path" for parameter in operation["parameters"])
    return not setting.get("reads") or (names_one and operation["method"] in _READS)


def _trigger(key: str, table: Tree, home: str, outputs: dict[str, Tree]) -> Tree:
    trigger: Tree = {name: item for name, item in table.items() if name not in _OURS_OF_TRIGGERS}
    trigger["help"] = help_of(table.get("description", ""), home, section("triggers", key)) | _help(table)
    trigger["fields"] = {name: _field(item) for name, item in table.get("fields", {}).items()}
    trigger["metadata"] = {"out": outputs.get(key, {})}
    return trigger


def _help(table: Tree) -> Tree:
    help_: Any = table.get("help", {})
    return {"description": help_} if isinstance(help_, str) else help_


def _field(item: Tree) -> Tree:
    field: Tree = {name: value for name, value in item.items() if name not in _OURS}
    if isinstance(field.get("help"), str):
        field["help"] = {"description": field["help"]}
    return field
