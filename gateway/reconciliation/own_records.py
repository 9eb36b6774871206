"""What the gateway holds of a KPI, record by record: its own side of a recount, and the day of its last fact.

For a recount a record is judged by the rule itself (`Rule.counts`), as the ledger does, and not by a query.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from gateway.kpi.figures import Figures, documents_needed
from gateway.kpi.measures import Measure
from gateway.kpi.plan_index import AskedPeriod, KpiLine
from gateway.plans.model import Words
from gateway.read_model.reader import Reader
from gateway.read_model.store import Store
from gateway.reconciliation.record_pairs import Row, Total
from services.contract.rule import Rule

LOOKED_AT = 2_000  # views that are read at once


@dataclass(frozen=True)
class Part:
    """One of the numbers that a KPI is made of."""

    name: str
    title: Words
    measure: Measure

    @property
    def rule(self) -> Rule:
        return self.measure.rule


def parts(line: KpiLine) -> list[Part]:
    """The number or its parts, what was reported (G-04), and the numbers beside it."""
    several = len(line.parts) > 1
    found = [Part(name if several else "counted", line.kpi.title, part) for name, part in line.parts.items()]
    if line.reported:
        found.append(Part("reported", line.kpi.title, line.reported))
    beside = enumerate(line.beside, start=1)
    return found + [Part(f"beside.{number}", title, measure) for number, (title, measure) in beside]


# --- its records -----------------------------------------------------------------------------------------------------


def rows(
    store: Store, rule: Rule, question: AskedPeriod, *, district: str | None, after: str
) -> tuple[list[Row], str | None]:
    """The next records that count, by id, and the id after which to go on; None where there are no more."""
    views = store.views_after(rule.of.key, after, _within(rule, question, district), limit=LOOKED_AT)
    found = [_row(rule, view, view["data"]) for view in views if rule.counts(view["data"])]
    return found, _id(rule, views[-1]) if len(views) == LOOKED_AT else None


def rows_of(
    store: Store, rule: Rule, question: AskedPeriod, ids: Sequence[str], *, district: str | None
) -> dict[str, Row]:
    """Those of these records that are held, whether they count or not."""
    period = question.period
    first, last = period.first.isoformat(), period.last.isoformat()

    def counts(data: Mapping[str, Any]) -> bool:
        is_there = district is None or data.get("district") == district
        return rule.counts(data) and first <= data[rule.on] <= last and is_there

    views = store.views_of(rule.of.key, ids)
    return {_id(rule, view): _row(rule, view, view["data"] if counts(view["data"]) else None) for view in views}


def last_fact(store: Store, rule: Rule, *, since: date, until: date) -> date | None:
    """The last day in this time with a record that counts."""
    day = Reader(store).last_day(rule, since.isoformat(), until.isoformat())
    return date.fromisoformat(day) if day else None


def _within(rule: Rule, question: AskedPeriod, district: str | None) -> dict[str, Any]:
    period = question.period
    days = {f"data.{rule.on}": {"$gte": period.first.isoformat(), "$lte": period.last.isoformat()}}
    return days | ({} if district is None else {"data.district": district})


def _id(rule: Rule, view: Mapping[str, Any]) -> str:
    return str(view["_id"]).removeprefix(f"{rule.of.key}/")


def _row(rule: Rule, view: Mapping[str, Any], counted: Mapping[str, Any] | None) -> Row:
    version = view.get("version", 0)
    if counted is None:
        return Row(_id(rule, view), version, None, None)
    return Row(_id(rule, view), version, counted[rule.on], _amount(rule, counted))


def _amount(rule: Rule, data: Mapping[str, Any]) -> Any:
    """As the services tell it: for values that are not added up, the value; a sum's field may have been lost here."""
    if rule.field is None:
        return 1
    return (data.get(rule.field) or 0) if rule.measure == "sum" else data.get(rule.field)


# --- the number that is shown ----------------------------------------------------------------------------------------


def shown(
    store: Store, line: KpiLine, part: Part, question: AskedPeriod, *, district: str | None
) -> tuple[dict[str, Any], int]:
    """Value and records as everybody is told them, and the revision of the ledger that they are of."""
    read = Reader(store)
    counts = read.counts(documents_needed([line], question), line.measures)
    figures = Figures(counts.documents, counts.counted, read.value, question.period.last)
    number = figures.measure(part.measure, question, {} if district is None else {"district": district})
    value = Total(part.rule.measure).value if number.value is None else number.value
    return {"value": value, "records": number.records}, counts.ledger["revision"]
