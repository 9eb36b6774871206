"""The shelf: what was read a moment ago serves those who ask the same, what was known at an instant serves for ever."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from time import monotonic
from typing import Any, TypeVar

from gateway.kpi.measures import Measure
from gateway.plans.periods import Piece
from gateway.read_model.reader import Reader
from gateway.read_model.store import Counts

FRESH = 0.05  # seconds that an answer may be behind what another gateway takes in; behind our own it never is
ROOM = 1_000  # questions whose counts are kept at hand

T = TypeVar("T")


class Cache:
    """What the query service has read, for the next who ask the same."""

    def __init__(self) -> None:
        self._now: dict[Any, tuple[float, Any]] = {}
        self._past: dict[Any, Counts] = {}

    def clear(self) -> None:
        """Something was taken in: whatever is asked from now on is read anew, but for the past."""
        self._now = {}

    def counts(
        self, read: Reader, wanted: dict[str, Piece], measures: Iterable[Measure], as_of: datetime | None
    ) -> Counts:
        """These documents of the counts of these measures."""
        if as_of is None:
            return self.kept(tuple(wanted.items()), lambda: read.counts(wanted, measures))
        key = (as_of, *wanted.items())
        if key not in self._past:
            if len(self._past) >= ROOM:
                self._past.clear()
            self._past[key] = read.counts(wanted, measures)
        return self._past[key]

    def kept(self, key: Any, make: Callable[[], T]) -> T:
        """What was made a moment ago under this key, else what is made now."""
        shelf = self._now  # a batch that is taken in while we read puts a new one in its place
        until, made = shelf.get(key, (0.0, None))
        if monotonic() > until:
            made = make()
            if len(shelf) >= ROOM:
                shelf.clear()
            shelf[key] = (monotonic() + FRESH, made)
        return made
