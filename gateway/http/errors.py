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
    read_problem,
    say,
)
from services.kernel import Refusal

LANGUAGES = ("zh", "en")
UNMENTIONED = 0.0005  # less than the least quality that a header can give


class MethodNotAllowed(NotFound):
    """The address is there, and does not take this method."""

    status, code = 405, "method_not_allowed"
    title_en, title_zh = "This address does not take that method.", "此地址不支持该方法。"


def error_response(error: Exception, request: Request, *, route: str) -> Response:
    """Answer with the problem as RFC 9457 writes it: in the caller's language, and in both."""
    problem, language = _problem(error, route), _language(request)
    described = problem.say()
    body = {
        "type": f"urn:kexie:problem:{described['code']}",
        "title": problem.title_en if language == "en" else problem.title_zh,
        "status": problem.status,
        "detail": described[language],
        **{name: described[name] for name in ("code", "zh", "en", "errors", "involved")},
    }
    return Reply(body, problem.status, {"Content-Language": language, **_hints(error)}, PROBLEM).response()


def _problem(error: Exception, route: str) -> Problem:
    """The problem that a caller is told of; our own mistakes are logged and reveal nothing."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, Refusal):
        return read_problem(say(error))
    if isinstance(error, HTTPException):
        return _of_http(error)
    if is_passing(error):
        return Unavailable("The database cannot be reached.", "数据库暂不可用。")
    malfunction(error, route=route)
    return Malfunction()


def _of_http(error: HTTPException) -> Problem:
    """Complaints of werkzeug's routing and parsing, in our words."""
    if error.code in (404, 308):
        return NotFound("There is no such address.", "没有此地址。")
    if error.code == 405:
        return MethodNotAllowed()
    if error.code == 413:
        return TooLarge()
    return InvalidInput(FieldError("request", "The request cannot be understood.", "无法理解该请求。"))


def _hints(error: Exception) -> dict[str, str]:
    """Headers that help the caller: the methods there are, how to authenticate, when to try again."""
    if isinstance(error, HTTPException):
        return {name: value for name, value in error.get_headers() if name == "Allow"}
    if isinstance(error, NotAuthenticated):
        return {"WWW-Authenticate": "Bearer"}
    if isinstance(error, TooManyRequests):
        return {"Retry-After": str(error.involved["seconds"])}
    return {"Retry-After": "1"} if isinstance(error, Unavailable | Overloaded) or is_passing(error) else {}


def _language(request: Request) -> str:
    """The language of ours that the caller likes best, `en-US` being `en`; Chinese where nothing is said for either.

    A language that is not mentioned is better than one that is refused (`q=0`), and worse than any other.
    """
    liked: dict[str, float] = {}
    for tag, quality in request.accept_languages:  # the best first
        liked.setdefault(tag.lower().partition("-")[0], quality)
    ours = [language for language in liked if language in LANGUAGES]
    return max([*ours, *LANGUAGES], key=lambda language: liked.get(language, liked.get("*", UNMENTIONED)))
