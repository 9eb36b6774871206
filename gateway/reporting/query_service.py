"""The query service: resolves a question about the plan, reads what it needs from the store and makes the answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from functools import partial
from time import monotonic
from typing import Any, TypeVar

from nameko.extensions import SharedExtension
from structlog import get_logger

from gateway.http import pagination, parameters
from gateway.kpi import answers as report
from gateway.kpi import completeness, plan_answers
from gateway.kpi import figures as kpi_figures
from gateway.kpi.completeness import Standing
from gateway.kpi.figures import Figures
from gateway.kpi.measures import Cell, Measure
from gateway.kpi.plan_answers import Answer
from gateway.kpi.plan_index import AskedPeriod, KpiLine, MilestoneLine, PlanIndex, asked
from gateway.plans import periods
from gateway.plans.model import Plan
from gateway.read_model import reader
from gateway.read_model.generations import Generations
from gateway.read_model.reader import Among, Reader
from gateway.read_model.store import Counts, differing_records
from gateway.reporting.cache import Cache
from gateway.reporting.plan_history import PlanHistory
from gateway.upstream.parked_counts import ParkedCounts
from services.chassis.clock import SystemClock
from services.chassis.mongo import database, patiently
from services.chassis.problem import FieldError, InvalidInput, NotFound
from services.chassis.provider import Provider
from services.contract import KINDS
from services.contract.event import Event
from services.contract.rule import Rule
from services.contract.view import Kind

PARKED_FOR = 1.0  # seconds that an answer may be behind what is parked

T = TypeVar("T")

log = get_logger()


class QueryService:
    """Answers about the plans; what was asked for and is not there raises `NotFound` with what is."""

    def __init__(
        self, decisions: PlanHistory, generations: Generations, clock: SystemClock, parked_there: Mapping[str, int]
    ) -> None:
        self.decisions, self.generations, self._clock, self._parked_there = decisions, generations, clock, parked_there
        self.shelf = Cache()
        self._parked: dict[str, int] = {}
        self._parked_until = 0.0

    def take(self, events: list[Event]) -> None:
        """Take these events in; whatever is asked from now on is answered with them."""
        try:
            self.generations.take_events(events)
        finally:
            self.shelf.clear()

    # --- the plan ----------------------------------------------------------------------------------------------------

    def plans(self) -> Answer:
        return {"plans": [plan_answers.outline(plan) for plan in self.decisions.book().plans.values()]}

    def plan(self, year: str, wanted: Mapping[str, Any] = parameters.NOTHING) -> Answer:
        """As it is, or as it was at an instant."""
        _, as_of = self._moment(wanted)
        plan = self._plan(self.decisions.book(as_of), year)
        return plan_answers.describe(plan, self.decisions.versions(plan.year))

    # --- numbers -----------------------------------------------------------------------------------------------------

    def progress(self, year: str, wanted: Mapping[str, Any]) -> Answer:
        """Every item of the plan, always all of them."""
        now, as_of = self._moment(wanted)
        book = self.decisions.book(as_of)
        plan = self._plan(book, year)
        question = _question(wanted, plan.year, now.date())
        among = self._among(plan, wanted)
        lines, stones = book.lines(plan.year), book.milestones(plan.year)

        def ask(read: Reader) -> Answer:
            counts = self._counts(read, lines, question, as_of, milestones=stones)
            figures = _figures(read, counts, now)
            answers = {line.kpi.code: report.answer(line, question, figures, among=among) for line in lines}
            milestones = {one.code: self._milestone(read, one, plan, counts, now, as_of) for one in stones}
            return {
                "plan": plan_answers.outline(plan),
                "definition": self.decisions.version(plan.year, as_of),
                "period": question.period.name,
                "district": among.get("district"),
                **self._standing(counts, now, as_of, [*lines, *stones]),
                "items": report.progress(plan, answers, milestones),
            }

        return self._ask(as_of, ask)

    def kpi(self, code: str, wanted: Mapping[str, Any]) -> Answer:
        now, as_of = self._moment(wanted)
        line, question = self._asked(code, wanted, now, as_of)
        by, among = self._by(line, wanted), self._among(line.plan, wanted)
        definition = self.decisions.version(line.plan.year, as_of)
        is_crossed = len(by) > 1 or (by and among)

        def ask(read: Reader) -> Answer:
            counts = self._counts(read, [line], question, as_of)
            figures = _figures(read, counts, now)
            said = report.answer(line, question, figures, among=among, by=() if is_crossed else by)
            if is_crossed:
                said |= self._crossed(read, line, question, by, among)
            if wanted.get("explain"):
                period = kpi_figures.of(line, question).period
                spreads = [
                    (rule, read.group_values(rule, ["state"], period, among=among)) for rule in line.kpi.parts.values()
                ]
                said["explain"] = report.explain(line, spreads)
            return {**said, "definition": definition, **self._standing(counts, now, as_of, [line])}

        if as_of is not None:
            return self._ask(as_of, ask)
        return self.shelf.kept(("kpi", code, *sorted(wanted.items())), lambda: self._ask(None, ask))

    def series(self, code: str, wanted: Mapping[str, Any]) -> Answer:
        """The number step by step, empty steps included, with the plan's pace beside it."""
        now, as_of = self._moment(wanted)
        line, question = self._asked(code, wanted, now, as_of)
        among = self._among(line.plan, wanted)
        names = periods.steps(question.period, wanted.get("step", "month"))
        if len(names) > periods.MOST_STEPS:
            most = periods.MOST_STEPS
            raise InvalidInput(
                FieldError(
                    "step", f"{len(names)} steps; at most {most} are told.", f"共 {len(names)} 步；至多 {most} 步。"
                )
            )
        steps = [asked(f"{one.first}..{one.last}") for one in names]

        def ask(read: Reader) -> Answer:
            counts = self.shelf.counts(read, kpi_figures.wanted([line], *steps), line.measures, as_of)
            told = report.series(line, steps, _figures(read, counts, now), among=among)
            return {
                "code": code,
                "unit": plan_answers.unit(line.kpi.unit),
                "step": wanted.get("step", "month"),
                "period": question.period.name,
                "district": among.get("district"),
                "steps": [one | {"period": name.name} for one, name in zip(told, names, strict=True)],
                "definition": self.decisions.version(line.plan.year, as_of),
                **self._standing(counts, now, as_of, [line]),
            }

        return self._ask(as_of, ask)

    def records(self, code: str, wanted: Mapping[str, Any]) -> Answer:
        """The records behind a number, page by page; `total` and `value` are those of all pages (G-08)."""
        now, as_of = self._moment(wanted)
        line, question = self._asked(code, wanted, now, as_of)
        measure = self._part(line, wanted)
        among, limit = self._among(line.plan, wanted) | self._group(line, wanted), wanted.get("limit", pagination.PAGE)
        period = kpi_figures.of(line, question).period

        def ask(read: Reader) -> Answer:
            counts = self._counts(read, [line], question, as_of)
            found = read.records(measure.rule, period, among=among, after=wanted.get("cursor"), limit=limit + 1)
            return {
                "code": code,
                "part": wanted.get("part"),
                "unit": plan_answers.unit(line.kpi.unit),
                "period": question.period.name,
                "district": among.get("district"),
                "group": _told(wanted.get("group")),
                **self._total(read, line, question, _figures(read, counts, now), measure, among),
                "items": [report.record(measure.rule, view) for view in found[:limit]],
                "cursor": _cursor(measure.rule, found[limit - 1]) if len(found) > limit else None,
                "definition": self.decisions.version(line.plan.year, as_of),
                **self._standing(counts, now, as_of, [line]),
            }

        return self._ask(as_of, ask)

    def milestone(self, code: str, wanted: Mapping[str, Any]) -> Answer:
        """Reached or not, and the record that is the evidence (G-10)."""
        now, as_of = self._moment(wanted)
        book = self.decisions.book(as_of)
        found = book.milestone(code)
        if found is None:
            known = [one.code for year in book.plans for one in book.milestones(year)]
            raise parameters.not_known("milestone", "里程碑", code, known)
        plan, line = found

        def ask(read: Reader) -> Answer:
            counts = self._counts(read, [], _year(plan), as_of, milestones=[line])
            said = self._milestone(read, line, plan, counts, now, as_of)
            return {**said, "plan": plan.year, **self._standing(counts, now, as_of, [line])}

        return self._ask(as_of, ask)

    def item(self, no: str, wanted: Mapping[str, Any]) -> Answer:
        """One item of the plan, as progress tells it."""
        years = self.decisions.book().plans
        year = wanted.get("year") or str(max(years))
        said = self.progress(year, {name: value for name, value in wanted.items() if name != "year"})
        found = next((item for item in said["items"] if str(item["no"]) == no), None)
        if found is None:
            raise parameters.not_known("item", "工作要点", no, (str(item["no"]) for item in said["items"]))
        return {**{name: value for name, value in said.items() if name != "items"}, **found}

    def revision(self) -> int:
        """How far the ledger has come; whatever is asked from now on is answered with at least that."""
        found = self.generations.ask(lambda store: store.read_counts({})).ledger["revision"]
        self.shelf.clear()
        return found

    def history(self, service: str, kind: str, record: str, wanted: Mapping[str, Any]) -> Answer:
        """Every version of a record as it was heard."""
        _, as_of = self._moment(wanted)
        known = _kind(service, kind)
        rows = self._ask(as_of, lambda read: read.versions(f"{known.key}/{record}"))
        if not rows:
            raise NotFound(service=service, kind=kind, id=record)
        return {"service": service, "kind": kind, "id": record, "versions": [report.version(row) for row in rows]}

    def question(self, code: str, wanted: Mapping[str, Any]) -> tuple[KpiLine, AskedPeriod]:
        """The KPI of that year's plan, and the days that are counted when this period is asked for."""
        line, question = self._asked(code, wanted, self._clock.now(), None)
        return line, kpi_figures.of(line, question)

    def lines(self, year: int) -> list[KpiLine]:
        """The KPIs of that year's plan; none where there is no plan."""
        book = self.decisions.book()
        return book.lines(year) if year in book.plans else []

    def standing(self) -> Answer:
        """How far all numbers can be trusted now, and which generation they come from."""
        book = self.decisions.book()
        lines = [line for year in book.plans for line in book.lines(year)]
        counts = self.generations.ask(lambda store: store.read_counts({}))
        standing = self._standing(counts, self._clock.now(), None, lines)
        return {"generation": self.generations.serving().generation, **standing}

    def standing_of(self, services: Iterable[str]) -> Answer:
        """How far the records of these services can be trusted now."""
        counts = self.generations.ask(lambda store: store.read_counts({}))
        return self._standing(counts, self._clock.now(), None, (), of=services)

    # --- what is read ------------------------------------------------------------------------------------------------

    def _ask(self, as_of: datetime | None, question: Callable[[Reader], T]) -> T:
        return self.generations.ask(lambda store: reader.read_at(store, as_of, question))

    def _counts(
        self,
        read: Reader,
        lines: Iterable[KpiLine],
        question: AskedPeriod,
        as_of: datetime | None,
        milestones: Iterable[MilestoneLine] = (),
    ) -> Counts:
        lines, milestones = list(lines), list(milestones)
        concerned: list[KpiLine | MilestoneLine] = [*lines, *milestones]
        measures = [measure for line in concerned for measure in line.measures]
        wanted = kpi_figures.wanted(lines, question, milestones=milestones)
        return self.shelf.counts(read, wanted, measures, as_of)

    def _milestone(
        self, read: Reader, line: MilestoneLine, plan: Plan, counts: Counts, now: datetime, as_of: datetime | None
    ) -> Answer:
        year = _year(plan)
        rule = line.milestone.rule
        is_counted = line.measure.key in counts.counted
        first = None
        if line.measure.total(year.pieces, counts.documents).n or not is_counted:
            look = partial(read.records, rule, year.period, limit=1)
            found = look() if as_of else self.shelf.kept(("first", plan.year, line.measure.key), look)
            first = found[0] if found else None
        return report.milestone(line, first, on=now.date(), is_counted=is_counted)

    def _crossed(self, read: Reader, line: KpiLine, question: AskedPeriod, by: tuple[str, ...], among: Among) -> Answer:
        rule = self._one_rule(line)
        found = read.group_values(rule, by, kpi_figures.of(line, question).period, among=among)
        return report.crossed(line, by, ((one.values, _cell(rule, one)) for one in found))

    def _total(
        self, read: Reader, line: KpiLine, question: AskedPeriod, figures: Figures, measure: Measure, among: Among
    ) -> Answer:
        if len(among) < 2:
            return report.total(line, question, figures, measure, among=among)
        found = read.group_values(measure.rule, (), kpi_figures.of(line, question).period, among=among)
        cell = sum((_cell(measure.rule, one) for one in found), start=Cell())
        return {"value": cell.sum if cell.seen else None, "state": _state(cell), "total": cell.n}

    def _standing(
        self,
        counts: Counts,
        now: datetime,
        as_of: datetime | None,
        lines: Iterable[KpiLine | MilestoneLine],
        *,
        of: Iterable[str] = (),
    ) -> Answer:
        if as_of is not None:
            return completeness.as_known(as_of)
        state = counts.ledger
        standing = Standing(
            as_of=now,
            revision=state["revision"],
            heard=state["heard"],
            counted=counts.counted,
            compared=differing_records(state),
            is_rebuilding=self.generations.is_filling(),
            parked=self._parked_now(),
            parked_there=self._parked_there,
        )
        return standing.say(lines, of=of)

    def _parked_now(self) -> dict[str, int]:
        if monotonic() >= self._parked_until:
            self._parked = self.generations.serving().parked()
            self._parked_until = monotonic() + PARKED_FOR
        return self._parked

    # --- what is asked for -------------------------------------------------------------------------------------------

    def _moment(self, wanted: Mapping[str, Any]) -> tuple[datetime, datetime | None]:
        """The instant of the answer, and of what was known where that is not now; a day that goes on ends now."""
        now, as_of = self._clock.now(), wanted.get("as_of")
        if as_of is None:
            return now, None
        if as_of > now and as_of.date() == now.date() and as_of.time() == parameters.LAST_OF_A_DAY:
            as_of = now
        if as_of > now:
            raise InvalidInput(FieldError("as_of", "Nobody knows yet what will be known then.", "不得晚于当前时刻。"))
        return as_of, as_of

    def _plan(self, book: PlanIndex, year: str) -> Plan:
        plan = next((plan for number, plan in book.plans.items() if str(number) == year), None)
        if plan is None:
            raise parameters.not_known("plan", "计划", year, map(str, book.plans))
        return plan

    def _line(self, book: PlanIndex, code: str, year: int | None = None) -> KpiLine:
        line = book.line(code, year)
        if line is None:
            raise parameters.not_known("KPI", "指标", code, book.codes)
        return line

    def _asked(
        self, code: str, wanted: Mapping[str, Any], now: datetime, as_of: datetime | None
    ) -> tuple[KpiLine, AskedPeriod]:
        """The KPI of the year's plan that is asked about, and the period: the plan's year where none is."""
        book = self.decisions.book(as_of)
        line = self._line(book, code)
        question = _question(wanted, line.plan.year, now.date())
        return book.line(code, question.period.first.year) or line, question

    def _by(self, line: KpiLine, wanted: Mapping[str, Any]) -> tuple[str, ...]:
        by: tuple[str, ...] = wanted.get("by", ())
        for name in by:
            parameters.choose("by", name, line.kpi.rule.by)
        if len(by) > 1 or (by and "district" in wanted):
            self._one_rule(line)
        return by

    def _among(self, plan: Plan, wanted: Mapping[str, Any]) -> dict[str, Any]:
        district = parameters.choose("district", wanted.get("district"), plan.districts)
        return {"district": district} if district else {}

    def _group(self, line: KpiLine, wanted: Mapping[str, Any]) -> dict[str, Any]:
        if "group" not in wanted:
            return {}
        name, value = wanted["group"]
        parameters.choose("group", name, self._part(line, wanted).rule.by)
        return {name: value}

    def _part(self, line: KpiLine, wanted: Mapping[str, Any]) -> Measure:
        if len(line.parts) == 1 and "part" not in wanted:
            return next(iter(line.parts.values()))
        part = parameters.choose("part", wanted.get("part", ""), line.parts)
        return line.parts[part or ""]

    def _one_rule(self, line: KpiLine) -> Rule:
        """The rule of a number whose records are each in one group."""
        if len(line.parts) > 1 or not line.kpi.rule.is_additive:
            en = "This number is not made of parts that add up: one field, and no filter with it."
            raise InvalidInput(FieldError("by", en, "该指标不可相加：只能按一个字段分组，且不得同时筛选。"))
        return line.kpi.rule


class SharedQueryService(SharedExtension):
    """The gateway's one query service, for each provider that declares it; it is there once all are set up.

    nameko sets extensions up side by side, in any order: use it from `start` on.
    """

    parked = ParkedCounts()

    query_service: QueryService

    def setup(self) -> None:
        """Prepare plans and read model: both are ready before the first event comes in."""
        config = self.container.config
        base = database(config["SETTINGS"], self.container.service_name)
        decisions = PlanHistory(base, config["CLOCK"])
        patiently(decisions.prepare)
        generations = Generations(base, decisions.rules)
        patiently(generations.prepare)
        self.query_service = QueryService(decisions, generations, config["CLOCK"], self.parked.messages)


class QueryServiceProvider(Provider[QueryService]):
    """Gives the gateway its query service."""

    reporting = SharedQueryService()

    def provide(self) -> QueryService:
        return self.reporting.query_service


def _question(wanted: Mapping[str, Any], year: int, today: date) -> AskedPeriod:
    return asked(wanted.get("period") or str(year), wanted.get("relative_to") or today)


def _year(plan: Plan) -> AskedPeriod:
    return asked(str(plan.year))


def _figures(read: Reader, counts: Counts, now: datetime) -> Figures:
    return Figures(counts.documents, counts.counted, read.value, now.date())


def _cell(rule: Rule, one: reader.ValueGroup) -> Cell:
    if not rule.holds(one.values):
        return Cell(one.records)
    return Cell(one.records, one.records, one.amount if rule.sum else one.records)


def _state(cell: Cell) -> str:
    return "none" if not cell.seen else "value" if cell.sum else "zero"


def _told(group: tuple[str, str | None] | None) -> str | None:
    return f"{group[0]}:{group[1] or ''}" if group else None


def _kind(service: str, name: str) -> Kind:
    kind = KINDS.get(f"{service}.{name}")
    if kind is None:
        raise parameters.not_known("kind", "记录类别", f"{service}/{name}", (key.replace(".", "/") for key in KINDS))
    return kind


def _cursor(rule: Rule, view: dict[str, Any]) -> str:
    return pagination.write_cursor(view["data"][rule.on], view["_id"])
