"""The notice board: public notices as a page, a table for each under its period and where to object."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from gateway.http.caching import PrecompressedDocument
from gateway.pages import rendering
from services.contract import KINDS, glossary
from services.contract.glossary import Word
from services.contract.view import Kind
from services.kernel.calendar import day_of

RUNNING, ENDED = Word("公示", "Public notices"), Word("已结束的公示", "Ended notices")
PERIOD = Word("公示期", "Period")
NOTHING = Word("", "")

COLUMNS = ("line_no", "category_code", "award_kind", "grade", "rank", "subject_type", "subject_id", "state")
"""The columns of a table, where its lines have them."""

LISTED = ("award_kind", "grade", "subject_type")
"""Columns whose values are translated."""

LINE_STATES = {
    "proposed": Word("拟授奖", "Proposed"),
    "held": Word("异议处理中", "Objection under review"),
    "granted": Word("已授奖", "Granted"),
    "struck": Word("已删除", "Struck off"),
}

Notice = Mapping[str, Any]


@dataclass(frozen=True)
class Fact:
    """A line above a notice's table; `link` is the address that its value leads to, if any."""

    name: Word
    value: Word
    link: str | None = None


@dataclass(frozen=True)
class NoticeTable:
    """A notice as the page shows it."""

    title: Word
    facts: list[Fact]
    columns: list[Word]
    rows: list[list[Word]]


@dataclass(frozen=True)
class OtherList:
    """The list that the page leads to: the ended notices from the running ones, and back."""

    title: Word
    address: str


def page(displayed: Mapping[str, Any], *, ended: bool) -> PrecompressedDocument:
    """Render a page of notices that run, or of notices that `ended`."""
    other = OtherList(RUNNING, "/notices") if ended else OtherList(ENDED, "/notices?ended=true")
    return rendering.page(
        "/notices",
        title=ENDED if ended else RUNNING,
        other=other,
        notices=[_table(notice) for notice in displayed["items"]],
        next_page=_next_page(displayed["cursor"], ended=ended),
    )


def _next_page(cursor: str | None, *, ended: bool) -> str | None:
    if cursor is None:
        return None
    return f"/notices?{urlencode({'ended': 'true', 'cursor': cursor} if ended else {'cursor': cursor})}"


def _table(notice: Notice) -> NoticeTable:
    kind = KINDS[f"{notice['service']}.{notice['kind']}"]
    columns = [name for name in COLUMNS if any(line.get(name) is not None for line in notice["lines"])]
    return NoticeTable(
        title=_title(notice, kind),
        facts=list(_facts(notice, kind)),
        columns=[_field(name, kind) for name in columns],
        rows=[list(_row(line, columns, kind)) for line in notice["lines"]],
    )


def _title(notice: Notice, kind: Kind) -> Word:
    """The kind with the values of its closed lists: award list of the paper evaluation, of the city's."""
    listed = [field.name for field in kind.fields.values() if field.choices and field.name != "state"]
    values = [glossary.value_word(notice[name], field=name, of=kind.key) for name in listed]
    called = glossary.KINDS[kind.key]
    return Word(
        f"{called.zh}：{'，'.join(value.zh for value in values)}",
        f"{called.en}: {', '.join(value.en for value in values)}",
    )


def _facts(notice: Notice, kind: Kind) -> Iterator[Fact]:
    """The notice's numbers, its period, and where to object."""
    for field in kind.fields.values():
        if field.type is int:
            yield Fact(_field(field.name, kind), _text(notice[field.name]))
    yield Fact(PERIOD, _period(*(datetime.fromisoformat(notice[name]) for name in ("starts_at", "ends_at"))))
    yield Fact(_field("office_line", kind), _text(notice["office_line"]))
    yield Fact(_field("url", kind), _text(notice["url"]), link=_safe_link(notice["url"]))


def _safe_link(url: str) -> str | None:
    """The address where a browser may follow it: never `javascript:` or the like."""
    return url if url.lower().startswith(("http://", "https://")) else None


def _period(starts_at: datetime, ends_at: datetime) -> Word:
    first, last = day_of(starts_at), day_of(ends_at - timedelta(milliseconds=1))
    return Word(f"{first} 至 {last} 24:00", "the last day included")


def _row(line: Mapping[str, Any], columns: Iterable[str], kind: Kind) -> Iterator[Word]:
    for name in columns:
        yield NOTHING if line.get(name) is None else _cell(name, line[name], kind)


def _cell(name: str, value: Any, kind: Kind) -> Word:
    if name == "state" and value in LINE_STATES:
        return LINE_STATES[value]
    return glossary.value_word(value, field=name, of=kind.key) if name in LISTED else _text(value)


def _text(value: Any) -> Word:
    """A value that is the same in both languages."""
    return Word(str(value), "")


def _field(name: str, kind: Kind) -> Word:
    return glossary.field_word(name, of=kind.key)
