"""What may be asked over HTTP: parameters and headers, read strictly; all that is wrong is named at once."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from types import MappingProxyType
from typing import Any

from werkzeug.datastructures import MultiDict

from gateway.kpi.plan_index import asked
from gateway.notifications.status_changes import WORDS
from gateway.plans.periods import FORMS, STEPS, UnknownPeriod
from services.chassis import fields
from services.chassis.clock import to_the_millisecond
from services.chassis.problem import FieldError, InvalidInput, NotFound
from services.contract import KINDS, wire
from services.contract.topology import HEARS, SERVICES
from services.contract.view import COMPARABLE, Field, Kind
from services.kernel.calendar import SHANGHAI

PAGE = 100
LONGEST_PAGE = 1_000
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


class Target(fields.Schema):
    """A target that is revised: in the KPI's unit (yuan, not fen), by a decision with its document (G-09)."""

    value = fields.Whole()
    baseline = fields.Whole(required=False)
    decided_on = fields.Day()
    doc_no = fields.Text()
    why = fields.Text(max=500)


class Close(fields.Schema):
    """A period that is closed."""

    why = fields.Text(max=500)


class PlanFile(fields.Schema):
    """A plan that comes into force: the whole file."""

    file = fields.Text(max=1_000_000)
    why = fields.Text(max=500)


class AlertRule(fields.Schema):
    """Which changes of status make an alert: of these KPIs and all of these items, of all where none is named."""

    name = fields.Text(max=100)
    year = fields.Whole(min=1, max=9_999, rule=None)
    kpis = fields.Many(fields.Id(), required=False)
    items = fields.Many(fields.Whole(min=1, rule=None), required=False)
    to = fields.Many(fields.OneOf(*WORDS), min=1)
    webhook = fields.Text(max=500, required=False)


class Recount(fields.Schema):
    """Which number the owning service shall count again."""

    kpi = fields.Text(max=40)
    period = fields.Text(max=40, required=False)
    district = fields.District(required=False)


class Settle(fields.Schema):
    """Why a parked message is replayed or discarded."""

    why = fields.Text(max=500)


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


def period(text: str) -> str:
    """A text that names a period; which days these are may depend on the day it is asked on."""
    try:
        asked(text, date(2011, 12, 31))
    except UnknownPeriod as error:
        raise Wrong(error.en, error.zh) from None
    return text


def day(text: str) -> date:
    """Of the years that periods may be of; 20110514 and 2011-W19-6 are days too, but not ours."""
    with suppress(ValueError):
        found = date.fromisoformat(text)
        if len(text) == 10 and 1900 <= found.year < 2200:
            return found
    raise Wrong(f"{text[:40]!r} is no day like 2011-05-14.", f"“{text[:40]}”不是日期；应写作 2011-05-14。")


def instant(text: str) -> datetime:
    """An instant with its offset; a day stands for its end in Shanghai."""
    try:
        if len(text) == 10:
            return datetime.combine(day(text), LAST_OF_A_DAY, SHANGHAI)
        found = datetime.fromisoformat(text)
        if found.tzinfo is not None and 1900 <= found.year < 2200:
            return to_the_millisecond(found.astimezone(SHANGHAI))
    except (ValueError, OverflowError, Wrong):
        pass
    en = f"{text[:40]!r} is neither a day nor an instant like 2011-06-30T18:00:00+08:00."
    raise Wrong(en, f"“{text[:40]}”不是日期或时刻；时刻应写作 2011-06-30T18:00:00+08:00。")


def truth(text: str) -> bool:
    return one_of(("true", "false"))(text) == "true"


def names(text: str) -> tuple[str, ...]:
    """Fields, with commas between them; each once."""
    found = tuple(text.split(","))
    if len(set(found)) < len(found) or "" in found:
        raise Wrong("Names with commas between them, each once.", "以逗号分隔的字段名，不得重复。")
    return found


def group(text: str) -> tuple[str, str | None]:
    """`format:plaza`: one group of a number; nothing after the colon: the records without that field."""
    name, colon, value = text.partition(":")
    if not colon:
        raise Wrong(f"{text[:40]!r} is no group like format:plaza.", f"“{text[:40]}”不是分组；应写作 format:plaza。")
    return name, value or None


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


def write_mark(*parts: Any) -> str:
    """Where a page ended, as a cursor that `mark` reads."""
    return base64.urlsafe_b64encode(wire.encode(parts)).decode()


def mark(*types: type) -> Reader:
    """A cursor that has parts of these types; an instant is written as a text."""

    def read_mark(text: str) -> list[Any]:
        with suppress(binascii.Error, wire.BrokenJson, ValueError, TypeError, OverflowError):
            found = wire.decode(base64.b64decode(text, altchars=b"-_", validate=True))
            parts = [
                datetime.fromisoformat(part).astimezone(UTC) if kind is datetime else part
                for part, kind in zip(found, types, strict=True)
            ]
            if all(type(part) is kind for part, kind in zip(parts, types, strict=True)):
                return parts
        raise Wrong("Not a cursor of this list.", "不是此列表的游标。")

    return read_mark


PERIOD = Parameter(
    period, "When it happened; the plan's year where left out.", "事实发生的时段；缺省为计划年度。",
    {"type": "string", "examples": list(FORMS)},
)  # fmt: skip
RELATIVE_TO = Parameter(
    day, "The day that LAST_3_MONTHS and its like look back from.", "LAST_3_MONTHS 等时段所参照的日期。",
    {"type": "string", "format": "date"},
)  # fmt: skip
AS_OF = Parameter(
    instant, "What was known then; a day stands for its end. The same answer for ever.",
    "截至此时已知的情况；日期表示当日结束。同一问题永远得到同一答案。",
    {"type": "string", "examples": ["2011-10-31", "2011-10-31T18:00:00+08:00"]},
)  # fmt: skip
EXPLAIN = Parameter(
    truth, "Tell how the number comes about.", "说明数字的由来。", {"type": "string", "enum": ["true", "false"]}
)
STEP = Parameter(one_of(STEPS), "How long a step is; a month where left out.", "步长；缺省为月。", {"enum": [*STEPS]})
GROUP = Parameter(group, "Only this group of the number, like format:plaza.", "仅限该分组，如 format:plaza。")
PART = Parameter(str, "Which part, of a number that is the least of several.", "取最小值的指标中的哪一部分。")
YEAR = Parameter(str, "Of which year's plan; the last one where left out.", "哪一年的计划；缺省为最近一年。")
DISTRICT = Parameter(str, "Only this district, by its GB/T 2260 code.", "仅限该辖区（GB/T 2260 代码）。")
BY = Parameter(names, "Split the number by this field, or by several: a,b.", "按此字段分组；多个以逗号分隔。")
LIMIT = Parameter(
    limit, "How many at most.", "每页至多几条。",
    {"type": "integer", "minimum": 1, "maximum": LONGEST_PAGE, "default": PAGE},
)  # fmt: skip
CURSOR = Parameter(cursor, "Where the last page ended.", "上一页末尾的游标。")
THEIR_CURSOR = Parameter(str, CURSOR.en, CURSOR.zh)
ORDER = Parameter(str, "A field to sort by; with - before it, downwards.", "排序字段；前加 - 为降序。")
REVISION = Parameter(
    truth, "Tell a number that grows with every change of any record of this kind.", "返回随记录变更而增长的修订号。",
    {"type": "boolean"},
)  # fmt: skip
SERVICE = Parameter(one_of((*SERVICES, "gateway")), "Only this one.", "仅限该服务。", {"enum": [*SERVICES, "gateway"]})
PARKED_STATE = Parameter(
    one_of(("waiting", "settled")), "Only those.", "仅限该状态。", {"enum": ["waiting", "settled"]}
)
VERSION_OF_FILE = Parameter(str, "Changes with the file.", "随文件内容变化。")

PAGING = ("cursor", "limit", "revision")
"""What is asked of a page and not of all of them."""

WHEN = {"period": PERIOD, "relative_to": RELATIVE_TO, "as_of": AS_OF}
PROGRESS = {**WHEN, "district": DISTRICT}
KPI = {**WHEN, "by": BY, "district": DISTRICT, "explain": EXPLAIN}
SERIES = {**WHEN, "step": STEP, "district": DISTRICT}
RECORDS = {**WHEN, "district": DISTRICT, "group": GROUP, "part": PART, "cursor": CURSOR, "limit": LIMIT}
ITEM = {**WHEN, "year": YEAR}
THEN = {"as_of": AS_OF}
DELIVERY_STATES = ("waiting", "delivered", "given_up")
DELIVERY_STATE = Parameter(one_of(DELIVERY_STATES), "Only those.", "仅限该状态。", {"enum": list(DELIVERY_STATES)})

RECOUNTS = {"cursor": THEIR_CURSOR, "limit": LIMIT}
FILE = {"v": VERSION_OF_FILE}
PARKED = {"service": SERVICE, "state": PARKED_STATE, "cursor": THEIR_CURSOR, "limit": LIMIT}
RULES = {"cursor": Parameter(mark(str, str), CURSOR.en, CURSOR.zh), "limit": LIMIT}
INBOX = {"cursor": Parameter(mark(bool, str, str), CURSOR.en, CURSOR.zh), "limit": LIMIT}
DELIVERIES = {"cursor": Parameter(mark(datetime, str), CURSOR.en, CURSOR.zh), "state": DELIVERY_STATE, "limit": LIMIT}
"""What may be asked at each address."""


def listing(given: MultiDict[str, str], kind: Kind) -> dict[str, Any]:
    """The arguments of a service's list: `order`, `cursor`, `limit`, and a filter by the fields of the kind's view.

    A field that is given several times means any of these.
    """
    fields = {name: field for name, field in kind.fields.items() if field.type in COMPARABLE}
    words = {"order": ORDER, "cursor": THEIR_CURSOR, "limit": LIMIT, "revision": REVISION}
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


def described(schema: Mapping[str, Any]) -> Mapping[str, Parameter]:
    """The parameters of a question that a service describes by this JSON Schema; whether they are right it says."""
    return {
        name: Parameter(whole if one.get("type") == "integer" else str, name, name, one)
        for name, one in schema["properties"].items()
    }


def whole(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 18:
        return int(text)
    raise Wrong("A whole number.", "须为整数。")


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
    if field.type is date:
        return _day(text)
    return one_of(field.choices)(text) if field.choices else text


def _day(text: str) -> str:
    try:
        if len(text) == 10 and date.fromisoformat(text):
            return text
    except ValueError:
        pass
    raise Wrong("A day like 2011-05-14.", "日期格式如 2011-05-14。")
