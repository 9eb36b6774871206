"""Decisions: the plans that were applied and the targets that were revised, each with who, when and why.

Nothing is overwritten: an answer about the past is made by the plan that was in force then. The rules of every plan
that ever was in force are counted, so that no question about it needs the services.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from time import monotonic
from typing import Any

from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError
from structlog import get_logger

from gateway.kpi.measures import Measure
from gateway.kpi.plan_index import PlanIndex
from gateway.plans import file as planfile
from gateway.plans.model import Kpi, Plan, Target
from services.chassis.clock import SystemClock, to_the_millisecond
from services.chassis.problem import Conflict
from services.contract.rule import Rule
from services.kernel import Refusal
from services.kernel.calendar import format_instant

PLANS = Path(planfile.__file__).parent
INSTALLATION = "installation"  # who applied the plans that come with the gateway
KNOWN_FOR = 1.0  # seconds that an answer may come from a plan that another gateway has replaced

Document = dict[str, Any]

log = get_logger()


class TargetsOverlap(Refusal, rule="G-09", zh="新目标须晚于此前所有决定"):
    """A target is revised by a later decision; two for the same day, or one before the last, are refused."""


class MeaningChanged(Refusal, rule="G-13", zh="指标已有事实，含义不得改变；新含义须用新代码"):
    """A number whose first fact is counted keeps its meaning; a new meaning is a new KPI."""


class PlanHistory:
    """The plans of all years and their targets, at any instant."""

    def __init__(self, database: Database[Document], clock: SystemClock) -> None:
        self._plans: Collection[Document] = database["plans"]
        self._targets: Collection[Document] = database["targets"]
        self._clock = clock
        self._held: tuple[list[Document], list[Document]] = ([], [])
        self._look_at = 0.0

    def prepare(self) -> None:
        """The plans that come with the gateway are applied where there is none of their year."""
        self._apply_ours()
        self._read()

    def _apply_ours(self) -> None:
        self._plans.create_index([("year", 1), ("version", 1)], unique=True)
        for year, file in planfile.files(PLANS).items():
            content = file.read_bytes()
            held = self._plans.find_one({"year": year}, {"digest": 1}, sort=[("version", -1)])
            if held is None:
                self._insert(year, 1, content, by=INSTALLATION, why=file.name)
            elif held["digest"] != _digest(content):
                log.warning("another plan is in force", file=file.name, next="./kexie plan apply")

    def book(self, as_of: datetime | None = None) -> PlanIndex:
        """The plans in force at that instant; before the first one of a year, the first one."""
        plans, targets = self._known()
        at = to_the_millisecond(as_of) if as_of else None
        chosen: dict[int, Document] = {}
        for plan in plans:  # by version
            if at is None or plan["applied_at"] <= at or plan["year"] not in chosen:
                chosen[plan["year"]] = plan
        revised = tuple(_target(one) for one in targets if at is None or one["recorded_at"] <= at)
        return _book(tuple((plan["_id"], plan["text"]) for plan in chosen.values()), revised)

    def version(self, year: int, as_of: datetime | None = None) -> int:
        """Of the plan in force."""
        at = to_the_millisecond(as_of) if as_of else None
        plans = [one for one in self._known()[0] if one["year"] == year]
        return max((one["version"] for one in plans if at is None or one["applied_at"] <= at), default=1)

    def versions(self, year: int) -> list[Document]:
        """Every version that a plan has had, and the targets revised since, the first one first."""
        plans, targets = self._known()
        applied = [
            {"version": one["version"], "digest": one["digest"], **_told(one, "applied_at")}
            for one in plans
            if one["year"] == year
        ]
        revised = [
            {"kpi": one["code"], "value": one["value"], "decided_on": one["decided_on"], "doc_no": one["doc_no"]}
            | _told(one, "recorded_at")
            for one in targets
            if one["year"] == year
        ]
        return [*applied, *revised]

    def rules(self) -> list[Rule]:
        """Of every plan that ever was in force."""
        plans, _ = self._known()
        found = (rule for plan in plans for rule in planfile.read(plan["_id"], plan["text"]).rules())
        return list({Measure(rule).key: rule for rule in found}.values())

    def apply(self, content: bytes, *, name: str, by: str, why: str, has_facts: Iterable[str]) -> Document:
        """From now on this plan is in force; raises `BrokenFile`, `MeaningChanged`, `Conflict`.

        `has_facts` are the KPIs of its year that have records already; the same plan again changes nothing.
        """
        plan = planfile.read(name, content)
        self._read()
        before = self.book().plans.get(plan.year)
        if before:
            _check_meaning(before, plan, has_facts)
        last = [one for one in self._held[0] if one["year"] == plan.year]
        if not last or last[-1]["text"] != content:
            self._insert(plan.year, len(last) + 1, content, by=by, why=why)
            self._read()
        return next(one for one in reversed(self.versions(plan.year)) if "version" in one)

    def revise(self, year: int, kpi: Kpi, target: Target, *, by: str, why: str) -> Document:
        """From its day on this target is in force, beside the ones before it (G-09)."""
        last = max((one.decided_on for one in kpi.targets), default=None)
        if last and target.decided_on <= last:
            raise TargetsOverlap(decided_on=target.decided_on.isoformat(), last=last.isoformat())
        document = {
            "_id": f"{year}/{kpi.code}/{target.decided_on}",
            "year": year,
            "code": kpi.code,
            "value": target.value,
            "baseline": target.baseline,
            "decided_on": target.decided_on.isoformat(),
            "doc_no": target.doc_no,
            **self._noted("recorded_at", by, why),
        }
        try:
            self._targets.insert_one(document)
        except DuplicateKeyError:
            raise TargetsOverlap(decided_on=document["decided_on"]) from None
        self._read()
        return {name: document[name] for name in ("value", "baseline", "decided_on", "doc_no")}

    def _insert(self, year: int, version: int, content: bytes, *, by: str, why: str) -> None:
        document = {"_id": f"{year}/{version}", "year": year, "version": version}
        document |= {"text": content, "digest": _digest(content)}
        try:
            self._plans.insert_one(document | self._noted("applied_at", by, why))
        except DuplicateKeyError:
            if by != INSTALLATION:  # several gateways start at once
                raise Conflict("Another plan was applied meanwhile.", "其间已有另一计划生效。", year=year) from None

    def _noted(self, at: str, by: str, why: str) -> Document:
        return {at: to_the_millisecond(self._clock.now()), "by": by, "why": why}

    def _known(self) -> tuple[list[Document], list[Document]]:
        if monotonic() >= self._look_at:
            self._read()
        return self._held

    def _read(self) -> None:
        """Where somebody dropped the database, the plans that come with the gateway are in force again."""
        if self._plans.find_one({}, {"_id": 1}) is None:
            self._apply_ours()
        plans = list(self._plans.find().sort([("year", 1), ("version", 1)]))
        targets = list(self._targets.find().sort("decided_on", 1))
        self._held, self._look_at = (plans, targets), monotonic() + KNOWN_FOR


Revised = tuple[int, str, Target]
"""Of which year's plan, of which KPI, to what."""


@lru_cache(maxsize=50)
def _book(plans: tuple[tuple[str, bytes], ...], revised: tuple[Revised, ...]) -> PlanIndex:
    found = [planfile.read(name, text) for name, text in plans]
    return PlanIndex({plan.year: _revised(plan, [one[1:] for one in revised if one[0] == plan.year]) for plan in found})


def _target(held: Document) -> Revised:
    decided = date.fromisoformat(held["decided_on"])
    return held["year"], held["code"], Target(held["value"], decided, held["doc_no"], held["baseline"])


def _revised(plan: Plan, later: list[tuple[str, Target]]) -> Plan:
    def decided(kpi: Kpi) -> Kpi:
        both = (*kpi.targets, *(target for code, target in later if code == kpi.code))
        return replace(kpi, targets=tuple(sorted(both, key=lambda target: target.decided_on)))

    return replace(plan, items=tuple(replace(item, kpis=tuple(map(decided, item.kpis))) for item in plan.items))


def _digest(content: bytes) -> str:
    return f"sha-256:{hashlib.sha256(content).hexdigest()}"


def _check_meaning(before: Plan, after: Plan, has_facts: Iterable[str]) -> None:
    known, facts = {kpi.code: kpi for _, kpi in before.kpis()}, set(has_facts)
    for _, kpi in after.kpis():
        old = known.get(kpi.code)
        if old and kpi.code in facts and _meaning(old) != _meaning(kpi):
            raise MeaningChanged(kpi=kpi.code, was=_meaning(old), wanted=_meaning(kpi))


def _meaning(kpi: Kpi) -> list[str]:
    """What a number is: flow, stock or to date, in which unit, of what it is made."""
    measures = sorted(f"{rule.of.key} {rule.measure} {rule.field or ''}".strip() for rule in kpi.parts.values())
    return [kpi.nature, kpi.unit.words.zh, *measures]


def _told(held: Mapping[str, Any], at: str) -> Document:
    return {"at": format_instant(held[at]), "by": held["by"], "why": held["why"]}
