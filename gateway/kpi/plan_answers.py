"""Answers about the plan itself: items, KPIs, milestones, targets and rules in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.kpi import rule_text as words
from gateway.plans.model import Item, Kpi, Milestone, Plan, Target, Unit, Words

Answer = dict[str, Any]


def outline(plan: Plan) -> Answer:
    """The plan in a line of a list."""
    return {
        "year": plan.year,
        "title": _words(plan.title),
        "items": len(plan.items),
        "kpis": [kpi.code for _, kpi in plan.kpis()],
        "milestones": [one.code for _, one in plan.milestones()],
    }


def describe(plan: Plan, versions: Sequence[Mapping[str, Any]]) -> Answer:
    """The plan as it was decided: sections, items, targets, rules, and the versions it has had."""
    return {
        "year": plan.year,
        "title": _words(plan.title),
        "districts": plan.districts,
        "sections": {code: _words(title) for code, title in plan.sections.items()},
        "items": [
            _item(item)
            | {
                "kpis": [_kpi(kpi, item) for kpi in item.kpis],
                "milestones": [_milestone(one) for one in item.milestones],
            }
            for item in plan.items
        ],
        "versions": list(versions),
    }


def _item(item: Item) -> Answer:
    return {
        "no": item.no,
        "section": item.section,
        "title": _words(item.title),
        "service": item.service,
        "responsible": item.responsible,
        "due": item.due.isoformat(),
        "unmeasured": _words(item.unmeasured) if item.unmeasured else None,
    }


def _kpi(kpi: Kpi, item: Item) -> Answer:
    return {
        "code": kpi.code,
        "title": _words(kpi.title),
        "unit": unit(kpi.unit),
        "nature": kpi.nature,
        "better": kpi.better,
        "targets": [_target(target) for target in kpi.targets],
        "counts": [
            {"name": name, "rule": rule.say(), "words": _words(words.rule(rule))} for name, rule in kpi.parts.items()
        ],
        "reported": kpi.reported.say() if kpi.reported else None,
        "scheduled": kpi.scheduled.say() if kpi.scheduled else None,
        "beside": [{"title": _words(beside.title), "rule": beside.rule.say()} for beside in kpi.beside],
        "pace": _words(words.pace(kpi, item.due)),
        "expects": kpi.expects,
    }


def _milestone(one: Milestone) -> Answer:
    said = {"code": one.code, "title": _words(one.title), "due": one.due.isoformat()}
    return {**said, "rule": one.rule.say(), "words": _words(words.rule(one.rule))}


def _target(target: Target) -> Answer:
    said = {"value": target.value, "baseline": target.baseline}
    return {**said, "decided_on": target.decided_on.isoformat(), "doc_no": target.doc_no}


def _words(words: Words) -> Answer:
    return {"zh": words.zh, "en": words.en}


def unit(unit: Unit) -> Answer:
    """Values are whole numbers of 1/`scale` of the unit: 96000000 of 1/100 yuan are 960000 yuan."""
    return {**_words(unit.words), "scale": unit.scale}
