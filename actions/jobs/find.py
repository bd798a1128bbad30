"""Jobs that look for something, or delete what they found."""

from __future__ import annotations

from typing import Any

from lib.job import Work, job
from lib.job.find.deletion import deleted
from lib.job.find.lookup import looked_up
from lib.job.find.pages import found_all
from lib.job.log_search import searched
from lib.job.report.report import reported


@job("LookupObject")
def lookup_object(work: Work) -> dict[str, Any]:
    """Look up one object by one criterion."""
    return looked_up(work)


@job("LookupObjects")
def lookup_objects(work: Work) -> dict[str, Any] | list[Any]:
    """Look up all objects that fulfil conditions."""
    return found_all(work)


@job("DeleteObject", changes=True)
def delete_object(work: Work) -> dict[str, Any]:
    """Delete the one object that a criterion finds."""
    return deleted(work)


@job("SearchLogs")
def search_logs(work: Work) -> dict[str, Any]:
    """Search the logs of containers for lines that match."""
    return searched(work)


@job("ReportEngine")
def report_engine(work: Work) -> dict[str, Any]:
    """Report what is on an engine and what is worth a look."""
    return reported(work)
