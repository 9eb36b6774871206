"""Clients that hold what they do not use, each of a kind, for tests and for `./kexie bench --slow`."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

LOGIN = b"POST /api/v1/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
KINDS = {
    "silent": b"",
    "first line": b"GET /api/v1/pl",
    "headers": b"GET /api/v1/plans HTTP/1.1\r\nHost: x\r\nX-A: 1\r\n",
    "body owed": LOGIN + b"Content-Length: 900\r\n\r\n",
    "body begun": LOGIN + b"Content-Length: 900\r\n\r\n{",
    "chunk owed": LOGIN + b"Transfer-Encoding: chunked\r\n\r\n384\r\n{",
    "body of a read": b"GET /api/v1/plans HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n{",
    "answers not read": b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n",
    "streams": b"GET /api/v1/events HTTP/1.1\r\nHost: x\r\n\r\n",
}
"""What a client of each kind sends before it falls silent."""

Address = Callable[[int], str]
"""The address that a client comes from, by its number."""


def of_network(network: int) -> Address:
    """Make addresses of this network, all of which are this machine's: each client has its own."""
    return lambda number: f"127.{network}.{number // 250}.{1 + number % 250}"


@contextmanager
def slow_clients(port: int, sent: bytes, *, number: int, address: Address) -> Iterator[list[socket.socket]]:
    """Hold so many connections as long as the block runs; each has sent this, and reads nothing."""
    with ExitStack() as opened:
        yield [opened.enter_context(_slow_client(port, sent, address(one))) for one in range(number)]


def _slow_client(port: int, sent: bytes, address: str) -> socket.socket:
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
    client.settimeout(20)
    client.bind((address, 0))
    with suppress(OSError):  # it may be given up while it speaks
        client.connect(("127.0.0.1", port))
        client.sendall(sent)
    return client
