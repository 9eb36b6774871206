"""The desk: takes a question about the plan, reads what it needs from the store and lets the report make the answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

from nameko.extensions import DependencyProvider

from gateway import planfile, report, schemas
from gateway.book import Asked, Book, Line, asked
from gateway.description import Parked
from gateway.generation import Generations
from gateway.periods import Piece
from gateway.plan import Plan
from gateway.report import Answer, Standing
from gateway.store import Counts, compared
from services.chassis.clock import SystemClock
from services.chassis.mongo import database, patiently
from services.chassis.problem import FieldError, InvalidInput, NotFound
from services.contract import KINDS
from services.contract.event import Event
from services.contract.view import Kind

PLANS = Path(__file__).parent / "plans"
PARKED_FOR = 1.0  # seconds that an answer may be behind what is parked
FRESH = 0.05  # seconds that an answer may be behind what another gateway takes in; behind our own it never is
SHELVED = 1_000  # questions whose counts are kept at hand


class Desk:
    """Answers about the plans; what was asked for and is not there raises `NotFound` with what is."""

    def __init__(
        self, book: Book, generations: Generations, clock: SystemClock, parked_there: Mapping[str, int]
    ) -> None:
        self._book, self.generations, self._clock, self._parked_there = book, generations, clock, parked_there
        self._shelf: dict[tuple[tuple[str, Piece], ...], tuple[float, Counts]] = {}
        self._parked: dict[str, int] = {}
        self._parked_until = 0.0

    def take(self, events: list[Event]) -> None:
        """Take these events in; whatever is asked from now on is answered with them."""
        try:
            self.generations.take(events)
        finally:
            self._shelf = {}

    def plans(self) -> Answer:
        return {"plans": [report.outline(plan) for plan in self._book.plans.values()]}

    def plan(self, year: str) -> Answer:
        return report.describe(self._plan(year))

    def progress(self, year: str, wanted: Mapping[str, Any]) -> Answer:
        """Every item of the plan, always all of them."""
        plan = self._plan(year)
        question = wanted.get("period") or asked(year)
        district = schemas.choose("district", wanted.get("district"), plan.districts)
        lines, now = self._book.lines(plan.year), self._clock.now()
        counts = self._read(lines, question)
        answers = {
            line.kpi.code: report.answer(line, question, counts.held, on=now, district=district) for line in lines
        }
        return {
            "plan": report.outline(plan),
            "period": question.period.name,
            "district": district,
            **self._standing(counts, now).say(lines),
            "items": report.progress(plan, answers),
        }

    def kpi(self, code: str, wanted: Mapping[str, Any]) -> Answer:
        line = self._line(code)
        if "by" in wanted and "district" in wanted:
            raise InvalidInput(
                FieldError("by", "Counts are not kept by two fields at once.", "不支持同时按辖区筛选和分组。")
            )
        question, line = self._question(line, wanted)
        counts, now = self._read([line], question), self._clock.now()
        by = schemas.choose("by", wanted.get("by"), line.kpi.rule.by)
        district = schemas.choose("district", wanted.get("district"), line.plan.districts)
        return {
            **report.answer(line, question, counts.held, on=now, district=district, by=by),
            **self._standing(counts, now).say([line]),
        }

    def records(self, code: str, wanted: Mapping[str, Any]) -> Answer:
        """The records behind a number, page by page; `total` and `value` are those of all pages."""
        line = self._line(code)
        question, line = self._question(line, wanted)
        district = schemas.choose("district", wanted.get("district"), line.plan.districts)
        limit = wanted.get("limit", schemas.PAGE)
        counts, now = self._read([line], question), self._clock.now()
        found = self.generations.serving().records(
            line.kpi.rule, question.period, district=district, after=wanted.get("cursor"), limit=limit + 1
        )
        return {
            "code": code,
            "period": question.period.name,
            "district": district,
            **report.total(line, question, counts.held, district=district),
            "items": [report.record(line, view) for view in found[:limit]],
            "cursor": _cursor(line, found[limit - 1]) if len(found) > limit else None,
            **self._standing(counts, now).say([line]),
        }

    def history(self, service: str, kind: str, record: str) -> Answer:
        """Every version of a record as it was heard."""
        known = _kind(service, kind)
        rows = self.generations.serving().versions(f"{known.key}/{record}")
        if not rows:
            raise NotFound(service=service, kind=kind, id=record)
        return {"service": service, "kind": kind, "id": record, "versions": [report.version(row) for row in rows]}

    def question(self, code: str, wanted: Mapping[str, Any]) -> tuple[Asked, Line]:
        """The period that is asked for, and the KPI of that year's plan."""
        return self._question(self._line(code), wanted)

    def lines(self, year: int) -> list[Line]:
        """The KPIs of that year's plan; none where there is no plan."""
        return self._book.lines(year) if year in self._book.plans else []

    def standing(self) -> Answer:
        """How far all numbers can be trusted now, and which generation they come from."""
        lines, now = [line for year in self._book.plans for line in self._book.lines(year)], self._clock.now()
        counts = self.generations.ask(lambda store: store.read({}))
        return {"generation": self.generations.serving().generation, **self._standing(counts, now).say(lines)}

    def _read(self, lines: Iterable[Line], question: Asked) -> Counts:
        """The counts of these KPIs; what was read a moment ago serves those who ask the same."""
        wanted = report.wanted(lines, question)
        key = tuple(wanted.items())
        shelf = self._shelf  # a batch that is taken in while we read puts a new one in its place
        until, counts = shelf.get(key, (0.0, None))
        if counts is None or monotonic() > until:
            counts = self.generations.ask(lambda store: store.read(wanted))
            if len(shelf) >= SHELVED:
                shelf.clear()
            shelf[key] = (monotonic() + FRESH, counts)
        return counts

    def _plan(self, year: str) -> Plan:
        plan = next((plan for number, plan in self._book.plans.items() if str(number) == year), None)
        if plan is None:
            raise schemas.not_known("plan", "计划", year, map(str, self._book.plans))
        return plan

    def _line(self, code: str, year: int | None = None) -> Line:
        line = self._book.line(code, year)
        if line is None:
            raise schemas.not_known("KPI", "指标", code, self._book.codes)
        return line

    def _question(self, line: Line, wanted: Mapping[str, Any]) -> tuple[Asked, Line]:
        """The period that is asked for, the plan's year where none is, and the KPI of that year's plan."""
        question = wanted.get("period") or asked(str(line.plan.year))
        return question, self._book.line(line.kpi.code, question.period.first.year) or line

    def _standing(self, counts: Counts, now: datetime) -> Standing:
        state = counts.ledger
        return Standing(
            as_of=now,
            revision=state["revision"],
            heard={service: time.replace(tzinfo=UTC) for service, time in state["heard"].items()},
            counted=counts.counted,
            compared=compared(state),
            is_rebuilding=self.generations.is_filling(),
            parked=self._parked_now(),
            parked_there=self._parked_there,
        )

    def _parked_now(self) -> dict[str, int]:
        if monotonic() >= self._parked_until:
            self._parked = self.generations.serving().parked()
            self._parked_until = monotonic() + PARKED_FOR
        return self._parked


class Reporting(DependencyProvider):
    """Gives the gateway its desk, whose store is ready before the first event comes in."""

    parked = Parked()

    def setup(self) -> None:
        config = self.container.config
        book = Book(planfile.read_folder(PLANS))
        generations = Generations(database(config["SETTINGS"], self.container.service_name), book.rules())
        patiently(generations.prepare)
        self._desk = Desk(book, generations, config["CLOCK"], self.parked.messages)

    def get_dependency(self, worker_ctx: Any) -> Desk:  # noqa: ARG002 - nameko's signature
        return self._desk


def _kind(service: str, name: str) -> Kind:
    kind = KINDS.get(f"{service}.{name}")
    if kind is None:
        raise schemas.not_known("kind", "记录类别", f"{service}/{name}", (key.replace(".", "/") for key in KINDS))
    return kind


def _cursor(line: Line, view: dict[str, Any]) -> str:
    return schemas.write_cursor(view["data"][line.kpi.rule.on], view["_id"])
