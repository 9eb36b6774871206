"""Connections: how many are open, and which of them gives way where too many wait for their client.

A connection waits for its client while the next request, its headers or its body are to come, or an answer is to be
read. Nobody knows who will go on, so none of them holds anything for good: where there are too many, or they keep too
many bytes, the address that has the most gives up the one that has waited longest. A body or an answer under way has a
second before that, so a newcomer gets in at once or after a second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from socket import SHUT_RD, SHUT_RDWR
from time import monotonic
from typing import Any

from prometheus_client import Counter

from services.chassis.problem import Overloaded

MEMORY = 64_000_000  # bytes of bodies that are not whole, and of answers that are not read
GRACE = 1.0  # seconds in which a body or an answer makes no room for a newcomer: most need less
SHARE = 4  # one address has at most one part in so many of the connections

GIVEN_UP = Counter("kexie_http_given_up", "Connections given up for others while they waited for their client.")

UNKNOWN = ""
"""The address of whoever is behind our proxy, before the headers name it; the proxy limits these."""


@dataclass
class Wait:
    """A connection's wait for its client: the bytes kept for it meanwhile, how to end it, and for whom from when on."""

    address: str
    holding: int
    how: int
    for_newcomers_from: float


@dataclass
class Connections:
    """The open connections of one gateway, at most so many at once."""

    at_most: int
    memory: int = MEMORY
    _open: set[Any] = field(default_factory=set)
    _given_up: set[Any] = field(default_factory=set)
    _waits: dict[Any, Wait] = field(default_factory=dict)
    _by_address: dict[str, dict[Any, Wait]] = field(default_factory=dict)  # those that have waited longest come first
    _held: int = 0

    def add(self, sock: Any, address: str) -> None:
        """Count a new connection, which waits for its first request; raises `Overloaded` where none may be given up."""
        while len(self._open) >= self.at_most:
            self._give_up(self._longest_of_most(len, for_newcomer=True))
        self._open.add(sock)
        self.wait(sock, address)

    def remove(self, sock: Any) -> None:
        """Forget a connection that is closed."""
        self.go_on(sock)
        self._open.discard(sock)
        self._given_up.discard(sock)

    def wait(self, sock: Any, address: str, *, holding: int = 0, sends: bool = False, grace: float = 0.0) -> None:
        """Let a connection wait for its client, to be given up at any time; `sends` to write, else to read."""
        if sock in self._given_up:
            return
        self.go_on(sock)
        wait = self._waits[sock] = Wait(address, holding, SHUT_RDWR if sends else SHUT_RD, monotonic() + grace)
        of_address = self._by_address.setdefault(address, {})
        of_address[sock] = wait
        self._held += holding
        if address != UNKNOWN and len(of_address) > max(1, self.at_most // SHARE):
            self._give_up(next(iter(of_address)))
        while self._held > self.memory:
            self._give_up(self._longest_of_most(_bytes))

    def go_on(self, sock: Any) -> None:
        """Let a connection wait no longer; no error where it does not, or was given up."""
        wait = self._waits.pop(sock, None)
        if wait is None:
            return
        self._held -= wait.holding
        of_address = self._by_address[wait.address]
        del of_address[sock]
        if not of_address:
            del self._by_address[wait.address]

    @contextmanager
    def waiting(self, sock: Any, address: str, *, holding: int = 0) -> Iterator[None]:
        """Wait for a body as long as the block runs; raises `Overloaded` where the connection was given up."""
        self.wait(sock, address, holding=holding, grace=GRACE)
        try:
            yield
        finally:
            self.go_on(sock)
            if sock in self._given_up:
                raise Overloaded(at="connections")

    def _longest_of_most(self, weight: Callable[[dict[Any, Wait]], int], *, for_newcomer: bool = False) -> Any:
        if not self._by_address:
            raise Overloaded(at="connections")
        sock, wait = next(iter(max(self._by_address.values(), key=weight).items()))
        if for_newcomer and monotonic() < wait.for_newcomers_from:
            raise Overloaded(at="connections")
        return sock

    def _give_up(self, sock: Any) -> None:
        """End what the connection waits for: its own greenthread sees that, and closes it."""
        how = self._waits[sock].how
        self.go_on(sock)
        self._open.discard(sock)
        self._given_up.add(sock)
        GIVEN_UP.inc()
        with suppress(OSError):  # its client has gone already
            sock.shutdown(how)


def _bytes(of_address: dict[Any, Wait]) -> int:
    return sum(wait.holding for wait in of_address.values())
