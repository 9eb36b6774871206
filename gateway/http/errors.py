"""Errors as problem+json (RFC 9457), in the caller's language and in both."""

from __future__ import annotations

from werkzeug.exceptions import HTTPException

from gateway.http.messages import PROBLEM, Reply, Request, Response
from services.chassis.log import malfunction
from services.chassis.mongo import is_passing
from services.chassis.problem import (
    FieldError,
    InvalidInput,
    Malfunction,
    NotAuthenticated,
    NotFound,
    Overloaded,
    Problem,
    TooLarge,
    TooManyRequests,
    Unavailable,
    heard,
    say,
)
from services.kernel import Refusal


class MethodNotAllowed(NotFound):
    status, code = 405, "method_not_allowed"
    title_en, title_zh = "This address does not take that method.", "此地址不支持该方法。"


def error_response(error: Exception, request: Request, *, route: str) -> Response:
    """The problem as RFC 9457 has it, in the caller's language and with both."""
    problem, language = _problem(error, route), _language(request)
    said = problem.say()
    body = {
        "type": f"urn:kexie:problem:{said['code']}",
        "title": problem.title_en if language == "en" else problem.title_zh,
        "status": problem.status,
        "detail": said[language],
        **{name: said[name] for name in ("code", "zh", "en", "errors", "involved")},
    }
    return Reply(body, problem.status, {"Content-Language": language, **_hints(error)}, PROBLEM).response()


def _problem(error: Exception, route: str) -> Problem:
    """What a caller is told about this error: our own mistakes are logged and say nothing of their innards."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, Refusal):
        return heard(say(error))
    if isinstance(error, HTTPException):
        return _unfit(error)
    if is_passing(error):
        return Unavailable("The database cannot be reached.", "数据库暂不可用。")
    malfunction(error, route=route)
    return Malfunction()


def _unfit(error: HTTPException) -> Problem:
    """What routing and reading the body complain about, in our words."""
    if error.code in (404, 308):
        return NotFound("There is no such address.", "没有此地址。")
    if error.code == 405:
        return MethodNotAllowed()
    if error.code == 413:
        return TooLarge()
    return InvalidInput(FieldError("request", "Not a request that can be understood.", "无法理解该请求。"))


def _hints(error: Exception) -> dict[str, str]:
    """What a caller needs to do better: which methods there are, how to say who it is, when to come again."""
    if isinstance(error, HTTPException):
        return {name: value for name, value in error.get_headers() if name == "Allow"}
    if isinstance(error, NotAuthenticated):
        return {"WWW-Authenticate": "Bearer"}
    if isinstance(error, TooManyRequests):
        return {"Retry-After": str(error.involved["seconds"])}
    return {"Retry-After": "1"} if isinstance(error, Unavailable | Overloaded) or is_passing(error) else {}


def _language(request: Request) -> str:
    """The first that we speak among those the caller wants, `en-US` as `en`; else Chinese."""
    wanted = (tag.lower().partition("-")[0] for tag in request.accept_languages.values())
    return next((language for language in wanted if language in ("zh", "en")), "zh")
