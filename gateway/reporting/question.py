"""Questions: what parameters mean (plan, period, instant, district, definition), resolved before anything is read.

Knows nothing of counts and records. A name that is not there raises `NotFound` with the names that are; a parameter
that makes no sense raises `InvalidInput`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from gateway.http import pagination, parameters
from gateway.kpi.figures import Filters, counted_period
from gateway.kpi.measures import Measure
from gateway.kpi.plan_index import AskedPeriod, KpiLine, MilestoneLine, PlanIndex, resolve_period
from gateway.plans import periods
from gateway.plans.model import Plan
from gateway.plans.periods import Period
from gateway.reporting.plan_history import PlanHistory
from services.chassis.clock import SystemClock
from services.chassis.problem import FieldError, InvalidInput
from services.contract import KINDS
from services.contract.rule import Rule
from services.contract.view import Kind

YEARS_BEFORE, YEARS_AFTER = 20, 10  # that a period may lie before the first plan, and after the last one

Params = Mapping[str, Any]
"""Parameters as `question_parameters` reads them."""


@dataclass(frozen=True)
class AnswerTime:
    """The instant of an answer; `as_of` is the same where it is about what was known then, None where about now."""

    now: datetime
    as_of: datetime | None

    @property
    def today(self) -> date:
        return self.now.date()


@dataclass(frozen=True)
class ProgressQuestion:
    """All of a plan, in a period and perhaps a district; `definition` is the version of the plan in force."""

    moment: AnswerTime
    plan: Plan
    definition: int
    kpi_lines: list[KpiLine]
    milestones: list[MilestoneLine]
    period: AskedPeriod
    filters: Filters


@dataclass(frozen=True)
class KpiQuestion:
    """One KPI of a year's plan, in a period; `by` are the fields to split it by."""

    moment: AnswerTime
    line: KpiLine
    definition: int
    period: AskedPeriod
    filters: Filters
    by: tuple[str, ...] = ()
    is_explained: bool = False

    @property
    def counted_period(self) -> AskedPeriod:
        """The days that this KPI counts for the period."""
        return counted_period(self.line, self.period)

    @property
    def is_crossed(self) -> bool:
        """True where the number is split by several values at once, which counts do not hold."""
        return len(self.by) > 1 or bool(self.by and self.filters)


@dataclass(frozen=True)
class SeriesQuestion:
    """One KPI step by step; `names` has a step's own name beside its days."""

    kpi: KpiQuestion
    step: str
    names: list[Period]
    steps: list[AskedPeriod]


@dataclass(frozen=True)
class RecordsQuestion:
    """A page of the records behind one number: of one part, where the KPI has several, and of one group, if any."""

    kpi: KpiQuestion
    part: str | None
    measure: Measure
    group: tuple[str, str | None] | None
    cursor: tuple[str, str] | None
    limit: int


@dataclass(frozen=True)
class MilestoneQuestion:
    """A milestone of a plan."""

    moment: AnswerTime
    plan: Plan
    line: MilestoneLine


class Questions:
    """Resolves parameters by the plans that are in force at the instant of the answer."""

    def __init__(self, plan_history: PlanHistory, clock: SystemClock) -> None:
        self._plan_history, self._clock = plan_history, clock

    def moment(self, params: Params) -> AnswerTime:
        """Resolve `as_of`; refuse an instant to come, but end a day that still goes on now."""
        now, as_of = self._clock.now(), params.get("as_of")
        if as_of is None:
            return AnswerTime(now, None)

        if as_of > now and as_of.date() == now.date() and as_of.time() == parameters.LAST_OF_A_DAY:
            as_of = now
        if as_of > now:
            raise InvalidInput(FieldError("as_of", "Nobody knows yet what will be known then.", "不得晚于当前时刻。"))
        return AnswerTime(as_of, as_of)

    def plan(self, year: str, params: Params) -> Plan:
        """Resolve the plan of a year, as it was in force."""
        return _plan(self._plan_history.plan_index(self.moment(params).as_of), year)

    def progress(self, year: str, params: Params) -> ProgressQuestion:
        """Resolve a question about all of a plan; the plan's year where no period is given."""
        moment = self.moment(params)
        index = self._plan_history.plan_index(moment.as_of)
        plan = _plan(index, year)
        return ProgressQuestion(
            moment=moment,
            plan=plan,
            definition=self._plan_history.version(plan.year, moment.as_of),
            kpi_lines=index.kpi_lines(plan.year),
            milestones=index.milestones(plan.year),
            period=_period(params, plan.year, moment.today, index),
            filters=_district(plan, params),
        )

    def kpi(self, code: str, params: Params) -> KpiQuestion:
        """Resolve a question about one KPI, with the fields to split it by and the district."""
        question = self._kpi(code, params)
        by = _by(question.line, params)
        filters = _district(question.line.plan, params)
        return replace(question, by=by, filters=filters, is_explained=bool(params.get("explain")))

    def series(self, code: str, params: Params) -> SeriesQuestion:
        """Resolve a question about one KPI step by step; refuses more steps than anybody reads."""
        question = self._kpi(code, params)
        question = replace(question, filters=_district(question.line.plan, params))
        step = params.get("step", "month")
        number, most = periods.count_steps(question.period.period, step), periods.MOST_STEPS
        if number > most:
            en, zh = f"{number} steps; at most {most} are given.", f"共 {number} 步；至多 {most} 步。"
            raise InvalidInput(FieldError("step", en, zh))

        names = periods.steps(question.period.period, step)
        steps = [resolve_period(f"{name.first}..{name.last}") for name in names]
        return SeriesQuestion(question, step, names, steps)

    def records(self, code: str, params: Params) -> RecordsQuestion:
        """Resolve a question about the records behind a number."""
        question = self._kpi(code, params)
        line = question.line
        measure = _part(line, params)
        filters = {**_district(line.plan, params), **_group(measure, params)}
        return RecordsQuestion(
            kpi=replace(question, filters=filters),
            part=params.get("part"),
            measure=measure,
            group=params.get("group"),
            cursor=params.get("cursor"),
            limit=params.get("limit", pagination.PAGE),
        )

    def milestone(self, code: str, params: Params) -> MilestoneQuestion:
        """Resolve a question about a milestone of the last plan that has it."""
        moment = self.moment(params)
        index = self._plan_history.plan_index(moment.as_of)
        milestone = index.milestone(code)
        if milestone is None:
            known = [line.code for year in index.plans for line in index.milestones(year)]
            raise parameters.not_known("milestone", "里程碑", code, known)
        return MilestoneQuestion(moment, *milestone)

    def _kpi(self, code: str, params: Params) -> KpiQuestion:
        """Resolve the KPI by the plan of the period's year, and the period: its plan's year where none is given."""
        moment = self.moment(params)
        index = self._plan_history.plan_index(moment.as_of)
        line = index.kpi_line(code)
        if line is None:
            raise parameters.not_known("KPI", "指标", code, index.codes)

        period = _period(params, line.plan.year, moment.today, index)
        line = index.kpi_line(code, period.period.first.year) or line
        definition = self._plan_history.version(line.plan.year, moment.as_of)
        return KpiQuestion(moment, line, definition, period, filters={})


def one_rule(line: KpiLine) -> Rule:
    """Return the rule of a number whose records are each in one group; raises `InvalidInput` for any other number."""
    if len(line.parts) > 1 or not line.kpi.rule.is_additive:
        en = "This number is not made of parts that add up: one field, and no filter with it."
        raise InvalidInput(FieldError("by", en, "该指标不可相加：只能按一个字段分组，且不得同时筛选。"))
    return line.kpi.rule


def record_kind(service: str, name: str) -> Kind:
    """Resolve a kind of records by its service and name."""
    kind = KINDS.get(f"{service}.{name}")
    if kind is None:
        raise parameters.not_known("kind", "记录类别", f"{service}/{name}", (key.replace(".", "/") for key in KINDS))
    return kind


def _plan(index: PlanIndex, year: str) -> Plan:
    plan = next((plan for number, plan in index.plans.items() if str(number) == year), None)
    if plan is None:
        raise parameters.not_known("plan", "计划", year, map(str, index.plans))
    return plan


def _period(params: Params, year: int, today: date, index: PlanIndex) -> AskedPeriod:
    """Resolve the period; raises `InvalidInput` where it lies far from the years of all plans and from today."""
    text, relative_to = params.get("period") or str(year), params.get("relative_to") or today
    period = periods.read(text, relative_to)
    first, last = min(today.year, *index.plans) - YEARS_BEFORE, max(today.year, *index.plans) + YEARS_AFTER
    if period.first.year < first or period.last.year > last:
        en, zh = f"No plan is near: from {first} to {last}.", f"超出计划年度范围；须在 {first} 至 {last} 年之间。"
        raise InvalidInput(FieldError("period", en, zh))
    return resolve_period(text, relative_to)


def _district(plan: Plan, params: Params) -> dict[str, Any]:
    district = parameters.choose("district", params.get("district"), plan.districts)
    return {"district": district} if district else {}


def _by(line: KpiLine, params: Params) -> tuple[str, ...]:
    by: tuple[str, ...] = params.get("by", ())
    for name in by:
        parameters.choose("by", name, line.kpi.rule.by)
    if len(by) > 1 or (by and "district" in params):
        one_rule(line)
    return by


def _part(line: KpiLine, params: Params) -> Measure:
    if len(line.parts) == 1 and "part" not in params:
        return next(iter(line.parts.values()))
    part = parameters.choose("part", params.get("part", ""), line.parts)
    return line.parts[part or ""]


def _group(measure: Measure, params: Params) -> dict[str, Any]:
    if "group" not in params:
        return {}
    name, value = params["group"]
    parameters.choose("group", name, measure.rule.by)
    return {name: value}
