"""Answers: what the counts say about the plan, each with how far it can be trusted.

Pure: it is given the counts that were read. No data is none and never 0 (G-05), percent is not clamped (G-14), and
whatever is missing is told with its reason (G-12).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from gateway.book import Asked, Line
from gateway.measures import Cell, Measure
from gateway.periods import Period, Piece
from gateway.plan import Item, Kpi, Plan, Unit, Words
from services.contract.topology import SERVICES, exchange

Answer = dict[str, Any]
Held = Mapping[str, Mapping[str, Any]]

NOTHING = Cell()


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

    def say(self, lines: Iterable[Line]) -> Answer:
        reasons = list(self._reasons(lines))
        return {
            "as_of": self.as_of.isoformat(timespec="seconds"),
            "revision": self.revision,
            "freshness": {name: _instant(self.heard.get(name), self.as_of) for name in SERVICES},
            "complete": not reasons,
            "reasons": reasons,
        }

    def _reasons(self, lines: Iterable[Line]) -> Iterator[Answer]:
        lines = list(lines)
        is_counted = all(one.key in self.counted for line in lines for one in line.measures)
        if is_counted and self._is_whole() and not self.parked and not self.parked_there:
            return
        concerned = {service for line in lines for service in line.kpi.services}
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
                yield {"code": "not_counted", "kpi": line.kpi.code, "zh": "规则尚在统计中", "en": "still being counted"}

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


def wanted(lines: Iterable[Line], question: Asked) -> dict[str, Piece]:
    """The documents of counts that answers about these KPIs are made of."""
    found: dict[str, Piece] = {}
    for line in lines:
        for measure in line.measures:
            found.update(measure.documents(question.pieces))
    return found


def answer(
    line: Line, question: Asked, held: Held, *, on: datetime, district: str | None = None, by: str | None = None
) -> Answer:
    """One KPI in a period, of the whole municipality or one district, and by the values of a field."""
    kpi, period = line.kpi, question.period
    cell = _cell(line.counted, question, held, district)
    target = kpi.target(on.date()) if district is None and period.is_within(line.plan.year) else None
    said = {
        "code": kpi.code,
        "title": _words(kpi.title),
        "plan": line.plan.year,
        "item": line.item.no,
        "unit": _unit(kpi.unit),
        "definition": line.counted.key,
        **_period(period),
        "district": district,
        **_number(cell),
        "target": target.value if target else None,
        "percent": _percent(cell, target.value if target else None),
        "reported": _number(_cell(line.reported, question, held, district)) if line.reported else None,
        "beside": [
            {"title": _words(title), **_number(_cell(measure, question, held, district))}
            for title, measure in line.beside
        ],
    }
    return {**said, "by": by, **_groups(line, by, question, held)} if by else said


def total(line: Line, question: Asked, held: Held, *, district: str | None = None) -> Answer:
    """The number alone: how many records there are, and what they add up to."""
    number = _number(_cell(line.counted, question, held, district))
    return {
        "unit": _unit(line.kpi.unit),
        "definition": line.counted.key,
        "value": number["value"],
        "state": number["state"],
        "total": number["records"],
    }


def progress(plan: Plan, answers: Mapping[str, Answer]) -> list[Answer]:
    """Every item of the plan, with the answers about its KPIs."""
    return [_item(item) | {"kpis": [answers[kpi.code] for kpi in item.kpis]} for item in plan.items]


def outline(plan: Plan) -> Answer:
    """The plan in a line of a list."""
    return {
        "year": plan.year,
        "title": _words(plan.title),
        "items": len(plan.items),
        "kpis": [kpi.code for _, kpi in plan.kpis()],
    }


def describe(plan: Plan) -> Answer:
    """The plan as it was decided: sections, items, targets, rules."""
    return {
        "year": plan.year,
        "title": _words(plan.title),
        "districts": plan.districts,
        "sections": {code: _words(title) for code, title in plan.sections.items()},
        "items": [_item(item) | {"kpis": [_kpi(kpi) for kpi in item.kpis]} for item in plan.items],
    }


def record(line: Line, view: Mapping[str, Any]) -> Answer:
    """One of the records behind a number, with the amount that it adds."""
    rule, data = line.kpi.rule, view["data"]
    id_ = view["_id"].removeprefix(f"{rule.of.key}/")
    history = f"/api/v1/records/{rule.of.service}/{rule.of.name}/{quote(id_, safe='')}/history"
    return {
        "service": rule.of.service,
        "kind": rule.of.name,
        "id": id_,
        "version": view["version"],
        "state": data["state"],
        "day": data[rule.on],
        "amount": rule.amount(data),
        **{name: data.get(name) for name in rule.by},
        "history": history,
    }


def version(row: Mapping[str, Any]) -> Answer:
    """One version of a record as it was heard."""
    said = {name: row[name] for name in ("happened", "time", "actor", "cause", "hash")}
    return {"version": row["_id"]["version"], **said, "view": row["data"]}


def _cell(measure: Measure, question: Asked, held: Held, district: str | None) -> Cell:
    if district is None:
        return measure.total(question.pieces, held)
    return measure.groups("district", question.pieces, held).get(district, NOTHING)


def _number(cell: Cell) -> Answer:
    """Value, state and number of records; none where no record has its day there, 0 where none of them counts."""
    if not cell.seen:
        return {"value": None, "state": "none", "records": 0}
    return {"value": cell.sum, "state": "value" if cell.sum else "zero", "records": cell.n}


def _percent(cell: Cell, target: int | None) -> float | None:
    """Not clamped; none without a number, and none of a target of 0."""
    return round(cell.sum * 100 / target, 2) if target and cell.seen else None


def _groups(line: Line, by: str, question: Asked, held: Held) -> Answer:
    """The known values first, in their order, then what else there is; with `unassigned` they add up to the number."""
    found = line.counted.groups(by, question.pieces, held)
    unassigned = found.pop(None, NOTHING)
    names = line.plan.districts if by == "district" else dict.fromkeys(line.kpi.rule.of.fields[by].choices, None)
    others = sorted(value for value, cell in found.items() if value not in names and cell.seen)  # type: ignore[type-var]
    return {
        "groups": [
            {"key": value, "name": names.get(value) or value, **_number(found.get(value, NOTHING))}
            for value in [*names, *others]
        ],
        "unassigned": _number(unassigned),
    }


def _item(item: Item) -> Answer:
    return {
        "no": item.no,
        "section": item.section,
        "title": _words(item.title),
        "service": item.service,
        "responsible": item.responsible,
        "due": item.due.isoformat(),
    }


def _kpi(kpi: Kpi) -> Answer:
    return {
        "code": kpi.code,
        "title": _words(kpi.title),
        "unit": _unit(kpi.unit),
        "targets": [
            {"value": target.value, "decided_on": target.decided_on.isoformat(), "doc_no": target.doc_no}
            for target in kpi.targets
        ],
        "rule": kpi.rule.say(),
        "reported": kpi.reported.say() if kpi.reported else None,
        "beside": [{"title": _words(beside.title), "rule": beside.rule.say()} for beside in kpi.beside],
    }


def _words(words: Words) -> Answer:
    return {"zh": words.zh, "en": words.en}


def _unit(unit: Unit) -> Answer:
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
