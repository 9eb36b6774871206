"""Plan history: the plans that were applied and the targets that were revised, each with who, when and why.

Nothing is overwritten: an answer about the past is made by the plan that was in force then. The rules of every plan
that ever was in force are counted, so that no question about it needs the services.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError
from structlog import get_logger

from gateway.kpi.measures import Measure
from gateway.kpi.plan_index import PlanIndex
from gateway.plans import plan_file
from gateway.plans.model import Kpi, Plan, Target
from services.chassis.clock import SystemClock
from services.chassis.periodic_read import PeriodicRead
from services.chassis.problem import Conflict
from services.contract.rule import Rule
from services.kernel import Refusal
from services.kernel.calendar import format_instant

PLANS = Path(plan_file.__file__).parent
INSTALLATION = "installation"  # who applied the plans that come with the gateway
MAX_AGE = 1.0  # seconds that an answer may come from a plan that another gateway has replaced

Document = dict[str, Any]

log = get_logger()


class TargetsOverlap(Refusal, rule="G-09", zh="新目标须晚于此前所有决定"):
    """A target is revised by a later decision; two for the same day, or one before the last, are refused."""


class MeaningChanged(Refusal, rule="G-13", zh="指标已有事实，含义不得改变；新含义须用新代码"):
    """A number whose first fact is counted keeps its meaning; a new meaning is a new KPI."""


@dataclass(frozen=True)
class AppliedPlan:
    """A version of a year's plan: the whole file, in force from `applied_at` until the next version."""

    year: int
    version: int
    text: bytes
    digest: str
    applied_at: datetime
    by: str
    why: str

    @property
    def id(self) -> str:
        return f"{self.year}/{self.version}"

    @property
    def plan(self) -> Plan:
        return plan_file.read(self.id, self.text)

    def write(self) -> Document:
        """Return the document that `_read_plan` reads."""
        return {"_id": self.id, **vars(self)}

    def answer(self) -> Document:
        """Describe the version in a plan's list of versions."""
        decided = {"at": format_instant(self.applied_at), "by": self.by, "why": self.why}
        return {"version": self.version, "digest": self.digest, **decided}


@dataclass(frozen=True)
class RevisedTarget:
    """A target of a year's KPI that was decided after the plan; known from `recorded_at` on."""

    year: int
    code: str
    target: Target
    recorded_at: datetime
    by: str
    why: str

    def write(self) -> Document:
        """Return the document that `_read_target` reads."""
        return {
            "_id": f"{self.year}/{self.code}/{self.target.decided_on}",
            "year": self.year,
            "code": self.code,
            "value": self.target.value,
            "baseline": self.target.baseline,
            "decided_on": self.target.decided_on.isoformat(),
            "doc_no": self.target.doc_no,
            "recorded_at": self.recorded_at,
            "by": self.by,
            "why": self.why,
        }

    def answer(self) -> Document:
        """Describe the revision in a plan's list of versions."""
        return {
            "kpi": self.code,
            "value": self.target.value,
            "decided_on": self.target.decided_on.isoformat(),
            "doc_no": self.target.doc_no,
            "at": format_instant(self.recorded_at),
            "by": self.by,
            "why": self.why,
        }


class PlanHistory:
    """The plans of all years and their targets, at any instant."""

    def __init__(self, database: Database[Document], clock: SystemClock) -> None:
        self._plans: Collection[Document] = database["plans"]
        self._targets: Collection[Document] = database["targets"]
        self._clock = clock
        self._known: tuple[list[AppliedPlan], list[RevisedTarget]] = ([], [])
        self._periodic_read = PeriodicRead(self._read, seconds=MAX_AGE)

    def prepare(self) -> None:
        """Apply the plans that come with the gateway, each where its year has none, and read all that are known."""
        self._apply_shipped()
        self._periodic_read.at_once()

    def plan_index(self, as_of: datetime | None = None) -> PlanIndex:
        """Index the plans in force at that instant; before the first plan of a year, the first."""
        plans, targets = self._recent()
        chosen: dict[int, AppliedPlan] = {}
        for plan in plans:  # by version
            if as_of is None or plan.applied_at <= as_of or plan.year not in chosen:
                chosen[plan.year] = plan
        revised = tuple(
            (target.year, target.code, target.target)
            for target in targets
            if as_of is None or target.recorded_at <= as_of
        )
        return _plan_index(tuple((plan.id, plan.text) for plan in chosen.values()), revised)

    def version(self, year: int, as_of: datetime | None = None) -> int:
        """Return the version of the year's plan in force at that instant; before the first, 1."""
        plans, _ = self._recent()
        versions = [plan.version for plan in plans if plan.year == year and (not as_of or plan.applied_at <= as_of)]
        return max(versions, default=1)

    def versions(self, year: int) -> list[Document]:
        """List every version that a plan has had, then the targets revised since, each from the first."""
        plans, targets = self._recent()
        applied = [plan.answer() for plan in plans if plan.year == year]
        return applied + [target.answer() for target in targets if target.year == year]

    def rules(self) -> list[Rule]:
        """List the rules of every plan that ever was in force, each once."""
        plans, _ = self._recent()
        return list({Measure(rule).key: rule for plan in plans for rule in plan.plan.rules()}.values())

    def apply(self, content: bytes, *, name: str, by: str, why: str, has_facts: Iterable[str]) -> Document:
        """Put a plan in force from now on; the same plan again changes nothing.

        `has_facts` are the KPIs of its year that have records already. Raises `BrokenFile`, `MeaningChanged`, and
        `Conflict` where another plan was applied meanwhile.
        """
        plan = plan_file.read(name, content)
        self._periodic_read.at_once()
        before = self.plan_index().plans.get(plan.year)
        if before:
            _check_meaning(before, plan, has_facts)

        last = self._last(plan.year)
        if last is None or last.text != content:
            self._insert(plan.year, last.version + 1 if last else 1, content, by=by, why=why)
            self._periodic_read.at_once()
            last = self._last(plan.year)
        return last.answer() if last else {}

    def revise(self, year: int, kpi: Kpi, target: Target, *, by: str, why: str) -> Document:
        """Put a target in force from its day on, beside the ones before it (G-09); raises `TargetsOverlap`."""
        last = max((target.decided_on for target in kpi.targets), default=None)
        if last and target.decided_on <= last:
            raise TargetsOverlap(decided_on=target.decided_on.isoformat(), last=last.isoformat())

        document = RevisedTarget(year, kpi.code, target, self._clock.now(), by, why).write()
        try:
            self._targets.insert_one(document)
        except DuplicateKeyError:
            raise TargetsOverlap(decided_on=document["decided_on"]) from None
        self._periodic_read.at_once()
        return {name: document[name] for name in ("value", "baseline", "decided_on", "doc_no")}

    def _apply_shipped(self) -> None:
        self._plans.create_index([("year", 1), ("version", 1)], unique=True)
        for year, file in plan_file.files(PLANS).items():
            content = file.read_bytes()
            stored = self._plans.find_one({"year": year}, {"digest": 1}, sort=[("version", -1)])
            if stored is None:
                self._insert(year, 1, content, by=INSTALLATION, why=file.name)
            elif stored["digest"] != _digest(content):
                log.warning("another plan is in force", file=file.name, next="./kexie plan apply")

    def _insert(self, year: int, version: int, content: bytes, *, by: str, why: str) -> None:
        plan = AppliedPlan(year, version, content, _digest(content), self._clock.now(), by, why)
        try:
            self._plans.insert_one(plan.write())
        except DuplicateKeyError:
            if by != INSTALLATION:  # several gateways start at once
                raise Conflict("Another plan was applied meanwhile.", "其间已有另一计划生效。", year=year) from None

    def _last(self, year: int) -> AppliedPlan | None:
        plans, _ = self._recent()
        return next((plan for plan in reversed(plans) if plan.year == year), None)

    def _recent(self) -> tuple[list[AppliedPlan], list[RevisedTarget]]:
        self._periodic_read.if_due()
        return self._known

    def _read(self) -> None:
        """Read all that was decided; where the database was dropped, the shipped plans are put in force again."""
        if self._plans.find_one({}, {"_id": 1}) is None:
            self._apply_shipped()
        plans = self._plans.find().sort([("year", 1), ("version", 1)])
        targets = self._targets.find().sort("decided_on", 1)
        self._known = list(map(_read_plan, plans)), list(map(_read_target, targets))


Revision = tuple[int, str, Target]
"""A year, the code of a KPI in its plan, and the target that it was revised to."""


@lru_cache(maxsize=50)
def _plan_index(files: tuple[tuple[str, bytes], ...], revisions: tuple[Revision, ...]) -> PlanIndex:
    plans = [plan_file.read(name, text) for name, text in files]
    return PlanIndex({plan.year: _revised(plan, revisions) for plan in plans})


def _revised(plan: Plan, revisions: tuple[Revision, ...]) -> Plan:
    def with_revisions(kpi: Kpi) -> Kpi:
        later = [target for year, code, target in revisions if (year, code) == (plan.year, kpi.code)]
        return replace(kpi, targets=tuple(sorted((*kpi.targets, *later), key=lambda target: target.decided_on)))

    items = [replace(item, kpis=tuple(map(with_revisions, item.kpis))) for item in plan.items]
    return replace(plan, items=tuple(items))


def _read_plan(document: Document) -> AppliedPlan:
    return AppliedPlan(**{field.name: document[field.name] for field in fields(AppliedPlan)})


def _read_target(document: Document) -> RevisedTarget:
    decided_on = date.fromisoformat(document["decided_on"])
    return RevisedTarget(
        year=document["year"],
        code=document["code"],
        target=Target(document["value"], decided_on, document["doc_no"], document["baseline"]),
        recorded_at=document["recorded_at"],
        by=document["by"],
        why=document["why"],
    )


def _check_meaning(before: Plan, after: Plan, has_facts: Iterable[str]) -> None:
    kpis, counted = {kpi.code: kpi for _, kpi in before.kpis()}, set(has_facts)
    for _, kpi in after.kpis():
        old = kpis.get(kpi.code)
        if old and kpi.code in counted and _meaning(old) != _meaning(kpi):
            raise MeaningChanged(kpi=kpi.code, was=_meaning(old), wanted=_meaning(kpi))


def _meaning(kpi: Kpi) -> list[str]:
    """Say what a number is: flow, stock or to date, in which unit, and what it is made of."""
    measures = sorted(f"{rule.of.key} {rule.measure} {rule.field or ''}".strip() for rule in kpi.parts.values())
    return [kpi.nature, kpi.unit.words.zh, *measures]


def _digest(content: bytes) -> str:
    return f"sha-256:{hashlib.sha256(content).hexdigest()}"
