"""Problems: the documented errors that a caller of a command or query can get, over RPC and over HTTP alike.

A business "no" is a `services.kernel.Refusal`; the others are here. Any other exception is our bug and reaches the
caller as `Malfunction`, with nothing of its text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from services.kernel import Refusal


@dataclass(frozen=True)
class FieldError:
    """An error of one field of the input, and the rule that it breaks."""

    field: str
    en: str
    zh: str
    rule: str | None = None


class Problem(Exception):
    """An error that callers may rely on: HTTP status, stable code, message in both languages."""

    status: ClassVar[int]
    code: str
    title_en: ClassVar[str]
    title_zh: ClassVar[str]

    def __init__(self, en: str = "", zh: str = "", **involved: Any) -> None:
        self.en = en or self.title_en
        self.zh = zh or self.title_zh
        self.involved = involved
        self.errors: list[FieldError] = []
        super().__init__(self.en)

    def say(self) -> dict[str, Any]:
        """The problem as plain JSON, from which `read_problem` makes it again."""
        name = next(kind.__name__ for kind in type(self).__mro__ if kind.__name__ in PROBLEMS)
        return _said(name, self.status, self.code, self.en, self.zh, self.involved, self.errors)


class InvalidInput(Problem):
    """The input cannot be understood; `errors` names every field that is wrong."""

    status, code = 400, "invalid_input"
    title_en, title_zh = "The input cannot be understood.", "输入有误。"

    def __init__(self, *errors: FieldError) -> None:
        super().__init__(
            "; ".join(f"{e.field}: {e.en}" for e in errors), "；".join(f"{e.field}：{e.zh}" for e in errors)
        )
        self.errors = list(errors)


class NotAuthenticated(Problem):
    """The caller has no token, or one that is not valid."""

    status, code = 401, "not_authenticated"
    title_en, title_zh = "A valid token is needed.", "需要有效的令牌。"


class NotAllowed(Problem):
    """The caller's roles or district do not allow this."""

    status, code = 403, "not_allowed"
    title_en, title_zh = "Your role or district does not allow this.", "您的角色或辖区不允许此操作。"


class NotFound(Problem):
    """The record, kind or method does not exist."""

    status, code = 404, "not_found"
    title_en, title_zh = "There is no such thing.", "未找到。"


class Conflict(Problem):
    """X-03: somebody else changed the record, or the id is taken; nothing was changed."""

    status, code = 409, "conflict"
    title_en, title_zh = "The record has changed meanwhile or exists already.", "记录已被他人修改或已存在。"


class TooLarge(Problem):
    """The request or its answer is larger than allowed."""

    status, code = 413, "too_large"
    title_en, title_zh = "The request is too large.", "请求过大。"


class RefusedByRule(Problem):
    """A service's refusal as its caller gets it; `code` is the rule."""

    status = 422
    title_en, title_zh = "A rule forbids this.", "规则不允许。"


class Malfunction(Problem):
    """Our mistake; the service's log has it under the command's id."""

    status, code = 500, "malfunction"
    title_en, title_zh = "The service made a mistake; it has been logged.", "系统内部错误，已记录。"


class Unavailable(Problem):
    """No answer: the outcome is unknown, and the same command may be sent again with the same id."""

    status, code = 503, "unavailable"
    title_en, title_zh = "No answer in time; send it again with the same id.", "暂无响应，请以相同编号重试。"


class TooManyRequests(Problem):
    """The caller sends more requests than the setting allows; nothing was done."""

    status, code = 429, "too_many_requests"
    title_en, title_zh = "Too many requests; try again in a moment.", "请求过于频繁，请稍后重试。"


class Overloaded(Problem):
    """More requests are under way than can be served in good time; nothing was done."""

    status, code = 503, "overloaded"
    title_en = "The system is overloaded; nothing was done, try again in a moment."
    title_zh = "系统繁忙，未作处理，请稍后重试。"


PROBLEMS: dict[str, type[Problem]] = {
    kind.__name__: kind
    for kind in (
        InvalidInput, NotAuthenticated, NotAllowed, NotFound, Conflict, TooLarge, RefusedByRule, Malfunction,
        Unavailable, TooManyRequests, Overloaded,
    )
}  # fmt: skip


def say(error: BaseException) -> dict[str, Any]:
    """Write an error as its caller gets it."""
    if isinstance(error, Refusal):
        return _said("Refusal", 422, error.rule, error.en, error.zh, error.involved, [])
    return error.say() if isinstance(error, Problem) else Malfunction().say()


def read_problem(content: dict[str, Any]) -> Problem:
    """Make the problem again that another process wrote."""
    kind = PROBLEMS.get("RefusedByRule" if content["error"] == "Refusal" else content["error"], Malfunction)
    problem = kind.__new__(kind)
    Problem.__init__(problem, content["en"], content["zh"], **content["involved"])
    problem.code = content["code"]
    problem.errors = [FieldError(**error) for error in content["errors"]]
    return problem


def _said(
    name: str, status: int, code: str, en: str, zh: str, involved: dict[str, Any], errors: list[FieldError]
) -> dict[str, Any]:
    return {
        "error": name,
        "status": status,
        "code": code,
        "en": en,
        "zh": zh,
        "involved": {key: value if isinstance(value, int | None) else str(value) for key, value in involved.items()},
        "errors": [{"field": e.field, "en": e.en, "zh": e.zh, "rule": e.rule} for e in errors],
    }
