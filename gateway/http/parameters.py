"""Parameters and headers of requests, read strictly; all that is wrong is named at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, time
from types import MappingProxyType
from typing import Any

from werkzeug.datastructures import MultiDict

from services.chassis.clock import to_the_millisecond
from services.chassis.problem import FieldError, InvalidInput, NotFound
from services.contract import wire
from services.kernel.calendar import SHANGHAI

MOST = 200  # parameters of an address, or fields of a body; each one that is unknown costs a line of the answer
LAST_OF_A_DAY = time(23, 59, 59, 999_000)

Reader = Callable[[str], Any]

NOTHING: Mapping[Any, Any] = MappingProxyType({})


@dataclass(frozen=True)
class Parameter:
    """A parameter: how its text is read, its description in both languages, and the JSON Schema of its values.

    `read` raises `InvalidValue`.
    """

    read: Reader
    en: str
    zh: str
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"})

    @property
    def description(self) -> str:
        """Both languages, as OpenAPI shows them."""
        return f"{self.en} {self.zh}".strip()


class InvalidValue(ValueError):
    """A parameter's value is wrong; the reason is in both languages."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.en, self.zh = en, zh


def read(given: MultiDict[str, str], known: Mapping[str, Parameter]) -> dict[str, Any]:
    """Read every parameter that was given; raises `InvalidInput` that names all unknown, repeated and wrong ones."""
    errors, values = unknown_parameters(given, known), {}
    for name in [name for name in given if name in known]:
        try:
            values[name] = known[name].read(_single(given.getlist(name)))
        except InvalidValue as error:
            errors.append(FieldError(name, error.en, error.zh))
    if errors:
        raise InvalidInput(*errors)
    return values


def day(text: str) -> date:
    """Read a day from 1900 to 2199; the other forms of ISO 8601, 20110514 and 2011-W19-6, are refused."""
    with suppress(ValueError):
        parsed = date.fromisoformat(text)
        if len(text) == 10 and 1900 <= parsed.year < 2200:
            return parsed
    raise InvalidValue(f"{text[:40]!r} is not a day like 2011-05-14.", f"“{text[:40]}”不是日期；应写作 2011-05-14。")


def instant(text: str) -> datetime:
    """Read an instant with its offset; a day stands for its last millisecond in Shanghai."""
    try:
        if len(text) == 10:
            return datetime.combine(day(text), LAST_OF_A_DAY, SHANGHAI)
        parsed = datetime.fromisoformat(text)
        if parsed.tzinfo is not None and 1900 <= parsed.year < 2200:
            return to_the_millisecond(parsed.astimezone(SHANGHAI))
    except (ValueError, OverflowError, InvalidValue):
        pass
    en = f"{text[:40]!r} is neither a day nor an instant like 2011-06-30T18:00:00+08:00."
    raise InvalidValue(en, f"“{text[:40]}”不是日期或时刻；时刻应写作 2011-06-30T18:00:00+08:00。")


def truth(text: str) -> bool:
    """Read `true` or `false`, and nothing else."""
    return one_of(("true", "false"))(text) == "true"


def names(text: str) -> tuple[str, ...]:
    """Read names of fields with commas between them, each once."""
    listed = tuple(text.split(","))
    if len(set(listed)) < len(listed) or "" in listed:
        raise InvalidValue("Names with commas between them, each once.", "以逗号分隔的字段名，不得重复。")
    return listed


def one_of(known: Collection[str]) -> Reader:
    """Make a reader of values from a closed list."""

    def read_one(text: str) -> str:
        if text not in known:
            listed = ", ".join(known)
            raise InvalidValue(
                f"{text[:40]!r} is not known here; known: {listed}", f"“{text[:40]}”未知；可用：{listed}"
            )
        return text

    return read_one


FILE = {"v": Parameter(str, "A digest of the file, so that its address changes with its content.", "随文件内容变化。")}


def body(content: bytes) -> dict[str, Any]:
    """Read the JSON object of a command; an empty body is an empty object."""
    try:
        parsed = wire.decode_given(content) if content else {}
    except wire.BrokenJson as error:
        raise InvalidInput(FieldError("body", f"Not JSON: {error}", f"不是合法的 JSON：{error}")) from None
    if not isinstance(parsed, dict):
        raise InvalidInput(FieldError("body", "Must be a JSON object.", "须为 JSON 对象。"))
    check_number("body", parsed)
    return parsed


def check_number(of: str, names: Collection[str]) -> None:
    """Raise `InvalidInput` for more names than any address or command takes, before one of them is looked at."""
    if len(names) > MOST:
        en, zh = f"{len(names)} names; at most {MOST} are read.", f"共 {len(names)} 个名称；至多 {MOST} 个。"
        raise InvalidInput(FieldError(of, en, zh))


def seen_version(if_match: str | None) -> int | None:
    """Read the version in an `If-Match` header: 3, "3", W/"3" or "3.<digest>"; None where there is no header."""
    if not if_match:
        return None
    text = re.sub(r"\.[0-9a-f]{12}$", "", if_match.strip().removeprefix("W/").strip('"'))
    if not (text.isascii() and text.isdigit() and 1 <= len(text) <= 9):
        raise InvalidInput(
            FieldError(
                "If-Match",
                f'Must be a version that you saw, like "3"; not {if_match[:40]!r}.',
                '须为所见版本，如 "3"。',
            )
        )
    return int(text)


def choose(name: str, value: str | None, known: Collection[str]) -> str | None:
    """Return the value as it is; raises `InvalidInput` where it was given and is not in the list."""
    if value is not None:
        try:
            one_of(known)(value)
        except InvalidValue as error:
            raise InvalidInput(FieldError(name, error.en, error.zh)) from None
    return value


def not_known(what: str, zh: str, name: str, known: Iterable[str]) -> NotFound:
    """Make the error for a name in an address that does not exist; it lists those that do."""
    listed = ", ".join(sorted(known))
    return NotFound(
        f"There is no {what} {name[:60]!r}; known: {listed}.", f"没有名为“{name[:60]}”的{zh}；可用：{listed}。"
    )


def unknown_parameters(given: MultiDict[str, str], known: Collection[str]) -> list[FieldError]:
    """An error for each parameter that is given and not known; raises `InvalidInput` for very many."""
    check_number("request", given)
    listed = ", ".join(known) or "-"
    return [
        FieldError(name[:100], f"Unknown parameter; known: {listed}.", f"未知参数；可用：{listed}。")
        for name in given
        if name not in known
    ]


def _single(values: list[str]) -> str:
    if len(values) > 1:
        raise InvalidValue("Given more than once.", "不得重复。")
    return values[0]
