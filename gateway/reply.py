"""Requests and replies: JSON answers, and every error as problem+json in the caller's language and in both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from werkzeug import wrappers
from werkzeug.exceptions import HTTPException

from gateway.sessions import Session
from services.chassis.health import Answer
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
from services.chassis.tokens import Actor
from services.contract import wire
from services.kernel import Refusal

JSON, PROBLEM = "application/json", "application/problem+json"

NOBODY = Actor("")


class MethodNotAllowed(NotFound):
    status, code = 405, "method_not_allowed"
    title_en, title_zh = "This address does not take that method.", "此地址不支持该方法。"


NOT_STORED = {"Cache-Control": "no-store"}
"""A header for what its reader alone may see."""


@dataclass(frozen=True)
class Reply:
    """An answer with headers, or one that is no JSON; whatever else a method returns is sent as JSON.

    A body that is an iterator of bytes is sent piece by piece, after the method's worker has ended.
    """

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = JSON
    packed: bytes | None = None  # the body in gzip, where it was packed before

    @staticmethod
    def of(said: Answer) -> Reply:
        """What a process says of its health."""
        status, content_type, body = said
        return Reply(body, status, content_type=content_type)

    def response(self) -> Response:
        body = self.body if isinstance(self.body, bytes | Iterator) else wire.encode(self.body)
        response = Response(body, self.status, dict(self.headers), content_type=self.content_type)
        response.packed = self.packed
        return response


class Response(wrappers.Response):
    """An answer on its way out."""

    packed: bytes | None = None


class Request(wrappers.Request):
    """A request; `token` is the caller's, verified, and `actor` who that is; at a public address there is none.

    Who has a session has a token that was signed for this. `asked` are its parameters and `said` its body, both read as
    the endpoint declares them.
    """

    route = "-"  # of the address that it asks at
    path_values: Mapping[str, Any]
    asked: Mapping[str, Any]
    said: Mapping[str, Any]
    token: str | None = None
    actor = NOBODY
    session: Session | None = None
    identified_by: str | None = None  # token, session, or the login that was tried
    token_id: str | None = None
    command_id: str | None = None

    @property
    def content(self) -> bytes:
        """The whole body; one that is too long raises, also where it comes in chunks and could be cut off unseen."""
        found = self.get_data()
        self.stream.read(1)
        return found


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
        return read_problem(say(error))
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
