"""Measures: what a record adds to the counts of a plan rule, where these counts are kept, and how they are read. Pure.

Counts are kept in one document for each rule and year and one for each rule and month, so that a question about a year
reads one document however many records there are:

    {_id: "<rule>|2011-05", seen, n, sum, by: {district: {"511102": {seen, n, sum}}}, days: {"14": {the same}}}
    {_id: "<rule>|2011", seen, n, sum, by: {...}, months: {"05": {seen, n, sum}}}

`seen` records have their day there, `n` of them count, and `sum` is what these add up to (only rules that add up keep
one). They change by increments only.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import quote, unquote

from gateway.plans.periods import Piece
from services.contract.rule import Rule

SHAPE = b"2"  # of the documents above; with another one every rule is counted anew
UNASSIGNED = "%"  # the group of records without the field; no escaped value is like it

Documents = Mapping[str, Mapping[str, Any]]
"""Documents of counts by their id."""

Increments = dict[str, dict[str, int]]
"""The changes of each document of counts: `{"<rule>|2011-05": {"by.district.511102.n": 1}}`."""


@dataclass(frozen=True)
class Share:
    """One record's contribution to a rule: its day, `n` 1 if it counts and else 0, its amount, and its groups."""

    day: str
    n: int
    amount: int
    groups: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Cell:
    """Records seen, records that count, and their sum (for rules that count records, their number)."""

    seen: int = 0
    n: int = 0
    sum: int = 0

    def __add__(self, other: Cell) -> Cell:
        return Cell(self.seen + other.seen, self.n + other.n, self.sum + other.sum)


class Measure:
    """A rule with the key of its counts. `upto`: while it is being counted, the last record that has been counted."""

    def __init__(self, rule: Rule, *, upto: str | None = None) -> None:
        self.rule = rule
        self.key = hashlib.blake2b(SHAPE + rule.identity, digest_size=8).hexdigest()
        self.upto = upto

    def covers(self, record: str) -> bool:
        """Tell whether this record is in the counts; while a rule is being counted, only those up to `upto` are."""
        return self.upto is None or record <= self.upto

    def share(self, data: Mapping[str, Any]) -> Share | None:
        """Compute what a record adds; None where it has no day yet, and so is in no period."""
        rule = self.rule
        day = data.get(rule.on)
        if day is None:
            return None
        groups = tuple((name, _escaped(data.get(name))) for name in rule.by)
        if not rule.counts(data):
            return Share(day, 0, 0, groups)
        return Share(day, 1, (data.get(rule.sum) or 0) if rule.sum else 0, groups)

    def documents(self, pieces: Iterable[Piece]) -> dict[str, Piece]:
        """Name the documents that hold the counts of these pieces of time."""
        return {f"{self.key}|{piece.key}": piece for piece in pieces}

    def total(self, pieces: Iterable[Piece], documents: Documents) -> Cell:
        """Count all records in these pieces of time, out of their documents; a missing one counts nothing."""
        return sum((self._cell(node) for node in self._nodes(pieces, documents)), start=Cell())

    def groups(self, by: str, pieces: Iterable[Piece], documents: Documents) -> dict[str | None, Cell]:
        """Count them by the values of a field; None is the group of records without it."""
        groups: dict[str | None, Cell] = defaultdict(Cell)
        for node in self._nodes(pieces, documents):
            for value, inner in node.get("by", {}).get(by, {}).items():
                groups[None if value == UNASSIGNED else unquote(value)] += self._cell(inner)
        return dict(groups)

    def months(self, year: int, documents: Documents) -> dict[int, Cell]:
        """Count each month of a year in which any record has its day."""
        months = documents.get(f"{self.key}|{year}", {}).get("months", {})
        return {int(month): self._cell(node) for month, node in months.items()}

    def _nodes(self, pieces: Iterable[Piece], documents: Documents) -> Iterator[Mapping[str, Any]]:
        for id_, piece in self.documents(pieces).items():
            document = documents.get(id_, {})
            if piece.days:
                days = document.get("days", {})
                yield from (days[day] for day in piece.days if day in days)
            else:
                yield document

    def _cell(self, node: Mapping[str, Any]) -> Cell:
        n = node.get("n", 0)
        return Cell(node.get("seen", 0), n, node.get("sum", 0) if self.rule.sum else n)


class Changes:
    """The changes that a batch of records makes in the counts, added up."""

    def __init__(self) -> None:
        self._increments: defaultdict[str, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))

    def replace(self, measure: Measure, old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> None:
        """Count a record's new data instead of its old; None where it was or is not there."""
        before = measure.share(old) if old is not None else None
        after = measure.share(new) if new is not None else None
        if before != after:
            if before:
                self._add(measure, before, -1)
            if after:
                self._add(measure, after, 1)

    def increments(self) -> Increments:
        """Return the sums, without those that cancelled out."""
        documents = {id_: {path: by for path, by in changed.items() if by} for id_, changed in self._increments.items()}
        return {id_: changed for id_, changed in documents.items() if changed}

    def _add(self, measure: Measure, share: Share, sign: int) -> None:
        n, amount = sign * share.n, sign * share.amount
        for id_, paths in _places(measure.key, share.day, share.groups):
            changed = self._increments[id_]
            for seen_path, n_path, sum_path in paths:
                changed[seen_path] += sign
                if n:
                    changed[n_path] += n
                if amount:
                    changed[sum_path] += amount


@lru_cache(maxsize=20_000)
def _places(key: str, day: str, groups: tuple[tuple[str, str], ...]) -> tuple[tuple[str, tuple[Any, ...]], ...]:
    """Name the two documents, and the paths in them, that count a record of that day and these groups."""
    cells = ("", *(f"by.{name}.{value}." for name, value in groups))
    in_day = tuple(f"days.{day[8:10]}.{cell}" for cell in cells)
    return (
        (f"{key}|{day[:4]}", _counters((*cells, f"months.{day[5:7]}."))),
        (f"{key}|{day[:7]}", _counters(cells + in_day)),
    )


def _counters(cells: Iterable[str]) -> tuple[tuple[str, str, str], ...]:
    return tuple((f"{cell}seen", f"{cell}n", f"{cell}sum") for cell in cells)


def _escaped(value: object) -> str:
    """Write a value as a field name of MongoDB: without dots and dollars, and never empty."""
    return UNASSIGNED if value in (None, "") else quote(str(value), safe="").replace(".", "%2E")
