"""Plan commands: a plan is put in force, a target is revised; their rules are counted from the stored views."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import eventlet
from pymongo.errors import PyMongoError
from structlog import get_logger

from gateway.http import parameters
from gateway.kpi.figures import documents_needed
from gateway.kpi.plan_answers import Answer, unit
from gateway.kpi.plan_index import resolve_period
from gateway.plans.model import Target
from gateway.plans.yaml_lines import BrokenFile, FileFault
from gateway.reporting.query_service import QueryService, SharedQueryService
from services.chassis.loop import Loop
from services.chassis.problem import FieldError, InvalidInput, Problem
from services.chassis.provider import Provider

LOOK = 1.0  # seconds between two looks whether another gateway has applied a plan

log = get_logger()


class PlanCommands:
    """Carries out what the chair decides about the plans."""

    def __init__(self, query_service: QueryService) -> None:
        self._query_service, self._plan_history = query_service, query_service.plan_history

    def apply(self, command: Mapping[str, Any], *, by: str) -> Answer:
        """Put a plan in force; its rules are counted back to January in the background.

        Raises `InvalidInput` with every fault of the file and its line, `MeaningChanged` and `Conflict`.
        """
        content, facts = command["file"].encode(), self._kpis_with_facts()
        try:
            applied = self._plan_history.apply(content, name="plan", by=by, why=command["why"], has_facts=facts)
        except BrokenFile as broken:
            raise InvalidInput(*map(_field_error, broken.faults)) from None
        eventlet.spawn(self.count_rules)
        return applied

    def revise(self, year: str, code: str, command: Mapping[str, Any], *, by: str) -> Answer:
        """Revise a target by a later decision; the earlier ones stay (G-09). Raises `TargetsOverlap`."""
        index = self._plan_history.plan_index()
        lines = {line.code: line for line in index.kpi_lines(int(year))} if year in map(str, index.plans) else {}
        if code not in lines:
            raise parameters.not_known("KPI", "指标", f"{year}/{code}", lines or map(str, index.plans))

        kpi = lines[code].kpi
        scale, baseline = kpi.unit.scale, command["baseline"]
        target = Target(
            value=command["value"] * scale,
            decided_on=command["decided_on"],
            doc_no=command["doc_no"],
            baseline=None if baseline is None else baseline * scale,
        )
        return {
            "kpi": code,
            "unit": unit(kpi.unit),
            **self._plan_history.revise(int(year), kpi, target, by=by, why=command["why"]),
        }

    def count_rules(self) -> None:
        """Count the rules of all plans that are not counted yet; what fails is counted by the next round."""
        try:
            self._query_service.generations.prepare()
        except (PyMongoError, Problem) as error:
            log.warning("rules are not counted yet", error=type(error).__name__)
        self._query_service.cache.clear()

    def _kpis_with_facts(self) -> set[str]:
        """Return the KPIs of which any record has its day in their plan's year."""
        index = self._plan_history.plan_index()
        lines = [(line, resolve_period(str(year))) for year in index.plans for line in index.kpi_lines(year)]
        needed = {id_: piece for line, year in lines for id_, piece in documents_needed([line], year).items()}
        documents = self._query_service.generations.ask(lambda store: store.read_counts(needed)).documents
        return {
            line.code
            for line, year in lines
            if any(part.total(year.pieces, documents).seen for part in line.parts.values())
        }


class PlanCommandsProvider(Provider[PlanCommands]):
    """Gives the gateway its plan commands.

    It also counts the rules of plans that another gateway has applied, lest that one ends before it has counted them.
    """

    reporting = SharedQueryService()

    def start(self) -> None:
        self._plan_commands = PlanCommands(self.reporting.query_service)
        self._rules: int | None = None
        self._loop = Loop("plans", self._count_new_rules, seconds=LOOK, at_once=True)
        self._loop.start(self.container)

    def stop(self) -> None:
        self._loop.kill()

    def provide(self) -> PlanCommands:
        return self._plan_commands

    def _count_new_rules(self) -> None:
        rules = len(self.reporting.query_service.plan_history.rules())
        before, self._rules = self._rules, rules
        if before is not None and rules != before:
            self._plan_commands.count_rules()


def _field_error(fault: FileFault) -> FieldError:
    at, message = fault.at, fault.message
    return FieldError("file", f"line {fault.line}: {at}: {message}", f"第 {fault.line} 行 {at}：{message}")
