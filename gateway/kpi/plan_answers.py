"""Answers about the plan itself: items, KPIs, milestones, targets, and their rules in words. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.kpi import rule_text
from gateway.plans.model import Item, Kpi, Milestone, Plan, Target, Unit, Words
from services.contract.rule import Rule
from services.kernel.money import format_yuan

Answer = dict[str, Any]
"""An answer as JSON; its schema stands in `gateway/reporting/answer_schemas.py`."""


def outline(plan: Plan) -> Answer:
    """Sum the plan up for a list of plans."""
    return {
        "year": plan.year,
        "title": bilingual(plan.title),
        "items": len(plan.items),
        "kpis": [kpi.code for _, kpi in plan.kpis()],
        "milestones": [milestone.code for _, milestone in plan.milestones()],
    }


def describe(plan: Plan, versions: Sequence[Mapping[str, Any]]) -> Answer:
    """Describe the plan as it was decided: sections, items, targets, rules, and the versions it has had."""
    return {
        "year": plan.year,
        "title": bilingual(plan.title),
        "districts": plan.districts,
        "sections": {code: bilingual(title) for code, title in plan.sections.items()},
        "items": [_item_with_rules(item) for item in plan.items],
        "versions": list(versions),
    }


def item_head(item: Item) -> Answer:
    """Describe an item without its KPIs and milestones."""
    return {
        "no": item.no,
        "section": item.section,
        "title": bilingual(item.title),
        "service": item.service,
        "responsible": item.responsible,
        "due": item.due.isoformat(),
        "unmeasured": bilingual(item.unmeasured) if item.unmeasured else None,
    }


def decision(target: Target) -> Answer:
    """Say what was decided, from which day on and by which document."""
    return {
        "value": target.value,
        "baseline": target.baseline,
        "decided_on": target.decided_on.isoformat(),
        "doc_no": target.doc_no,
    }


def unit(unit: Unit) -> Answer:
    """Say of which unit values count 1/`scale`: 96000000 of 1/100 yuan are 960000 yuan."""
    return {**bilingual(unit.words), "scale": unit.scale}


def in_words(value: int | None, unit: Unit) -> Answer | None:
    """Write a value out, exactly and ready to be shown: `960,000.00元`; None where there is none."""
    if value is None:
        return None
    number = format_yuan(value, grouped=True) if unit.is_money else f"{value:,}"
    return {"zh": f"{number}{unit.words.zh}", "en": f"{number} {unit.words.en}"}


def bilingual(words: Words) -> Answer:
    """Return a text in both languages."""
    return {"zh": words.zh, "en": words.en}


def _item_with_rules(item: Item) -> Answer:
    return {
        **item_head(item),
        "kpis": [_kpi(kpi, item) for kpi in item.kpis],
        "milestones": [_milestone(milestone) for milestone in item.milestones],
    }


def _kpi(kpi: Kpi, item: Item) -> Answer:
    return {
        "code": kpi.code,
        "title": bilingual(kpi.title),
        "unit": unit(kpi.unit),
        "nature": kpi.nature,
        "better": kpi.better,
        "targets": [decision(target) for target in kpi.targets],
        "counts": [{"name": name, **_rule(rule)} for name, rule in kpi.parts.items()],
        "reported": kpi.reported.say() if kpi.reported else None,
        "scheduled": kpi.scheduled.say() if kpi.scheduled else None,
        "beside": [{"title": bilingual(beside.title), "rule": beside.rule.say()} for beside in kpi.beside],
        "pace": bilingual(rule_text.pace(kpi, item.due)),
        "expects": kpi.expects,
    }


def _milestone(milestone: Milestone) -> Answer:
    return {
        "code": milestone.code,
        "title": bilingual(milestone.title),
        "due": milestone.due.isoformat(),
        **_rule(milestone.rule),
    }


def _rule(rule: Rule) -> Answer:
    return {"rule": rule.say(), "words": bilingual(rule_text.rule(rule))}
