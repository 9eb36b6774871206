"""Admission: how much one gateway takes at once; `services.chassis.rate_limiter` limits how often one caller may ask.

A request beyond the limits is refused before anything was done, and its caller is told when to try again; so the
requests that are let in are answered in good time, however many others come.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic

from eventlet.hubs import get_hub
from eventlet.semaphore import Semaphore

from services.chassis.problem import Overloaded

LATE = 0.25  # seconds that a request may wait for its turn before fewer are let in


@dataclass
class Bulkhead:
    """A number of places under each name, so that one slow dependency cannot take all of the gateway's workers."""

    places: int
    _taken: dict[str, int] = field(default_factory=dict)

    @contextmanager
    def place(self, name: str) -> Iterator[None]:
        """Hold a place as long as the block runs; raises `Overloaded` where all of this name are taken."""
        taken = self._taken.get(name, 0)
        if taken >= self.places:
            raise Overloaded(at=name)

        self._taken[name] = taken + 1
        try:
            yield
        finally:
            self._taken[name] -= 1


@dataclass
class Pool:
    """Places of one kind, of which `each` caller may have some, and `strangers` together fewer than all.

    So neither one caller nor everybody without an account can keep out those who are known.
    """

    name: str
    places: int
    each: int
    strangers: int
    _taken: Counter[tuple[bool, str]] = field(default_factory=Counter)

    def take(self, caller: str, *, is_known: bool) -> None:
        """Take a place; raises `Overloaded` where none is left for this caller."""
        by_strangers = sum(number for (known, _), number in self._taken.items() if not known)
        if (
            self._taken.total() >= self.places
            or self._taken[is_known, caller] >= self.each
            or (not is_known and by_strangers >= self.strangers)
        ):
            raise Overloaded(at=self.name)
        self._taken[is_known, caller] += 1

    def give_back(self, caller: str, *, is_known: bool) -> None:
        """Give back a place that this caller has taken."""
        self._taken[is_known, caller] -= 1
        if not self._taken[is_known, caller]:
            del self._taken[is_known, caller]

    @contextmanager
    def place(self, caller: str, *, is_known: bool) -> Iterator[None]:
        """Hold a place as long as the block runs; raises `Overloaded`."""
        self.take(caller, is_known=is_known)
        try:
            yield
        finally:
            self.give_back(caller, is_known=is_known)


def pools() -> dict[str, Pool]:
    """Make the pools of answers that cost much: files that are drawn, and numbers as of an instant."""
    return {
        "exports": Pool("exports", 3, each=2, strangers=1),
        "as_of": Pool("as_of", 16, each=8, strangers=4),
    }


@dataclass
class Places:
    """The requests that one gateway works on at once; a request that waits for its client has no place meanwhile."""

    at_once: int
    taken: int = 0

    def is_full(self, waited: float = 0.0) -> bool:
        """Shed load while requests queue for their turn: rejecting is cheaper than letting the queue grow."""
        return self.taken >= (self.at_once if waited < LATE else max(1, self.at_once // 8))

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place as long as the block runs."""
        self.taken += 1
        try:
            yield
        finally:
            self.taken -= 1

    @contextmanager
    def lent(self) -> Iterator[None]:
        """Lend one's place to others as long as the block runs."""
        self.taken -= 1
        try:
            yield
        finally:
            self.taken += 1


class Turns:
    """Lets a few new requests begin before those under way go on: in a flood, even refusing takes time."""

    def __init__(self, at_a_turn: int) -> None:
        self._begin = Semaphore(at_a_turn)

    def wait(self) -> float:
        """Wait for a turn; returns the seconds that it took."""
        since = monotonic()
        self._begin.acquire()
        get_hub().schedule_call_global(0, self._begin.release)  # once every other greenthread has run
        return monotonic() - since
