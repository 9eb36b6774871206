"""Periods: the days of a question, and how they are made up of whole years, whole months and single days. Pure.

Knows nothing of records. Both ends of a period belong to it.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

FORMS = ("2011", "2011S1", "2011Q3", "201107", "2011W14", "20110514", "2011-01-01..2011-10-31", "LAST_3_MONTHS")

YEAR = "((?:19|20|21)[0-9]{2})"  # from 1900 to 2199, so that no question is about ten thousand years


class UnknownPeriod(ValueError):
    """A text is no period; names the forms that there are, in both languages."""

    def __init__(self, text: str) -> None:
        shown, forms = text[:40], ", ".join(FORMS)
        self.en = f"{shown!r} is no period; write it like {forms}"
        self.zh = f"“{shown}”不是有效的时段；可写作 {forms}"
        super().__init__(self.en)


@dataclass(frozen=True)
class Period:
    """All days from the first to the last, both included; `name` is the text that it was read from."""

    name: str
    first: date
    last: date

    def is_within(self, year: int) -> bool:
        """Tell whether all of its days are of that year."""
        return self.first.year == self.last.year == year


STEPS = ("day", "week", "month", "quarter")
MOST_STEPS = 400
LAST = "LAST_([1-9][0-9]?)_(DAY|WEEK|MONTH|YEAR)S?"


@dataclass(frozen=True)
class Piece:
    """A whole year (`2011`), a whole month (`2011-05`), or some `days` of a month (`("14", "15")`)."""

    key: str
    days: tuple[str, ...] = ()


def read(text: str, today: date | None = None) -> Period:
    """Read the period that a text names; raises `UnknownPeriod`.

    `LAST_3_MONTHS` are the three whole months before that of `today`, and so with days, weeks and years; without
    `today` they are unknown.
    """
    if today and (match := re.fullmatch(LAST, text)):
        return Period(text, *_before(today, int(match[1]), match[2]))
    for form, ends in _READERS.items():
        if match := re.fullmatch(form, text):
            try:
                first, last = ends(*match.groups())
            except (ValueError, OverflowError):
                break
            if first <= last:
                return Period(text, first, last)
    raise UnknownPeriod(text)


def pieces(period: Period) -> Iterator[Piece]:
    """Cut the period into the fewest whole years, whole months and parts of a month, in their order."""
    day = period.first
    while day <= period.last:
        year_ends, month_ends = date(day.year, 12, 31), _month_ends(day.year, day.month)
        if day == date(day.year, 1, 1) and year_ends <= period.last:
            yield Piece(f"{day:%Y}")
            day = year_ends
        elif day.day == 1 and month_ends <= period.last:
            yield Piece(f"{day:%Y-%m}")
            day = month_ends
        else:
            ends = min(month_ends, period.last)
            yield Piece(f"{day:%Y-%m}", tuple(f"{number:02}" for number in range(day.day, ends.day + 1)))
            day = ends
        day += timedelta(days=1)


def steps(period: Period, step: str) -> list[Period]:
    """Cut the period into days, weeks, months or quarters; of the first and the last it may be only a part."""
    cut, day = [], period.first
    while day <= period.last:
        name, ends = _step(day, step)
        cut.append(Period(name, day, min(ends, period.last)))
        day = ends + timedelta(days=1)
    return cut


def count_steps(period: Period, step: str) -> int:
    """Return the number of steps that `steps` cuts the period into, without cutting it."""
    return _ordinal(period.last, step) - _ordinal(period.first, step) + 1


def _ordinal(day: date, step: str) -> int:
    """Return the place of the step that a day is in, among all steps of that length."""
    if step == "day":
        return day.toordinal()
    if step == "week":
        return (day.toordinal() - 1) // 7  # the first day of the calendar is a Monday
    months = day.year * 12 + day.month - 1
    return months if step == "month" else months // 3


def _step(day: date, step: str) -> tuple[str, date]:
    """Return the name of the step that a day is in, and the step's last day."""
    if step == "day":
        return f"{day:%Y%m%d}", day
    if step == "week":
        year, week, weekday = day.isocalendar()
        return f"{year}W{week:02}", day + timedelta(days=7 - weekday)
    if step == "month":
        return f"{day:%Y%m}", _month_ends(day.year, day.month)
    quarter = (day.month + 2) // 3
    return f"{day.year}Q{quarter}", _month_ends(day.year, quarter * 3)


def _before(today: date, number: int, unit: str) -> tuple[date, date]:
    """Return the ends of the last `number` whole days, weeks, months or years before that of today."""
    if unit == "DAY":
        return today - timedelta(days=number), today - timedelta(days=1)
    if unit == "WEEK":
        monday = today - timedelta(days=today.weekday())
        return monday - timedelta(weeks=number), monday - timedelta(days=1)
    if unit == "YEAR":
        return date(today.year - number, 1, 1), date(today.year - 1, 12, 31)
    months = today.year * 12 + today.month - 1 - number
    return date(months // 12, months % 12 + 1, 1), today.replace(day=1) - timedelta(days=1)


def _months(year: str, first: int, last: int) -> tuple[date, date]:
    return date(int(year), first, 1), _month_ends(int(year), last)


def _month_ends(year: int, month: int) -> date:
    return date(year, month, monthrange(year, month)[1])


def _half(year: str, number: str) -> tuple[date, date]:
    return _months(year, int(number) * 6 - 5, int(number) * 6)


def _quarter(year: str, number: str) -> tuple[date, date]:
    return _months(year, int(number) * 3 - 2, int(number) * 3)


def _week(year: str, number: str) -> tuple[date, date]:
    monday = date.fromisocalendar(int(year), int(number), 1)
    return monday, monday + timedelta(days=6)


def _day(year: str, month: str, day: str) -> tuple[date, date]:
    only = date(int(year), int(month), int(day))
    return only, only


def _span(first: str, _: str, last: str, __: str) -> tuple[date, date]:
    return date.fromisoformat(first), date.fromisoformat(last)


_READERS: dict[str, Callable[..., tuple[date, date]]] = {
    YEAR: lambda year: _months(year, 1, 12),
    YEAR + "S([12])": _half,
    YEAR + "Q([1-4])": _quarter,
    YEAR + "(0[1-9]|1[0-2])": lambda year, month: _months(year, int(month), int(month)),
    YEAR + "W([0-5][0-9])": _week,
    YEAR + "([0-9]{2})([0-9]{2})": _day,
    rf"({YEAR}-[0-9]{{2}}-[0-9]{{2}})\.\.({YEAR}-[0-9]{{2}}-[0-9]{{2}})": _span,
}
