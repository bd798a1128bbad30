"""Shows a run to people: emissions on stdout; notes, progress and errors on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from lib.jsontext import decode, encode
from lib.local.output.emission import Emission
from lib.local.problems import OutputClosed
from lib.sailor.logging import LEVELS

_LINES = 60
"""Lines of JSON that are shown of one message."""
_COLUMNS = 6
_CELL = 48
"""Characters."""
_PIPE_WIDTH = 160
"""Characters of a line when stdout is no terminal."""
_CONTROLS = dict.fromkeys((*range(9), *range(11, 32), *range(127, 160)), "�")  # all but tab and newline


class _Pipe(Console):
    """A console that ends the run when its reader has closed the pipe."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        raise OutputClosed


class Terminal:
    """Shows a run as text and tables; with `debug` also all log lines of the steps."""

    def __init__(self, *, debug: bool = False) -> None:
        terminal = sys.stdout.isatty()
        self._out = _Pipe(highlight=False, width=None if terminal else _PIPE_WIDTH)
        one_place = terminal and sys.stderr.isatty()  # then progress and emissions need one console
        self._log = self._out if one_place else _Pipe(stderr=True, highlight=False)
        self._debug = debug

    def emission(self, emission: Emission, *, brief: bool = False) -> None:
        if emission.event == "error":
            self.problem(f"{emission.step}: {emission.message.get('message')}")
        elif emission.event == "rebound":
            self.note(f"{emission.step}: put back for later: {emission.message.get('reason')}")
        elif brief and not self._debug:
            return
        elif emission.event == "data":
            self._data(emission)
        elif self._debug or emission.event == "httpReply":
            self._out.print(f"[bold cyan]{escape(emission.step)}[/] {emission.event}")
            self._json(emission.message)

    def report(self, title: str, report: Any) -> None:
        if not isinstance(report, dict):
            self.text(_text(report))
            return
        table = Table(title=title, title_style="bold", title_justify="left", show_header=False)
        table.add_column(style="cyan", no_wrap=True)
        table.add_column(overflow="fold")
        for name, value in report.items():
            table.add_row(name, _shown(_text(value)))
        self._out.print(table)

    def note(self, text: str) -> None:
        self._log.print(_shown(text, "dim"), soft_wrap=True)

    def problem(self, text: str) -> None:
        self._log.print(Text.assemble(("Error: ", "bold red"), _shown(text)), soft_wrap=True)

    def working(self, text: str) -> AbstractContextManager[object]:
        if not self._log.is_terminal:
            return nullcontext()
        spinner = Spinner("dots", escape(text))
        return Live(spinner, console=self._log, transient=True, redirect_stdout=False, redirect_stderr=False)

    def verdict(self, verdict: Mapping[str, Any]) -> None:
        if not verdict["verified"]:
            self.problem(f"The credential was refused: {verdict.get('reason', 'no reason was given')}")
        else:
            self.text("The credential is good", "green")
        for name, value in verdict.items():
            if name not in ("verified", "reason"):
                self.text(f"  {name}: {_text(value)}")

    def log_line(self, line: Mapping[str, Any]) -> None:
        level = line.get("level", 0)
        if self._debug:
            self._log.print(_shown(encode(line).decode()), soft_wrap=True)
        elif level == LEVELS["fatal"]:  # the step ended; its other errors come as emissions
            self.problem(f"{line.get('step')}: {line.get('err', {}).get('message') or line.get('msg')}")
        elif level == LEVELS["warn"]:
            self._log.print(Text.assemble(("Warning: ", "yellow"), _shown(str(line.get("msg", "")))))

    def table(self, title: str, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
        """Show a table as wide as the terminal; long cells are folded."""
        table = Table(
            title=title or None, title_justify="left", title_style="bold", header_style="bold", box=None
        )
        for number, column in enumerate(columns):
            table.add_column(column, style="cyan" if number == 0 else "", overflow="fold")
        for row in rows:
            table.add_row(*(_shown(cell) for cell in row))
        self._out.print(table)

    def text(self, text: str, style: str = "") -> None:
        self._out.print(_shown(text, style), soft_wrap=True)

    def _data(self, emission: Emission) -> None:
        body = decode(encode(emission.message.get("body")))
        self._out.print(f"[bold cyan]{escape(emission.step)}[/] →")
        results = body.get("results") if isinstance(body, dict) and len(body) == 1 else None
        if isinstance(results, list) and results and all(isinstance(item, dict) for item in results):
            self._results(results)
        elif isinstance(body, dict) and isinstance(body.get("text"), str) and len(body) == 1:
            self.text(body["text"])
        else:
            self._json(body)
        for name, attachment in (emission.message.get("attachments") or {}).items():
            self.text(f"attachment {name}: {attachment.get('url')} ({attachment.get('size', '?')} bytes)")

    def _results(self, results: list[dict[str, Any]]) -> None:
        columns = [key for key, value in results[0].items() if not isinstance(value, dict)][:_COLUMNS]
        rows = [tuple(_cell(item.get(column)) for column in columns) for item in results]
        self.table("", tuple(columns), rows)
        self.note(f"{len(results)} results; --json shows them whole")

    def _json(self, value: Any) -> None:
        lines = json.dumps(decode(encode(value)), indent=2, ensure_ascii=False).splitlines()
        self.text("\n".join(lines[:_LINES]))
        if len(lines) > _LINES:
            self.note(f"{len(lines) - _LINES} more lines; --json shows them all")


def _shown(text: str, style: str = "") -> Text:
    """Return a text to show as it is: markup has no effect, control characters of a container's output are replaced."""
    return Text(text.translate(_CONTROLS), style=style)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _cell(value: Any) -> str:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        value = ", ".join(value)
    text = _text(value)
    return text if len(text) <= _CELL else f"{text[: _CELL - 1]}…"
