"""Logs: one JSON object a line on standard error; ids and counts, never names or inputs (X-08)."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog

QUIET = {
    "nameko.containers": logging.CRITICAL,
    "amqp": logging.WARNING,
    "kombu": logging.WARNING,
    "pymongo": logging.WARNING,
}
"""Loggers of others that would say what we say ourselves, or too much."""


def set_up(level: str) -> None:
    """Send our own and every library's log lines the same way."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.getLevelName(level), force=True)
    for name, quiet in QUIET.items():
        logging.getLogger(name).setLevel(quiet)
