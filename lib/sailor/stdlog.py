"""What libraries write with the standard `logging` becomes lines of ours."""

from __future__ import annotations

import logging

from lib.sailor.logging import Logger


class Forward(logging.Handler):
    """Hands records of libraries to our logger."""

    def __init__(self, logger: Logger) -> None:
        super().__init__(logging.WARNING)
        self._logger = logger

    def emit(self, record: logging.LogRecord) -> None:
        write = self._logger.error if record.levelno >= logging.ERROR else self._logger.warning
        error = record.exc_info[1] if record.exc_info else None
        write(record.getMessage(), library=record.name, **({"err": error} if error else {}))


def forward_library_logs(logger: Logger) -> None:
    """Take over warnings and errors of libraries, except the AMQP client's: those we tell ourselves."""
    logging.getLogger().addHandler(Forward(logger.named("component")))
    logging.getLogger("pika").propagate = False
    logging.getLogger("pika").setLevel(logging.CRITICAL)
