"""Checks the field names of a message against the in-schema, and suggests a name for an unknown one.

The engine reads names as Go's encoding/json does: an exact name first, else one that differs in upper and lower case
only. It ignores unknown names without an error, so a misspelt limit would be no limit. `FieldNames.settle` compares
the value with the schema level by level and gives each name the schema's spelling.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Tree = dict[str, Any]

_BODY = "requestBody"
DEPTH = 200  # upper bound of nested levels in a message; the checker itself fails above 255
_LIST = "; it has "
_LISTED = 40  # upper bound of the names that an error lists
MOST_NAMED = 20  # upper bound of the wrong fields that one error names
LONGEST_NAME = 100  # upper bound of a name in a path, in characters
MOST_COMPARED = 50
"""Problems of one message after which no suggestions are looked for: each comparison takes time."""
MOST_UNKNOWN = 1_000
"""Upper bound of unknown names in one object; above it, the object as a whole is one problem."""


@dataclasses.dataclass(frozen=True)
class Problem:
    """What is wrong with one field.

    `field` is its path, such as `HostConfig.Binds[2]`, "" for the whole body. `message` says what is expected.
    """

    field: str
    message: str
    hint: str = dataclasses.field(default="", compare=False)

    def __str__(self) -> str:
        return f"{self.field}: {self.message}" if self.field else self.message


def listed(problems: Sequence[object]) -> str:
    """Return the text of an error for wrong fields: the first MOST_NAMED, and how many more there are."""
    more = len(problems) - MOST_NAMED
    text = "; ".join(map(str, problems[:MOST_NAMED]))
    return f"{text}; and {more} more" if more > 0 else text


class FieldNames:
    """The names that an in-schema has at each place."""

    def __init__(self, schema: Tree) -> None:
        self._schema = schema
        self._definitions: Tree = schema.get("definitions", {})
        self._top: Tree = schema.get("properties", {})

    def settle(self, value: Any, *, unknown: bool = False) -> tuple[Any, list[Problem]]:
        """Return the value with the schema's spelling of each name, and a problem for each wrong name.

        `unknown`: unknown names below the top level pass. At the top level they are always refused: those inputs are
        not sent as they are. An unknown name with the value null is left out.
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
        # At the top level the component reads the names, not the engine, so they must be exact.
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
            told = ""  # list the names of a place only once
        hint = 'Where the engine is newer than this component and knows it, set unknownFields to "pass"'
        return Unknown(_below(path, key), f"is no field of {where}{told}", hint if path else "")

    def _meant(self, key: str, node: Tree) -> str:
        import difflib  # imported late: most processes never see an unknown field

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
        # At most 100 characters: the comparison is quadratic in the length of both names.
        close = difflib.get_close_matches(asked[:100], lower, n=1, cutoff=0.6)
        if close:
            return f"; did you mean {lower[close[0]]}?"
        more = f" and {len(known) - _LISTED} more" if len(known) > _LISTED else ""
        return f"{_LIST}{', '.join(known[:_LISTED]) or 'none'}{more}"

    def _home(self, asked: str) -> str | None:
        """Return the path of the outermost place that has the name, "" for the top level, None if there is none."""
        for path, node in self._places():
            if any(name.casefold() == asked for name in node.get("properties", ())):
                return path
        return None

    def _places(self) -> Iterator[tuple[str, Tree]]:
        """Yield the path of each object that is not inside a list or map, the outermost first."""
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
    """Return a problem for the first value that cannot be sent or is nested too deeply, an empty list if there is none.

    A text in JSON can have a lone surrogate (half of a character), which has no form in UTF-8.
    """
    # Only the path to the current value is kept: the paths of all values would need more memory than the message.
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
    """Return whether a value has more than `most` values in it; counting ends there."""
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
    """The problem of a name that the schema does not have."""


def is_closed(node: Mapping[str, Any]) -> bool:
    """Return whether an object may have only the names in its schema node."""
    return "properties" in node and "additionalProperties" not in node and not node.get("x-open")


def _known(node: Tree) -> list[str]:
    return [*node["properties"], *node.get("x-also", ())]


def shown(name: str) -> str:
    """Return a name for a path, cut off after LONGEST_NAME characters."""
    return name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}..."


def _below(path: str, key: str) -> str:
    return f"{path}.{shown(key)}" if path else shown(key)
