"""Requests that two readers may understand differently are refused at the gateway itself, before any proxy."""

import json
import re
import socket

import pytest

from gateway.http.framing import TRAILERS
from tests.gateway.api.test_endpoint import container, port, server  # noqa: F401

HELLO = b"POST /size HTTP/1.1\r\nHost: a\r\n"
CHUNKED = HELLO + b"Transfer-Encoding: chunked\r\n\r\n"
NEXT = b"GET /plain HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

BROKEN_HEADS = {
    "two lengths": HELLO + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    "the same length twice": HELLO + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    "lengths in one line": HELLO + b"Content-Length: 5, 5\r\n\r\nhello",
    "a length with a sign": HELLO + b"Content-Length: +5\r\n\r\nhello",
    "a negative length": HELLO + b"Content-Length: -1\r\n\r\nhello",
    "a length with an underscore": HELLO + b"Content-Length: 0_5\r\n\r\nhello",
    "a length in hex": HELLO + b"Content-Length: 0x5\r\n\r\nhello",
    "a length of other digits": HELLO + "Content-Length: ５\r\n\r\nhello".encode(),
    "an empty length": HELLO + b"Content-Length:\r\n\r\nhello",
    "an endless length": HELLO + b"Content-Length: " + b"9" * 5_000 + b"\r\n\r\nhello",
    "length and coding": HELLO + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "coding and length": HELLO + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "an unknown coding": HELLO + b"Transfer-Encoding: gzip\r\n\r\nhello",
    "an unknown coding before chunks": HELLO + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunks twice": HELLO + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks that are none": HELLO + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunks by another space": HELLO + b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n",
    "chunks in HTTP/1.0": b"POST /size HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a space before the colon": HELLO + b"Content-Length : 5\r\n\r\nhello",
    "a folded line": HELLO + b"X-A: b\r\n c\r\n\r\n",
    "a folded first line": b"GET /plain HTTP/1.1\r\n Host: a\r\n\r\n",
    "a line without a colon": HELLO + b"X-A\r\n\r\n",
    "a line without a name": HELLO + b": b\r\n\r\n",
    "a bare LF": b"GET /plain HTTP/1.1\nHost: a\n\n",
    "a bare LF after a header": HELLO + b"X-A: b\n\r\n",
    "a bare LF at the end": HELLO + b"X-A: b\r\n\n",
    "a bare CR": HELLO + b"X-A: b\rX-B: c\r\n\r\n",
    "a NUL": HELLO + b"X-A: b\0\r\n\r\n",
    "two hosts": HELLO + b"Host: b\r\n\r\n",
    "no host": b"GET /plain HTTP/1.1\r\n\r\n",
    "no version": b"GET /plain\r\n\r\n",
    "another version": b"GET /plain HTTP/2.0\r\nHost: a\r\n\r\n",
    "a version with more digits": b"GET /plain HTTP/1.10\r\nHost: a\r\n\r\n",
    "two spaces": b"GET  /plain HTTP/1.1\r\nHost: a\r\n\r\n",
    "a tab": b"GET\t/plain HTTP/1.1\r\nHost: a\r\n\r\n",
    "letters that are not encoded": "GET /things/站 HTTP/1.1\r\nHost: a\r\n\r\n".encode(),
    "too many headers": HELLO + b"X: y\r\n" * 200 + b"\r\n",
    "headers that are too long": HELLO + b"X: " + b"y" * 10_000 + b"\r\n\r\n",
    "headers that are too large": HELLO + (b"X: " + b"y" * 6_000 + b"\r\n") * 20 + b"\r\n",
    "a first line that is too long": b"GET /" + b"x" * 10_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    "headers that end early": b"GET /plain HTTP/1.1\r\nHost: a\r\n",
}  # fmt: skip

BROKEN_CHUNKS = {
    "no size": b"\r\nhello\r\n0\r\n\r\n",
    "a size with a sign": b"+5\r\nhello\r\n0\r\n\r\n",
    "a negative size": b"-5\r\nhello\r\n0\r\n\r\n",
    "a size with a prefix": b"0x5\r\nhello\r\n0\r\n\r\n",
    "a size with an underscore": b"0_5\r\nhello\r\n0\r\n\r\n",
    "a size that is too large": b"fffffffff\r\nhello\r\n0\r\n\r\n",
    "a size that ends in a bare LF": b"5\nhello\r\n0\r\n\r\n",
    "a size line that never ends": b"5;" + b"x" * 5_000 + b"\r\nhello\r\n0\r\n\r\n",
    "a chunk that is longer than it says": b"4\r\nhello\r\n0\r\n\r\n",
    "a chunk that is shorter than it says": b"6\r\nhello\r\n0\r\n\r\n",
    "a chunk that ends in a bare LF": b"5\r\nhello\n0\r\n\r\n",
    "a trailer that is none": b"5\r\nhello\r\n0\r\nX\r\n\r\n",
    "trailers without end": b"5\r\nhello\r\n0\r\n" + b"X: y\r\n" * TRAILERS,
    "chunks that break off": b"5\r\nhello\r\n",
}  # fmt: skip


def answers(port, said):  # noqa: F811
    """All that comes back, each response by its status; the connection is closed by the gateway."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
        sock.sendall(said)
        sock.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: sock.recv(65_536), b""))


def statuses(answered):
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] ([0-9]{3}) ", answered)]


@pytest.mark.parametrize("name", BROKEN_HEADS)
def test_a_request_that_is_not_clear_is_refused_and_what_follows_is_not_read(port, name):  # noqa: F811
    answered = answers(port, BROKEN_HEADS[name] + (NEXT if "early" not in name else b""))

    (status,) = statuses(answered)
    assert status in (400, 414, 431)
    assert b"onnection: close" in answered


def test_the_refusal_is_a_problem_in_both_languages(port):  # noqa: F811
    head, _, body = answers(port, BROKEN_HEADS["two lengths"]).partition(b"\r\n\r\n")

    assert b"application/problem+json" in head
    problem = json.loads(body)
    assert (problem["status"], problem["code"], problem["errors"][0]["field"]) == (400, "invalid_input", "request")
    assert "Content-Length" in problem["en"]
    assert "不符合" in problem["zh"]


@pytest.mark.parametrize("name", BROKEN_CHUNKS)
def test_a_body_in_wrong_chunks_is_refused_and_what_follows_is_not_read(port, container, name):  # noqa: F811
    answered = answers(port, CHUNKED + BROKEN_CHUNKS[name] + (NEXT if "break off" not in name else b""))

    assert statuses(answered) == [400]
    assert server(container).busy == 0


def test_what_is_clear_is_read_to_its_end_and_the_next_request_after_it(port):  # noqa: F811
    chunks = b"5;a=b\r\nhello\r\n00000A\r\n0123456789\r\n0\r\nX-Trailer: 1\r\n\r\n"
    for said, size in {
        HELLO + b"Content-Length: 5\r\n\r\nhello": 5,
        HELLO + b"content-length:005\r\nx_y: \xe7\xab\x99\r\n\r\nhello": 5,
        CHUNKED + chunks: 15,
        HELLO + b"transfer-encoding: Chunked \r\n\r\n" + chunks: 15,
        b"\r\n" + HELLO + b"Content-Length: 0\r\n\r\n": 0,
    }.items():
        answered = answers(port, said + NEXT)
        assert statuses(answered) == [200, 200], said
        assert b'{"bytes":%d}' % size in answered.replace(b" ", b"")

    assert statuses(answers(port, b"GET /plain HTTP/1.0\r\n\r\n")) == [200]


def test_a_body_of_very_many_chunks_lets_others_go_on(port):  # noqa: F811
    answered = answers(port, CHUNKED + b"1\r\nx\r\n" * 20_000 + b"0\r\n\r\n" + NEXT)

    assert statuses(answered) == [200, 200]
    assert b"20000" in answered
