"""The gateway: how the world reaches the plan's numbers and the services."""

from __future__ import annotations

from typing import Any

from gateway import answers, schemas
from gateway.desk import Reporting
from gateway.docs import Documenting
from gateway.operations import Operating
from gateway.passage import Passages
from gateway.reply import Reply, Request
from gateway.web import Condition, endpoint
from services.chassis.listener import batches
from services.contract.event import Event
from services.contract.topology import LEDGER_QUEUE

OPERATOR = ("operator",)


class Gateway:
    """Keeps what the plan counts, proves it from the records, and passes commands and questions on."""

    name = "gateway"

    desk = Reporting()
    services = Passages()
    condition = Condition()
    operations = Operating()
    docs = Documenting()

    @batches(LEDGER_QUEUE)
    def take(self, events: list[Event]) -> None:
        self.desk.take(events)

    @endpoint("GET", "/api/v1/plans", public=True, answers={200: answers.PLANS})
    def plans(self, _: Request) -> Any:
        """All plans. 全部年度计划。"""
        return self.desk.plans()

    @endpoint("GET", "/api/v1/plans/<year>", public=True, answers={200: answers.PLAN})
    def plan(self, _: Request, year: str) -> Any:
        """A plan as it was decided: items, targets, rules. 计划条目、目标与统计规则。"""
        return self.desk.plan(year)

    @endpoint(
        "GET", "/api/v1/plans/<year>/progress", public=True, asks=schemas.PROGRESS, answers={200: answers.PROGRESS}
    )
    def progress(self, request: Request, year: str) -> Any:
        """Every item of a plan with its numbers. 计划全部条目及其进度。"""
        return self.desk.progress(year, request.asked)

    @endpoint("GET", "/api/v1/kpis/<code>", asks=schemas.KPI, answers={200: answers.KPI})
    def kpi(self, request: Request, code: str) -> Any:
        """One number, whole or grouped. 单项指标，可分组。"""
        return self.desk.kpi(code, request.asked)

    @endpoint("GET", "/api/v1/kpis/<code>/records", asks=schemas.RECORDS, answers={200: answers.RECORDS})
    def records(self, request: Request, code: str) -> Any:
        """The records behind a number. 构成指标的记录。"""
        return self.desk.records(code, request.asked)

    @endpoint("GET", "/api/v1/records/<service>/<kind>/<id_>/history", answers={200: answers.HISTORY})
    def history(self, _: Request, service: str, kind: str, id_: str) -> Any:
        """Every version of a record as it was heard. 网关收到的记录各版本。"""
        return self.desk.history(service, kind, id_)

    @endpoint("POST", "/api/v1/<service>/<command>", for_each="command", answers={202: answers.ACCEPTED})
    def command(self, request: Request, service: str, command: str) -> Reply:
        """A service's command. 服务命令。"""
        return self.services.command(service, command, request)

    @endpoint("GET", "/api/v1/commands/<command_id>", answers={200: answers.ACCEPTED})
    def accepted(self, request: Request, command_id: str) -> Any:
        """What became of a command that was answered with 202. 已受理命令的结果。"""
        return self.services.accepted(command_id, request)

    @endpoint("GET", "/api/v1/<service>/<plural>", asks=None, for_each="list")
    def page(self, request: Request, service: str, plural: str) -> Any:
        """A service's records. 服务记录列表。"""
        return self.services.page(service, plural, request)

    @endpoint("GET", "/api/v1/<service>/<plural>/<id_>", for_each="record")
    def record(self, request: Request, service: str, plural: str, id_: str) -> Reply:
        """A record as its service has it. 服务记录。"""
        return self.services.record(service, plural, id_, request)

    @endpoint("GET", "/api/v1/<service>/<plural>/<id_>/history", for_each="history")
    def history_at_service(self, request: Request, service: str, plural: str, id_: str) -> Any:
        """Every version of a record as its service has it, with reasons. 服务记录的各版本及理由。"""
        return self.services.history(service, plural, id_, request)

    @endpoint("GET", "/api/v1/operations/status", roles=OPERATOR, answers={200: answers.STATUS})
    def status(self, request: Request) -> Any:
        """How all of it is now. 系统现状。"""
        return self.operations.status(request)

    @endpoint("POST", "/api/v1/operations/<job>", roles=OPERATOR, for_each="job", answers={202: answers.JOB})
    def begin_job(self, request: Request, job: str) -> Reply:
        """Begin a job. 启动任务。"""
        return self.operations.begin(job, request)

    @endpoint("GET", "/api/v1/operations/<job>", roles=OPERATOR, for_each="job", answers={200: answers.JOB})
    def job(self, _: Request, job: str) -> Any:
        """How far a job has come. 任务进展。"""
        return self.operations.job(job)

    @endpoint("GET", "/api/v1/operations/parked", roles=OPERATOR, asks=schemas.PARKED, answers={200: answers.PARKED})
    def parked(self, request: Request) -> Any:
        """Messages that could not be handled. 未能处理的消息。"""
        return self.operations.parked(request)

    @endpoint("GET", "/api/v1/operations/parked/<service>/<id_>", roles=OPERATOR, answers={200: answers.PARKED_MESSAGE})
    def parked_message(self, request: Request, service: str, id_: str) -> Any:
        """One of them with its body and its traceback. 消息详情。"""
        return self.operations.parked_message(service, id_, request)

    @endpoint(
        "POST", "/api/v1/operations/parked/<service>/<id_>/replay", roles=OPERATOR, takes=schemas.Settle,
        answers={200: answers.SETTLED},
    )  # fmt: skip
    def replay(self, request: Request, service: str, id_: str) -> Any:
        """Handle it now. 重放消息。"""
        return self.operations.settle("replay_parked", service, id_, request)

    @endpoint(
        "POST", "/api/v1/operations/parked/<service>/<id_>/discard", roles=OPERATOR, takes=schemas.Settle,
        answers={200: answers.SETTLED},
    )  # fmt: skip
    def discard(self, request: Request, service: str, id_: str) -> Any:
        """It need not be handled any more. 丢弃消息。"""
        return self.operations.settle("discard_parked", service, id_, request)

    @endpoint("GET", "/api/v1/roles", public=True, answers={200: answers.ROLES})
    def roles(self, _: Request) -> Reply:
        """Who may do what: each role at each address. 角色权限表。"""
        return self.docs.roles()

    @endpoint("GET", "/openapi.json", public=True, answers={200: answers.OPENAPI})
    def openapi(self, _: Request) -> Reply:
        """All of this as OpenAPI 3.1. 接口说明（OpenAPI 3.1）。"""
        return self.docs.openapi()

    @endpoint("GET", "/asyncapi.json", public=True, answers={200: answers.ASYNCAPI})
    def asyncapi(self, _: Request) -> Reply:
        """Events and RPC methods as AsyncAPI 3.0. 事件与 RPC 说明（AsyncAPI 3.0）。"""
        return self.docs.asyncapi()

    @endpoint("GET", "/docs", public=True, answers={200: answers.PAGE})
    def documentation(self, _: Request) -> Reply:
        """All of this to read and to try. 接口文档页面。"""
        return self.docs.page()

    @endpoint("GET", "/docs/assets/<name>", public=True, asks=schemas.FILE, answers={200: answers.ASSET})
    def asset(self, _: Request, name: str) -> Reply:
        """A file of the pages. 页面文件。"""
        return self.docs.asset(name)

    @endpoint("GET", "/problems", public=True, answers={200: answers.PAGE})
    def problems(self, _: Request) -> Reply:
        """All codes of errors and all rules that forbid something. 错误代码与规则一览。"""
        return self.docs.problems()

    @endpoint("GET", "/health", public=True, answers={200: answers.HEALTH, 503: answers.HEALTH})
    def health(self, _: Request) -> Reply:
        """Whether the process works; 503: start it again. 进程是否正常。"""
        return Reply.of(self.condition.health())

    @endpoint("GET", "/ready", public=True, answers={200: answers.READY, 503: answers.READY})
    def ready(self, _: Request) -> Reply:
        """Whether it can answer now. 是否就绪。"""
        return Reply.of(self.condition.ready())

    @endpoint("GET", "/metrics", public=True, answers={200: answers.PLAIN})
    def metrics(self, _: Request) -> Reply:
        """What it counts, for Prometheus. 监控指标。"""
        return Reply.of(self.condition.metrics())
