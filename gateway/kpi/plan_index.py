"""The index of plans: the plans of all years and their KPIs by code, each with the measures of its numbers. Pure."""

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

TO_DATE_SINCE = date(2000, 1, 1)  # the first day of what is counted to date


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
        """All measures that an answer about the KPI may read: its parts first."""
        others = [measure for measure in (self.reported, self.scheduled) if measure]
        return (*self.parts.values(), *others, *(measure for _, measure in self.beside))

    @property
    def code(self) -> str:
        return self.kpi.code

    @property
    def services(self) -> frozenset[str]:
        """The services whose records the KPI counts."""
        return self.kpi.services

    @cached_property
    def pace(self) -> Pace:
        """How the KPI's target spreads over the plan's year."""
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
        """Name the one service whose records can reach it."""
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
        """The period from the first day that is counted to date until the end of this one."""
        return _in_pieces(replace(self.period, first=min(TO_DATE_SINCE, self.period.first)))


def resolve_period(text: str, today: date | None = None) -> AskedPeriod:
    """Read a period and cut it into pieces; raises `UnknownPeriod`.

    `LAST_3_MONTHS` and its like look back from `today`, and are unknown without it.
    """
    return _in_pieces(periods.read(text, today))


@lru_cache(maxsize=1_000)
def _in_pieces(period: Period) -> AskedPeriod:
    return AskedPeriod(period, tuple(periods.pieces(period)))


class PlanIndex:
    """The plans of all years, and their KPIs by code."""

    def __init__(self, plans: Mapping[int, Plan]) -> None:
        self.plans = plans
        self._kpi_lines = {
            year: {kpi.code: _kpi_line(plan, item, kpi) for item, kpi in plan.kpis()} for year, plan in plans.items()
        }
        self._milestones = {
            year: [MilestoneLine(item, milestone, Measure(milestone.rule)) for item, milestone in plan.milestones()]
            for year, plan in plans.items()
        }

    @property
    def codes(self) -> list[str]:
        """The codes of all KPIs of all years, sorted."""
        return sorted({code for lines in self._kpi_lines.values() for code in lines})

    def rules(self) -> Iterator[Rule]:
        """Yield every rule of every plan, some of them twice."""
        for plan in self.plans.values():
            yield from plan.rules()

    def kpi_lines(self, year: int) -> list[KpiLine]:
        """List the KPIs of a year in the order of its plan; none where the year has no plan."""
        return list(self._kpi_lines.get(year, {}).values())

    def kpi_line(self, code: str, year: int | None = None) -> KpiLine | None:
        """Find the KPI in that year's plan; where the year has no plan, in the last plan that has the KPI."""
        years = [year] if year in self.plans else sorted(self.plans, reverse=True)
        lines = (self._kpi_lines[year].get(code) for year in years if year is not None)
        return next((line for line in lines if line), None)

    def milestones(self, year: int) -> list[MilestoneLine]:
        """List the milestones of a year in the order of its plan."""
        return self._milestones[year]

    def milestone(self, code: str) -> tuple[Plan, MilestoneLine] | None:
        """Find the milestone in the last plan that has it."""
        for year in sorted(self.plans, reverse=True):
            for line in self._milestones[year]:
                if line.code == code:
                    return self.plans[year], line
        return None


def _kpi_line(plan: Plan, item: Item, kpi: Kpi) -> KpiLine:
    return KpiLine(
        plan=plan,
        item=item,
        kpi=kpi,
        parts={name: Measure(rule) for name, rule in kpi.parts.items()},
        reported=Measure(kpi.reported) if kpi.reported else None,
        scheduled=Measure(kpi.scheduled) if kpi.scheduled else None,
        beside=tuple((beside.title, Measure(beside.rule)) for beside in kpi.beside),
    )
