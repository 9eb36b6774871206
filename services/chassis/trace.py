"""Traces: the trace that a piece of work belongs to, as W3C Trace Context writes it (`traceparent`).

It is carried from a request to everything that follows from it, recorded or not; `tracing` records it where that is
switched on. A malformed traceparent is ignored.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Any, Literal

HEADER = "traceparent"
FORM = re.compile("00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")

Role = Literal["server", "client", "producer", "consumer"]

_current: ContextVar[str | None] = ContextVar(HEADER, default=None)

current = _current.get


def current_id() -> str | None:
    """The trace's id as log lines have it, or None."""
    traceparent = _current.get()
    return traceparent and traceparent.split("-")[1]


class Span:
    """A piece of work within a trace, named by us and never after input (X-08); this one is not recorded."""

    def __init__(self, traceparent: str | None) -> None:
        self.traceparent = traceparent

    @contextmanager
    def active(self) -> Iterator[None]:
        """Make everything that is done or spawned meanwhile part of the span."""
        before = _current.set(self.traceparent)
        try:
            yield
        finally:
            _current.reset(before)

    def set_response(self, name: str, status: int) -> None:
        """Set what is known of an HTTP request once it was answered."""

    def end(self, error: BaseException | None = None) -> None:
        """End it, with the error that ended it, if any."""


class Recorder:
    """Makes the spans of a process; this one records none."""

    def span(self, role: Role, name: str, traceparent: str | None) -> Span:
        """Begin a span."""
        return Span(traceparent)

    def close(self) -> None:
        """Send what is left, within two seconds."""


_recorder = Recorder()


def record_with(recorder: Recorder) -> None:
    """Make every span of this process with this recorder from now on."""
    global _recorder  # noqa: PLW0603 - as logging, one for the process
    _recorder = recorder


def close() -> None:
    """Send the spans that are left."""
    _recorder.close()


def within(traceparent: Any) -> AbstractContextManager[None]:
    """Do what follows within this trace, which was stored with the work."""
    return Span(_read(traceparent)).active()


def begin(role: Role, name: str, traceparent: Any) -> Span:
    """Begin a span within this trace, or within none; the caller ends it."""
    return _recorder.span(role, name, _read(traceparent))


@contextmanager
def span(role: Role, name: str, *traceparents: Any) -> Iterator[Span]:
    """Begin a span within each of these traces; what is done meanwhile belongs to the first of them."""
    spans = [_recorder.span(role, name, traceparent) for traceparent in dict.fromkeys(map(_read, traceparents))]
    with spans[0].active():
        try:
            yield spans[0]
        except BaseException as error:
            _end(spans, error)
            raise
        _end(spans)


def _end(spans: Iterable[Span], error: BaseException | None = None) -> None:
    for span in spans:
        span.end(error)


def _read(value: Any) -> str | None:
    return value if isinstance(value, str) and FORM.fullmatch(value) else None
