"""OpenAPI 3.1: the catalogue as a document that programs and people read.

Every operation has the successes that it declares; the problems that any of them can answer are added here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from gateway.api import catalogue
from gateway.api.catalogue import Operation, Said, Word
from gateway.http import session
from gateway.http.json_schema import ANYTHING, TEXT, WHOLE, Shape, by_name, each, many, maybe
from services.chassis.health import VERSION
from services.contract.topology import SERVICES

JSON, PROBLEM = "application/json", "application/problem+json"

ABOUT = """\
科协工作要点：计划、进度、台账及各服务的命令与查询。
The association's annual work plan: its plan, its numbers with the records behind them, and the services' commands.

* 错误均为 `application/problem+json`，代码见 [/problems](/problems)。Their codes are listed there.
* 事件与 RPC 见 [/asyncapi.json](/asyncapi.json)。Events and RPC stand there.
* 角色与权限见 [/api/v1/roles](/api/v1/roles)。Who may do what stands there.
"""

TAGS = {
    "plans": "计划 The plan and its progress",
    "kpis": "指标 Its numbers and the records behind them",
    "records": "记录 Every version of every record",
    "items": "工作项 One item of the plan with its numbers and milestones",
    "milestones": "里程碑 What is reached by a record",
    "events": "实时 Numbers as they change",
    "sources": "来源 When each service was last heard, and what waits",
    "notices": "公示 What is on public display, and until when one may object",
    "certificates": "证书 Whether a certificate is genuine",
    "recounts": "复核 The owning service counts again",
    "alerts": "预警 Rules, inbox and deliveries of changes of status",
    "imports": "导入 Sheets that become records",
    "login": "登录 Begin a session",
    "logout": "退出 End a session",
    "me": "本人 Who you are, and the token for writes",
    "users": "用户 Who may log in",
    "tokens": "令牌 Which systems may call",
    "audit": "审计 Who had what changed",
    "commands": "命令 What became of commands that were accepted for later",
    "operations": "运维 How it is, and making it whole",
    "roles": "权限 Who may do what",
    "system": "系统 The process and its documents",
    "awards": "获奖 Awards",
    "outreach": "科普 Outreach",
    "rural": "农村 Rural",
    "members": "组织 Members",
}

PROBLEMS = {
    400: "The input cannot be understood; every field that is wrong is named. 输入有误。",
    401: "A valid token is needed. 需要有效的令牌。",
    403: "Your role or district does not allow this. 您的角色或辖区不允许此操作。",
    404: "There is no such thing; what is known is named. 未找到。",
    405: "This address does not take that method. 此地址不支持该方法。",
    409: "Somebody was faster, or the id is taken; nothing was changed. 已被他人修改或已存在。",
    413: "The request is too large. 请求过大。",
    422: "A rule forbids this; the code is the rule. 规则不允许。",
    429: "You ask too often; `Retry-After` says when to come again. 请求过于频繁。",
    500: "Our mistake; it has been logged. 系统内部错误。",
    503: "Not now: send it again with the same id after `Retry-After`. 暂无响应，请以相同编号重试。",
}
ONLY_WITH_A_BODY = (409, 413)
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
        "description": f"Of POST /api/v1/login; what is written needs {session.CSRF_HEADER} too. 登录会话。",
    },
}

ETAG = {"ETag": {"description": "Of these bytes, for `If-None-Match`. 实体标签。", "schema": TEXT}}
VERSION_TAG = {"ETag": {"description": "The record's version, for `If-Match`. 记录版本。", "schema": TEXT}}
LOCATION = {"Location": {"description": "Where it is found. 资源地址。", "schema": TEXT}}


def document(operations: Iterable[Operation], said: Said) -> dict[str, Any]:
    """The whole document; it names the services that were never heard, whose addresses are missing."""
    listed = list(operations)
    return {
        "openapi": "3.1.0",
        "info": {"title": "科协 Kexie", "version": VERSION, "description": ABOUT + _missing(said)},
        "servers": [{"url": "/"}],
        "tags": [{"name": tag, "description": TAGS.get(tag, tag)} for tag in _tags(listed)],
        "paths": {
            path: {one.method.lower(): _described(one) for one in at_it}
            for path, at_it in groupby(sorted(listed, key=lambda one: one.path), lambda one: one.path)
        },
        "components": {
            "schemas": {"ProblemDetails": PROBLEM_DETAILS, **catalogue.views(said), **catalogue.records(said)},
            "responses": {f"Problem{status}": _problem(status) for status in PROBLEMS},
            "securitySchemes": SECURITY,
        },
    }


def _tags(operations: Iterable[Operation]) -> list[str]:
    """Those that are used, the known ones first and in their order."""
    used, order = {one.tag for one in operations}, list(TAGS)
    return sorted(used, key=lambda tag: (order.index(tag) if tag in order else len(order), tag))


def _missing(said: Said) -> str:
    away = ", ".join(service for service in SERVICES if service not in said)
    return f"* 尚未收到下列服务的说明：{away}。These services were never heard, so theirs is missing.\n" if away else ""


def _described(one: Operation) -> dict[str, Any]:
    told: dict[str, Any] = {
        "operationId": one.id,
        "tags": [one.tag],
        "summary": one.summary,
        "security": [] if one.public else [{name: []} for name in SECURITY],
        "parameters": [_parameter(word) for word in one.words],
        "responses": _responses(one),
    }
    if not one.public:
        told |= {"description": f"角色 Roles: {', '.join(one.roles)}", "x-roles": list(one.roles)}
    if one.takes is not None:
        needed = bool(one.takes.get("required"))
        told["requestBody"] = {"required": needed, "content": {_media_type(one.takes): {"schema": one.takes}}}
    return told


def _parameter(word: Word) -> dict[str, Any]:
    return {
        "name": word.name,
        "in": word.place,
        "required": word.place == "path" or word.is_needed,
        "description": word.about,
        "schema": word.schema,
    }


def _responses(one: Operation) -> dict[str, Any]:
    """What it declares, 304 for what is read, and the problems that anybody can have there."""
    told = {str(status): _success(one, status, shape) for status, shape in one.answers.items()}
    if one.method == "GET" and "200" in told:
        told["304"] = {"description": "You have it already. 未变更。", "headers": ETAG}
    if one.words:
        told["414"] = {"description": "The address is too long. 地址过长。"}
    for status in PROBLEMS:
        if _is_possible(status, one):
            _add_problem(told, status)
    return dict(sorted(told.items()))


def _success(one: Operation, status: int, shape: Shape) -> dict[str, Any]:
    headers: Mapping[str, Any] = ETAG if one.method == "GET" and status == 200 else {}
    if one.is_command:
        headers = LOCATION | (VERSION_TAG if status == 200 else {})
    told = {"description": MEANS.get(status, "Done. 成功。"), "content": {_media_type(shape): {"schema": shape}}}
    return told | ({"headers": headers} if headers else {})


MEANS = {
    202: "Taken; done as soon as it can be. 已受理。",
    503: "Not well. 不正常。",
}


def _add_problem(told: dict[str, Any], status: int) -> None:
    if (known := told.get(str(status))) is None:
        told[str(status)] = {"$ref": f"#/components/responses/Problem{status}"}
    else:
        known["content"].setdefault(PROBLEM, _problem(status)["content"][PROBLEM])


def _is_possible(status: int, one: Operation) -> bool:
    is_read = one.method == "GET"
    if status in ONLY_WITH_A_BODY:
        return not is_read
    return not (status in ONLY_WITH_A_TOKEN and one.public and is_read)


def _problem(status: int) -> dict[str, Any]:
    schema = {"$ref": f"{catalogue.SCHEMAS}ProblemDetails"}
    return {"description": PROBLEMS[status], "content": {PROBLEM: {"schema": schema}}}


def _media_type(shape: Shape) -> str:
    """What may be anything is of any type."""
    return shape.get("contentMediaType", JSON) if shape else "*/*"
