"""The book: the plans of all years and their KPIs, each with the measures of its numbers, found by code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property, lru_cache

from gateway.kpi.measures import Measure
from gateway.plans import periods
from gateway.plans.model import Item, Kpi, Milestone, Plan, Words
from gateway.plans.pace import Pace
from gateway.plans.periods import Period, Piece
from services.contract.rule import Rule


@dataclass(frozen=True)
class KpiLine:
    """A KPI in its plan, with the measures of its numbers."""

    plan: Plan
    item: Item
    kpi: Kpi
    parts: Mapping[str, Measure]
    reported: Measure | None
    scheduled: Measure | None
    beside: tuple[tuple[Words, Measure], ...]

    @cached_property
    def measures(self) -> tuple[Measure, ...]:
        others = [measure for measure in (self.reported, self.scheduled) if measure]
        return (*self.parts.values(), *others, *(measure for _, measure in self.beside))

    @property
    def code(self) -> str:
        return self.kpi.code

    @property
    def services(self) -> frozenset[str]:
        return self.kpi.services

    @cached_property
    def pace(self) -> Pace:
        return Pace(self.plan.year, self.item.due, self.kpi.pace)


@dataclass(frozen=True)
class MilestoneLine:
    """A milestone in its plan, with the measure that tells whether any record reached it."""

    item: Item
    milestone: Milestone
    measure: Measure

    @property
    def code(self) -> str:
        return self.milestone.code

    @property
    def services(self) -> frozenset[str]:
        return frozenset({self.milestone.rule.of.service})

    @property
    def measures(self) -> tuple[Measure, ...]:
        return (self.measure,)


@dataclass(frozen=True)
class AskedPeriod:
    """The period of a question and the pieces of time it is made of."""

    period: Period
    pieces: tuple[Piece, ...]

    @cached_property
    def to_date(self) -> AskedPeriod:
        """All that happened until the end of it."""
        return _asked(replace(self.period, first=min(SINCE, self.period.first)))


SINCE = date(2000, 1, 1)  # what is counted to date is counted from that day on


def asked(period: str, today: date | None = None) -> AskedPeriod:
    """What this text asks for; raises `UnknownPeriod`. Some texts mean other days every day."""
    return _asked(periods.read(period, today))


@lru_cache(maxsize=1_000)
def _asked(period: Period) -> AskedPeriod:
    return AskedPeriod(period, tuple(periods.pieces(period)))


class PlanIndex:
    """The plans of all years, and their KPIs by code."""

    def __init__(self, plans: Mapping[int, Plan]) -> None:
        self.plans = plans
        self._lines = {
            year: {kpi.code: _line(plan, item, kpi) for item, kpi in plan.kpis()} for year, plan in plans.items()
        }
        self._milestones = {year: [_milestone(*one) for one in plan.milestones()] for year, plan in plans.items()}

    @property
    def codes(self) -> list[str]:
        return sorted({code for lines in self._lines.values() for code in lines})

    def rules(self) -> Iterator[Rule]:
        for plan in self.plans.values():
            yield from plan.rules()

    def lines(self, year: int) -> list[KpiLine]:
        """The KPIs of a year in the order of the plan."""
        return list(self._lines[year].values())

    def milestones(self, year: int) -> list[MilestoneLine]:
        """The milestones of a year in the order of the plan."""
        return self._milestones[year]

    def milestone(self, code: str) -> tuple[Plan, MilestoneLine] | None:
        """The milestone of that code in the last plan that has it."""
        years = sorted(self.plans, reverse=True)
        found = ((self.plans[year], one) for year in years for one in self._milestones[year])
        return next((one for one in found if one[1].code == code), None)

    def line(self, code: str, year: int | None = None) -> KpiLine | None:
        """The KPI of that year's plan, else of the last plan that has it."""
        years = [year] if year in self.plans else sorted(self.plans, reverse=True)
        return next((self._lines[one][code] for one in years if one is not None and code in self._lines[one]), None)


def _line(plan: Plan, item: Item, kpi: Kpi) -> KpiLine:
    return KpiLine(
        plan=plan,
        item=item,
        kpi=kpi,
        parts={name: Measure(rule) for name, rule in kpi.parts.items()},
        reported=Measure(kpi.reported) if kpi.reported else None,
        scheduled=Measure(kpi.scheduled) if kpi.scheduled else None,
        beside=tuple((beside.title, Measure(beside.rule)) for beside in kpi.beside),
    )


def _milestone(item: Item, milestone: Milestone) -> MilestoneLine:
    return MilestoneLine(item, milestone, Measure(milestone.rule))
