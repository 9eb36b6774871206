"""The query service: resolves a question about the plan, reads what it needs from the store and makes the answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, TypeVar

from nameko.extensions import SharedExtension

from gateway.http import pagination, parameters
from gateway.kpi import answers, breakdown, plan_answers, record_answers
from gateway.kpi.figures import Figures, Number, documents_needed
from gateway.kpi.measures import Cell
from gateway.kpi.plan_answers import Answer
from gateway.kpi.plan_index import AskedPeriod, KpiLine, MilestoneLine, resolve_period
from gateway.plans.model import Plan
from gateway.read_model import reader
from gateway.read_model.generations import Generations
from gateway.read_model.reader import Reader, ValueGroup
from gateway.read_model.store import Counts
from gateway.reporting.cache import Cache
from gateway.reporting.completeness_check import CompletenessCheck
from gateway.reporting.plan_history import PlanHistory
from gateway.reporting.question import (
    AnswerTime,
    KpiQuestion,
    MilestoneQuestion,
    Params,
    ProgressQuestion,
    Questions,
    RecordsQuestion,
    SeriesQuestion,
    one_rule,
    record_kind,
)
from gateway.upstream.parked_counts import ParkedCounts
from services.chassis.clock import SystemClock
from services.chassis.mongo import database, patiently
from services.chassis.problem import NotFound
from services.chassis.provider import Provider
from services.contract.event import Event
from services.contract.rule import Rule

T = TypeVar("T")


class QueryService:
    """Answers about the plans, each with how far it can be trusted.

    A plan, KPI, item, milestone or record that is not there raises `NotFound`; parameters that make no sense raise
    `InvalidInput`.
    """

    def __init__(
        self, plan_history: PlanHistory, generations: Generations, clock: SystemClock, parked_there: Mapping[str, int]
    ) -> None:
        self.plan_history, self.generations, self.cache = plan_history, generations, Cache()
        self._clock = clock
        self._questions = Questions(plan_history, clock)
        self._completeness = CompletenessCheck(generations, parked_there)

    def take_events(self, events: list[Event]) -> None:
        """Take events into the read model; every later answer of this gateway counts them."""
        try:
            self.generations.take_events(events)
        finally:
            self.cache.clear()

    def revision(self) -> int:
        """Return the ledger's current revision; later reads see at least this revision."""
        revision: int = self._ledger_alone().ledger["revision"]
        self.cache.clear()
        return revision

    # --- the plan ----------------------------------------------------------------------------------------------------

    def plans(self) -> Answer:
        """List the plans of all years."""
        return {"plans": [plan_answers.outline(plan) for plan in self.plan_history.plan_index().plans.values()]}

    def plan(self, year: str, params: Params = parameters.NOTHING) -> Answer:
        """Describe a plan as it is, or as it was at an instant."""
        plan = self._questions.plan(year, params)
        return plan_answers.describe(plan, self.plan_history.versions(plan.year))

    def kpi_lines(self, year: int) -> list[KpiLine]:
        """List the KPIs of that year's plan; none where there is no plan."""
        return self.plan_history.plan_index().kpi_lines(year)

    def counted_period(self, code: str, params: Params) -> tuple[KpiLine, AskedPeriod]:
        """Resolve a KPI in that period's year, and the days that it counts for the period."""
        question = self._questions.kpi(code, params)
        return question.line, question.counted_period

    # --- numbers -----------------------------------------------------------------------------------------------------

    def progress(self, year: str, params: Params) -> Answer:
        """Answer about every item of the plan, always all of them."""
        question = self._questions.progress(year, params)
        return self._read(question.moment, partial(self._progress, question))

    def item(self, no: str, params: Params) -> Answer:
        """Answer about one item as in the plan's progress; of the last plan where no year is given."""
        year = params.get("year") or str(max(self.plan_history.plan_index().plans))
        progress = self.progress(year, {name: value for name, value in params.items() if name != "year"})
        items = progress.pop("items")
        item = next((item for item in items if str(item["no"]) == no), None)
        if item is None:
            raise parameters.not_known("item", "工作要点", no, (str(item["no"]) for item in items))
        return {**progress, **item}

    def kpi(self, code: str, params: Params) -> Answer:
        """Answer about one KPI, whole or split, and explain it where that is asked for."""
        question = self._questions.kpi(code, params)
        read = partial(self._read, question.moment, partial(self._kpi, question))
        return read() if question.moment.as_of else self.cache.current(("kpi", code, *sorted(params.items())), read)

    def series(self, code: str, params: Params) -> Answer:
        """Answer about one KPI step by step, empty steps included, with the plan's pace beside it."""
        question = self._questions.series(code, params)
        return self._read(question.kpi.moment, partial(self._series, question))

    def records(self, code: str, params: Params) -> Answer:
        """Answer a page of the records behind a number; `total` and `value` are those of all pages (G-08)."""
        question = self._questions.records(code, params)
        return self._read(question.kpi.moment, partial(self._records, question))

    def milestone(self, code: str, params: Params) -> Answer:
        """Answer whether a milestone is reached, and by which record (G-10)."""
        question = self._questions.milestone(code, params)
        return self._read(question.moment, partial(self._milestone, question))

    def history(self, service: str, kind: str, record: str, params: Params) -> Answer:
        """List every version of a record as the gateway received it, the first one first."""
        moment, key = self._questions.moment(params), record_kind(service, kind).key
        rows = self._read(moment, lambda read: read.versions(f"{key}/{record}"))
        if not rows:
            raise NotFound(service=service, kind=kind, id=record)
        versions = [record_answers.version(row) for row in rows]
        return {"service": service, "kind": kind, "id": record, "versions": versions}

    # --- completeness ------------------------------------------------------------------------------------------------

    def completeness(self) -> Answer:
        """Say how far all numbers can be trusted now, and which generation of the read model they come from."""
        index = self.plan_history.plan_index()
        lines = [line for year in index.plans for line in index.kpi_lines(year)]
        answer = self._completeness.answer(self._ledger_alone(), AnswerTime(self._clock.now(), None), lines)
        return {"generation": self.generations.serving().generation, **answer}

    def completeness_of(self, services: Iterable[str]) -> Answer:
        """Say how far the records of these services can be trusted now."""
        return self._completeness.answer(self._ledger_alone(), AnswerTime(self._clock.now(), None), services=services)

    # --- how answers are made ----------------------------------------------------------------------------------------

    def _progress(self, question: ProgressQuestion, read: Reader) -> Answer:
        moment, period, lines, filters = question.moment, question.period, question.kpi_lines, question.filters
        counts = self._counts(read, moment, lines, period, milestones=question.milestones)
        figures = _figures(read, counts, moment)
        kpis = {line.code: answers.kpi(line, period, figures, filters=filters) for line in lines}
        milestones = {
            line.code: self._reached(MilestoneQuestion(moment, question.plan, line), read, counts)
            for line in question.milestones
        }
        return {
            "plan": plan_answers.outline(question.plan),
            "definition": question.definition,
            "period": period.period.name,
            "district": filters.get("district"),
            **self._completeness.answer(counts, moment, [*lines, *question.milestones]),
            "items": answers.progress(question.plan, kpis, milestones),
        }

    def _kpi(self, question: KpiQuestion, read: Reader) -> Answer:
        line, period, moment = question.line, question.period, question.moment
        counts = self._counts(read, moment, [line], period)
        by = question.by[0] if question.by and not question.is_crossed else None
        return {
            **answers.kpi(line, period, _figures(read, counts, moment), filters=question.filters, by=by),
            **(_crossed(question, read) if question.is_crossed else {}),
            **({"explain": _explanation(question, read)} if question.is_explained else {}),
            "definition": question.definition,
            **self._completeness.answer(counts, moment, [line]),
        }

    def _series(self, question: SeriesQuestion, read: Reader) -> Answer:
        kpi = question.kpi
        needed = documents_needed([kpi.line], *question.steps)
        counts = self.cache.counts(read, needed, kpi.line.measures, kpi.moment.as_of)
        figures = _figures(read, counts, kpi.moment)
        steps = answers.series(kpi.line, question.steps, figures, filters=kpi.filters)
        return {
            "code": kpi.line.code,
            "unit": plan_answers.unit(kpi.line.kpi.unit),
            "step": question.step,
            "period": kpi.period.period.name,
            "district": kpi.filters.get("district"),
            "steps": [{**step, "period": name.name} for step, name in zip(steps, question.names, strict=True)],
            "definition": kpi.definition,
            **self._completeness.answer(counts, kpi.moment, [kpi.line]),
        }

    def _records(self, question: RecordsQuestion, read: Reader) -> Answer:
        kpi, rule = question.kpi, question.measure.rule
        counts = self._counts(read, kpi.moment, [kpi.line], kpi.period)
        find = partial(read.records, rule, kpi.counted_period.period, among=kpi.filters, after=question.cursor)
        page = pagination.page(
            lambda most: find(limit=most),
            limit=question.limit,
            show=partial(record_answers.record, rule),
            cursor=partial(_cursor, rule),
        )
        return {
            "code": kpi.line.code,
            "part": question.part,
            "unit": plan_answers.unit(kpi.line.kpi.unit),
            "period": kpi.period.period.name,
            "district": kpi.filters.get("district"),
            "group": f"{question.group[0]}:{question.group[1] or ''}" if question.group else None,
            **_total(question, read, _figures(read, counts, kpi.moment)),
            **page,
            "definition": kpi.definition,
            **self._completeness.answer(counts, kpi.moment, [kpi.line]),
        }

    def _milestone(self, question: MilestoneQuestion, read: Reader) -> Answer:
        counts = self._counts(read, question.moment, [], _year(question.plan), milestones=[question.line])
        return {
            **self._reached(question, read, counts),
            "plan": question.plan.year,
            **self._completeness.answer(counts, question.moment, [question.line]),
        }

    def _reached(self, question: MilestoneQuestion, read: Reader, counts: Counts) -> Answer:
        """Look for the first record that reaches a milestone, unless the counts say that there is none."""
        line, moment, year = question.line, question.moment, _year(question.plan)
        is_counted = line.measure.key in counts.counted
        if is_counted and not line.measure.total(year.pieces, counts.documents).n:
            return answers.milestone(line, None, on=moment.today)

        find = partial(read.records, line.milestone.rule, year.period, limit=1)
        key = ("first", question.plan.year, line.measure.key)
        views = find() if moment.as_of else self.cache.current(key, find)
        return answers.milestone(line, views[0] if views else None, on=moment.today, is_counted=is_counted)

    # --- how the store is read ---------------------------------------------------------------------------------------

    def _read(self, moment: AnswerTime, make: Callable[[Reader], T]) -> T:
        """Make an answer of what the serving generation has at that moment."""
        return self.generations.ask(lambda store: reader.read_at(store, moment.as_of, make))

    def _ledger_alone(self) -> Counts:
        return self.generations.ask(lambda store: store.read_counts({}))

    def _counts(
        self,
        read: Reader,
        moment: AnswerTime,
        lines: list[KpiLine],
        period: AskedPeriod,
        *,
        milestones: Iterable[MilestoneLine] = (),
    ) -> Counts:
        milestones = list(milestones)
        all_lines: list[KpiLine | MilestoneLine] = [*lines, *milestones]
        measures = [measure for line in all_lines for measure in line.measures]
        needed = documents_needed(lines, period, milestones=milestones)
        return self.cache.counts(read, needed, measures, moment.as_of)


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
        plan_history = PlanHistory(base, config["CLOCK"])
        patiently(plan_history.prepare)
        generations = Generations(base, plan_history.rules)
        patiently(generations.prepare)
        self.query_service = QueryService(plan_history, generations, config["CLOCK"], self.parked.messages)


class QueryServiceProvider(Provider[QueryService]):
    """Gives the gateway its query service."""

    reporting = SharedQueryService()

    def provide(self) -> QueryService:
        return self.reporting.query_service


def _figures(read: Reader, counts: Counts, moment: AnswerTime) -> Figures:
    return Figures(counts.documents, counts.counted, read.value, moment.today)


def _crossed(question: KpiQuestion, read: Reader) -> Answer:
    """Split the number by several values at once, which is read from the records."""
    line, by = question.line, question.by
    rule, period = one_rule(line), question.counted_period.period
    groups = read.group_values(rule, by, period, among=question.filters)
    return breakdown.by_fields(line, by, ((group.values, _cell(rule, group)) for group in groups))


def _explanation(question: KpiQuestion, read: Reader) -> Answer:
    period, rules = question.counted_period.period, question.line.kpi.parts.values()
    spreads = [(rule, read.group_values(rule, ["state"], period, among=question.filters)) for rule in rules]
    return breakdown.explain(question.line, spreads)


def _total(question: RecordsQuestion, read: Reader, figures: Figures) -> Answer:
    """Total all pages: out of the counts, but with two filters out of the records."""
    kpi, measure = question.kpi, question.measure
    if len(kpi.filters) < 2:
        return answers.total(kpi.line, kpi.period, figures, measure, filters=kpi.filters)

    groups = read.group_values(measure.rule, (), kpi.counted_period.period, among=kpi.filters)
    number = Number.of_cell(sum((_cell(measure.rule, group) for group in groups), start=Cell()))
    return {"value": number.value, "state": number.state, "total": number.records}


def _cell(rule: Rule, group: ValueGroup) -> Cell:
    records = group.records
    if not rule.holds(group.values):
        return Cell(records)
    return Cell(records, records, group.amount if rule.sum else records)


def _year(plan: Plan) -> AskedPeriod:
    return resolve_period(str(plan.year))


def _cursor(rule: Rule, view: dict[str, Any]) -> str:
    return pagination.write_cursor(view["data"][rule.on], view["_id"])
