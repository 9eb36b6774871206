"""Answers about KPIs and milestones, made of the numbers that were read. Pure.

No data is none and never 0 (G-05), and percent is not clamped (G-14).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from gateway.kpi import breakdown
from gateway.kpi.figures import EVERYWHERE, Figures, Filters, counted_period
from gateway.kpi.measures import Measure
from gateway.kpi.plan_answers import Answer, bilingual, in_words, item_head, unit
from gateway.kpi.plan_index import AskedPeriod, KpiLine, MilestoneLine
from gateway.kpi.record_answers import evidence
from gateway.kpi.target_progress import NO_TARGET, due_in_step, towards_target
from gateway.plans.model import Plan
from gateway.plans.periods import Period


def kpi(
    line: KpiLine,
    period: AskedPeriod,
    figures: Figures,
    *,
    filters: Filters = EVERYWHERE,
    by: str | None = None,
) -> Answer:
    """Answer about one KPI in a period: of the whole municipality or filtered, and split by the values of a field."""
    counted = counted_period(line, period)
    number = figures.kpi(line, counted, filters)

    def named(measure: Measure) -> Answer:
        return figures.measure(measure, counted, filters).answer()

    return {
        "code": line.code,
        "title": bilingual(line.kpi.title),
        "plan": line.plan.year,
        "item": line.item.no,
        "unit": unit(line.kpi.unit),
        "nature": line.kpi.nature,
        **_days(period.period),
        "district": filters.get("district"),
        **number.answer(),
        "text": in_words(number.value, line.kpi.unit),
        **(NO_TARGET if filters else towards_target(line, period, figures, number)),
        "reported": named(line.reported) if line.reported else None,
        "beside": [{"title": bilingual(title), **named(measure)} for title, measure in line.beside],
        "parts": [{"name": name, **named(measure)} for name, measure in line.parts.items() if len(line.parts) > 1],
        **(breakdown.by_field(line, by, counted, figures) if by else {}),
    }


def total(line: KpiLine, period: AskedPeriod, figures: Figures, measure: Measure, *, filters: Filters) -> Answer:
    """Answer the number alone: what the records add up to, and how many records there are."""
    number = figures.measure(measure, counted_period(line, period), filters)
    return {"value": number.value, "state": number.state, "total": number.records}


def series(line: KpiLine, steps: Sequence[AskedPeriod], figures: Figures, *, filters: Filters) -> list[Answer]:
    """Answer the number step by step, empty steps included, with what was due of the target in each (pace)."""
    return [
        {
            **_days(step.period),
            **figures.kpi(line, counted_period(line, step), filters).answer(),
            "expected": due_in_step(line, step.period, figures, filters),
        }
        for step in steps
    ]


def milestone(line: MilestoneLine, first: Mapping[str, Any] | None, *, on: date, is_counted: bool = True) -> Answer:
    """Answer whether a milestone is reached, by which record and on which day (G-10).

    `first` is the first record that reaches it, None where there is none.
    """
    rule, due = line.milestone.rule, line.milestone.due
    return {
        "code": line.code,
        "title": bilingual(line.milestone.title),
        "item": line.item.no,
        "due": due.isoformat(),
        "state": "reached" if first else "error" if not is_counted else "late" if on > due else "not_due",
        "reached_on": first["data"][rule.on] if first else None,
        "evidence": evidence(rule, first) if first else None,
    }


def progress(plan: Plan, kpis: Mapping[str, Answer], milestones: Mapping[str, Answer]) -> list[Answer]:
    """List every item of the plan, with the answers about its KPIs and milestones."""
    return [
        {
            **item_head(item),
            "kpis": [kpis[kpi.code] for kpi in item.kpis],
            "milestones": [milestones[milestone.code] for milestone in item.milestones],
        }
        for item in plan.items
    ]


def _days(period: Period) -> Answer:
    return {"period": period.name, "first": period.first.isoformat(), "last": period.last.isoformat()}
