"""Shows a run to people: emissions on stdout; notes, progress and errors on stderr."""

from __future__ import annotations

import json
import os
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from rich.console import Console, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from lib.jsontext import decode, encode
from lib.local.catalog.catalog import Function, Schema
from lib.local.output.emission import PROGRESS, Emission
from lib.local.output.fitting import width
from lib.local.output.forms import LONGEST, text
from lib.local.output.grid import Rows, grid
from lib.local.output.lists import Listing, View, listings, note, rest_of, row_columns
from lib.local.output.shown import shown
from lib.local.output.status import Waiting, Working
from lib.local.problems import OutputClosed, UsageError
from lib.sailor.logging import LEVELS

_LINES = 60
"""Lines of JSON that are shown of one message."""
_READ = 1000
"""Lines of a step's progress that are kept, each of at most LONGEST characters."""


class _Pipe(Console):
    """A console that ends the run when its reader has closed the pipe."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        raise OutputClosed


class Terminal:
    """Shows a run as text and tables; with `debug` also all log lines of the steps.

    `view` says what tables show. With `steps`, emissions are shown although a report shows what came of them.
    """

    live = True

    def __init__(self, *, debug: bool = False, view: View | None = None, steps: bool = False) -> None:
        terminal = sys.stdout.isatty()
        piped = None if terminal else width(os.environ, (0, 2))
        self._out = _Pipe(highlight=False, width=piped)
        one_place = terminal and sys.stderr.isatty()  # then progress and emissions need one console
        self._log = self._out if one_place else _Pipe(stderr=True, highlight=False)
        self._debug = debug
        self._view = view or View()
        self._steps = steps
        self._functions: Mapping[str, Function] = {}
        self._schemas: dict[str, Schema] = {}
        self._rows = Rows()
        self._read: deque[str] = deque(maxlen=_READ)

    def running(self, functions: Mapping[str, Function]) -> None:
        self._functions = functions

    def emission(self, emission: Emission, *, brief: bool = False) -> None:
        if emission.event == "data":
            self._read.clear()  # what was read is told now
        if emission.event == "error":
            self.problem(f"{emission.step}: {emission.message.get('message')}")
        elif emission.event == "rebound":
            self.note(f"{emission.step}: put back for later: {emission.message.get('reason')}")
        elif brief and not (self._debug or self._steps):
            return
        elif emission.event == "data":
            self._data(emission)
        elif self._debug or emission.event == "httpReply":
            self._head(emission.step, emission.event)
            self._json(emission.message)

    def report(self, title: str, report: Any) -> None:
        if not isinstance(report, dict):
            self.text(_said(report))
            return
        table = Table(title=title, title_style="bold", title_justify="left", show_header=False)
        table.add_column(style="cyan", no_wrap=True)
        table.add_column(overflow="fold")
        for name, value in report.items():
            table.add_row(name, shown(_said(value)))
        self._rows.broken()
        self._out.print(table)

    def note(self, text: str) -> None:
        self._log.print(shown(text, "dim"), soft_wrap=True)

    def problem(self, text: str) -> None:
        self._log.print(Text.assemble(("Error: ", "bold red"), shown(text)), soft_wrap=True)

    def working(self, text: str) -> AbstractContextManager[object]:
        return self._status(Working(text, self._read))

    def waiting(self, poll: int, new: int, seconds: float) -> AbstractContextManager[object]:
        return self._status(Waiting(poll, new, seconds))

    def _status(self, status: RenderableType) -> AbstractContextManager[object]:
        if not self._log.is_terminal:
            return nullcontext()
        return Live(status, console=self._log, transient=True, redirect_stdout=False, redirect_stderr=False)

    def interrupted(self) -> None:
        if self._read:
            self.note(f"Interrupted; read so far ({len(self._read)} lines):")
            self.text("\n".join(self._read))
            self._read.clear()

    def verdict(self, verdict: Mapping[str, Any]) -> None:
        if not verdict["verified"]:
            self.problem(f"The credential was refused: {verdict.get('reason', 'no reason was given')}")
        else:
            self.text("The credential is good", "green")
        for name, value in verdict.items():
            if name not in ("verified", "reason"):
                self.text(f"  {name}: {_said(value)}")

    def log_line(self, line: Mapping[str, Any]) -> None:
        level = line.get("level", 0)
        if level == LEVELS["trace"]:
            if line.get("msg") == PROGRESS:
                self._read.append(str(line.get("line", ""))[:LONGEST])
        elif self._debug:
            self._log.print(shown(encode(line).decode()), soft_wrap=True)
        elif level == LEVELS["fatal"]:  # the step ended; its other errors come as emissions
            self.problem(f"{line.get('step')}: {line.get('err', {}).get('message') or line.get('msg')}")
        elif level == LEVELS["warn"]:
            self._log.print(Text.assemble(("Warning: ", "yellow"), shown(str(line.get("msg", "")))))

    def table(self, title: str, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
        """Show a table as wide as the terminal; long cells are folded."""
        table = Table(
            title=title or None, title_justify="left", title_style="bold", header_style="bold", box=None
        )
        for number, column in enumerate(columns):
            table.add_column(column, style="cyan" if number == 0 else "", overflow="fold")
        for row in rows:
            table.add_row(*(shown(cell) for cell in row))
        self._out.print(table)

    def text(self, text: str, style: str = "") -> None:
        self._rows.broken()
        self._out.print(shown(text, style), soft_wrap=True)

    def _data(self, emission: Emission) -> None:
        body = decode(encode(emission.message.get("body")))
        schema = self._schema(emission.step)
        tables = listings(body, schema, self._view)
        columns = () if tables else row_columns(body, schema, self._view)
        if columns:
            room = None if self._view.wide else self._out.width
            for line in self._rows.lines(emission.step, columns, body, room):
                self._out.print(line, soft_wrap=True)
        else:
            self._head(emission.step, "→")
            self._whole(body, tables)
        for name, attachment in (emission.message.get("attachments") or {}).items():
            self.text(f"attachment {name}: {attachment.get('url')} ({attachment.get('size', '?')} bytes)")

    def _whole(self, body: Any, tables: Sequence[Listing]) -> None:
        for table in tables:
            if len(tables) > 1:
                self.text(table.name, "bold")
            self._list(table)
        rest = rest_of(body, tables) if tables else body
        if isinstance(rest, dict) and isinstance(rest.get("text"), str) and len(rest) == 1:
            self.text(rest["text"])
        elif tables and not any(isinstance(value, dict | list) for value in rest.values()):
            for name, value in rest.items():
                self.text(f"{name}: {text(value)}")
        else:
            self._json(rest)

    def _list(self, listing: Listing) -> None:
        self._rows.broken()
        laid = grid(listing.columns, listing.rows, None if self._view.wide else self._out.width)
        for line in laid.lines:
            self._out.print(line, soft_wrap=True)
        self.note(note(listing, laid.widths, laid.cut))

    def _head(self, step: str, event: str) -> None:
        self._rows.broken()
        self._out.print(f"[bold cyan]{escape(step)}[/] {escape(event)}")

    def _schema(self, step: str) -> Schema:
        """Return the out-schema of the function that a step runs; empty where it has none that can be read."""
        if step not in self._schemas:
            function = self._functions.get(step)
            try:
                found = function.schema("out") if function else {}
            except UsageError:
                found = {}
            self._schemas[step] = found if isinstance(found, dict) else {}
        return self._schemas[step]

    def _json(self, value: Any) -> None:
        lines = json.dumps(decode(encode(value)), indent=2, ensure_ascii=False).splitlines()
        self.text("\n".join(lines[:_LINES]))
        if len(lines) > _LINES:
            self.note(f"{len(lines) - _LINES} more lines; --json shows them all")


def _said(value: Any) -> str:
    """Return a value of a report: a list keeps its brackets, so that its items can be told apart."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list) else text(value)
