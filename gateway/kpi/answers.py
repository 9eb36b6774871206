"""Answers: what the counts say about the plan, each with how far it can be trusted.

Pure: it is given the numbers that were read. No data is none and never 0 (G-05), percent is not clamped (G-14), and
whatever is missing is told with its reason (G-12).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any
from urllib.parse import quote

from gateway.kpi import rule_text as words
from gateway.kpi.figures import EVERYWHERE, NOTHING, Among, Figures, of
from gateway.kpi.measures import Cell, Measure
from gateway.kpi.plan_answers import Answer, _item, _target, _words, unit
from gateway.kpi.plan_index import AskedPeriod, KpiLine, MilestoneLine
from gateway.plans import pace
from gateway.plans.model import Plan, Target
from gateway.plans.periods import Period, Piece
from services.contract.rule import Rule

MONTHS = range(1, 13)


def answer(
    line: KpiLine,
    question: AskedPeriod,
    figures: Figures,
    *,
    among: Among = EVERYWHERE,
    by: Sequence[str] = (),
) -> Answer:
    """One KPI in a period, of the whole municipality or of some records, and by the values of a field."""
    kpi, period, counted = line.kpi, question.period, of(line, question)
    number = figures.line(line, counted, among)
    said = {
        "code": kpi.code,
        "title": _words(kpi.title),
        "plan": line.plan.year,
        "item": line.item.no,
        "unit": unit(kpi.unit),
        "nature": kpi.nature,
        **_period(period),
        "district": among.get("district"),
        **number,
        **_aim(line, question, figures, number, is_whole=not among),
        "reported": figures.one(line.reported, counted, among) if line.reported else None,
        "beside": [{"title": _words(title), **figures.one(measure, counted, among)} for title, measure in line.beside],
        "parts": [
            {"name": name, **figures.one(measure, counted, among)}
            for name, measure in (line.parts.items() if len(line.parts) > 1 else ())
        ],
    }
    return {**said, "by": by[0], **_groups(line, by[0], counted, figures)} if len(by) == 1 else said


def total(line: KpiLine, question: AskedPeriod, figures: Figures, measure: Measure, *, among: Among) -> Answer:
    """The number alone: how many records there are, and what they add up to."""
    number = figures.one(measure, of(line, question), among)
    return {"value": number["value"], "state": number["state"], "total": number["records"]}


def series(line: KpiLine, steps: Sequence[AskedPeriod], figures: Figures, *, among: Among) -> list[Answer]:
    """The number step by step, also where nothing happened, with what was due of the target in each (pace)."""
    target = line.kpi.target(figures.on) if not among else None
    return [
        {
            **_period(step.period),
            **figures.line(line, of(line, step), among),
            "expected": _due(line, step.period, target) if target and step.period.is_within(line.plan.year) else None,
        }
        for step in steps
    ]


def crossed(line: KpiLine, by: Sequence[str], cells: Iterable[tuple[Mapping[str, Any], Cell]]) -> Answer:
    """The number by the values of several fields at once; `unassigned` lack one of them."""
    found: dict[tuple[Any, ...], Cell] = {}
    for values, cell in cells:
        key = tuple(values.get(name) for name in by)
        key = key if all(one not in (None, "") for one in key) else ()
        found[key] = found.get(key, NOTHING) + cell
    unassigned = found.pop((), NOTHING)
    return {
        "by": ",".join(by),
        "groups": [
            {
                "key": ",".join(key),
                "name": " / ".join(map(partial(_name, line), by, key)),
                **_said(cell),
            }
            for key, cell in sorted(found.items())
        ],
        "unassigned": _said(unassigned),
        "adds_up": True,
    }


def explain(line: KpiLine, spreads: Iterable[tuple[Rule, Iterable[Any]]]) -> Answer:
    """How the number comes about: the rule in words, records by state, and why those that do not count do not."""
    parts = []
    for rule, combinations in spreads:
        by_state: dict[str, int] = {}
        left_out: dict[tuple[str, Any], int] = {}
        for one in combinations:
            state = str(one.values["state"])
            by_state[state] = by_state.get(state, 0) + one.records
            if condition := next((c for c in rule.where if not c.holds(one.values)), None):
                held = one.values[condition.field]
                reason = condition.field, tuple(held) if isinstance(held, list) else held
                left_out[reason] = left_out.get(reason, 0) + one.records
        parts.append(
            {
                "rule": rule.say(),
                "words": _words(words.rule(rule)),
                "by_state": by_state,
                "excluded": [
                    {"field": field, "value": value, "records": records, **_words(words.exclusion(rule, field, value))}
                    for (field, value), records in sorted(left_out.items(), key=str)
                ],
            }
        )
    return {"counts": parts, "pace": _words(words.pace(line.kpi, line.item.due))}


def milestone(line: MilestoneLine, first: Mapping[str, Any] | None, *, on: date, is_counted: bool = True) -> Answer:
    """Reached by a record (G-10): its day, and the record itself."""
    due = line.milestone.due
    state = "reached" if first else "error" if not is_counted else "late" if on > due else "not_due"
    return {
        "code": line.code,
        "title": _words(line.milestone.title),
        "item": line.item.no,
        "due": due.isoformat(),
        "state": state,
        "reached_on": first["data"][line.milestone.rule.on] if first else None,
        "evidence": evidence(line.milestone.rule, first) if first else None,
    }


def progress(plan: Plan, answers: Mapping[str, Answer], milestones: Mapping[str, Answer]) -> list[Answer]:
    """Every item of the plan, with the answers about its KPIs and milestones."""
    return [
        _item(item)
        | {
            "kpis": [answers[kpi.code] for kpi in item.kpis],
            "milestones": [milestones[one.code] for one in item.milestones],
        }
        for item in plan.items
    ]


def record(rule: Rule, view: Mapping[str, Any]) -> Answer:
    """One of the records behind a number, with the amount that it adds."""
    data = view["data"]
    return {
        **evidence(rule, view),
        "day": data[rule.on],
        "amount": rule.amount(data),
        **{name: data.get(name) for name in rule.by},
    }


def evidence(rule: Rule, view: Mapping[str, Any]) -> Answer:
    """Which record it is, and where its history is found."""
    id_ = view["_id"].removeprefix(f"{rule.of.key}/")
    history = f"/api/v1/records/{rule.of.service}/{rule.of.name}/{quote(id_, safe='')}/history"
    said = {"service": rule.of.service, "kind": rule.of.name, "id": id_, "version": view["version"]}
    return {**said, "state": view["data"]["state"], "history": history}


def version(row: Mapping[str, Any]) -> Answer:
    """One version of a record as it was heard."""
    said = {name: row[name] for name in ("happened", "time", "actor", "cause", "hash")}
    return {"version": row["_id"]["version"], **said, "view": row["data"]}


# --- the target and the way there -------------------------------------------------------------------------------------


def _aim(line: KpiLine, question: AskedPeriod, figures: Figures, number: Answer, *, is_whole: bool) -> Answer:
    """What was decided, how far it is reached, and what is due by now; only of the whole, and in the plan's year."""
    kpi, period, year = line.kpi, question.period, line.plan.year
    target = kpi.target(figures.on) if is_whole and period.is_within(year) else None
    if target is None:
        return dict.fromkeys(
            ("target", "percent", "decision", "original", "expected", "gap", "remaining", "status", "months", "outlook")
        )
    value = number["value"]
    expected = _due(line, Period("", period.first, min(period.last, figures.on)), target)
    first = kpi.targets[0]
    is_year = period.name == str(year) and number["state"] != "error"
    return {
        "target": target.value,
        "percent": None if value is None else pace.percent(value, target, kpi.better),
        "decision": _target(target),
        "original": None if first is target else _target(first) | {"percent": _percent_of(value, first, kpi.better)},
        "expected": expected,
        "gap": None if value is None else value - expected,
        "remaining": None if value is None else target.value - value,
        "status": pace.status(value or 0, target, line.pace, better=kpi.better, on=figures.on) if is_year else None,
        "months": _months(line, target, figures) if is_year else None,
        "outlook": _outlook(line, number, figures) if is_year else None,
    }


def _due(line: KpiLine, period: Period, target: Target) -> int:
    """What is due of a target in a period; what is no flow is due as a whole by the end of it."""
    if period.last < period.first:
        return 0
    if line.kpi.nature == "flow":
        return line.pace.between(target.value, period.first, period.last)
    return line.pace.expected(target.value, period.last)


def _months(line: KpiLine, target: Target, figures: Figures) -> list[Answer] | None:
    """None where months do not add up to the year."""
    if line.kpi.nature != "flow" or not all(measure.rule.is_additive for measure in line.parts.values()):
        return None
    parts = [measure.months(line.plan.year, figures.held) for measure in line.parts.values()]
    totals = [[sum(part[m].sum for m in MONTHS if m <= month and m in part) for month in MONTHS] for part in parts]
    least = [min(values) for values in zip(*totals, strict=True)]
    values = [now - before for before, now in zip([0, *least], least, strict=False)]
    return pace.months(values, target, line.pace, better=line.kpi.better, on=figures.on)


def _outlook(line: KpiLine, number: Answer, figures: Figures) -> Answer | None:
    if number["value"] is None or line.kpi.nature != "flow":
        return None
    scheduled = None
    if line.scheduled:
        scheduled = line.scheduled.total([Piece(str(line.plan.year))], figures.held).sum
    return pace.outlook(number["value"], number["records"], scheduled, year=line.plan.year, on=figures.on)


def _percent_of(value: int | None, target: Target, better: str) -> float | None:
    return None if value is None else pace.percent(value, target, better)


# --- words ------------------------------------------------------------------------------------------------------------


def _groups(line: KpiLine, by: str, question: AskedPeriod, figures: Figures) -> Answer:
    """The known values first, in their order, then what else there is; with `unassigned` they add up to the number.

    Not where a value may be counted in several groups, or the least of parts is told (G-11).
    """
    found = [figures.groups(measure, by, question) for measure in line.parts.values()]
    values = {value for groups in found for value, cell in groups.items() if cell.seen and value is not None}
    names = line.plan.districts if by == "district" else dict.fromkeys(line.kpi.rule.of.fields[by].choices, None)
    others = sorted(values - set(names))

    def said(value: str | None) -> Answer:
        return figures.said(line.parts.values(), [groups.get(value, NOTHING) for groups in found], question)

    return {
        "groups": [{"key": value, "name": _name(line, by, value), **said(value)} for value in [*names, *others]],
        "unassigned": said(None),
        "adds_up": len(found) == 1 and line.kpi.rule.is_additive,
    }


def _name(line: KpiLine, by: str, value: str) -> str:
    return line.plan.districts.get(value, value) if by == "district" else words.value(value, line.kpi.rule, by).zh


def _said(cell: Cell) -> Answer:
    state = "none" if not cell.seen else "value" if cell.sum else "zero"
    return {"value": cell.sum if cell.seen else None, "state": state, "records": cell.n}


def _period(period: Period) -> Answer:
    return {"period": period.name, "first": period.first.isoformat(), "last": period.last.isoformat()}
