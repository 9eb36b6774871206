"""A recount: the same records as the gateway and their service count them, held against each other one by one (G-16).

Pure. Each side is a stream of rows by id, so that both are walked through once however many there are, and a record
that lies on another day at each side is found as one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Document = dict[str, Any]


class Row(NamedTuple):
    """A record at one side; one that is there and does not count has neither day nor amount."""

    id: str
    version: int
    day: str | None
    amount: Any

    @property
    def counts(self) -> bool:
        return self.day is not None

    def say(self) -> Document:
        return {"version": self.version, "day": self.day, "amount": self.amount}


class Pair(NamedTuple):
    """A record here and there, None where it is not."""

    here: Row | None
    there: Row | None

    @property
    def id(self) -> str:
        (id_, *_) = [row.id for row in self if row]
        return id_

    @property
    def differs(self) -> bool:
        return _counted(self.here) != _counted(self.there)

    @property
    def what(self) -> str:
        here, there = _counted(self.here), _counted(self.there)
        if here is None or there is None:
            return "only_there" if here is None else "only_here"
        return "other_day" if here[0] != there[0] else "other_amount"

    def is_settled(self, since: Pair) -> bool:
        """Does nothing differ any more, or has each side reached what the other one had and gone on to a new version?

        Then the difference was that of an event on its way; `since` is how it was seen at first.
        """
        if not self.differs:
            return True
        here, there = _version(self.here), _version(self.there)
        return here != there and here >= _version(since.there) and there >= _version(since.here)

    def newer(self) -> Row | None:
        return max((row for row in self if row), key=lambda row: row.version, default=None)

    def say(self) -> Document:
        here, there = self.here, self.there
        return {"id": self.id, "what": self.what, "here": here and here.say(), "there": there and there.say()}


def paired(here: Iterable[Row], there: Iterable[Row]) -> Iterator[Pair]:
    """Every record of two streams by id, each of which has it at most once."""
    ours, theirs = iter(here), iter(there)
    one, other = next(ours, None), next(theirs, None)
    while one or other:
        if other is None or (one is not None and one.id < other.id):
            yield Pair(one, None)
            one = next(ours, None)
        elif one is None or other.id < one.id:
            yield Pair(None, other)
            other = next(theirs, None)
        else:
            yield Pair(one, other)
            one, other = next(ours, None), next(theirs, None)


@dataclass
class Total:
    """What the records of one side make; `how` is the measure: their number, a sum, how many values, the last value."""

    how: str
    records: int = 0
    sum: float = 0
    values: set[Any] = field(default_factory=set)
    last: tuple[str, str, Any] | None = None

    def add(self, row: Row | None) -> None:
        if row is None or row.day is None:
            return
        self.records += 1
        if self.how == "sum":
            self.sum += row.amount if isinstance(row.amount, int | float) else 0  # as a database adds up
        elif row.amount is not None:
            if self.how == "distinct":
                self.values.add(row.amount)
            elif self.how == "last" and (self.last is None or (row.day, row.id) > self.last[:2]):
                self.last = (row.day, row.id, row.amount)

    @property
    def value(self) -> Any:
        """None for the last of no values; else no records make 0."""
        match self.how:
            case "count":
                return self.records
            case "sum":
                return self.sum
            case "distinct":
                return len(self.values)
            case _:
                return self.last and self.last[2]

    def say(self) -> Document:
        return {"value": self.value, "records": self.records}


def _counted(row: Row | None) -> tuple[str, Any] | None:
    return None if row is None or row.day is None else (row.day, row.amount)


def _version(row: Row | None) -> int:
    return row.version if row else 0
