"""Days as the association counts them: Asia/Shanghai, whole days, working days, publicity periods (X-07)."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import chinese_calendar

SHANGHAI = ZoneInfo("Asia/Shanghai")

Unit = Literal["calendar", "working"]


def day_of(instant: datetime) -> date:
    """The day in Leshan: 2011-12-31T16:30:00Z is already 2012-01-01."""
    return instant.astimezone(SHANGHAI).date()


def format_instant(instant: datetime) -> str:
    """Write an instant as answers, events and histories do: in Shanghai's time, to the millisecond."""
    return instant.astimezone(SHANGHAI).isoformat(timespec="milliseconds")


def start_of(day: date) -> datetime:
    """Its first moment."""
    return datetime.combine(day, time(), tzinfo=SHANGHAI)


def end_of(day: date) -> datetime:
    """The instant at which a deadline on this day has passed: its last second is still in time."""
    return datetime.combine(day + timedelta(days=1), time(), tzinfo=SHANGHAI)


def is_in_time(instant: datetime, *, until: date) -> bool:
    """Was it done by the deadline, whose last second counts?"""
    return instant < end_of(until)


def publicity_ends(start: date, *, days: int, unit: Unit = "calendar") -> datetime:
    """When a publicity period (公示) of N days is over: the start day is day 1, it ends at 24:00 of day N.

    Counted in working days, a start on a day off makes the next working day the first.
    """
    if unit == "calendar":
        return end_of(start + timedelta(days=days - 1))

    day, left = start, days
    while True:
        left -= is_working_day(day)
        if left <= 0:
            return end_of(day)
        day += timedelta(days=1)


def is_working_day(day: date) -> bool:
    """By the State Council's calendar; beyond the years it covers, Monday to Friday."""
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        return day.weekday() < 5


def months_between(earlier: date, later: date) -> int:
    """Whole months that have passed."""
    return (later.year - earlier.year) * 12 + later.month - earlier.month - (later.day < earlier.day)
