"""Planning: a plan comes into force, a target is revised; what either needs is counted from the kept views."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import eventlet
from pymongo.errors import PyMongoError
from structlog import get_logger

from gateway.http import parameters
from gateway.kpi import figures
from gateway.kpi.plan_answers import Answer
from gateway.kpi.plan_index import asked
from gateway.plans.model import Target
from gateway.plans.yaml_lines import BrokenFile, Fault
from gateway.reporting.query_service import QueryService, SharedQueryService
from services.chassis.problem import FieldError, InvalidInput, Problem
from services.chassis.provider import Provider

LOOK = 1.0  # seconds between two looks whether a plan was applied

log = get_logger()


class PlanCommands:
    """What the chair decides of the plans."""

    def __init__(self, query_service: QueryService) -> None:
        self._query_service, self._decisions = query_service, query_service.decisions

    def apply(self, said: Mapping[str, Any], *, by: str) -> Answer:
        """A plan comes into force; its rules are counted back to January, in the background."""
        content, facts = said["file"].encode(), self._with_facts()
        try:
            applied = self._decisions.apply(content, name="plan", by=by, why=said["why"], has_facts=facts)
        except BrokenFile as broken:
            raise InvalidInput(*map(_told, broken.faults)) from None
        eventlet.spawn(self.count)
        return applied

    def revise(self, year: str, code: str, said: Mapping[str, Any], *, by: str) -> Answer:
        """A target is revised by a later decision; the earlier ones stay (G-09)."""
        book = self._decisions.book()
        lines = {line.kpi.code: line for line in book.lines(int(year))} if year in map(str, book.plans) else {}
        if code not in lines:
            raise parameters.not_known("KPI", "指标", f"{year}/{code}", lines or map(str, book.plans))
        kpi = lines[code].kpi
        scale, baseline = kpi.unit.scale, said["baseline"]
        target = Target(
            value=said["value"] * scale,
            decided_on=said["decided_on"],
            doc_no=said["doc_no"],
            baseline=None if baseline is None else baseline * scale,
        )
        return {"kpi": code, **self._decisions.revise(int(year), kpi, target, by=by, why=said["why"])}

    def count(self) -> None:
        """Count what the plans in force need and is not counted yet."""
        try:
            self._query_service.generations.prepare()
        except (PyMongoError, Problem) as error:
            log.warning("rules are not counted yet", error=type(error).__name__)
        self._query_service.shelf.clear()

    def _with_facts(self) -> set[str]:
        """The KPIs of which a record is known in their plan's year."""
        book = self._decisions.book()
        lines = [(line, asked(str(year))) for year in book.plans for line in book.lines(year)]
        wanted = {id_: piece for line, year in lines for id_, piece in figures.wanted([line], year).items()}
        held = self._query_service.generations.ask(lambda store: store.read_counts(wanted)).documents
        return {
            line.code for line, year in lines if any(part.total(year.pieces, held).seen for part in line.parts.values())
        }


class PlanCommandsProvider(Provider[PlanCommands]):
    """Gives the gateway its planning, and counts also what another gateway has applied, should that one end before."""

    reporting = SharedQueryService()

    def start(self) -> None:
        self._query_service = self.reporting.query_service
        self._planning = PlanCommands(self._query_service)
        self._looking = self.container.spawn_managed_thread(self._look, identifier="plans")

    def stop(self) -> None:
        self._looking.kill()

    def provide(self) -> PlanCommands:
        return self._planning

    def _look(self) -> None:
        counted = len(self._query_service.decisions.rules())
        while True:
            eventlet.sleep(LOOK)
            try:
                rules = len(self._query_service.decisions.rules())
            except PyMongoError:
                continue
            if rules != counted:
                counted = rules
                self._planning.count()


def _told(fault: Fault) -> FieldError:
    at, says = fault.at, fault.says
    return FieldError("file", f"line {fault.line}: {at}: {says}", f"第 {fault.line} 行 {at}：{says}")
