"""Answers: what the counts say about the plan, each with how far it can be trusted.

Pure: it is given the numbers that were read. No data is none and never 0 (G-05), percent is not clamped (G-14), and
whatever is missing is told with its reason (G-12).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from gateway.kpi import rule_text as words
from gateway.kpi.measures import Cell, Measure
from gateway.kpi.plan_index import Asked, Line, MilestoneLine
from gateway.plans import pace
from gateway.plans.model import Item, Kpi, Milestone, Plan, Target, Unit, Words
from gateway.plans.periods import Period, Piece
from services.contract.rule import Rule
from services.contract.topology import SERVICES, exchange

Answer = dict[str, Any]
Among = Mapping[str, Any]
Look = Callable[[Rule, Period, Among], int]
"""The number of a rule whose parts do not add up, which no document of counts holds."""

EVERYWHERE: Among = MappingProxyType({})
NOTHING = Cell()
MONTHS = range(1, 13)


@dataclass(frozen=True)
class Standing:
    """How much was taken in when an answer was made: the ledger's state, and what waits for an operator."""

    as_of: datetime
    revision: int
    heard: Mapping[str, datetime]
    counted: frozenset[str]  # keys of the rules whose counts are whole
    compared: Mapping[str, int]  # records that differed when a service was compared; not there: it never was
    is_rebuilding: bool
    parked: Mapping[str, int]  # messages by the exchange they came from
    parked_there: Mapping[str, int]  # messages that services have parked themselves

    def say(self, lines: Iterable[Line | MilestoneLine], *, of: Iterable[str] = ()) -> Answer:
        """Concerning these lines, and the records of these services themselves."""
        reasons = list(self._reasons(lines, of))
        return {
            "as_of": self.as_of.isoformat(timespec="milliseconds"),
            "revision": self.revision,
            "freshness": {name: _instant(self.heard.get(name), self.as_of) for name in SERVICES},
            "complete": not reasons,
            "reasons": reasons,
        }

    def _reasons(self, lines: Iterable[Line | MilestoneLine], of: Iterable[str]) -> Iterator[Answer]:
        lines = list(lines)
        is_counted = all(one.key in self.counted for line in lines for one in line.measures)
        if is_counted and self._is_whole() and not self.parked and not self.parked_there:
            return
        concerned = {service for line in lines for service in line.services} | set(of)
        for source, messages in sorted(self.parked.items()):
            service = _service(source)
            if service is None or service in concerned:
                yield _parked(service, messages, at="gateway")
        for service in SERVICES:
            if service in concerned and service in self.parked_there:
                yield _parked(service, self.parked_there[service], at=service)
        for service in SERVICES:
            if service in concerned and self.compared.get(service) != 0:
                yield self._not_whole(service)
        for line in lines:
            if any(measure.key not in self.counted for measure in line.measures):
                yield {"code": "not_counted", "kpi": line.code, "zh": "规则尚在统计中", "en": "still being counted"}

    def _is_whole(self) -> bool:
        return all(self.compared.get(service) == 0 for service in SERVICES)

    def _not_whole(self, service: str) -> Answer:
        """What was taken in of this service is not all, or nobody knows yet whether it is."""
        records = self.compared.get(service)
        if self.is_rebuilding:
            said = {"code": "rebuilding", "zh": "正在从各服务重建", "en": "being made anew from the services"}
        elif records is None:
            said = {"code": "not_compared", "zh": "尚未与该服务比对", "en": "not compared with its service yet"}
        else:
            said = {
                "code": "behind",
                "zh": f"{records} 条记录与该服务不一致",
                "en": f"{records} records differ from their service",
            }
        return {"service": service, "records": records, **said}


def as_known(as_of: datetime) -> Answer:
    """The standing of an answer about the past: it is what was known then, and the same for ever (G-06).

    What is on its way or parked now says nothing about then, and would make the same answer another one tomorrow.
    """
    at = as_of.isoformat(timespec="milliseconds")
    return {"as_of": at, "revision": None, "freshness": None, "complete": None, "reasons": []}


@dataclass(frozen=True)
class Figures:
    """The numbers of one moment: documents of counts, the rules whose counts are whole, and a look at the others."""

    held: Mapping[str, Mapping[str, Any]]
    counted: frozenset[str]
    look: Look
    on: date

    def cell(self, measure: Measure, question: Asked, among: Among) -> Cell:
        if not among:
            cell = measure.total(question.pieces, self.held)
        else:
            ((by, value),) = among.items()
            cell = measure.groups(by, question.pieces, self.held).get(value, NOTHING)
        return self._valued(cell, measure, question.period, among)

    def groups(self, measure: Measure, by: str, question: Asked) -> dict[str | None, Cell]:
        found = measure.groups(by, question.pieces, self.held)
        return {value: self._valued(cell, measure, question.period, {by: value}) for value, cell in found.items()}

    def _valued(self, cell: Cell, measure: Measure, period: Period, among: Among) -> Cell:
        is_told = measure.rule.is_additive or not cell.seen
        return cell if is_told else replace(cell, sum=self.look(measure.rule, period, among))

    def line(self, line: Line, question: Asked, among: Among) -> Answer:
        """The number of a KPI; of several parts it is the least."""
        return self.said(
            line.parts.values(), [self.cell(one, question, among) for one in line.parts.values()], question
        )

    def one(self, measure: Measure, question: Asked, among: Among) -> Answer:
        return self.said([measure], [self.cell(measure, question, among)], question)

    def said(self, measures: Iterable[Measure], cells: Sequence[Cell], question: Asked) -> Answer:
        """Value, state and number of records, one of five states (G-05): none where no record has its day there, 0
        where none of them counts, not due where it is all to come, an error where it is not counted yet."""
        if any(measure.key not in self.counted for measure in measures):
            return {"value": None, "state": "error", "records": 0}
        if not any(cell.seen for cell in cells):
            is_to_come = question.period.first > self.on
            return {"value": None, "state": "not_due" if is_to_come else "none", "records": 0}
        value = min(cell.sum for cell in cells)
        return {"value": value, "state": "value" if value else "zero", "records": sum(cell.n for cell in cells)}


def wanted(lines: Iterable[Line], *questions: Asked, milestones: Iterable[MilestoneLine] = ()) -> dict[str, Piece]:
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


def of(line: Line, question: Asked) -> Asked:
    """The days that a KPI counts when it is asked for a period: a stock is what it was, however long nobody told it."""
    return question if line.kpi.nature == "flow" else question.to_date


def answer(
    line: Line,
    question: Asked,
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


def total(line: Line, question: Asked, figures: Figures, measure: Measure, *, among: Among) -> Answer:
    """The number alone: how many records there are, and what they add up to."""
    number = figures.one(measure, of(line, question), among)
    return {"value": number["value"], "state": number["state"], "total": number["records"]}


def series(line: Line, steps: Sequence[Asked], figures: Figures, *, among: Among) -> list[Answer]:
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


def crossed(line: Line, by: Sequence[str], cells: Iterable[tuple[Mapping[str, Any], Cell]]) -> Answer:
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


def explain(line: Line, spreads: Iterable[tuple[Rule, Iterable[Any]]]) -> Answer:
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


def _aim(line: Line, question: Asked, figures: Figures, number: Answer, *, is_whole: bool) -> Answer:
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


def _due(line: Line, period: Period, target: Target) -> int:
    """What is due of a target in a period; what is no flow is due as a whole by the end of it."""
    if period.last < period.first:
        return 0
    if line.kpi.nature == "flow":
        return line.pace.between(target.value, period.first, period.last)
    return line.pace.expected(target.value, period.last)


def _months(line: Line, target: Target, figures: Figures) -> list[Answer] | None:
    """None where months do not add up to the year."""
    if line.kpi.nature != "flow" or not all(measure.rule.is_additive for measure in line.parts.values()):
        return None
    parts = [measure.months(line.plan.year, figures.held) for measure in line.parts.values()]
    totals = [[sum(part[m].sum for m in MONTHS if m <= month and m in part) for month in MONTHS] for part in parts]
    least = [min(values) for values in zip(*totals, strict=True)]
    values = [now - before for before, now in zip([0, *least], least, strict=False)]
    return pace.months(values, target, line.pace, better=line.kpi.better, on=figures.on)


def _outlook(line: Line, number: Answer, figures: Figures) -> Answer | None:
    if number["value"] is None or line.kpi.nature != "flow":
        return None
    scheduled = None
    if line.scheduled:
        scheduled = line.scheduled.total([Piece(str(line.plan.year))], figures.held).sum
    return pace.outlook(number["value"], number["records"], scheduled, year=line.plan.year, on=figures.on)


def _percent_of(value: int | None, target: Target, better: str) -> float | None:
    return None if value is None else pace.percent(value, target, better)


# --- words ------------------------------------------------------------------------------------------------------------


def _groups(line: Line, by: str, question: Asked, figures: Figures) -> Answer:
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


def _name(line: Line, by: str, value: str) -> str:
    return line.plan.districts.get(value, value) if by == "district" else words.value(value, line.kpi.rule, by).zh


def _said(cell: Cell) -> Answer:
    state = "none" if not cell.seen else "value" if cell.sum else "zero"
    return {"value": cell.sum if cell.seen else None, "state": state, "records": cell.n}


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


def _period(period: Period) -> Answer:
    return {"period": period.name, "first": period.first.isoformat(), "last": period.last.isoformat()}


def _parked(service: str | None, messages: int, *, at: str) -> Answer:
    """Messages that concern a service's numbers wait for an operator, at the gateway or there."""
    return {
        "code": "parked",
        "service": service,
        "at": at,
        "messages": messages,
        "zh": f"{messages} 条消息尚待处理",
        "en": f"{messages} messages could not be taken in yet",
    }


def _instant(instant: datetime | None, like: datetime) -> str | None:
    return instant.astimezone(like.tzinfo).isoformat(timespec="seconds") if instant else None


def _service(source: str) -> str | None:
    """Whose exchange that is; None for a message that was put straight into our queue."""
    return next((service for service in SERVICES if exchange(service) == source), None)
