"""The book: the plans of all years and their KPIs, each with the measures of its numbers, found by code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

from gateway import periods
from gateway.measures import Measure
from gateway.periods import Period, Piece
from gateway.plan import Item, Kpi, Plan, Words
from services.contract.rule import Rule


@dataclass(frozen=True)
class Line:
    """A KPI in its plan, with the measures of its numbers."""

    plan: Plan
    item: Item
    kpi: Kpi
    counted: Measure
    reported: Measure | None
    beside: tuple[tuple[Words, Measure], ...]

    @cached_property
    def measures(self) -> tuple[Measure, ...]:
        return (self.counted, *([self.reported] if self.reported else []), *(measure for _, measure in self.beside))


@dataclass(frozen=True)
class Asked:
    """The period of a question and the pieces of time it is made of."""

    period: Period
    pieces: tuple[Piece, ...]


@lru_cache(maxsize=1_000)
def asked(period: str) -> Asked:
    """What this text asks for; raises `UnknownPeriod`."""
    found = periods.read(period)
    return Asked(found, tuple(periods.pieces(found)))


class Book:
    """The plans of all years, and their KPIs by code."""

    def __init__(self, plans: Mapping[int, Plan]) -> None:
        self.plans = plans
        self._lines = {
            year: {kpi.code: _line(plan, item, kpi) for item, kpi in plan.kpis()} for year, plan in plans.items()
        }

    @property
    def codes(self) -> list[str]:
        return sorted({code for lines in self._lines.values() for code in lines})

    def rules(self) -> Iterator[Rule]:
        for plan in self.plans.values():
            yield from plan.rules()

    def lines(self, year: int) -> list[Line]:
        """The KPIs of a year in the order of the plan."""
        return list(self._lines[year].values())

    def line(self, code: str, year: int | None = None) -> Line | None:
        """The KPI of that year's plan, else of the last plan that has it."""
        years = [year] if year in self.plans else sorted(self.plans, reverse=True)
        return next((self._lines[one][code] for one in years if one is not None and code in self._lines[one]), None)


def _line(plan: Plan, item: Item, kpi: Kpi) -> Line:
    return Line(
        plan=plan,
        item=item,
        kpi=kpi,
        counted=Measure(kpi.rule),
        reported=Measure(kpi.reported) if kpi.reported else None,
        beside=tuple((beside.title, Measure(beside.rule)) for beside in kpi.beside),
    )
