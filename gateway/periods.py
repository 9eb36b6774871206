"""Periods: the days that a question is about, and how they are made up of whole years, whole months and single days.

Knows nothing of records. A period is a value; both of its ends belong to it.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

FORMS = ("2011", "2011S1", "2011Q3", "201107", "2011W14", "20110514", "2011-01-01..2011-10-31")

YEAR = "((?:19|20|21)[0-9]{2})"  # from 1900 to 2199, so that no question is about ten thousand years


class UnknownPeriod(ValueError):
    """This text is no period; says which forms there are, in both languages."""

    def __init__(self, text: str) -> None:
        shown, forms = text[:40], ", ".join(FORMS)
        self.en = f"{shown!r} is no period; write it like {forms}"
        self.zh = f"“{shown}”不是有效的时段；可写作 {forms}"
        super().__init__(self.en)


@dataclass(frozen=True)
class Period:
    """All days from the first to the last, both included; `name` is how it was asked for."""

    name: str
    first: date
    last: date

    def is_within(self, year: int) -> bool:
        return self.first.year == self.last.year == year


@dataclass(frozen=True)
class Piece:
    """A whole year (`2011`), a whole month (`2011-05`), or some `days` of a month (`("14", "15")`)."""

    key: str
    days: tuple[str, ...] = ()


def read(text: str) -> Period:
    """The period that this text names; raises `UnknownPeriod`."""
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
    """Year by year and month by month, the fewest pieces that make up the period."""
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
