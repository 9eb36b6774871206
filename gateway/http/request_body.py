"""Request bodies: a deadline for one that trickles in, and the draining of one that nobody read."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Any

import eventlet
import eventlet.wsgi

DRAINED = 30_000_000  # bytes of an unread body that are drained, so that the client can read the response


class DeadlineBody:
    """A request body that has to arrive within some seconds; one that trickles in would hold its place for hours.

    Reading raises `TimeoutError` after the deadline.
    """

    def __init__(self, body: Any, seconds: float) -> None:
        self._body, self._until = body, monotonic() + seconds

    def extend(self, seconds: float) -> None:
        """Move the deadline, for a body that may be long."""
        self._until += seconds

    def read(self, *size: int) -> bytes:
        """Read as a file does."""
        return self._in_time(self._body.read, *size)

    def readline(self, *size: int) -> bytes:
        """Read a line as a file does."""
        return self._in_time(self._body.readline, *size)

    def _in_time(self, read: Callable[..., bytes], *size: int) -> bytes:
        with eventlet.Timeout(max(0.001, self._until - monotonic()), TimeoutError("the body takes too long")):
            return read(*size)


def drain(environ: dict[str, Any]) -> None:
    """Read the rest of a body: a connection closed with unread bytes is reset, and the response is lost with it.

    A client that waits for our word before the body (`Expect: 100-continue`) has not sent any.
    """
    left = 0 if "HTTP_EXPECT" in environ else DRAINED
    with suppress(OSError, ValueError):  # broken off, or invalid chunks: no client waits for the response
        while left > 0 and (chunk := environ["wsgi.input"].read(min(left, 65_536))):
            left -= len(chunk)
