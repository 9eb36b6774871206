"""The noticeboard: notices as a page, with a table for each; when they end and where one objects stands above it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from html import escape
from typing import Any

from services.contract import KINDS, glossary
from services.contract.glossary import Word
from services.contract.view import Kind
from services.kernel.calendar import day_of

RUNNING, ENDED = Word("公示", "Public notices"), Word("已结束的公示", "Ended notices")
NONE = Word("目前没有公示。", "There is none now.")
PERIOD = Word("公示期", "Period")
NEXT = Word("下一页", "Next page")

COLUMNS = ("line_no", "category_code", "award_kind", "grade", "rank", "subject_type", "subject_id", "state")
"""What a table shows, where its lines have it."""

LISTED = ("award_kind", "grade", "subject_type")
"""Those of them that have words for their values."""

LINE_STATES = {
    "proposed": Word("拟授奖", "Proposed"),
    "held": Word("异议处理中", "Objected to"),
    "granted": Word("已授奖", "Granted"),
    "struck": Word("已删除", "Struck off"),
}

Notice = Mapping[str, Any]


def filled(displayed: Mapping[str, Any], *, ended: bool) -> dict[str, str]:
    """What the page's template needs."""
    title, other = (ENDED, RUNNING) if ended else (RUNNING, ENDED)
    here, there = "/notices?ended=true", "/notices"
    if not ended:
        here, there = there, here
    follows = f"{here}{'&' if ended else '?'}cursor={displayed['cursor']}"
    return {
        "title": title.zh,
        "title_en": title.en,
        "other": there,
        "other_title": _both(other),
        "notices": "\n".join(map(_notice, displayed["items"])) or f"<p>{_both(NONE)}</p>",
        "next": f'<p><a href="{escape(follows)}">{_both(NEXT)}</a></p>' if displayed["cursor"] else "",
    }


def _notice(notice: Notice) -> str:
    kind = KINDS[f"{notice['service']}.{notice['kind']}"]
    facts = "".join(f"<dt>{_both(name)}</dt><dd>{said}</dd>" for name, said in _facts(notice, kind))
    return f"<h2>{_title(notice, kind)}</h2>\n<dl>{facts}</dl>\n{_table(notice['lines'], kind)}"


def _title(notice: Notice, kind: Kind) -> str:
    """Its kind, and of which closed lists it is: the award list of the paper evaluation, of the city's."""
    listed = [field.name for field in kind.fields.values() if field.choices and field.name != "state"]
    words = [glossary.value_word(notice[name], field=name, of=kind.key) for name in listed]
    called = glossary.KINDS[kind.key]
    return _both(
        Word(f"{called.zh}：{'，'.join(word.zh for word in words)}", f"{called.en}: {', '.join(w.en for w in words)}")
    )


def _facts(notice: Notice, kind: Kind) -> Iterator[tuple[Word, str]]:
    """Its numbers, then until when and where one objects."""
    for field in kind.fields.values():
        if field.type is int:
            yield _field(field.name, kind), str(notice[field.name])
    yield PERIOD, _period(*(datetime.fromisoformat(notice[name]) for name in ("starts_at", "ends_at")))
    yield _field("office_line", kind), escape(notice["office_line"])
    url = escape(notice["url"])
    yield _field("url", kind), f'<a href="{url}" rel="nofollow">{url}</a>' if url.startswith("http") else url


def _period(starts_at: datetime, ends_at: datetime) -> str:
    first, last = day_of(starts_at), day_of(ends_at - timedelta(milliseconds=1))
    return f'{first} 至 {last} 24:00 <span lang="en">the last day included</span>'


def _table(lines: Iterable[Mapping[str, Any]], kind: Kind) -> str:
    lines = list(lines)
    columns = [name for name in COLUMNS if any(line.get(name) is not None for line in lines)]
    heads = "".join(f"<th>{_both(_field(name, kind))}</th>" for name in columns)
    rows = "\n".join(f"<tr>{''.join(f'<td>{_cell(name, line, kind)}</td>' for name in columns)}</tr>" for line in lines)
    return f"<table>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>"


def _cell(name: str, line: Mapping[str, Any], kind: Kind) -> str:
    value = line.get(name)
    if value is None:
        return ""
    if name == "state" and value in LINE_STATES:
        return _both(LINE_STATES[value])
    return _both(glossary.value_word(value, field=name, of=kind.key)) if name in LISTED else escape(str(value))


def _field(name: str, kind: Kind) -> Word:
    return glossary.field_word(name, of=kind.key)


def _both(word: Word) -> str:
    return f'{escape(word.zh)} <span lang="en">{escape(word.en)}</span>'
