"""The trace that something belongs to, as W3C Trace Context writes it (`traceparent`).

It is carried from a request to all that follows of it, whether or not anybody records it; `tracing` does, where it is
switched on. What is no traceparent is ignored.
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
    """As log lines have it."""
    traceparent = _current.get()
    return traceparent and traceparent.split("-")[1]


class Span:
    """A piece of work within a trace, named by us and never by what somebody said (X-08); this one is not recorded."""

    def __init__(self, traceparent: str | None) -> None:
        self.traceparent = traceparent

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """What is done meanwhile, and what is spawned, belongs to it."""
        before = _current.set(self.traceparent)
        try:
            yield
        finally:
            _current.reset(before)

    def tell(self, name: str, status: int) -> None:
        """What is known of a request over HTTP when it was answered."""

    def end(self, error: BaseException | None = None) -> None:
        """It is done, or ended by this error."""


class Recorder:
    """Makes the spans of a process; this one records none."""

    def span(self, role: Role, name: str, traceparent: str | None) -> Span:
        return Span(traceparent)

    def close(self) -> None:
        """Send what is left, within two seconds."""


_recorder = Recorder()


def record_with(recorder: Recorder) -> None:
    """From now on every span of this process is made by this one."""
    global _recorder  # noqa: PLW0603 - as logging, one for the process
    _recorder = recorder


def close() -> None:
    _recorder.close()


def within(traceparent: Any) -> AbstractContextManager[None]:
    """What is done meanwhile belongs to this trace, of which it was put aside."""
    return Span(_read(traceparent)).going_on()


def begin(role: Role, name: str, traceparent: Any) -> Span:
    """A span within this trace, or within none; whoever begins it ends it."""
    return _recorder.span(role, name, _read(traceparent))


@contextmanager
def span(role: Role, name: str, *traceparents: Any) -> Iterator[Span]:
    """One within each of these traces; what is done meanwhile belongs to the first of them."""
    spans = [_recorder.span(role, name, one) for one in dict.fromkeys(map(_read, traceparents))]
    with spans[0].going_on():
        try:
            yield spans[0]
        except BaseException as error:
            _end(spans, error)
            raise
        _end(spans)


def _end(spans: Iterable[Span], error: BaseException | None = None) -> None:
    for one in spans:
        one.end(error)


def _read(said: Any) -> str | None:
    return said if isinstance(said, str) and FORM.fullmatch(said) else None
