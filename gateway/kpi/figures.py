"""Figures: the counters of a period and district, looked up together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from types import MappingProxyType
from typing import Any

from gateway.kpi.measures import Cell, Measure
from gateway.kpi.plan_answers import Answer
from gateway.kpi.plan_index import AskedPeriod, KpiLine, MilestoneLine
from gateway.plans.periods import Period, Piece
from services.contract.rule import Rule

Among = Mapping[str, Any]

Look = Callable[[Rule, Period, Among], int]
"""The number of a rule whose parts do not add up, which no document of counts holds."""

EVERYWHERE: Among = MappingProxyType({})

NOTHING = Cell()


@dataclass(frozen=True)
class Figures:
    """The numbers of one moment: documents of counts, the rules whose counts are whole, and a look at the others."""

    held: Mapping[str, Mapping[str, Any]]
    counted: frozenset[str]
    look: Look
    on: date

    def cell(self, measure: Measure, question: AskedPeriod, among: Among) -> Cell:
        if not among:
            cell = measure.total(question.pieces, self.held)
        else:
            ((by, value),) = among.items()
            cell = measure.groups(by, question.pieces, self.held).get(value, NOTHING)
        return self._valued(cell, measure, question.period, among)

    def groups(self, measure: Measure, by: str, question: AskedPeriod) -> dict[str | None, Cell]:
        found = measure.groups(by, question.pieces, self.held)
        return {value: self._valued(cell, measure, question.period, {by: value}) for value, cell in found.items()}

    def _valued(self, cell: Cell, measure: Measure, period: Period, among: Among) -> Cell:
        is_told = measure.rule.is_additive or not cell.seen
        return cell if is_told else replace(cell, sum=self.look(measure.rule, period, among))

    def line(self, line: KpiLine, question: AskedPeriod, among: Among) -> Answer:
        """The number of a KPI; of several parts it is the least."""
        return self.said(
            line.parts.values(), [self.cell(one, question, among) for one in line.parts.values()], question
        )

    def one(self, measure: Measure, question: AskedPeriod, among: Among) -> Answer:
        return self.said([measure], [self.cell(measure, question, among)], question)

    def said(self, measures: Iterable[Measure], cells: Sequence[Cell], question: AskedPeriod) -> Answer:
        """Value, state and number of records, one of five states (G-05): none where no record has its day there, 0
        where none of them counts, not due where it is all to come, an error where it is not counted yet."""
        if any(measure.key not in self.counted for measure in measures):
            return {"value": None, "state": "error", "records": 0}
        if not any(cell.seen for cell in cells):
            is_to_come = question.period.first > self.on
            return {"value": None, "state": "not_due" if is_to_come else "none", "records": 0}
        value = min(cell.sum for cell in cells)
        return {"value": value, "state": "value" if value else "zero", "records": sum(cell.n for cell in cells)}


def wanted(
    lines: Iterable[KpiLine], *questions: AskedPeriod, milestones: Iterable[MilestoneLine] = ()
) -> dict[str, Piece]:
    """The documents of counts that answers to these questions are made of.

    A month of which one question asks for some days and another for the whole is read with its days.
    """
    found: dict[str, Piece] = {}

    def add(measure: Measure, pieces: Iterable[Piece]) -> None:
        for id_, piece in measure.documents(pieces).items():
            if id_ not in found or piece.days:
                found[id_] = piece

    for line in lines:
        for question in questions:
            for measure in line.measures:
                add(measure, of(line, question).pieces)
        for measure in (*line.parts.values(), *([line.scheduled] if line.scheduled else [])):
            add(measure, [Piece(str(line.plan.year))])
    for milestone in milestones:
        for question in questions:
            add(milestone.measure, question.pieces)
    return found


def of(line: KpiLine, question: AskedPeriod) -> AskedPeriod:
    """The days that a KPI counts when it is asked for a period: a stock is what it was, however long nobody told it."""
    return question if line.kpi.nature == "flow" else question.to_date
