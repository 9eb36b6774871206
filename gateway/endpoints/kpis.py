"""KPIs, the records behind them, their recounts, and how fresh their sources are."""

from __future__ import annotations

from typing import Any

from gateway.api.endpoint import endpoint
from gateway.api.exports import exported
from gateway.documents import answer_rows
from gateway.endpoints.callers import RECOUNTERS
from gateway.http import json_schema
from gateway.http.messages import Reply, Request
from gateway.notifications.event_stream import EVENTS, EventStream
from gateway.operations import freshness
from gateway.operations.freshness import FreshnessMonitor
from gateway.reconciliation import inputs, recounts
from gateway.reconciliation.recounts import Recounts
from gateway.reporting import answer_schemas, question_parameters
from gateway.reporting.query_service import QueryService


class KpiEndpoints:
    """KPIs and what proves them."""

    query_service: QueryService
    event_stream: EventStream
    recount_requests: Recounts
    sources: FreshnessMonitor

    @exported("指标", answer_rows.number)
    @endpoint(
        "GET",
        "/api/v1/kpis/<code>",
        en="Show a KPI, whole or split into groups.",
        zh="单项指标，可分组。",
        asks=question_parameters.KPI,
        answers={200: answer_schemas.KPI},
    )
    def kpi(self, request: Request, code: str) -> Any:
        return self.query_service.kpi(code, request.params)

    @exported("指标序列", answer_rows.of("steps"))
    @endpoint(
        "GET",
        "/api/v1/kpis/<code>/series",
        en="Show a KPI step by step beside what was due.",
        zh="指标分时段序列及应达进度。",
        asks=question_parameters.SERIES,
        answers={200: answer_schemas.SERIES},
    )
    def series(self, request: Request, code: str) -> Any:
        return self.query_service.series(code, request.params)

    @exported("指标记录")
    @endpoint(
        "GET",
        "/api/v1/kpis/<code>/records",
        en="List the records that a KPI counts.",
        zh="构成指标的记录。",
        asks=question_parameters.RECORDS,
        answers={200: answer_schemas.RECORDS},
    )
    def records(self, request: Request, code: str) -> Any:
        return self.query_service.records(code, request.params)

    @exported("历史", answer_rows.of("versions"))
    @endpoint(
        "GET",
        "/api/v1/records/<service>/<kind>/<id_>/history",
        en="Show every version of a record that the gateway has received.",
        zh="网关收到的记录各版本。",
        asks=question_parameters.AS_OF_ONLY,
        answers={200: answer_schemas.HISTORY},
    )
    def history(self, request: Request, service: str, kind: str, id_: str) -> Any:
        return self.query_service.history(service, kind, id_, request.params)

    @endpoint(
        "GET",
        "/api/v1/events",
        en="Stream KPIs as they change (server-sent events).",
        zh="指标变动推送。",
        public=True,
        prefers_known=True,
        answers={200: EVENTS},
    )
    def events(self, request: Request) -> Reply:
        return self.event_stream.stream(request)

    @endpoint(
        "POST",
        "/api/v1/recounts",
        en="Have the owning service recount a KPI, record by record (G-16).",
        zh="由所属服务重新统计核对。",
        roles=RECOUNTERS,
        takes=inputs.Recount,
        answers={202: recounts.RECOUNT},
    )
    def recount(self, request: Request) -> Reply:
        return self.recount_requests.begin(request)

    @endpoint(
        "GET",
        "/api/v1/recounts",
        en="List recounts, the newest first.",
        zh="历次核对。",
        asks=inputs.RECOUNTS,
        answers={200: json_schema.page(recounts.OUTLINE)},
    )
    def all_recounts(self, request: Request) -> Any:
        return self.recount_requests.page(request.params)

    @endpoint(
        "GET",
        "/api/v1/recounts/<id_>",
        en="Show how far a recount is, and the records that differ.",
        zh="核对进展与差异记录。",
        answers={200: recounts.RECOUNT},
    )
    def one_recount(self, _: Request, id_: str) -> Any:
        return self.recount_requests.find(id_)

    @endpoint(
        "GET",
        "/api/v1/sources",
        en="Show how fresh the records of each service are.",
        zh="各服务数据时效。",
        answers={200: freshness.SOURCES},
    )
    def all_sources(self, _: Request) -> Any:
        return self.sources.all()
