"""ReportEngine: the parts of a report, what is worth a look, and the report as JSON or CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from contextlib import closing
from typing import Any

from lib import jsontext
from lib.engine.errors import BadInput, EngineError, NoManager, NotSupported, Unauthorized
from lib.engine.request.upload import Upload
from lib.job.errors import Interrupted
from lib.job.report.findings import differences, findings
from lib.job.report.parts import PARTS
from lib.job.work import Work

Tree = dict[str, Any]
FORM = 1
"""The form of a report, which tells one from other JSON."""
_LONGEST = 32 << 20
"""Bytes of an earlier report."""
_COLUMNS = (
    "name",
    "image",
    "state",
    "health",
    "exitCode",
    "restarts",
    "memoryLimit",
    "restartPolicy",
    "created",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def reported(work: Work) -> Tree:
    """Return the output of ReportEngine."""
    before = _earlier(work)
    report: Tree = {"form": FORM}
    missing: list[Tree] = []
    for name in work.fields.get("parts") or PARTS:
        if work.context.cancelled.is_set():
            raise Interrupted
        try:
            report[name] = PARTS[name](work)
        except (Unauthorized, NotSupported, NoManager) as refused:
            missing.append({"part": name, "reason": refused.message})
    found = findings(report)
    told: Tree = {"findings": found, "missing": missing, "text": _text(report, found)}
    if before is not None:
        told["differences"] = differences(before, report)
    return told | _formed(work, report)


def _formed(work: Work, report: Tree) -> Tree:
    form = str(work.fields.get("format") or "object")
    if form == "object":
        return {"report": report}
    data, kind = (
        (jsontext.encode(report), "application/json") if form == "json" else (_csv(report), "text/csv")
    )
    work.store([data], f"report.{form}", kind)
    return {"attachment": f"report.{form}", "size": len(data)}


def _csv(report: Mapping[str, Any]) -> bytes:
    """Return the containers as CSV; a text that a spreadsheet would take for a formula gets a quote before it."""
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(_COLUMNS)
    for one in report.get("containers") or []:
        rows.writerow([_cell(one[column]) for column in _COLUMNS])
    return out.getvalue().encode()


def _cell(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _text(report: Mapping[str, Any], found: list[Tree]) -> str:
    """Return the findings as lines with tabs, for a mail."""
    counts = [f"{name}: {len(part)}" for name, part in report.items() if isinstance(part, list)]
    lines = [f"{one['kind']}\t{one['name']}\t{one['finding']}\t{one['text']}" for one in found]
    return "\n".join([", ".join(counts), *lines])


def _earlier(work: Work) -> Mapping[str, Any] | None:
    """Return the report of the attachment `compareWith`; raises BadInput for what is none."""
    name = work.fields.get("compareWith")
    if name is None:
        return None
    upload: Upload = work.attached(str(name), "compareWith")
    data = bytearray()
    with closing(upload):
        try:
            for piece in upload:
                data += piece
                if len(data) > _LONGEST:
                    raise BadInput(f"{name} is longer than {_LONGEST} bytes", field="compareWith")
        except EngineError as fault:
            if isinstance(fault, BadInput):
                raise
            raise BadInput(f"{name} cannot be read: {fault.message}", field="compareWith") from fault
    try:
        found = jsontext.decode(bytes(data))
    except ValueError:
        found = None
    if not isinstance(found, dict) or found.get("form") != FORM:
        raise BadInput(
            f"{name} is no report of this job", field="compareWith", hint="Give report.json of an earlier one"
        )
    return found
