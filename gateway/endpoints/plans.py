"""The plan, its progress, its items and milestones, and how it is decided, revised and closed."""

from __future__ import annotations

from typing import Any

from gateway.api.endpoint import endpoint
from gateway.api.exports import document, exported
from gateway.documents import answer_rows
from gateway.endpoints.callers import CHAIR, PLANNERS
from gateway.http.messages import Reply, Request
from gateway.reporting import answer_schemas, question_parameters, yearly_report
from gateway.reporting.editions import Editions
from gateway.reporting.plan_commands import PlanCommands
from gateway.reporting.query_service import QueryService


class PlanEndpoints:
    """The plan as it was decided, and how far it has come."""

    query_service: QueryService
    plan_commands: PlanCommands
    editions: Editions

    @exported("工作要点", answer_rows.of("plans"))
    @endpoint(
        "GET",
        "/api/v1/plans",
        en="List all plans.",
        zh="全部年度计划。",
        public=True,
        answers={200: answer_schemas.PLANS},
    )
    def plans(self, _: Request) -> Any:
        return self.query_service.plans()

    @endpoint(
        "GET",
        "/api/v1/plans/<year>",
        en="Show a plan as it was decided: its items, targets, rules and versions.",
        zh="计划条目、目标、统计规则与版本。",
        public=True,
        answers={200: answer_schemas.PLAN},
    )
    def plan(self, _: Request, year: str) -> Any:
        return self.query_service.plan(year)

    @exported("工作要点进展", answer_rows.kpis)
    @endpoint(
        "GET",
        "/api/v1/plans/<year>/progress",
        en="Show every item of a plan with its KPIs and milestones.",
        zh="计划全部条目及其进度。",
        public=True,
        prefers_known=True,
        asks=question_parameters.PROGRESS,
        answers={200: answer_schemas.PROGRESS},
    )
    def progress(self, request: Request, year: str) -> Any:
        return self.query_service.progress(year, request.params)

    @document(
        "/api/v1/plans/<year>/report",
        "工作要点完成情况报告",
        en="Download the yearly report with its tables and charts.",
        zh="年度完成情况报告。",
        public=True,
        asks=question_parameters.PROGRESS,
    )
    def report(self, request: Request, year: str) -> Any:
        return yearly_report.material(self.query_service, year, request.params)

    @endpoint(
        "GET",
        "/api/v1/items/<no>",
        en="Show one item of a plan with its KPIs and milestones.",
        zh="单项工作进度。",
        public=True,
        prefers_known=True,
        asks=question_parameters.ITEM,
        answers={200: answer_schemas.ITEM_ANSWER},
    )
    def item(self, request: Request, no: str) -> Any:
        return self.query_service.item(no, request.params)

    @endpoint(
        "GET",
        "/api/v1/milestones/<code>",
        en="Show whether a milestone is reached, and the record that proves it (G-10).",
        zh="里程碑及其依据记录。",
        asks=question_parameters.AS_OF_ONLY,
        answers={200: answer_schemas.MILESTONE_ANSWER},
    )
    def milestone(self, request: Request, code: str) -> Any:
        return self.query_service.milestone(code, request.params)

    @endpoint(
        "POST",
        "/api/v1/plans",
        en="Put a plan file into force; earlier versions are kept.",
        zh="计划文件生效，旧版本保留。",
        **PLANNERS,
        takes=question_parameters.PlanFile,
        answers={200: answer_schemas.APPLIED_PLAN},
    )
    def apply_plan(self, request: Request) -> Any:
        return self.plan_commands.apply(request.body, by=request.actor.id)

    @endpoint(
        "POST",
        "/api/v1/plans/<year>/targets/<code>",
        en="Revise a target by a later decision; earlier targets are kept (G-09).",
        zh="目标调整，原目标保留。",
        **CHAIR,
        takes=question_parameters.Target,
        answers={200: answer_schemas.REVISED_TARGET},
    )
    def revise_target(self, request: Request, year: str, code: str) -> Any:
        return self.plan_commands.revise(year, code, request.body, by=request.actor.id)

    @endpoint(
        "POST",
        "/api/v1/plans/<year>/periods/<period>/close",
        en="Close a period: sign what is known of it as its next edition (G-07).",
        zh="关账并签章存档。",
        **CHAIR,
        takes=question_parameters.Close,
        answers={200: answer_schemas.EDITION},
    )
    def close_period(self, request: Request, year: str, period: str) -> Any:
        return self.editions.close_period(year, period, by=request.actor.id, why=request.body["why"])

    @endpoint(
        "GET",
        "/api/v1/plans/<year>/periods/<period>/editions",
        en="List the editions of a period, and what has changed since the last one.",
        zh="各版关账及其后变动。",
        answers={200: answer_schemas.EDITIONS},
    )
    def all_editions(self, _: Request, year: str, period: str) -> Any:
        return self.editions.list_editions(year, period)

    @endpoint(
        "GET",
        "/api/v1/plans/<year>/periods/<period>/editions/<no>",
        en="Download an edition byte for byte as it was signed.",
        zh="签章原文。",
        answers={200: answer_schemas.SIGNED_EDITION},
    )
    def edition(self, _: Request, year: str, period: str, no: str) -> Reply:
        return self.editions.get_edition(year, period, no)
