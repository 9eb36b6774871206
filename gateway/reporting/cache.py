"""A cache of what was read: of current counts and answers for a moment, of as-of counts indefinitely."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from math import inf
from time import monotonic
from typing import Any, TypeVar

from eventlet.event import Event as Signal

from gateway.kpi.measures import Measure
from gateway.plans.periods import Piece
from gateway.read_model.reader import Reader
from gateway.read_model.store import Counts
from services.chassis.problem import Unavailable

MAX_AGE = 0.05  # seconds that an answer may be behind what another gateway takes in; behind our own it never is
MAX_ENTRIES = 1_000  # of current reads, and of as-of reads

T = TypeVar("T")


class Cache:
    """Reads of the query service: current ones kept for `MAX_AGE`, as-of ones for good, since they never change."""

    def __init__(self) -> None:
        self._current: dict[Any, Entry] = {}
        self._as_of: dict[Any, Counts] = {}

    def clear(self) -> None:
        """Forget all that is current, so that later reads see what was taken in; as-of counts do not change."""
        self._current = {}

    def counts(
        self, read: Reader, documents: dict[str, Piece], measures: Iterable[Measure], as_of: datetime | None
    ) -> Counts:
        """Read these documents of the counts of these measures, or return them as they were read before."""
        if as_of is None:
            return self.current(tuple(documents.items()), lambda: read.counts(documents, measures))

        key = (as_of, *documents.items())
        if key not in self._as_of:
            if len(self._as_of) >= MAX_ENTRIES:
                self._as_of.clear()
            self._as_of[key] = read.counts(documents, measures)
        return self._as_of[key]

    def current(self, key: Any, make: Callable[[], T]) -> T:
        """Return what was made under this key at most `MAX_AGE` ago, else make it now, for all who ask meanwhile."""
        entries = self._current  # `clear` puts another one in its place, also while `make` reads
        entry = entries.get(key)
        if entry is None or entry.is_over():
            if len(entries) >= MAX_ENTRIES:
                entries.clear()
            entry = entries[key] = Entry()
            entry.fill(make)
        made: T = entry.made.wait()
        return made


class Entry:
    """A read that was begun: those who want the same wait for it, and share what it returns or raises."""

    def __init__(self) -> None:
        self.made = Signal()
        self._expires = inf

    def is_over(self) -> bool:
        """Return whether what was made is too old by now; while it is being made it is not."""
        return monotonic() > self._expires

    def fill(self, make: Callable[[], Any]) -> None:
        """Make it now. An error is for those who wait as well, and is not kept for those who come later."""
        try:
            made = make()
        except BaseException as error:  # a greenthread is ended with one that is no `Exception`
            self._expires = 0.0
            self.made.send_exception(error if isinstance(error, Exception) else Unavailable())
            raise
        self._expires = monotonic() + MAX_AGE
        self.made.send(made)
