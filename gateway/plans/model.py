"""The annual work plan: its items, the numbers it promises and the rules by which records count towards them.

Plain values: `plan_file` reads them, `gateway.kpi` says how much of them is done.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from services.contract.rule import Rule
from services.kernel.money import FEN_PER_YUAN

Better = Literal["more", "less"]

Nature = Literal["flow", "stock", "to_date"]
"""The records that a number adds up: of the period, the last until its end, or all until its end."""

Interval = Literal["daily", "weekly", "monthly", "quarterly", "yearly"]


@dataclass(frozen=True)
class Words:
    """A text in both languages."""

    zh: str
    en: str


@dataclass(frozen=True)
class Unit:
    """The unit of a number. Money is written in yuan and counted in whole fen: `scale` of them are one unit."""

    words: Words
    is_money: bool = False

    @property
    def scale(self) -> int:
        """How many counted quantities make one unit."""
        return FEN_PER_YUAN if self.is_money else 1


@dataclass(frozen=True)
class Target:
    """A decision about what to reach, in counted quantities (fen, not yuan), with its day and its document.

    The `baseline` was there before: only what goes beyond it counts towards the percent.
    """

    value: int
    decided_on: date
    doc_no: str
    baseline: int | None = None


@dataclass(frozen=True)
class Beside:
    """Another number, shown next to a KPI and never added to it."""

    title: Words
    rule: Rule


@dataclass(frozen=True)
class Kpi:
    """A number of the plan: what counts (`parts`) and what was reported but not verified yet (`reported`, G-04).

    Usually there is one part; of several the number is the least (complete sets out of parts). `pace` has the percents
    of the target that are due in each month; where there is none the days until the item is due count alike.
    """

    code: str
    title: Words
    unit: Unit
    targets: tuple[Target, ...]
    parts: Mapping[str, Rule]
    nature: Nature = "flow"
    better: Better = "more"
    reported: Rule | None = None
    scheduled: Rule | None = None
    beside: tuple[Beside, ...] = ()
    pace: tuple[int, ...] | None = None
    expects: Interval | None = None

    @property
    def rule(self) -> Rule:
        """The rule of what counts; of several parts the first."""
        return next(iter(self.parts.values()))

    @property
    def rules(self) -> tuple[Rule, ...]:
        """All rules that an answer about the KPI may count by: its parts first."""
        others = [rule for rule in (self.reported, self.scheduled) if rule]
        return (*self.parts.values(), *others, *(beside.rule for beside in self.beside))

    @property
    def services(self) -> frozenset[str]:
        """The services whose records it counts."""
        return frozenset(rule.of.service for rule in self.rules)

    def target(self, on: date) -> Target | None:
        """Return the decision in force on that day (G-09); before the first the first, None where there is none."""
        decided = [target for target in self.targets if target.decided_on <= on] or list(self.targets[:1])
        return decided[-1] if decided else None


@dataclass(frozen=True)
class Milestone:
    """An aim that a record reaches, not a tick (G-10): the first record of the year that counts."""

    code: str
    title: Words
    rule: Rule
    due: date


@dataclass(frozen=True)
class Item:
    """One of the work plan's items, with the service that owns its records.

    `unmeasured` says why nothing of it is counted yet, where it has neither KPIs nor milestones.
    """

    no: int
    section: str
    title: Words
    service: str
    responsible: str
    due: date
    kpis: tuple[Kpi, ...] = ()
    milestones: tuple[Milestone, ...] = ()
    unmeasured: Words | None = None


@dataclass(frozen=True)
class Plan:
    """One year's plan, with its districts and sections by code."""

    title: Words
    year: int
    districts: dict[str, str]
    sections: dict[str, Words]
    items: tuple[Item, ...]

    def kpis(self) -> Iterator[tuple[Item, Kpi]]:
        """Yield every KPI with its item, in the order of the plan."""
        for item in self.items:
            for kpi in item.kpis:
                yield item, kpi

    def milestones(self) -> Iterator[tuple[Item, Milestone]]:
        """Yield every milestone with its item, in the order of the plan."""
        for item in self.items:
            for milestone in item.milestones:
                yield item, milestone

    def rules(self) -> Iterator[Rule]:
        """Yield every rule of every KPI and milestone; some of them may be equal."""
        for _, kpi in self.kpis():
            yield from kpi.rules
        for _, milestone in self.milestones():
            yield milestone.rule
