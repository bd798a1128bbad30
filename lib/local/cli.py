"""The entry point of the command line: chooses command and output, and turns errors into exit codes."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

from lib.local.options import parser
from lib.local.problems import OutputClosed, UsageError

OK, STEP_FAILED, WRONG_USAGE, INTERRUPTED, TERMINATED, PIPE_CLOSED = 0, 1, 2, 130, 143, 141
"""Exit codes; the last three are 128 + the number of the signal."""


class Terminated(KeyboardInterrupt):
    """SIGTERM or SIGHUP came; as with Ctrl-C, all `with` blocks remove what they made."""


_signals: list[int] = []
"""Signals that have come. The exception alone does not tell: a library can lose it that it meets in a callback."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code: 0, or one of the constants above."""
    code = _ended(arguments)
    return TERMINATED if _signals else code


def _ended(arguments: Sequence[str] | None) -> int:
    options = parser().read(arguments)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _terminate)
    output: Any = None
    try:
        output = _output(options)
        return _run(options, output)
    except UsageError as error:
        _tell(output, str(error))
        return WRONG_USAGE
    except (OutputClosed, BrokenPipeError):
        _close_quietly()
        return PIPE_CLOSED
    except Terminated:
        return TERMINATED
    except KeyboardInterrupt:
        if output is not None:
            output.interrupted()
        return INTERRUPTED
    except Exception as error:
        if options.debug:
            raise
        _tell(output, f"{_sentence(error)} (--debug shows where)")
        return STEP_FAILED


def _run(options: Namespace, output: Any) -> int:
    if options.version:
        return _version(options, output)
    command = options.command or "example"
    if command in ("list", "describe"):
        return _show(options, output)
    return _runner(command)(options, output)


def _runner(command: str) -> Callable[[Namespace, Any], int]:
    """Return the function of a command that runs steps; it is imported late, because list and describe start faster."""
    if command == "example":
        from lib.local.example import run_example

        return run_example
    if command == "verify":
        from lib.local.verify import verify

        return verify
    if command == "completion":
        from lib.local.completion import complete

        return complete
    if command == "engine":
        from lib.local.serve_engine import serve_engine

        return serve_engine
    from lib.local import commands

    return {"action": commands.run_action, "trigger": commands.run_trigger, "flow": commands.run_flow}[
        command
    ]


def _version(options: Namespace, output: Any) -> int:
    """Show the version of the component that the options name, and that of the runtime, which is this one's."""
    from lib.local.catalog.catalog import Catalog
    from lib.local.component_folder import OWN_COMPONENT, folder_of

    component, own = Catalog.read(folder_of(options)), Catalog.read(OWN_COMPONENT)
    output.text(f"{component.title} {component.version or '(no version)'}")
    output.text(f"Runtime {own.version} on Python {sys.version.partition(' ')[0]}")
    return OK


def _show(options: Namespace, output: Any) -> int:
    from lib.local.catalog.catalog import Catalog
    from lib.local.catalog.describe import summary, whole
    from lib.local.component_folder import folder_of

    catalog = Catalog.read(folder_of(options))
    if options.command == "list":
        from lib.local.catalog.search import found

        functions = found(catalog, options.words)
        if options.json:
            for function in functions:
                output.value(summary(function))
        else:
            from lib.local.output.pages import show_list

            show_list(functions, len(catalog.functions), output)
        return OK
    function = catalog.find(options.key)
    if options.json:
        output.value(whole(function))
    else:
        from lib.local.output.pages import show_function

        show_function(function, output)
    return OK


def _output(options: Namespace) -> Any:
    if options.json and (options.columns or options.wide):
        raise UsageError(
            "--columns and --wide shape tables", hint="With --json everything is there: leave them out"
        )
    if options.json:
        from lib.local.output.json_lines import JsonLines

        return JsonLines()
    try:
        from lib.local.output.lists import View
        from lib.local.output.terminal import Terminal
    except ImportError as error:
        raise UsageError(
            f"{error.name} is not installed", hint="Install requirements-local.txt, or use --json"
        ) from error
    return Terminal(debug=options.debug, view=View(options.columns, options.wide), steps=options.steps)


def _sentence(error: Exception) -> str:
    """Return the text of an error; for a ComponentError also that of its cause, which has the reason."""
    from lib.sailor.errors import ComponentError

    text = str(error) or type(error).__name__
    return f"{text}: {error.__cause__}" if isinstance(error, ComponentError) and error.__cause__ else text


def _tell(output: Any, text: str) -> None:
    if output is None:
        print(f"Error: {text}", file=sys.stderr)
    else:
        output.problem(text)


def _terminate(number: int, _frame: FrameType | None) -> None:
    _signals.append(number)
    raise Terminated


def _close_quietly() -> None:
    """Replace a closed stdout by /dev/null, so that Python's flush at exit does not raise."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
