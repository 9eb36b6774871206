"""Admission: how much one gateway takes at once; `services.chassis.rate_limiter` limits how often one caller may ask.

A request beyond the limits is refused before anything was done, and its caller is told when to try again; so the
requests that are let in are answered in good time, however many others come.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic

from eventlet.hubs import get_hub
from eventlet.semaphore import Semaphore

from services.chassis.problem import Overloaded


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
