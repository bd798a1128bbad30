"""The command line of the local runner."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from lib.local.parser import Parser

_DURATION = re.compile(r"^(\d+(?:\.\d+)?)(ms|s|m|h)?$")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
SHELLS = ("bash", "zsh", "fish")
_EPILOG = """
The engine is the one that --engine, a credential in --config, DOCKER_HOST, DOCKER_CONTEXT, the current
context of the docker command line, or a usual socket names, in this order; verify tells which. Without a
command, the example flow runs. Exit codes: 0 done, 1 a step ended in an error, 2 wrong usage.
"""


def parser() -> Parser:
    """Return the parser of all commands; argparse ends the process with exit code 2 for wrong arguments."""
    top = Parser(
        prog="scripts/run",
        description="Run steps and flows of this component on this machine.",
        epilog=_EPILOG,
    )
    top.add_argument("--version", action="store_true", help="show the versions of component and runtime")
    top.set_defaults(
        command=None, json=False, debug=False, component=None, data=None, config=None, engine=None
    )
    top.set_defaults(rebound_pause=None, config_of=[], columns=None, wide=False, steps=False)
    commands = top.add_subparsers(dest="command", metavar="COMMAND")
    listing = _command(commands, "list", "show all triggers and actions")
    listing.add_argument(
        "words",
        nargs="*",
        metavar="WORD",
        help="only those with these words in key, title, group, description or docker command, best first",
    )
    _command(commands, "describe", "show inputs, outputs, settings and an example of one").add_argument("key")
    _action(commands)
    _trigger(commands)
    _flow(commands)
    _running(_command(commands, "verify", "check the credential against the engine"))
    _running(_command(commands, "example", "run the example flow on a container that crashes"))
    completing = _command(commands, "completion", "print a script by which a shell completes what you type")
    completing.add_argument("shell", choices=SHELLS)
    _command(commands, "engine", "start a private engine to try things on, until Ctrl-C")
    return top


def _action(commands: argparse._SubParsersAction[Parser]) -> None:
    action = _shaped(_running(_command(commands, "action", "run one action on one message")))
    action.add_argument("key")
    action.add_argument(
        "--body", default="{}", metavar="JSON", help="the message body: JSON, @file, - for stdin"
    )
    action.add_argument(
        "--attachment",
        action="append",
        default=[],
        type=_named_file,
        metavar="NAME=FILE",
        help="attach a file (repeatable)",
    )


def _trigger(commands: argparse._SubParsersAction[Parser]) -> None:
    trigger = _shaped(_polling(_running(_command(commands, "trigger", "poll one trigger"))))
    trigger.add_argument("key")


def _flow(commands: argparse._SubParsersAction[Parser]) -> None:
    flow = _shaped(_polling(_running(_command(commands, "flow", "run a flow file in the platform's form"))))
    flow.add_argument(
        "--steps", action="store_true", help="show what each step emits, although the flow has a report"
    )
    flow.add_argument("file", type=Path)
    flow.add_argument(
        "--amqp", metavar="URI", help="run each step as a process of its own over this RabbitMQ"
    )
    flow.add_argument(
        "--config-of",
        nargs=2,
        action="append",
        default=[],
        metavar=("STEP", "JSON"),
        help="settings for one step, over those of the file (repeatable)",
    )


def _command(commands: argparse._SubParsersAction[Parser], name: str, text: str) -> Parser:
    command = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
    command.add_argument("--json", action="store_true", help="JSON lines on stdout, for pipes")
    command.add_argument(
        "--component", type=Path, metavar="DIR", help="another component than this one (its folder)"
    )
    command.add_argument("--debug", action="store_true", help="full detail on stderr")
    return command


def _configured(command: Parser) -> Parser:
    command.add_argument("--config", metavar="JSON", help="credential and settings: JSON, @file, - for stdin")
    command.add_argument("--engine", metavar="URL", help="the engine to use, such as unix:///run/docker.sock")
    return command


def _running(command: Parser) -> Parser:
    command.add_argument(
        "--data", type=Path, metavar="DIR", help="keep attachments here (default: a temporary folder)"
    )
    command.add_argument(
        "--rebound-pause",
        type=duration,
        metavar="TIME",
        help="pause before the first rebound, doubled for each further one "
        "(flows and triggers: 15s, as on the platform; one action: a rebound ends the run)",
    )
    return _configured(command)


def _shaped(command: Parser) -> Parser:
    command.add_argument(
        "--columns",
        type=_paths,
        metavar="A,B,...",
        help="what tables show of each item: titles of columns, or paths such as Id or Spec.Name",
    )
    command.add_argument("--wide", action="store_true", help="tables show all columns, and no cell is cut")
    return command


def _polling(command: Parser) -> Parser:
    command.add_argument(
        "--every", type=duration, default=5.0, metavar="TIME", help="pause between polls: 500ms, 5s, 1m (5s)"
    )
    command.add_argument("--times", type=_count, metavar="N", help="number of polls (default: until Ctrl-C)")
    command.add_argument("--state", type=Path, metavar="FILE", help="keep the trigger's snapshot here")
    return command


def duration(text: str) -> float:
    """Return the seconds of a text such as 500ms, 5s, 2m, 1h; a number without a unit is seconds."""
    match = _DURATION.match(text)
    if not match:
        raise argparse.ArgumentTypeError(f"{text!r} is no time; write 500ms, 5s, 2m or 1h")
    return float(match[1]) * _SECONDS[match[2] or "s"]


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 up")
    return int(text)


def _paths(text: str) -> tuple[str, ...]:
    paths = tuple(path.strip() for path in text.split(","))
    if not all(paths):
        raise argparse.ArgumentTypeError(f"{text!r} must have the form A,B: paths or titles with commas")
    return paths


def _named_file(text: str) -> tuple[str, Path]:
    name, separator, file = text.partition("=")
    if not separator or not name or not file:
        raise argparse.ArgumentTypeError(f"{text!r} must have the form NAME=FILE")
    if not Path(file).is_file():
        raise argparse.ArgumentTypeError(f"there is no file {file}")
    return name, Path(file)
