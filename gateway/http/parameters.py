"""What may be asked over HTTP: parameters and headers, read strictly; all that is wrong is named at once."""

from __future__ import annotations

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

LAST_OF_A_DAY = time(23, 59, 59, 999_000)

Reader = Callable[[str], Any]

NOTHING: Mapping[Any, Any] = MappingProxyType({})


@dataclass(frozen=True)
class Parameter:
    """A word of a question: how its text is read, what it is for, and the JSON Schema of what may be sent."""

    read: Reader
    en: str
    zh: str
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"})

    @property
    def description(self) -> str:
        """Both languages, as OpenAPI shows them."""
        return f"{self.en} {self.zh}".strip()


class InvalidValue(ValueError):
    """This value cannot be taken; says why in both languages."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.en, self.zh = en, zh


def read(given: MultiDict[str, str], known: Mapping[str, Parameter]) -> dict[str, Any]:
    """Each parameter that was given; raises `InvalidInput` for unknown, doubled and wrong ones."""
    errors, found = _unknown(given, known), {}
    for name in given:
        if name in known:
            try:
                found[name] = known[name].read(_single(given.getlist(name)))
            except InvalidValue as error:
                errors.append(FieldError(name, error.en, error.zh))
    if errors:
        raise InvalidInput(*errors)
    return found


def day(text: str) -> date:
    """Of the years that periods may be of; 20110514 and 2011-W19-6 are days too, but not ours."""
    with suppress(ValueError):
        found = date.fromisoformat(text)
        if len(text) == 10 and 1900 <= found.year < 2200:
            return found
    raise InvalidValue(f"{text[:40]!r} is no day like 2011-05-14.", f"“{text[:40]}”不是日期；应写作 2011-05-14。")


def instant(text: str) -> datetime:
    """An instant with its offset; a day stands for its end in Shanghai."""
    try:
        if len(text) == 10:
            return datetime.combine(day(text), LAST_OF_A_DAY, SHANGHAI)
        found = datetime.fromisoformat(text)
        if found.tzinfo is not None and 1900 <= found.year < 2200:
            return to_the_millisecond(found.astimezone(SHANGHAI))
    except (ValueError, OverflowError, InvalidValue):
        pass
    en = f"{text[:40]!r} is neither a day nor an instant like 2011-06-30T18:00:00+08:00."
    raise InvalidValue(en, f"“{text[:40]}”不是日期或时刻；时刻应写作 2011-06-30T18:00:00+08:00。")


def truth(text: str) -> bool:
    return one_of(("true", "false"))(text) == "true"


def names(text: str) -> tuple[str, ...]:
    """Fields, with commas between them; each once."""
    found = tuple(text.split(","))
    if len(set(found)) < len(found) or "" in found:
        raise InvalidValue("Names with commas between them, each once.", "以逗号分隔的字段名，不得重复。")
    return found


def one_of(known: Collection[str]) -> Reader:
    def read_one(text: str) -> str:
        if text not in known:
            listed = ", ".join(known)
            raise InvalidValue(
                f"{text[:40]!r} is not known here; known: {listed}", f"“{text[:40]}”未知；可用：{listed}"
            )
        return text

    return read_one


VERSION_OF_FILE = Parameter(str, "Changes with the file.", "随文件内容变化。")


FILE = {"v": VERSION_OF_FILE}


def body(content: bytes) -> dict[str, Any]:
    """The JSON object of a command; an empty body is an empty one."""
    try:
        found = wire.decode(content) if content else {}
    except wire.BrokenJson as error:
        raise InvalidInput(FieldError("body", f"Not JSON: {error}", f"不是合法的 JSON：{error}")) from None
    if not isinstance(found, dict):
        raise InvalidInput(FieldError("body", "Must be a JSON object.", "须为 JSON 对象。"))
    return found


def seen_version(if_match: str | None) -> int | None:
    """The version in an `If-Match` header: 3, "3" or W/"3"; none where there is no header."""
    if not if_match:
        return None
    text = if_match.strip().removeprefix("W/").strip('"')
    if not (text.isascii() and text.isdigit() and 1 <= len(text) <= 9):
        raise InvalidInput(
            FieldError(
                "If-Match", f'The version that you saw, like "3"; not {if_match[:40]!r}.', '须为所见版本，如 "3"。'
            )
        )
    return int(text)


def choose(name: str, wanted: str | None, known: Collection[str]) -> str | None:
    """What a parameter names, if it was given; raises `InvalidInput` where it is none of these."""
    if wanted is not None:
        try:
            one_of(known)(wanted)
        except InvalidValue as error:
            raise InvalidInput(FieldError(name, error.en, error.zh)) from None
    return wanted


def not_known(what: str, zh: str, name: str, known: Iterable[str]) -> NotFound:
    """What an address names is not there; says what is."""
    listed = ", ".join(sorted(known))
    return NotFound(
        f"There is no {what} {name[:60]!r}; known: {listed}.", f"没有名为“{name[:60]}”的{zh}；可用：{listed}。"
    )


def _unknown(given: MultiDict[str, str], known: Collection[str]) -> list[FieldError]:
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
