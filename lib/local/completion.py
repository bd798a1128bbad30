"""The command completion: a script for bash, zsh or fish that completes commands, options and keys of functions.

The script is made once from the parser and the component; no program runs while somebody types.
"""

from __future__ import annotations

import argparse
import sys
from argparse import Namespace
from typing import Any

import shtab

from lib.local.catalog.catalog import Catalog
from lib.local.component_folder import folder_of
from lib.local.options import parser

_PROGRAM = "run"
"""Shells look for the name of the file, whatever path to it is typed."""
_FILES = ("state", "file")
_FOLDERS = ("component", "data")
_KINDS = {"action": ("action",), "trigger": ("trigger",), "describe": ("trigger", "action")}


def complete(options: Namespace, output: Any) -> int:  # noqa: ARG001 - a script is no text for people: it goes to stdout
    """Print the script of a shell; return the exit code 0."""
    sys.stdout.write(script(options.shell, Catalog.read(folder_of(options))))
    return 0


def script(shell: str, catalog: Catalog) -> str:
    """Return the script of a shell."""
    top = parser()
    for name, command in top.commands().items():
        for action in command._actions:  # noqa: SLF001 - argparse has no other way to them
            _completed(action, name, catalog)
    top.prog = _PROGRAM
    return str(shtab.complete(top, shell=shell)) + "\n"


def _completed(action: argparse.Action, command: str, catalog: Catalog) -> None:
    if action.dest == "key":
        action.choices = sorted(key for kind in _KINDS[command] for key in catalog.keys(kind))
    elif action.dest in _FOLDERS:
        action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
    elif action.dest in _FILES:
        action.complete = shtab.FILE  # type: ignore[attr-defined]
