"""The gateway: how the world reaches the plan's numbers and the services."""

from __future__ import annotations

from typing import Any

from gateway.api import answer_schemas as api_answer_schemas
from gateway.api.documentation import DocumentationProvider
from gateway.api.endpoint import endpoint
from gateway.api.exports import document, exported
from gateway.documents import answer_rows
from gateway.http import json_schema, parameters
from gateway.http import json_schema as http_json_schema
from gateway.http.messages import Reply, Request
from gateway.identity import api_tokens, sessions, users
from gateway.identity import audit_trail as audit
from gateway.identity.accounts import AccountsProvider
from gateway.identity.api_tokens import IssuedTokens
from gateway.identity.audit_trail import AuditTrailProvider
from gateway.imports import import_store, uploads
from gateway.imports.import_runner import Importing
from gateway.notifications import inputs as notifications_inputs
from gateway.notifications.alert_watch import AlertRequestsProvider
from gateway.notifications.alerts import ALERT, INBOX, NEW_RULE, RULE, RULES
from gateway.notifications.event_stream import EVENTS, EventStreamProvider
from gateway.notifications.webhook_outbox import DELIVERIES, DELIVERY
from gateway.operations import answer_schemas as operations_answer_schemas
from gateway.operations import freshness
from gateway.operations import inputs as operations_inputs
from gateway.operations.freshness import SourcesProvider
from gateway.operations.health import HealthProvider
from gateway.operations.metrics import MetricsProvider
from gateway.operations.operator_requests import OperatorRequestsProvider
from gateway.public import certificates, notices
from gateway.reconciliation import inputs, recounts
from gateway.reconciliation.recounts import RecountsProvider
from gateway.reporting import answer_schemas, question_parameters, yearly_report
from gateway.reporting.editions import EditionsProvider
from gateway.reporting.plan_commands import PlanCommandsProvider
from gateway.reporting.query_service import QueryServiceProvider
from gateway.upstream import answer_schemas as upstream_answer_schemas
from gateway.upstream.proxy import ServiceProxyProvider
from services.chassis.listener import batches
from services.chassis.tokens import ROLES, STAFF
from services.contract.event import Event
from services.contract.topology import LEDGER_QUEUE

EVERYBODY = {"roles": ROLES}  # judges too
OPERATOR = {"roles": ("operator",), "everywhere": True}
CHAIR = {"roles": ("chair",), "everywhere": True}
PLANNERS = {"roles": ("chair", "operator"), "everywhere": True}
RECOUNTERS = ("verifier", "chair", "finance", "operator")


class Gateway:
    """Keeps what the plan counts, proves it from the records, and passes commands and questions on."""

    name = "gateway"

    query_service = QueryServiceProvider()
    services = ServiceProxyProvider()
    live = EventStreamProvider()
    alarms = AlertRequestsProvider()
    condition = HealthProvider()
    operations = OperatorRequestsProvider()
    planning = PlanCommandsProvider()
    editions = EditionsProvider()
    sheets = Importing()
    recounting = RecountsProvider()
    surveying = SourcesProvider()
    watching = MetricsProvider()
    identity = AccountsProvider()
    tokens = IssuedTokens()
    trail = AuditTrailProvider()
    docs = DocumentationProvider()

    @batches(LEDGER_QUEUE)
    def take(self, events: list[Event]) -> None:
        self.query_service.take_events(events)

    # --- the plan ----------------------------------------------------------------------------------------------------

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
        return self.query_service.progress(year, request.asked)

    @document("/api/v1/plans/<year>/report", "工作要点完成情况报告", public=True, asks=question_parameters.PROGRESS)
    def report(self, request: Request, year: str) -> Any:
        """The yearly report, with tables and charts. 年度完成情况报告。"""
        return yearly_report.material(self.query_service, year, request.asked)

    @endpoint(
        "GET", "/api/v1/items/<no>", public=True, asks=question_parameters.ITEM, answers={200: answer_schemas.ITEM_NOW}
    )
    def item(self, request: Request, no: str) -> Any:
        """One item of a plan, as progress tells it. 单项工作进度。"""
        return self.query_service.item(no, request.asked)

    @endpoint(
        "GET", "/api/v1/milestones/<code>", asks=question_parameters.THEN, answers={200: answer_schemas.MILESTONE_NOW}
    )
    def milestone(self, request: Request, code: str) -> Any:
        """Reached or not, and the record that is the evidence (G-10). 里程碑及其依据记录。"""
        return self.query_service.milestone(code, request.asked)

    @endpoint(
        "POST", "/api/v1/plans", **PLANNERS, takes=question_parameters.PlanFile, answers={200: answer_schemas.APPLIED}
    )
    def apply_plan(self, request: Request) -> Any:
        """A plan file comes into force; the earlier versions are kept. 计划文件生效，旧版本保留。"""
        return self.planning.apply(request.said, by=request.actor.id)

    @endpoint(
        "POST", "/api/v1/plans/<year>/targets/<code>", **CHAIR, takes=question_parameters.Target,
        answers={200: answer_schemas.REVISED},
    )  # fmt: skip
    def revise_target(self, request: Request, year: str, code: str) -> Any:
        """A target is revised by a later decision; the earlier ones stay (G-09). 目标调整，原目标保留。"""
        return self.planning.revise(year, code, request.said, by=request.actor.id)

    @endpoint(
        "POST", "/api/v1/plans/<year>/periods/<period>/close", **CHAIR, takes=question_parameters.Close,
        answers={200: answer_schemas.EDITION},
    )  # fmt: skip
    def close_period(self, request: Request, year: str, period: str) -> Any:
        """Sign what is known of a period, as its next edition (G-07). 关账并签章存档。"""
        return self.editions.close_period(year, period, by=request.actor.id, why=request.said["why"])

    @endpoint("GET", "/api/v1/plans/<year>/periods/<period>/editions", answers={200: answer_schemas.EDITIONS})
    def all_editions(self, _: Request, year: str, period: str) -> Any:
        """The editions of a period, and what has changed since the last one. 各版关账及其后变动。"""
        return self.editions.list_editions(year, period)

    @endpoint("GET", "/api/v1/plans/<year>/periods/<period>/editions/<no>", answers={200: answer_schemas.SIGNED})
    def edition(self, _: Request, year: str, period: str, no: str) -> Reply:
        """An edition byte for byte as it was signed. 签章原文。"""
        return self.editions.get_edition(year, period, no)

    # --- its numbers -------------------------------------------------------------------------------------------------

    @exported("/api/v1/kpis/<code>", "指标", answer_rows.number, asks=question_parameters.KPI)
    @endpoint("GET", "/api/v1/kpis/<code>", asks=question_parameters.KPI, answers={200: answer_schemas.KPI})
    def kpi(self, request: Request, code: str) -> Any:
        """One number, whole or grouped. 单项指标，可分组。"""
        return self.query_service.kpi(code, request.asked)

    @exported("/api/v1/kpis/<code>/series", "指标序列", answer_rows.of("steps"), asks=question_parameters.SERIES)
    @endpoint(
        "GET", "/api/v1/kpis/<code>/series", asks=question_parameters.SERIES, answers={200: answer_schemas.SERIES}
    )
    def series(self, request: Request, code: str) -> Any:
        """A number step by step, with what was due. 指标分时段序列及应达进度。"""
        return self.query_service.series(code, request.asked)

    @exported("/api/v1/kpis/<code>/records", "指标记录", asks=question_parameters.RECORDS)
    @endpoint(
        "GET", "/api/v1/kpis/<code>/records", asks=question_parameters.RECORDS, answers={200: answer_schemas.RECORDS}
    )
    def records(self, request: Request, code: str) -> Any:
        """The records behind a number. 构成指标的记录。"""
        return self.query_service.records(code, request.asked)

    @exported(
        "/api/v1/records/<service>/<kind>/<id_>/history",
        "历史",
        answer_rows.of("versions"),
        asks=question_parameters.THEN,
    )
    @endpoint(
        "GET",
        "/api/v1/records/<service>/<kind>/<id_>/history",
        asks=question_parameters.THEN,
        answers={200: answer_schemas.HISTORY},
    )
    def history(self, request: Request, service: str, kind: str, id_: str) -> Any:
        """Every version of a record as it was heard. 网关收到的记录各版本。"""
        return self.query_service.history(service, kind, id_, request.asked)

    @endpoint("GET", "/api/v1/events", public=True, answers={200: EVENTS})
    def events(self, request: Request) -> Reply:
        """Numbers that changed, as they change. 指标变动推送。"""
        return self.live.stream(request)

    @endpoint("POST", "/api/v1/recounts", roles=RECOUNTERS, takes=inputs.Recount, answers={202: recounts.RECOUNT})
    def recount(self, request: Request) -> Reply:
        """Have the owning service count a number again, record by record (G-16). 由所属服务重新统计核对。"""
        return self.recounting.begin(request)

    @endpoint("GET", "/api/v1/recounts", asks=inputs.RECOUNTS, answers={200: json_schema.page(recounts.OUTLINE)})
    def all_recounts(self, request: Request) -> Any:
        """Recounts, the newest first. 历次核对。"""
        return self.recounting.page(request.asked)

    @endpoint("GET", "/api/v1/recounts/<id_>", answers={200: recounts.RECOUNT})
    def one_recount(self, _: Request, id_: str) -> Any:
        """How far a recount is, and the records that differ. 核对进展与差异记录。"""
        return self.recounting.find(id_)

    @endpoint("GET", "/api/v1/sources", answers={200: freshness.SOURCES})
    def all_sources(self, _: Request) -> Any:
        """How fresh the records of each service are. 各服务数据时效。"""
        return self.surveying.all()

    # --- alerts ------------------------------------------------------------------------------------------------------

    @endpoint("POST", "/api/v1/alerts/rules", takes=notifications_inputs.AlertRule, answers={201: NEW_RULE})
    def make_alert_rule(self, request: Request) -> Reply:
        """Be told when a number changes its status. 订阅状态变化提醒。"""
        return self.alarms.make(request)

    @endpoint("GET", "/api/v1/alerts/rules", asks=notifications_inputs.RULES, answers={200: RULES})
    def alert_rules(self, request: Request) -> Any:
        """Your rules. 我的提醒规则。"""
        return self.alarms.rules(request)

    @endpoint("GET", "/api/v1/alerts/rules/<id_>", answers={200: RULE})
    def alert_rule(self, request: Request, id_: str) -> Any:
        """One of them. 提醒规则详情。"""
        return self.alarms.rule(id_, request)

    @endpoint("POST", "/api/v1/alerts/rules/<id_>/retire", answers={200: RULE})
    def retire_alert_rule(self, request: Request, id_: str) -> Any:
        """Be told no more. 停用提醒规则。"""
        return self.alarms.retire(id_, request)

    @endpoint("GET", "/api/v1/alerts", asks=notifications_inputs.INBOX, answers={200: INBOX})
    def alerts(self, request: Request) -> Any:
        """Your inbox. 提醒收件箱。"""
        return self.alarms.inbox(request)

    @endpoint("POST", "/api/v1/alerts/<id_>/read", answers={200: ALERT})
    def read_alert(self, request: Request, id_: str) -> Any:
        """You have read it. 标记已读。"""
        return self.alarms.read(id_, request)

    @endpoint(
        "GET", "/api/v1/alerts/deliveries", **OPERATOR, asks=notifications_inputs.DELIVERIES,
        answers={200: DELIVERIES},
    )  # fmt: skip
    def deliveries(self, request: Request) -> Any:
        """What was sent to webhooks, and what waits. 外发提醒及其状态。"""
        return self.alarms.deliveries(request)

    @endpoint("POST", "/api/v1/alerts/deliveries/<id_>/again", **OPERATOR, answers={200: DELIVERY})
    def deliver_again(self, _: Request, id_: str) -> Any:
        """Try one again that was given up. 重新发送。"""
        return self.alarms.again(id_)

    # --- the services ------------------------------------------------------------------------------------------------

    @endpoint(
        "POST",
        "/api/v1/<service>/<command>",
        **EVERYBODY,
        for_each="command",
        answers={202: upstream_answer_schemas.ACCEPTED},
    )
    def command(self, request: Request, service: str, command: str) -> Reply:
        """A service's command. 服务命令。"""
        return self.services.command(service, command, request)

    @endpoint("GET", "/api/v1/commands/<command_id>", **EVERYBODY, answers={200: upstream_answer_schemas.ACCEPTED})
    def accepted(self, request: Request, command_id: str) -> Any:
        """What became of a command that was answered with 202. 已受理命令的结果。"""
        return self.services.accepted(command_id, request)

    @endpoint(
        "GET", "/api/v1/<service>/questions/<question>", **EVERYBODY, asks=None, for_each="question",
        answers={200: json_schema.ANYTHING},
    )  # fmt: skip
    def question(self, request: Request, service: str, question: str) -> Any:
        """A service's own question. 服务查询。"""
        return self.services.question(service, question, request)

    @exported("/api/v1/<service>/<plural>", "清单", asks=None, for_each="list")
    @endpoint("GET", "/api/v1/<service>/<plural>", asks=None, for_each="list")
    def page(self, request: Request, service: str, plural: str) -> Any:
        """A service's records. 服务记录列表。"""
        return self.services.page(service, plural, request)

    @endpoint("GET", "/api/v1/<service>/<plural>/<id_>", for_each="record")
    def record(self, request: Request, service: str, plural: str, id_: str) -> Reply:
        """A record as its service has it. 服务记录。"""
        return self.services.record(service, plural, id_, request)

    @exported("/api/v1/<service>/<plural>/<id_>/history", "历史", answer_rows.of("versions"), for_each="history")
    @endpoint("GET", "/api/v1/<service>/<plural>/<id_>/history", for_each="history")
    def history_at_service(self, request: Request, service: str, plural: str, id_: str) -> Any:
        """Every version of a record as its service has it, with reasons. 服务记录的各版本及理由。"""
        return self.services.history(service, plural, id_, request)

    # --- notices -----------------------------------------------------------------------------------------------------

    @endpoint("GET", "/api/v1/notices", public=True, asks=notices.ASKS, answers={200: notices.NOTICES})
    def all_notices(self, request: Request) -> Any:
        """What is on public display until when, without names; a withdrawn one is not (F12). 公示。"""
        return notices.displayed(self.query_service, request.asked)

    # --- certificates ------------------------------------------------------------------------------------------------

    @endpoint(
        "GET", "/api/v1/certificates/<certificate_no>", public=True, asks=certificates.ASKS,
        answers={200: certificates.CHECKED},
    )  # fmt: skip
    def check_certificate(self, request: Request, certificate_no: str) -> Any:
        """Whether a certificate is genuine and its award still stands; no names. 证书查验。"""
        return certificates.checked(self.services, certificate_no, request)

    @endpoint("GET", "/api/v1/awards/certificates/<id_>.pdf", roles=STAFF, answers={200: certificates.PRINTED})
    def certificate(self, request: Request, id_: str) -> Reply:
        """The certificate of an award, to be printed and sealed. 证书（PDF）。"""
        return certificates.printed(self.services, id_, request)

    # --- sheets ------------------------------------------------------------------------------------------------------

    @endpoint("GET", "/api/v1/imports/<service>/<command>/template.xlsx", answers={200: uploads.SHEET})
    def template(self, _: Request, service: str, command: str) -> Reply:
        """An empty sheet for a command, with what may stand in each column. 导入模板。"""
        return self.sheets.template(service, command)

    @endpoint(
        "POST", "/api/v1/imports/<service>/<command>", asks=uploads.UPLOAD, uploads=True,
        answers={202: import_store.IMPORT},
    )  # fmt: skip
    def import_(self, request: Request, service: str, command: str) -> Reply:
        """Upload a sheet: all rows or none (X-10). 上传表格：全部写入或全部不写。"""
        return self.sheets.begin(service, command, request)

    @endpoint("GET", "/api/v1/imports", asks=uploads.PAGE, answers={200: import_store.IMPORT_LIST})
    def list_imports(self, request: Request) -> Any:
        """Your imports, the newest first. 我的导入。"""
        return self.sheets.page(request)

    @endpoint("GET", "/api/v1/imports/<id_>", answers={200: import_store.IMPORT})
    def imported(self, request: Request, id_: str) -> Any:
        """How far it is, and the first rows that are wrong. 导入进展与错误。"""
        return self.sheets.find(id_, request)

    @endpoint("GET", "/api/v1/imports/<id_>/file", answers={200: json_schema.ANYTHING})
    def marked_file(self, request: Request, id_: str) -> Reply:
        """The same sheet with what is wrong beside each row. 标注错误的原表。"""
        return self.sheets.marked(id_, request)

    @endpoint("POST", "/api/v1/imports/<id_>/confirm", answers={202: import_store.IMPORT})
    def confirm_import(self, request: Request, id_: str) -> Reply:
        """Write what was checked. 确认写入。"""
        return self.sheets.confirm(id_, request)

    # --- who may what ------------------------------------------------------------------------------------------------

    @endpoint("POST", "/api/v1/login", public=True, takes=sessions.LogIn, answers={200: sessions.ME})
    def login(self, request: Request) -> Reply:
        """Begin a session: a cookie, and a token for what you write. 登录。"""
        return self.identity.login(request)

    @endpoint("POST", "/api/v1/logout", **EVERYBODY, answers={200: sessions.LOGGED_OUT})
    def logout(self, request: Request) -> Reply:
        """End the session. 退出登录。"""
        return self.identity.logout(request)

    @endpoint("GET", "/api/v1/me", **EVERYBODY, answers={200: sessions.ME})
    def me(self, request: Request) -> Reply:
        """Who you are here. 当前用户。"""
        return self.identity.me(request)

    @endpoint("GET", "/api/v1/users", **OPERATOR, asks=users.ASKS, answers={200: users.USERS})
    def list_users(self, request: Request) -> Any:
        """Everybody who can log in. 用户列表。"""
        return self.identity.users(request)

    @endpoint("POST", "/api/v1/users", **OPERATOR, takes=users.NewUser, answers={201: users.USER})
    def add_user(self, request: Request) -> Reply:
        """Let somebody log in. 新增用户。"""
        return self.identity.add_user(request)

    @endpoint("POST", "/api/v1/users/<id_>/disable", **OPERATOR, answers={200: users.USER})
    def disable_user(self, request: Request, id_: str) -> Any:
        """Let somebody log in no more; sessions end at once. 停用用户。"""
        return self.identity.disable_user(id_, request)

    @endpoint("POST", "/api/v1/users/<id_>/enable", **OPERATOR, answers={200: users.USER})
    def enable_user(self, request: Request, id_: str) -> Any:
        """Let somebody log in again. 启用用户。"""
        return self.identity.enable_user(id_, request)

    @endpoint("POST", "/api/v1/users/<id_>/roles", **OPERATOR, takes=users.Place, answers={200: users.USER})
    def place_user(self, request: Request, id_: str) -> Any:
        """Say what somebody may, and where. 调整角色与辖区。"""
        return self.identity.place_user(id_, request)

    @endpoint("POST", "/api/v1/users/<id_>/password", **EVERYBODY, takes=users.NewPassword, answers={200: users.USER})
    def change_password(self, request: Request, id_: str) -> Any:
        """A new password; all sessions end. 修改密码。"""
        return self.identity.change_password(id_, request)

    @endpoint("GET", "/api/v1/tokens", **OPERATOR, asks=api_tokens.ASKS, answers={200: api_tokens.TOKENS})
    def list_tokens(self, request: Request) -> Any:
        """Tokens of systems. 系统令牌列表。"""
        return self.identity.tokens(request)

    @endpoint("POST", "/api/v1/tokens", **OPERATOR, takes=api_tokens.Issue, answers={201: api_tokens.ISSUED})
    def issue_token(self, request: Request) -> Reply:
        """A token for a system; it is shown this once. 签发令牌，仅显示一次。"""
        return self.identity.issue_token(request)

    @endpoint(
        "POST", "/api/v1/tokens/<id_>/revoke", **OPERATOR, takes=api_tokens.Revoke, answers={200: api_tokens.TOKEN}
    )
    def revoke_token(self, request: Request, id_: str) -> Any:
        """Let a token open nothing any more, at any service. 吊销令牌。"""
        return self.identity.revoke_token(id_, request)

    @endpoint("GET", "/api/v1/audit", **OPERATOR, asks=audit.ASKS, answers={200: audit.ENTRIES})
    def audit_trail(self, request: Request) -> Any:
        """Who asked for what was changed. 操作审计。"""
        return self.trail.page(request.asked)

    # --- operations --------------------------------------------------------------------------------------------------

    @endpoint("GET", "/api/v1/operations/status", **OPERATOR, answers={200: operations_answer_schemas.STATUS})
    def status(self, request: Request) -> Any:
        """How all of it is now. 系统现状。"""
        return self.operations.status(request)

    @endpoint(
        "POST", "/api/v1/operations/<job>", **OPERATOR, for_each="job", answers={202: operations_answer_schemas.JOB}
    )
    def begin_job(self, request: Request, job: str) -> Reply:
        """Begin a job. 启动任务。"""
        return self.operations.begin(job, request)

    @endpoint(
        "GET", "/api/v1/operations/<job>", **OPERATOR, for_each="job", answers={200: operations_answer_schemas.JOB}
    )
    def job(self, _: Request, job: str) -> Any:
        """How far a job has come. 任务进展。"""
        return self.operations.job(job)

    @endpoint(
        "GET",
        "/api/v1/operations/parked",
        **OPERATOR,
        asks=operations_inputs.PARKED,
        answers={200: operations_answer_schemas.PARKED},
    )
    def parked(self, request: Request) -> Any:
        """Messages that could not be handled. 未能处理的消息。"""
        return self.operations.parked(request)

    @endpoint(
        "GET",
        "/api/v1/operations/parked/<service>/<id_>",
        **OPERATOR,
        answers={200: operations_answer_schemas.PARKED_MESSAGE},
    )
    def parked_message(self, request: Request, service: str, id_: str) -> Any:
        """One of them with its body and its traceback. 消息详情。"""
        return self.operations.parked_message(service, id_, request)

    @endpoint(
        "POST", "/api/v1/operations/parked/<service>/<id_>/replay", **OPERATOR, takes=operations_inputs.Settle,
        answers={200: operations_answer_schemas.SETTLED},
    )  # fmt: skip
    def replay(self, request: Request, service: str, id_: str) -> Any:
        """Handle it now. 重放消息。"""
        return self.operations.settle("replay_parked", service, id_, request)

    @endpoint(
        "POST", "/api/v1/operations/parked/<service>/<id_>/discard", **OPERATOR, takes=operations_inputs.Settle,
        answers={200: operations_answer_schemas.SETTLED},
    )  # fmt: skip
    def discard(self, request: Request, service: str, id_: str) -> Any:
        """It need not be handled any more. 丢弃消息。"""
        return self.operations.settle("discard_parked", service, id_, request)

    # --- the process and its documents -------------------------------------------------------------------------------

    @endpoint("GET", "/api/v1/roles", public=True, answers={200: api_answer_schemas.ROLES})
    def roles(self, _: Request) -> Reply:
        """Who may do what: each role at each address. 角色权限表。"""
        return self.docs.roles()

    @endpoint("GET", "/openapi.json", public=True, answers={200: api_answer_schemas.OPENAPI})
    def openapi(self, _: Request) -> Reply:
        """All of this as OpenAPI 3.1. 接口说明（OpenAPI 3.1）。"""
        return self.docs.openapi()

    @endpoint("GET", "/asyncapi.json", public=True, answers={200: api_answer_schemas.ASYNCAPI})
    def asyncapi(self, _: Request) -> Reply:
        """Events and RPC methods as AsyncAPI 3.0. 事件与 RPC 说明（AsyncAPI 3.0）。"""
        return self.docs.asyncapi()

    @endpoint("GET", "/docs", public=True, answers={200: http_json_schema.PAGE})
    def documentation(self, _: Request) -> Reply:
        """All of this to read and to try. 接口文档页面。"""
        return self.docs.page()

    @endpoint("GET", "/docs/assets/<name>", public=True, asks=parameters.FILE, answers={200: http_json_schema.ASSET})
    def asset(self, _: Request, name: str) -> Reply:
        """A file of the pages. 页面文件。"""
        return self.docs.asset(name)

    @endpoint("GET", "/problems", public=True, answers={200: http_json_schema.PAGE})
    def problems(self, _: Request) -> Reply:
        """All codes of errors and all rules that forbid something. 错误代码与规则一览。"""
        return self.docs.problems()

    @endpoint("GET", "/roles", public=True, answers={200: http_json_schema.PAGE})
    def role_matrix(self, _: Request) -> Reply:
        """Who may do what, as a table to read. 角色权限一览。"""
        return self.docs.matrix()

    @endpoint("GET", "/notices", public=True, asks=notices.ASKS, answers={200: http_json_schema.PAGE})
    def noticeboard(self, request: Request) -> Reply:
        """The notices to read. 公示页面。"""
        return self.docs.notices(
            notices.displayed(self.query_service, request.asked), ended=request.asked.get("ended", False)
        )

    @endpoint("GET", "/certificates", public=True, answers={200: http_json_schema.PAGE})
    def certificates(self, _: Request) -> Reply:
        """Check a certificate. 证书查验页面。"""
        return self.docs.certificates()

    @endpoint("GET", "/health", public=True, answers={200: api_answer_schemas.HEALTH, 503: api_answer_schemas.HEALTH})
    def health(self, _: Request) -> Reply:
        """Whether the process works; 503: start it again. 进程是否正常。"""
        return Reply.of(self.condition.health())

    @endpoint("GET", "/ready", public=True, answers={200: api_answer_schemas.READY, 503: api_answer_schemas.READY})
    def ready(self, _: Request) -> Reply:
        """Whether it can answer now. 是否就绪。"""
        return Reply.of(self.condition.ready())

    @endpoint("GET", "/metrics", public=True, answers={200: http_json_schema.PLAIN})
    def metrics(self, _: Request) -> Reply:
        """What it counts, for Prometheus. 监控指标。"""
        return Reply.of(self.condition.metrics())
