"""Figures: the numbers of one moment, looked up in the counts by measure, period and filters.

No data is none and never 0 (G-05). Pure: the documents of counts, and a way to the records behind them, are given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from types import MappingProxyType
from typing import Any, Literal

from gateway.kpi.measures import Cell, Measure
from gateway.kpi.plan_index import AskedPeriod, KpiLine, MilestoneLine
from gateway.plans.periods import Period, Piece
from services.contract.rule import Rule

Filters = Mapping[str, Any]
"""Values that a record must have in these fields to count; None: the field is empty."""

ReadNumber = Callable[[Rule, Period, Filters], int]
"""Reads from the records the number of a rule whose parts do not add up, which no document of counts holds."""

State = Literal["none", "zero", "value", "not_due", "error"]

EVERYWHERE: Filters = MappingProxyType({})

NO_RECORDS = Cell()


@dataclass(frozen=True)
class Number:
    """A value with its state (G-05) and how many records it counts; None where there is no value, which is not 0."""

    value: int | None
    state: State
    records: int

    @classmethod
    def of_cell(cls, cell: Cell) -> Number:
        """Take a cell's sum as the value, where any record has its day there."""
        if not cell.seen:
            return cls(None, "none", cell.n)
        return cls(cell.sum, "value" if cell.sum else "zero", cell.n)

    def answer(self) -> dict[str, Any]:
        """Return it as JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Figures:
    """The counts of one moment: their documents, the rules whose counts are whole, and the day of the answer."""

    documents: Mapping[str, Mapping[str, Any]]
    counted: frozenset[str]
    read_number: ReadNumber
    today: date

    def kpi(self, line: KpiLine, period: AskedPeriod, filters: Filters) -> Number:
        """Look up the number of a KPI; of several parts it is the least."""
        measures = line.parts.values()
        return self.least(measures, [self._cell(measure, period, filters) for measure in measures], period)

    def measure(self, measure: Measure, period: AskedPeriod, filters: Filters) -> Number:
        """Look up the number of one measure."""
        return self.least([measure], [self._cell(measure, period, filters)], period)

    def groups(self, measure: Measure, by: str, period: AskedPeriod) -> dict[str | None, Cell]:
        """Split a measure's count by the values of a field; None is the group of records without it."""
        groups = measure.groups(by, period.pieces, self.documents)
        return {value: self._valued(cell, measure, period.period, {by: value}) for value, cell in groups.items()}

    def least(self, measures: Iterable[Measure], cells: Sequence[Cell], period: AskedPeriod) -> Number:
        """Take the least of the parts' cells, in one of five states (G-05).

        An error where a part is not counted yet; none where no record has its day there, or not due where the period is
        all to come; 0 where none of the records counts.
        """
        if any(measure.key not in self.counted for measure in measures):
            return Number(None, "error", 0)
        if not any(cell.seen for cell in cells):
            return Number(None, "not_due" if period.period.first > self.today else "none", 0)
        value = min(cell.sum for cell in cells)
        return Number(value, "value" if value else "zero", sum(cell.n for cell in cells))

    def _cell(self, measure: Measure, period: AskedPeriod, filters: Filters) -> Cell:
        if not filters:
            cell = measure.total(period.pieces, self.documents)
        else:
            ((by, value),) = filters.items()
            cell = measure.groups(by, period.pieces, self.documents).get(value, NO_RECORDS)
        return self._valued(cell, measure, period.period, filters)

    def _valued(self, cell: Cell, measure: Measure, period: Period, filters: Filters) -> Cell:
        """Replace the sum by the number read from the records, where the rule's parts do not add up."""
        is_whole = measure.rule.is_additive or not cell.seen
        return cell if is_whole else replace(cell, sum=self.read_number(measure.rule, period, filters))


def documents_needed(
    lines: Iterable[KpiLine], *periods: AskedPeriod, milestones: Iterable[MilestoneLine] = ()
) -> dict[str, Piece]:
    """Name the documents of counts that answers about these periods are made of.

    A month of which one period has some days and another the whole is read with its days.
    """
    needed: dict[str, Piece] = {}
    for measure, pieces in _readings(lines, periods, milestones):
        for id_, piece in measure.documents(pieces).items():
            if id_ not in needed or piece.days:
                needed[id_] = piece
    return needed


def counted_period(line: KpiLine, period: AskedPeriod) -> AskedPeriod:
    """Return the days that a KPI counts for a period: for a flow its own, else all up to its end.

    A stock is what it was when it was reported last, however long ago.
    """
    return period if line.kpi.nature == "flow" else period.to_date


def _readings(
    lines: Iterable[KpiLine], periods: Sequence[AskedPeriod], milestones: Iterable[MilestoneLine]
) -> Iterator[tuple[Measure, Iterable[Piece]]]:
    for line in lines:
        for period in periods:
            yield from ((measure, counted_period(line, period).pieces) for measure in line.measures)
        for measure in (*line.parts.values(), *([line.scheduled] if line.scheduled else [])):
            yield measure, [Piece(str(line.plan.year))]
    for milestone in milestones:
        yield from ((milestone.measure, period.pieces) for period in periods)
