"""Field names of a message: which ones a schema knows at each place, and which one was probably meant.

The engine takes names as Go's encoding/json does: the exact name first, else the one that differs only in upper and
lower case. What it does not know it drops without a word, so a misspelt limit would be no limit.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

Tree = dict[str, Any]

_BODY = "requestBody"
DEPTH = 200  # levels of a message that are checked; the checker itself ends at 255
_LIST = "; it has "
_LISTED = 40  # names that an error lists
LONGEST_NAME = 100  # characters
MOST_COMPARED = 50
"""Problems of one message after which no name is compared with those that may have been meant."""
MOST_UNKNOWN = 1_000
"""Names of one object that are looked at one by one; with more, the object as a whole is wrong."""


@dataclasses.dataclass(frozen=True)
class Problem:
    """What is wrong with one field: its path (`HostConfig.Binds[2]`, "" for the whole body) and what is expected."""

    field: str
    message: str
    hint: str = dataclasses.field(default="", compare=False)

    def __str__(self) -> str:
        return f"{self.field}: {self.message}" if self.field else self.message


class FieldNames:
    """The names that an in-schema knows, place by place."""

    def __init__(self, schema: Tree) -> None:
        self._schema = schema
        self._definitions: Tree = schema.get("definitions", {})
        self._top: Tree = schema.get("properties", {})

    def settle(self, value: Any, *, unknown: bool = False) -> tuple[Any, list[Problem]]:
        """Return the value with the schema's own spelling of each name, and a problem for each name that is wrong.

        `unknown` lets names below the top level pass that no schema knows; a top-level name is never sent as
        it stands, so it is always refused. An unknown name with the value null says nothing and is left out.
        """
        problems: list[Problem] = []
        settled = self._settled(value, self._schema, "", problems)
        if unknown:
            problems = [one for one in problems if not isinstance(one, Unknown) or "." not in one.field]
        return settled, problems

    def _settled(self, value: Any, node: Tree, path: str, problems: list[Problem]) -> Any:
        node = self._resolved(node)
        if isinstance(value, list) and "items" in node:
            return [
                self._settled(item, node["items"], f"{path}[{index}]", problems)
                if isinstance(item, dict | list)
                else item
                for index, item in enumerate(value)
            ]
        if not isinstance(value, dict):
            return value
        if is_closed(node):
            return self._object(value, node, path, problems)
        each = node.get("additionalProperties")
        if not isinstance(each, dict):
            return value
        return {key: self._settled(item, each, _below(path, key), problems) for key, item in value.items()}

    def _object(self, value: Tree, node: Tree, path: str, problems: list[Problem]) -> Tree:
        properties = node["properties"]
        known = _known(node)
        if len(value) > len(known) + MOST_UNKNOWN:
            where = path or self._operation
            problems.append(Problem(path, f"has {len(value)} fields; {where} has no more than {len(known)}"))
            return value
        # Inputs at the top level are ours, and always were exact.
        folded = {name.casefold(): name for name in reversed(known)} if path else {}
        settled: Tree = {}
        written: dict[str, str] = {}
        for key, item in value.items():
            name = key if key in known else folded.get(key.casefold())
            if name is None:
                if item is not None:
                    problems.append(self._unknown(key, path, node, problems))
                    settled[key] = item
                continue
            if name in written:
                twice = f"is given twice, as {written[name]} and {key}; the engine takes them for one field"
                problems.append(Problem(_below(path, name), twice))
                continue
            written[name] = key
            below = properties.get(name)
            settled[name] = self._settled(item, below, _below(path, name), problems) if below else item
        return settled

    def _unknown(self, key: str, path: str, node: Tree, before: list[Problem]) -> Problem:
        where = path or self._operation
        told = self._meant(key, node) if len(before) < MOST_COMPARED else ""
        if told.startswith(_LIST) and any(problem.message.endswith(told) for problem in before[:_LISTED]):
            told = ""  # the names that a place has are listed once
        hint = 'Where the engine is newer than this component and knows it, set unknownFields to "pass"'
        return Unknown(_below(path, key), f"is no field of {where}{told}", hint if path else "")

    def _meant(self, key: str, node: Tree) -> str:
        import difflib  # late: most processes never see an unknown field

        known = list(node["properties"])
        lower = {name.casefold(): name for name in reversed(known)}
        asked = key.casefold()
        if asked in lower:
            return f"; did you mean {lower[asked]}?"
        home = self._home(asked)
        if home == "":
            return "; it belongs beside requestBody, at the top level of the message"
        if home:
            return f"; it belongs into {home}"
        # Bounded: the comparison is quadratic in the length of both names.
        close = difflib.get_close_matches(asked[:100], lower, n=1, cutoff=0.6)
        if close:
            return f"; did you mean {lower[close[0]]}?"
        more = f" and {len(known) - _LISTED} more" if len(known) > _LISTED else ""
        return f"{_LIST}{', '.join(known[:_LISTED]) or 'none'}{more}"

    def _home(self, asked: str) -> str | None:
        """Return the path of the nearest place that has a name, "" for the top level, None if there is none."""
        for path, node in self._places():
            if any(name.casefold() == asked for name in node.get("properties", ())):
                return path
        return None

    def _places(self) -> Iterator[tuple[str, Tree]]:
        """Yield the path of each object that can be reached without a list or map, the outermost first."""
        waiting: deque[tuple[str, Tree]] = deque([("", self._schema)])
        while waiting:
            path, node = waiting.popleft()
            yield path, node
            for name, item in node.get("properties", {}).items():
                if (path or name == _BODY) and path.count(".") < 8:  # noqa: PLR2004 - definitions may be circles
                    waiting.append((_below(path, name), self._resolved(item)))

    def _resolved(self, node: Tree) -> Tree:
        while "$ref" in node:
            node = self._definitions[node["$ref"].rpartition("/")[2]]
        return node

    @property
    def _operation(self) -> str:
        return str(self._schema.get("x-operation") or self._schema.get("title") or "this schema")


def unwritable(value: Any) -> list[Problem]:
    """Return a problem for the first value that no request can carry, or that is nested too deeply to be checked.

    JSON can hold half of a character, which has no bytes in UTF-8.
    """
    # Only the path to where we are is kept: those of all values would be far longer than the message.
    path, waiting = [""], [iter([("", value)])]
    while waiting:
        if (step := next(waiting[-1], None)) is None:
            waiting.pop()
            path.pop()
            continue
        path[-1], item = step
        if len(waiting) > DEPTH + 1:
            return [Problem(path[1].removeprefix("."), f"is nested more than {DEPTH} levels deep")]
        if isinstance(item, dict | list):
            path.append("")
            waiting.append(_within(item))
        elif isinstance(item, str) and _escaped(item) != item:
            where = "".join(path).removeprefix(".")
            return [Problem(where, "holds half of a character (a lone surrogate)", "Give valid Unicode text")]
    return []


def _within(item: dict[str, Any] | list[Any]) -> Iterator[tuple[str, Any]]:
    if isinstance(item, list):
        yield from ((f"[{index}]", one) for index, one in enumerate(item))
        return
    for key, one in item.items():
        name = f".{shown(_escaped(key))}"
        yield name, key
        yield name, one


def has_more_than(most: int, value: Any) -> bool:
    """Whether a value holds more than so many others, found out without looking at all of them."""
    count, waiting = 0, [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict | list):
            count += len(item)
            if count > most:
                return True
            waiting.extend(item.values() if isinstance(item, dict) else item)
    return False


def _escaped(text: Any) -> str:
    return str(text).encode("utf-8", "backslashreplace").decode()


class Unknown(Problem):
    """A name that the schema does not have."""


def is_closed(node: Mapping[str, Any]) -> bool:
    """Whether an object can hold the names of its schema only."""
    return "properties" in node and "additionalProperties" not in node and not node.get("x-open")


def _known(node: Tree) -> list[str]:
    return [*node["properties"], *node.get("x-also", ())]


def shown(name: str) -> str:
    """Return a name as a path holds it; its end is left out where nobody would read it."""
    return name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}..."


def _below(path: str, key: str) -> str:
    return f"{path}.{shown(key)}" if path else shown(key)
