"""Jobs: one wish of a flow, made of several calls of the engine, which a repeated message does not do twice."""

from lib.job.job import job
from lib.job.work import Work

__all__ = ["Work", "job"]
