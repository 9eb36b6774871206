"""Framing: where a request and its body begin and end, as RFC 9112 has it and no other way.

eventlet and the standard library read more than that. Whatever two readers understand differently can hide a request
in another one's body, so it is refused with 400, and the connection is closed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from email.message import Message
from typing import Any

import eventlet
from eventlet.wsgi import MAX_HEADER_LINE, ChunkReadError, FileObjectForHeaders, Input

from services.chassis.problem import FieldError, InvalidInput
from services.contract import wire

TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
REQUEST_LINE = re.compile(rb"%b [\x21-\x7e]+ HTTP/1\.[01]\r\n" % TOKEN)
HEADER_LINE = re.compile(rb"%b:[\t\x20-\x7e\x80-\xff]*\r\n" % TOKEN)
LENGTH = re.compile(r"[0-9]{1,15}")
CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(;[\t\x20-\x7e\x80-\xff]*)?\r\n")
LAST_LINE = b"\r\n"
CHUNK_LINE, TRAILERS = 1_000, 16_000  # bytes
AT_A_TURN = 200  # chunks read before others may go on: a body may have a million of them


class BrokenRequest(ChunkReadError):
    """A request that is not as RFC 9112 has it; its text says which line is wrong."""


class HeaderLines(FileObjectForHeaders):
    """The header lines of a request; reading one that is folded, or has a bare CR or LF, raises `BrokenRequest`."""

    def readline(self, size: int = -1) -> bytes:
        """Read a line; `HeaderLineTooLong` and `HeadersTooLarge` come from eventlet."""
        line: bytes = super().readline(min(size, MAX_HEADER_LINE) if size > 0 else -1)
        if line != LAST_LINE and not HEADER_LINE.fullmatch(line):
            raise BrokenRequest("a header line")
        return line


def check_request_line(line: bytes) -> None:
    """Raise `BrokenRequest` where the first line is none of HTTP/1.0 or HTTP/1.1."""
    if not REQUEST_LINE.fullmatch(line):
        raise BrokenRequest("the request line")


def check_headers(headers: Message, version: str) -> None:
    """Raise `BrokenRequest` where the length of the body is not clear, or the host."""
    lengths, codings = headers.get_all("Content-Length", []), headers.get_all("Transfer-Encoding", [])
    if len(lengths) > 1 or not all(LENGTH.fullmatch(length.strip(" \t")) for length in lengths):
        raise BrokenRequest("Content-Length")
    is_chunked = version == "HTTP/1.1" and [coding.strip(" \t").lower() for coding in codings] == ["chunked"]
    if codings and (lengths or not is_chunked):
        raise BrokenRequest("Transfer-Encoding")
    hosts = len(headers.get_all("Host", []))
    if hosts > 1 or (version == "HTTP/1.1" and not hosts):
        raise BrokenRequest("Host")


def refusal(broken: BrokenRequest) -> bytes:
    """Write the response to a broken request, whose language nobody knows."""
    problem = InvalidInput(
        FieldError("request", f"Not as RFC 9112 has it: {broken}.", f"不符合 RFC 9112（{broken}）。")
    ).say()
    shown = {name: problem[name] for name in ("code", "zh", "en", "errors", "involved")}
    body = wire.encode({"type": "urn:kexie:problem:invalid_input", "title": problem["zh"], "status": 400, **shown})
    return (
        b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nCache-Control: no-store\r\n"
        b"Content-Type: application/problem+json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    )


class ChunkedBody(Input):
    """A body in chunks, whose framing lines are read with limits; wrong ones raise `BrokenRequest`."""

    chunk_length: int
    position: int
    _chunks = 0

    @classmethod
    def instead_of(cls, body: Input) -> ChunkedBody:
        """Read the same body strictly."""
        return cls(body.rfile, None, body.get_socket(), body.wfile, body.wfile_line, chunked_input=True)

    def _chunked_read(self, rfile: Any, length: int | None = None, use_readline: bool = False) -> bytes:
        if self.should_send_hundred_continue:
            self.send_hundred_continue_response()
            self.is_hundred_continue_response_sent = True
        parts, left = [], length if length is not None and length >= 0 else None
        read: Callable[[int], bytes] = rfile.readline if use_readline else rfile.read
        while left != 0 and self._has_more(rfile):
            chunk_left = self.chunk_length - self.position
            data = read(chunk_left if left is None else min(left, chunk_left))
            self._take(rfile, data)
            parts.append(data)
            left = left if left is None else left - len(data)
            if use_readline and data.endswith(b"\n"):
                break
        return b"".join(parts)

    def _has_more(self, rfile: Any) -> bool:
        """Read the size of the next chunk where the last one is at its end; False after the last chunk of all."""
        if self.chunk_length == -1:
            size = CHUNK_SIZE.fullmatch(rfile.readline(CHUNK_LINE))
            if size is None:
                raise BrokenRequest("the size of a chunk")
            self.chunk_length, self.position = int(size[1], 16), 0
            self._chunks += 1
            if self._chunks % AT_A_TURN == 0:
                eventlet.sleep(0)
            if self.chunk_length == 0:
                self._read_trailers(rfile)
        return self.chunk_length != 0

    def _take(self, rfile: Any, data: bytes) -> None:
        if not data:
            raise BrokenRequest("a chunk that ends early")
        self.position += len(data)
        if self.position == self.chunk_length:
            if rfile.read(2) != LAST_LINE:
                raise BrokenRequest("the end of a chunk")
            self.chunk_length = -1

    def _read_trailers(self, rfile: Any) -> None:
        left = TRAILERS
        while (line := rfile.readline(min(left, CHUNK_LINE))) != LAST_LINE:
            left -= len(line)
            if left <= 0 or not HEADER_LINE.fullmatch(line):
                raise BrokenRequest("a trailer")
