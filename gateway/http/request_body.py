"""Request bodies: the slowest that may come in, and the draining of one that nobody read."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Any

import eventlet
from eventlet.wsgi import ChunkReadError

from services.chassis.problem import FieldError, InvalidInput

SLOWEST = 50_000  # bytes a second of a long body or answer
DRAINED = 30_000_000  # bytes of an unread body that are drained, so that the client can read the response
LINGER = 2.0  # seconds that draining may take


class TooSlow(InvalidInput):
    """A request that comes in too slowly; nothing was done."""

    status, code = 408, "too_slow"
    title_en, title_zh = "The request comes in too slowly; nothing was done.", "请求传输过慢，未作处理。"


class BrokenBody(InvalidInput):
    """A body in chunks that are not as RFC 9112 has them."""


class PacedBody:
    """A request body that has to come in at `SLOWEST`, but for the first `seconds`; else it would hold for hours.

    Reading raises `TooSlow` where it falls behind, and `BrokenBody`.
    """

    def __init__(self, body: Any, seconds: float) -> None:
        self._body, self._until = body, monotonic() + seconds

    def linger(self, seconds: float) -> None:
        """Give what is left these seconds, unless it has been too slow already."""
        if monotonic() < self._until:
            self._until = monotonic() + seconds

    def read(self, *size: int) -> bytes:
        """Read as a file does."""
        return self._in_time(self._body.read, *size)

    def readline(self, *size: int) -> bytes:
        """Read a line as a file does."""
        return self._in_time(self._body.readline, *size)

    def _in_time(self, read: Callable[..., bytes], *size: int) -> bytes:
        left = self._until - monotonic()
        if left <= 0:
            raise TooSlow()
        try:
            with eventlet.Timeout(left, TooSlow()):
                data = read(*size)
        except ChunkReadError as broken:
            self._until = 0.0  # nobody knows where the next chunk begins
            raise BrokenBody(FieldError("body", f"Not as RFC 9112 has it: {broken}.", "分块格式有误。")) from None
        self._until += len(data) / SLOWEST
        return data


def drain(environ: dict[str, Any]) -> bool:
    """Read the rest of a body: a connection closed with unread bytes is reset, and the response is lost with it.

    False where it is not read to its end. A client that waits for our word before the body (`Expect: 100-continue`) has
    not sent any.
    """
    if environ["eventlet.input"].should_send_hundred_continue:
        return False
    body, left = environ["wsgi.input"], DRAINED
    body.linger(LINGER)
    with suppress(OSError, TooSlow, BrokenBody):  # broken off, or invalid chunks: no client waits for the response
        while left > 0:
            if not (chunk := body.read(min(left, 65_536))):
                return True
            left -= len(chunk)
    return False
