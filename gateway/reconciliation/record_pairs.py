"""Record pairs: the records that the gateway and their service count, compared one by one (G-16); pure.

Each side is a stream of records by id, so that both are read once, however many there are. A record that each side
counts on another day is found as one difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Document = dict[str, Any]


@dataclass(frozen=True)
class Figure:
    """A value and the number of records that make it; no value is None."""

    value: Any
    records: int


class CountedRecord(NamedTuple):
    """A record as one side has it; one that does not count has neither day nor amount."""

    id: str
    version: int
    day: str | None
    amount: Any

    @property
    def counts(self) -> bool:
        """True where it counts towards the KPI."""
        return self.day is not None

    def document(self) -> Document:
        """Describe it for the findings of a recount."""
        return {"version": self.version, "day": self.day, "amount": self.amount}


class RecordPair(NamedTuple):
    """A record of the gateway and of its service; None where that side lacks it."""

    here: CountedRecord | None
    there: CountedRecord | None

    @property
    def id(self) -> str:
        """The record's id, which both sides share."""
        (id_, *_) = [record.id for record in self if record]
        return id_

    @property
    def differs(self) -> bool:
        """True where the sides count it on another day, with another amount, or only one of them does."""
        return _contribution(self.here) != _contribution(self.there)

    @property
    def difference(self) -> str:
        """The kind of its difference, as the API names it."""
        here, there = _contribution(self.here), _contribution(self.there)
        if here is None or there is None:
            return "only_there" if here is None else "only_here"
        return "other_day" if here[0] != there[0] else "other_amount"

    def is_settled(self, first: RecordPair) -> bool:
        """Tell whether the difference is gone, or was only that of an event on its way.

        It was on its way where each side has reached the version that the other one had at the `first` look, and has
        gone on to a new one since.
        """
        if not self.differs:
            return True
        here, there = _version(self.here), _version(self.there)
        return here != there and here >= _version(first.there) and there >= _version(first.here)

    def newer(self) -> CountedRecord | None:
        """Return the side with the greater version."""
        return max((record for record in self if record), key=lambda record: record.version, default=None)

    def document(self) -> Document:
        """Describe it for the findings of a recount."""
        here, there = self.here, self.there
        return {
            "id": self.id,
            "what": self.difference,
            "here": here and here.document(),
            "there": there and there.document(),
        }


def pair_records(here: Iterable[CountedRecord], there: Iterable[CountedRecord]) -> Iterator[RecordPair]:
    """Pair the records of two streams that are sorted by id and have each id once at most."""
    ours, theirs = iter(here), iter(there)
    our, their = next(ours, None), next(theirs, None)
    while our or their:
        if their is None or (our is not None and our.id < their.id):
            yield RecordPair(our, None)
            our = next(ours, None)
        elif our is None or their.id < our.id:
            yield RecordPair(None, their)
            their = next(theirs, None)
        else:
            yield RecordPair(our, their)
            our, their = next(ours, None), next(theirs, None)


@dataclass
class Total:
    """The figure that the records of one side make by a measure: `count`, `sum`, `distinct` or `last`."""

    measure: str
    records: int = 0
    sum: float = 0
    values: set[Any] = field(default_factory=set)
    last: tuple[str, str, Any] | None = None

    def add(self, record: CountedRecord | None) -> None:
        """Add a record, unless it is missing or does not count."""
        if record is None or record.day is None:
            return
        self.records += 1
        if self.measure == "sum":
            self.sum += record.amount if isinstance(record.amount, int | float) else 0  # as a database adds up
        elif record.amount is not None:
            self._add_value(record.day, record.id, record.amount)

    def _add_value(self, day: str, id_: str, value: Any) -> None:
        if self.measure == "distinct":
            self.values.add(value)
        elif self.measure == "last" and (self.last is None or (day, id_) > self.last[:2]):
            self.last = (day, id_, value)

    @property
    def value(self) -> Any:
        """The value so far: 0 without records, but None for the last of no values."""
        match self.measure:
            case "count":
                return self.records
            case "sum":
                return self.sum
            case "distinct":
                return len(self.values)
            case _:
                return self.last and self.last[2]

    def figure(self) -> Figure:
        """The value with the number of its records."""
        return Figure(self.value, self.records)


def _contribution(record: CountedRecord | None) -> tuple[str, Any] | None:
    return None if record is None or record.day is None else (record.day, record.amount)


def _version(record: CountedRecord | None) -> int:
    return record.version if record else 0
