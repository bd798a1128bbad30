"""Finds functions by words: in keys, titles, groups, descriptions and the commands they stand for; best ones first."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lib.local.catalog.catalog import Catalog, Function

_WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")


def found(catalog: Catalog, words: Sequence[str]) -> list[Function]:
    """Return the functions in which each of the words is, those first where it says most; without words all of them."""
    functions = list(catalog.functions.values())
    wanted = [part.lower() for word in words for part in word.split()]
    if not wanted:
        return functions
    whole = " ".join(wanted)
    ranked = [(_rank(function, wanted, whole), function) for function in functions]
    ranked.sort(key=lambda one: -one[0])  # equal ones stay in the order of the manifest
    return [function for rank, function in ranked if rank]


def _rank(function: Function, wanted: Sequence[str], whole: str) -> int:
    """Return how well a function fits, 0 where a word is nowhere in it."""
    command = _command(function.commands, whole)
    single = [_one(function, word) for word in wanted]
    return command + sum(single) if command or all(single) else 0


def _command(commands: Sequence[str], whole: str) -> int:
    """Return the points for a command that is meant, with or without the program's name; more for a first one."""
    for place, command in enumerate(commands):
        _, _, arguments = command.lower().partition(" ")
        if whole in (command.lower(), arguments):
            return 1000 - min(place, 9)
    return 0


def _one(function: Function, word: str) -> int:
    key, title = function.key.lower(), function.title.lower()
    if word == key:
        return 900
    points = 0
    if word in (part.lower() for part in _WORD.findall(function.key)):
        points += 90
    elif word in key:
        points += 60
    if word in title.split():
        points += 50
    elif word in title:
        points += 30
    if word in function.group.lower():
        points += 20
    if any(word in command.lower().split() for command in function.commands):
        points += 40
    if word in function.description.lower():
        points += 10
    return points
