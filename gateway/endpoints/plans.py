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

    @exported("/api/v1/plans", "工作要点", answer_rows.of("plans"), public=True)
    @endpoint("GET", "/api/v1/plans", public=True, answers={200: answer_schemas.PLANS})
    def plans(self, _: Request) -> Any:
        """All plans. 全部年度计划。"""
        return self.query_service.plans()

    @endpoint("GET", "/api/v1/plans/<year>", public=True, answers={200: answer_schemas.PLAN})
    def plan(self, _: Request, year: str) -> Any:
        """A plan as it was decided: items, targets, rules, versions. 计划条目、目标、统计规则与版本。"""
        return self.query_service.plan(year)

    @exported(
        "/api/v1/plans/<year>/progress",
        "工作要点进展",
        answer_rows.kpis,
        public=True,
        asks=question_parameters.PROGRESS,
    )
    @endpoint(
        "GET",
        "/api/v1/plans/<year>/progress",
        public=True,
        asks=question_parameters.PROGRESS,
        answers={200: answer_schemas.PROGRESS},
    )
    def progress(self, request: Request, year: str) -> Any:
        """Every item of a plan with its numbers and milestones. 计划全部条目及其进度。"""
        return self.query_service.progress(year, request.params)

    @document("/api/v1/plans/<year>/report", "工作要点完成情况报告", public=True, asks=question_parameters.PROGRESS)
    def report(self, request: Request, year: str) -> Any:
        """The yearly report, with tables and charts. 年度完成情况报告。"""
        return yearly_report.material(self.query_service, year, request.params)

    @endpoint(
        "GET",
        "/api/v1/items/<no>",
        public=True,
        asks=question_parameters.ITEM,
        answers={200: answer_schemas.ITEM_ANSWER},
    )
    def item(self, request: Request, no: str) -> Any:
        """One item of a plan, as progress tells it. 单项工作进度。"""
        return self.query_service.item(no, request.params)

    @endpoint(
        "GET",
        "/api/v1/milestones/<code>",
        asks=question_parameters.AS_OF_ONLY,
        answers={200: answer_schemas.MILESTONE_ANSWER},
    )
    def milestone(self, request: Request, code: str) -> Any:
        """Reached or not, and the record that is the evidence (G-10). 里程碑及其依据记录。"""
        return self.query_service.milestone(code, request.params)

    @endpoint(
        "POST",
        "/api/v1/plans",
        **PLANNERS,
        takes=question_parameters.PlanFile,
        answers={200: answer_schemas.APPLIED_PLAN},
    )
    def apply_plan(self, request: Request) -> Any:
        """A plan file comes into force; the earlier versions are kept. 计划文件生效，旧版本保留。"""
        return self.plan_commands.apply(request.body, by=request.actor.id)

    @endpoint(
        "POST", "/api/v1/plans/<year>/targets/<code>", **CHAIR, takes=question_parameters.Target,
        answers={200: answer_schemas.REVISED_TARGET},
    )  # fmt: skip
    def revise_target(self, request: Request, year: str, code: str) -> Any:
        """A target is revised by a later decision; the earlier ones stay (G-09). 目标调整，原目标保留。"""
        return self.plan_commands.revise(year, code, request.body, by=request.actor.id)

    @endpoint(
        "POST", "/api/v1/plans/<year>/periods/<period>/close", **CHAIR, takes=question_parameters.Close,
        answers={200: answer_schemas.EDITION},
    )  # fmt: skip
    def close_period(self, request: Request, year: str, period: str) -> Any:
        """Sign what is known of a period, as its next edition (G-07). 关账并签章存档。"""
        return self.editions.close_period(year, period, by=request.actor.id, why=request.body["why"])

    @endpoint("GET", "/api/v1/plans/<year>/periods/<period>/editions", answers={200: answer_schemas.EDITIONS})
    def all_editions(self, _: Request, year: str, period: str) -> Any:
        """The editions of a period, and what has changed since the last one. 各版关账及其后变动。"""
        return self.editions.list_editions(year, period)

    @endpoint(
        "GET", "/api/v1/plans/<year>/periods/<period>/editions/<no>", answers={200: answer_schemas.SIGNED_EDITION}
    )
    def edition(self, _: Request, year: str, period: str, no: str) -> Reply:
        """An edition byte for byte as it was signed. 签章原文。"""
        return self.editions.get_edition(year, period, no)
