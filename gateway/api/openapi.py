"""OpenAPI 3.1: the catalogue as a document for programs and people.

Every operation has the successes that it declares; the problems that it can answer are added here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from gateway.api import catalogue
from gateway.api.catalogue import Operation, OperationParameter, ServiceDescriptions
from gateway.http import session
from gateway.http.json_schema import ANYTHING, TEXT, WHOLE, Shape, by_name, each, many, maybe
from services.chassis.health import VERSION
from services.contract.glossary import Word
from services.contract.topology import SERVICES

JSON, PROBLEM = "application/json", "application/problem+json"

ABOUT = """\
科协工作要点：计划、进度、台账及各服务的命令与查询。
The association's annual work plan: its plan, its KPIs with the records behind them, and the services' commands.

* 错误均为 `application/problem+json`，代码见 [/problems](/problems)。All error codes are listed there.
* 事件与 RPC 见 [/asyncapi.json](/asyncapi.json)。Events and RPC methods are described there.
* 角色与权限见 [/api/v1/roles](/api/v1/roles)。The roles of every operation are listed there.
"""

TAGS = {
    "plans": Word("计划", "The plan and its progress"),
    "kpis": Word("指标", "KPIs and the records behind them"),
    "records": Word("记录", "Every version of every record"),
    "items": Word("工作项", "One item of the plan with its KPIs and milestones"),
    "milestones": Word("里程碑", "Milestones, each reached by a record"),
    "events": Word("实时", "KPIs as they change"),
    "sources": Word("来源", "When each service was last heard, and its parked messages"),
    "notices": Word("公示", "Public notices and their objection periods"),
    "certificates": Word("证书", "Checks of certificates"),
    "recounts": Word("复核", "Recounts of KPIs by the owning service"),
    "alerts": Word("预警", "Rules, inbox and webhook deliveries of status changes"),
    "imports": Word("导入", "Sheets that become records"),
    "login": Word("登录", "Begin a session"),
    "logout": Word("退出", "End a session"),
    "me": Word("本人", "The caller, and the token for writes"),
    "users": Word("用户", "Users who may log in"),
    "tokens": Word("令牌", "Tokens of other systems"),
    "audit": Word("审计", "Audit trail of changes"),
    "commands": Word("命令", "Outcomes of commands that were accepted for later"),
    "operations": Word("运维", "Status, jobs and parked messages (dead letters)"),
    "schemas": Word("数据结构", "JSON Schemas of the views that events carry"),
    "roles": Word("权限", "Role matrix"),
    "system": Word("系统", "The process and its documents"),
    "awards": Word("获奖", "Awards"),
    "outreach": Word("科普", "Outreach"),
    "rural": Word("农村", "Rural"),
    "members": Word("组织", "Members"),
}

PROBLEMS = {
    400: Word("输入有误。", "The input is invalid; every wrong field is named."),
    401: Word("需要有效的令牌。", "A valid token is required."),
    403: Word("您的角色或辖区不允许此操作。", "Your role or district does not allow this."),
    404: Word("未找到。", "Not found; the names that exist are listed."),
    405: Word("此地址不支持该方法。", "This address does not take that method."),
    408: Word("请求传输过慢。", "The request comes in too slowly; nothing was done."),
    409: Word(
        "已被他人修改、已存在，或命令编号已用于其他操作。",
        "The record has changed since, its id is taken, or you have used the command's id for something else; nothing "
        "was changed.",
    ),
    413: Word("请求过大。", "The request is too large."),
    422: Word("规则不允许。", "A rule forbids this; the code is the rule's."),
    429: Word("请求过于频繁。", "Too many requests; `Retry-After` says when to try again."),
    500: Word("系统内部错误。", "Internal error; it has been logged."),
    503: Word("暂无响应，请以相同编号重试。", "Unavailable: after `Retry-After` send it again with the same id."),
}
ONLY_WITH_A_BODY = (408, 409, 413)
ONLY_WITH_A_TOKEN = (401, 403)

PROBLEM_DETAILS = each(
    type=TEXT,
    title=TEXT,
    status=WHOLE,
    detail=TEXT,
    code={"type": "string", "pattern": "^([a-z_]+|[A-Z]-[0-9]{2})$"},
    zh=TEXT,
    en=TEXT,
    errors=many(each(field=TEXT, en=TEXT, zh=TEXT, rule=maybe(TEXT))),
    involved=by_name(ANYTHING),
)

SECURITY = {
    "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": session.COOKIE,
        "description": (
            f"The cookie of POST /api/v1/login, with {session.HOST_ONLY} before its name where there is TLS;"
            f" writes need {session.CSRF_HEADER} too. 登录会话（TLS 下名称前加 {session.HOST_ONLY}）。"
        ),
    },
}

ETAG = {"ETag": {"description": "The entity tag of these bytes, for `If-None-Match`. 实体标签。", "schema": TEXT}}
VERSION_TAG = {
    "ETag": {
        "description": "The record's version, with a digest of what it has beside its view; for `If-Match`. 记录版本。",
        "schema": TEXT,
    }
}
LOCATION = {"Location": {"description": "The address of the resource. 资源地址。", "schema": TEXT}}


def document(operations: Iterable[Operation], descriptions: ServiceDescriptions) -> dict[str, Any]:
    """Make the whole document; it names the services that were never heard, whose addresses are missing."""
    listed = sorted(operations, key=lambda operation: operation.path)
    return {
        "openapi": "3.1.0",
        "info": {"title": "科协 Kexie", "version": VERSION, "description": ABOUT + _missing(descriptions)},
        "servers": [{"url": "/"}],
        "tags": [{"name": tag, "description": _tag_description(tag)} for tag in _tags(listed)],
        "paths": {
            path: {operation.method.lower(): _operation(operation) for operation in of_path}
            for path, of_path in groupby(listed, lambda operation: operation.path)
        },
        "components": {
            "schemas": {
                "ProblemDetails": PROBLEM_DETAILS,
                **catalogue.views(descriptions),
                **catalogue.records(descriptions),
            },
            "responses": {f"Problem{status}": _problem(status) for status in PROBLEMS},
            "securitySchemes": SECURITY,
        },
    }


def _tags(operations: Iterable[Operation]) -> list[str]:
    """The tags in use, the known ones first and in their order."""
    used, order = {operation.tag for operation in operations}, list(TAGS)
    return sorted(used, key=lambda tag: (order.index(tag) if tag in order else len(order), tag))


def _tag_description(tag: str) -> str:
    return f"{TAGS[tag].zh} {TAGS[tag].en}" if tag in TAGS else tag


def _missing(descriptions: ServiceDescriptions) -> str:
    away = ", ".join(service for service in SERVICES if service not in descriptions)
    if not away:
        return ""
    return f"* 尚未收到下列服务的说明：{away}。These services were never heard, so their addresses are missing.\n"


def _operation(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "security": [] if operation.public else [{name: []} for name in SECURITY],
        "parameters": [_parameter(parameter) for parameter in operation.parameters],
        "responses": _responses(operation),
    }
    if description := _description(operation):
        described["description"] = description
    if not operation.public:
        described["x-roles"] = list(operation.roles)
    if operation.takes is not None:
        content = {_media_type(operation.takes): {"schema": operation.takes}}
        described["requestBody"] = {"required": bool(operation.takes.get("required")), "content": content}
    return described


def _description(operation: Operation) -> str:
    roles = "" if operation.public else f"角色 Roles: {', '.join(operation.roles)}"
    return "\n\n".join(filter(None, (operation.about, roles)))


def _parameter(parameter: OperationParameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.place == "path" or parameter.is_needed,
        "description": parameter.description,
        "schema": parameter.schema,
    }


def _responses(operation: Operation) -> dict[str, Any]:
    """The declared answers, 304 for a read, and the problems that any caller can have there."""
    responses = {str(status): _success(operation, status, shape) for status, shape in operation.answers.items()}
    if operation.method == "GET" and "200" in responses:
        responses["304"] = {"description": "Not modified: you have it already. 未变更。", "headers": ETAG}
    if operation.parameters:
        responses["414"] = {"description": "The address is too long. 地址过长。"}
    for status in PROBLEMS:
        if _is_possible(status, operation):
            _add_problem(responses, status)
    return dict(sorted(responses.items()))


def _success(operation: Operation, status: int, shape: Shape) -> dict[str, Any]:
    headers: Mapping[str, Any] = ETAG if operation.method == "GET" and status == 200 else {}
    if operation.is_command:
        headers = LOCATION | (VERSION_TAG if status == 200 else {})
    response = {
        "description": SUCCESSES.get(status, "Done. 成功。"),
        "content": {_media_type(shape): {"schema": shape}},
    }
    return response | ({"headers": headers} if headers else {})


SUCCESSES = {
    202: "Accepted: it will be done as soon as possible. 已受理。",
    503: "Not healthy. 不正常。",
}


def _add_problem(responses: dict[str, Any], status: int) -> None:
    if (declared := responses.get(str(status))) is None:
        responses[str(status)] = {"$ref": f"#/components/responses/Problem{status}"}
    else:
        declared["content"].setdefault(PROBLEM, _problem(status)["content"][PROBLEM])


def _is_possible(status: int, operation: Operation) -> bool:
    is_read = operation.method == "GET"
    if status in ONLY_WITH_A_BODY:
        return not is_read
    return not (status in ONLY_WITH_A_TOKEN and operation.public and is_read)


def _problem(status: int) -> dict[str, Any]:
    schema = {"$ref": f"{catalogue.SCHEMAS}ProblemDetails"}
    description = f"{PROBLEMS[status].en} {PROBLEMS[status].zh}"
    return {"description": description, "content": {PROBLEM: {"schema": schema}}}


def _media_type(shape: Shape) -> str:
    """The type that a shape names, else JSON; the empty shape allows any type."""
    return shape.get("contentMediaType", JSON) if shape else "*/*"
