"""What may be asked over HTTP: parameters and headers, read strictly; all that is wrong is named at once."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Any

from werkzeug.datastructures import MultiDict

from gateway.book import Asked, asked
from gateway.periods import FORMS, UnknownPeriod
from services.chassis import fields
from services.chassis.problem import FieldError, InvalidInput, NotFound
from services.contract import KINDS, wire
from services.contract.topology import HEARS, SERVICES
from services.contract.view import COMPARABLE, Field, Kind

PAGE = 100
LONGEST_PAGE = 1_000

Reader = Callable[[str], Any]

NOTHING: Mapping[Any, Any] = MappingProxyType({})


@dataclass(frozen=True)
class Parameter:
    """A word of a question: how its text is read, what it is for, and the JSON Schema of what may be sent."""

    read: Reader
    en: str
    zh: str
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"})


class Wrong(ValueError):
    """This value cannot be taken; says why in both languages."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.en, self.zh = en, zh


class Look(fields.Schema):
    """A job that changes nothing."""

    why = fields.Text(max=500, required=False)
    kinds = fields.Many(fields.OneOf(*KINDS), required=False)


class Rearm(Look):
    why = fields.Text(max=500)
    heard_by = fields.OneOf(*HEARS, required=False)


class Rebuild(fields.Schema):
    why = fields.Text(max=500)


class Recount(fields.Schema):
    """Which number the owning service shall count again."""

    kpi = fields.Text(max=40)
    period = fields.Text(max=40, required=False)
    district = fields.District(required=False)


JOBS = {"audit": Look(), "rearm": Rearm(), "verify": Look(), "rebuild": Rebuild()}
"""What an operator says with each job."""


def read(given: MultiDict[str, str], known: Mapping[str, Parameter]) -> dict[str, Any]:
    """Each parameter that was given; raises `InvalidInput` for unknown, doubled and wrong ones."""
    errors, found = _unknown(given, known), {}
    for name in given:
        if name in known:
            try:
                found[name] = known[name].read(_single(given.getlist(name)))
            except Wrong as error:
                errors.append(FieldError(name, error.en, error.zh))
    if errors:
        raise InvalidInput(*errors)
    return found


def period(text: str) -> Asked:
    try:
        return asked(text)
    except UnknownPeriod as error:
        raise Wrong(error.en, error.zh) from None


def one_of(known: Collection[str]) -> Reader:
    def read_one(text: str) -> str:
        if text not in known:
            listed = ", ".join(known)
            raise Wrong(f"{text[:40]!r} is not known here; known: {listed}", f"“{text[:40]}”未知；可用：{listed}")
        return text

    return read_one


def limit(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 4 else 0
    if not 1 <= number <= LONGEST_PAGE:
        raise Wrong(f"A whole number from 1 to {LONGEST_PAGE}.", f"须为 1 至 {LONGEST_PAGE} 的整数。")
    return number


def write_cursor(day: str, record: str) -> str:
    return base64.urlsafe_b64encode(wire.encode([day, record])).decode()


def cursor(text: str) -> tuple[str, str]:
    """The day and the record that the last page ended with."""
    try:
        day, record = wire.decode(base64.urlsafe_b64decode(text))
        date.fromisoformat(day)
    except (binascii.Error, wire.BrokenJson, ValueError, TypeError):
        record = None
    if not isinstance(record, str):
        raise Wrong("Not a cursor of this list.", "不是此列表的游标。")
    return day, record


PERIOD = Parameter(
    period, "When it happened; the plan's year where left out.", "事实发生的时段；缺省为计划年度。",
    {"type": "string", "examples": list(FORMS)},
)  # fmt: skip
DISTRICT = Parameter(str, "Only this district, by its GB/T 2260 code.", "仅限该辖区（GB/T 2260 代码）。")
BY = Parameter(str, "Split the number by this field.", "按此字段分组。")
LIMIT = Parameter(
    limit, "How many at most.", "每页至多几条。",
    {"type": "integer", "minimum": 1, "maximum": LONGEST_PAGE, "default": PAGE},
)  # fmt: skip
CURSOR = Parameter(cursor, "Where the last page ended.", "上一页末尾的游标。")
THEIR_CURSOR = Parameter(str, CURSOR.en, CURSOR.zh)
ORDER = Parameter(str, "A field to sort by; with - before it, downwards.", "排序字段；前加 - 为降序。")
SERVICE = Parameter(one_of((*SERVICES, "gateway")), "Only this one.", "仅限该服务。", {"enum": [*SERVICES, "gateway"]})
PARKED_STATE = Parameter(
    one_of(("waiting", "settled")), "Only those.", "仅限该状态。", {"enum": ["waiting", "settled"]}
)

PROGRESS = {"period": PERIOD, "district": DISTRICT}
KPI = {"period": PERIOD, "by": BY, "district": DISTRICT}
RECORDS = {"period": PERIOD, "district": DISTRICT, "cursor": CURSOR, "limit": LIMIT}
RECOUNTS = {"cursor": THEIR_CURSOR, "limit": LIMIT}
PARKED = {"service": SERVICE, "state": PARKED_STATE, "cursor": THEIR_CURSOR, "limit": LIMIT}
"""What may be asked at each address."""


def listing(given: MultiDict[str, str], kind: Kind) -> dict[str, Any]:
    """The arguments of a service's list: `order`, `cursor`, `limit`, and a filter by the fields of the kind's view.

    A field that is given several times means any of these.
    """
    fields = {name: field for name, field in kind.fields.items() if field.type in COMPARABLE}
    words = {"order": ORDER, "cursor": THEIR_CURSOR, "limit": LIMIT}
    filters = MultiDict((name, value) for name, value in given.items(multi=True) if name in fields)
    rest = MultiDict((name, value) for name, value in given.items(multi=True) if name not in fields)
    errors = _unknown(rest, [*words, *fields])
    for name, values in filters.lists():
        try:
            filters.setlist(name, [_value(fields[name], value) for value in values])
        except Wrong as error:
            errors.append(FieldError(name, error.en, error.zh))
    if errors:
        raise InvalidInput(*errors)
    wanted = {name: values if len(values) > 1 else values[0] for name, values in filters.lists()}
    return {**read(rest, words), **({"filter": wanted} if wanted else {})}


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
        except Wrong as error:
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
        raise Wrong("Given more than once.", "不得重复。")
    return values[0]


def _value(field: Field, text: str) -> Any:
    if field.type is bool:
        return one_of(("true", "false"))(text) == "true"
    if field.type is int:
        if not (text.isascii() and text.isdigit() and len(text) <= 18):
            raise Wrong("A whole number.", "须为整数。")
        return int(text)
    return one_of(field.choices)(text) if field.choices else text
