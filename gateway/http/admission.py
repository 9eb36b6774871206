"""Admission: how much one gateway takes at once, and how often one caller may ask.

What is beyond is refused before anything was done, and told when to come again; so whoever is let in is served in good
time however many others ask.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import ceil
from time import monotonic

from eventlet.hubs import get_hub
from eventlet.semaphore import Semaphore

from services.chassis.problem import Overloaded, TooManyRequests

BURST = 5.0  # seconds' worth of requests that may come at once
EXACT = 1e-6  # seconds: sums of fractions are not
CALLERS = 10_000  # that are remembered


@dataclass
class RateLimiter:
    """A token bucket for each caller: `rate` requests a second, and `BURST` seconds' worth (or one) at once.

    A rate of 0 is no limit.
    """

    rate: float
    clock: Callable[[], float] = monotonic
    _next: dict[str, float] = field(default_factory=dict)  # when the bucket of a caller would be full again

    def take(self, caller: str) -> None:
        """One request of this caller; raises `TooManyRequests`."""
        if not self.rate:
            return
        now = self.clock()
        full_at = max(self._next.get(caller, now), now)
        each = 1 / self.rate
        ahead = full_at + each - now - max(BURST, each)
        if ahead > EXACT:
            raise TooManyRequests(per_second=f"{self.rate:g}", seconds=max(1, ceil(ahead)))
        if caller not in self._next and len(self._next) >= CALLERS:
            self._next = {known: until for known, until in self._next.items() if until > now}
        self._next[caller] = full_at + each


@dataclass
class Bulkhead:
    """Places for so many at once, by name."""

    places: int
    _taken: dict[str, int] = field(default_factory=dict)

    @contextmanager
    def place(self, name: str) -> Iterator[None]:
        """A place as long as the block runs; raises `Overloaded` where all are taken."""
        taken = self._taken.get(name, 0)
        if taken >= self.places:
            raise Overloaded(at=name)
        self._taken[name] = taken + 1
        try:
            yield
        finally:
            self._taken[name] -= 1


class Turns:
    """However many come at once, those under way go on after every few that begin: refusing takes its time, too."""

    def __init__(self, at_a_turn: int) -> None:
        self._begin = Semaphore(at_a_turn)

    def wait(self) -> float:
        """Until this one may begin; for how many seconds."""
        since = monotonic()
        self._begin.acquire()
        get_hub().schedule_call_global(0, self._begin.release)  # when everybody else has had a turn
        return monotonic() - since
