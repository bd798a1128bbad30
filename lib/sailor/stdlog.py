"""Forwards records of the standard `logging`, which libraries use, to the runtime's logger."""

from __future__ import annotations

import logging

from lib.sailor.logging import Logger


class Forward(logging.Handler):
    """A handler that writes records of level WARNING and above as log lines."""

    def __init__(self, logger: Logger) -> None:
        super().__init__(logging.WARNING)
        self._logger = logger

    def emit(self, record: logging.LogRecord) -> None:
        write = self._logger.error if record.levelno >= logging.ERROR else self._logger.warning
        error = record.exc_info[1] if record.exc_info else None
        write(record.getMessage(), library=record.name, **({"err": error} if error else {}))


def forward_library_logs(logger: Logger) -> None:
    """Log warnings and errors of libraries; not those of the AMQP client, for which lib/sailor/amqp has own lines."""
    logging.getLogger().addHandler(Forward(logger.named("component")))
    logging.getLogger("pika").propagate = False
    logging.getLogger("pika").setLevel(logging.CRITICAL)
