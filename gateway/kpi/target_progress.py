"""Progress towards a target: how far a number has come, what was due by now, and where the year may end. Pure.

Percent is not clamped (G-14); a target is of the whole municipality in the plan's year, and of nothing else.
"""

from __future__ import annotations

from typing import Any

from gateway.kpi.figures import Figures, Filters, Number
from gateway.kpi.plan_answers import Answer, decision
from gateway.kpi.plan_index import AskedPeriod, KpiLine
from gateway.plans import pace
from gateway.plans.model import Target
from gateway.plans.periods import Period, Piece

MONTHS = range(1, 13)

FIELDS = (
    "target", "percent", "decision", "original", "expected", "gap", "remaining", "status", "months", "outlook",
)  # fmt: skip

NO_TARGET: Answer = dict.fromkeys(FIELDS)


def towards_target(line: KpiLine, asked_period: AskedPeriod, figures: Figures, number: Number) -> Answer:
    """Say what was decided, how far it is reached, and what is due by now; all None where there is no target then."""
    period, year = asked_period.period, line.plan.year
    target = line.kpi.target(figures.today) if period.is_within(year) else None
    if target is None:
        return NO_TARGET

    return {**_distance(line, period, figures, number, target), **_year(line, period, figures, number, target)}


def due(line: KpiLine, period: Period, target: Target) -> int:
    """Compute how much of a target is due in a period; of what is no flow all of it, by the period's end."""
    if period.last < period.first:
        return 0
    if line.kpi.nature == "flow":
        return line.pace.between(target.value, period.first, period.last)
    return line.pace.expected(target.value, period.last)


def due_in_step(line: KpiLine, period: Period, figures: Figures, filters: Filters) -> int | None:
    """Compute what is due in one step of a series; None where there is no target for it."""
    target = None if filters else line.kpi.target(figures.today)
    return due(line, period, target) if target and period.is_within(line.plan.year) else None


def _distance(line: KpiLine, period: Period, figures: Figures, number: Number, target: Target) -> Answer:
    value, better, first = number.value, line.kpi.better, line.kpi.targets[0]
    expected = due(line, Period("", period.first, min(period.last, figures.today)), target)
    return {
        "target": target.value,
        "percent": _percent(value, target, better),
        "decision": decision(target),
        "original": None if first is target else {**decision(first), "percent": _percent(value, first, better)},
        "expected": expected,
        "gap": None if value is None else value - expected,
        "remaining": None if value is None else target.value - value,
    }


def _year(line: KpiLine, period: Period, figures: Figures, number: Number, target: Target) -> Answer:
    """Judge the number of the whole year; None of another period, or where it is not counted yet."""
    if period.name != str(line.plan.year) or number.state == "error":
        return {"status": None, "months": None, "outlook": None}

    on, better = figures.today, line.kpi.better
    return {
        "status": pace.status(number.value or 0, target, line.pace, better=better, on=on),
        "months": _months(line, target, figures),
        "outlook": _outlook(line, number, figures),
    }


def _months(line: KpiLine, target: Target, figures: Figures) -> list[Answer] | None:
    """List the months; None where they do not add up to the year."""
    if line.kpi.nature != "flow" or not all(measure.rule.is_additive for measure in line.parts.values()):
        return None

    parts = [measure.months(line.plan.year, figures.documents) for measure in line.parts.values()]
    totals = [[sum(part[m].sum for m in MONTHS if m <= month and m in part) for month in MONTHS] for part in parts]
    least = [min(values) for values in zip(*totals, strict=True)]
    values = [until_end - before for before, until_end in zip([0, *least], least, strict=False)]
    return pace.months(values, target, line.pace, better=line.kpi.better, on=figures.today)


def _outlook(line: KpiLine, number: Number, figures: Figures) -> dict[str, Any] | None:
    if number.value is None or line.kpi.nature != "flow":
        return None

    year, scheduled = line.plan.year, None
    if line.scheduled:
        scheduled = line.scheduled.total([Piece(str(year))], figures.documents).sum
    return pace.outlook(number.value, number.records, scheduled, year=year, on=figures.today)


def _percent(value: int | None, target: Target, better: str) -> float | None:
    return None if value is None else pace.percent(value, target, better)
