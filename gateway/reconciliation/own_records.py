"""The gateway's own records of a KPI: its side of a recount, and the day of the latest record that counts.

A recount judges a record by the rule itself (`Rule.counts`), as the ledger does, and not by a query.
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
from gateway.reconciliation.record_pairs import CountedRecord, Figure, Total
from services.contract.rule import Rule

PAGE = 2_000  # views that are read at once


@dataclass(frozen=True)
class KpiPart:
    """One of the numbers that a KPI is made of."""

    name: str
    title: Words
    measure: Measure

    @property
    def rule(self) -> Rule:
        """The rule that says which records count."""
        return self.measure.rule


def parts(line: KpiLine) -> list[KpiPart]:
    """List the number or its parts, the number that is reported (G-04), and the numbers beside it."""
    is_divided = len(line.parts) > 1
    listed = [KpiPart(name if is_divided else "counted", line.kpi.title, part) for name, part in line.parts.items()]
    if line.reported:
        listed.append(KpiPart("reported", line.kpi.title, line.reported))
    beside = enumerate(line.beside, start=1)
    return listed + [KpiPart(f"beside.{number}", title, measure) for number, (title, measure) in beside]


# --- its records -----------------------------------------------------------------------------------------------------


def read_page(
    store: Store, rule: Rule, question: AskedPeriod, *, district: str | None, after: str
) -> tuple[list[CountedRecord], str | None]:
    """Read the next records that count, by id, and the id after which to continue; None on the last page."""
    views = store.views_after(rule.of.key, after, _within(rule, question, district), limit=PAGE)
    records = [_record(rule, view, view["data"]) for view in views if rule.counts(view["data"])]
    return records, _id(rule, views[-1]) if len(views) == PAGE else None


def look_up(
    store: Store, rule: Rule, question: AskedPeriod, ids: Sequence[str], *, district: str | None
) -> dict[str, CountedRecord]:
    """Read those of these records that the gateway has, whether they count or not."""
    period = question.period
    first, last = period.first.isoformat(), period.last.isoformat()

    def counts(data: Mapping[str, Any]) -> bool:
        is_in_district = district is None or data.get("district") == district
        return rule.counts(data) and first <= data[rule.on] <= last and is_in_district

    views = store.views_of(rule.of.key, ids)
    return {_id(rule, view): _record(rule, view, view["data"] if counts(view["data"]) else None) for view in views}


def last_fact(store: Store, rule: Rule, *, since: date, until: date) -> date | None:
    """The last day with a record that counts, both ends included; None without one."""
    day = Reader(store).last_day(rule, since.isoformat(), until.isoformat())
    return date.fromisoformat(day) if day else None


def _within(rule: Rule, question: AskedPeriod, district: str | None) -> dict[str, Any]:
    period = question.period
    days = {f"data.{rule.on}": {"$gte": period.first.isoformat(), "$lte": period.last.isoformat()}}
    return days | ({} if district is None else {"data.district": district})


def _id(rule: Rule, view: Mapping[str, Any]) -> str:
    return str(view["_id"]).removeprefix(f"{rule.of.key}/")


def _record(rule: Rule, view: Mapping[str, Any], counted: Mapping[str, Any] | None) -> CountedRecord:
    version = view.get("version", 0)
    if counted is None:
        return CountedRecord(_id(rule, view), version, None, None)
    return CountedRecord(_id(rule, view), version, counted[rule.on], _amount(rule, counted))


def _amount(rule: Rule, data: Mapping[str, Any]) -> Any:
    """The amount as services answer it: 1 for a count, 0 where the field of a sum was lost here, else the value."""
    if rule.field is None:
        return 1
    return (data.get(rule.field) or 0) if rule.measure == "sum" else data.get(rule.field)


# --- the number that is shown ----------------------------------------------------------------------------------------


def shown_figure(
    store: Store, line: KpiLine, part: KpiPart, question: AskedPeriod, *, district: str | None
) -> tuple[Figure, int]:
    """Read the figure as it is answered to everybody, and the revision of the ledger that it was read at."""
    read = Reader(store)
    counts = read.counts(documents_needed([line], question), line.measures)
    figures = Figures(counts.documents, counts.counted, read.value, question.period.last)
    number = figures.measure(part.measure, question, {} if district is None else {"district": district})
    value = Total(part.rule.measure).value if number.value is None else number.value
    return Figure(value, number.records), counts.ledger["revision"]
