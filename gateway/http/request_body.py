"""Request bodies: a deadline for one that trickles in, and the draining of one that nobody read."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Any

import eventlet
import eventlet.wsgi

DRAINED = 30_000_000  # bytes of a body that nobody wanted, taken so that its sender reads the answer


class DeadlineBody:
    """A body that has to come within so many seconds; one that trickles in would hold its place for hours."""

    def __init__(self, body: Any, seconds: float) -> None:
        self._body, self._until = body, monotonic() + seconds

    def grant(self, seconds: float) -> None:
        """So many more, for a body that may be long."""
        self._until += seconds

    def read(self, *size: int) -> bytes:
        return self._in_time(self._body.read, *size)

    def readline(self, *size: int) -> bytes:
        return self._in_time(self._body.readline, *size)

    def _in_time(self, take: Callable[..., bytes], *size: int) -> bytes:
        with eventlet.Timeout(max(0.001, self._until - monotonic()), TimeoutError("the body takes too long")):
            return take(*size)


def _drain(environ: dict[str, Any]) -> None:
    """Take what is left of a body: a connection closed with unread bytes is reset, and its answer lost with it.

    Whoever waits for our word before the body (`Expect`) has not sent any.
    """
    left = 0 if "HTTP_EXPECT" in environ else DRAINED
    with suppress(OSError, ValueError):  # broken off, or no chunks: then nobody waits for an answer
        while left > 0 and (piece := environ["wsgi.input"].read(min(left, 65_536))):
            left -= len(piece)
