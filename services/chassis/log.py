"""Logs: one JSON object a line on standard error; ids and counts, never names or inputs (X-08)."""

from __future__ import annotations

import logging
import sys
import traceback
from pathlib import PurePath
from typing import Any

import structlog

from services.chassis import trace

QUIET = {
    "nameko.containers": logging.CRITICAL,
    "amqp": logging.WARNING,
    "kombu": logging.WARNING,
    "pymongo": logging.WARNING,
}
"""Loggers of libraries that would repeat our own lines, or log too much."""


def set_up(level: str, *services: str) -> None:
    """Send our own and every library's log lines the same way; each names the services of this process."""
    shared: list[Any] = [
        _of_trace,
        structlog.contextvars.merge_contextvars,
        _of("+".join(services)),
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


def _of(services: str) -> Any:
    def add(_: Any, __: str, line: dict[str, Any]) -> dict[str, Any]:
        return {"service": services, **line}

    return add


def _of_trace(_logger: Any, _method: str, line: dict[str, Any]) -> dict[str, Any]:
    trace_id = trace.current_id()
    return {**line, "trace_id": trace_id} if trace_id else line


def malfunction(error: BaseException, **where: Any) -> None:
    """Log our mistake: its type and place, without its text, which may hold input (X-08)."""
    frames = traceback.extract_tb(error.__traceback__)[-8:]
    structlog.get_logger().error(
        "malfunction",
        **where,
        error=type(error).__name__,
        at=[f"{PurePath(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames],
    )
