"""Days as the association counts them: Asia/Shanghai, whole days, working days, publicity periods (X-07)."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import chinese_calendar

SHANGHAI = ZoneInfo("Asia/Shanghai")

Unit = Literal["calendar", "working"]


def day_of(instant: datetime) -> date:
    """Return the day in Leshan: 2011-12-31T16:30:00Z is already 2012-01-01."""
    return instant.astimezone(SHANGHAI).date()


def format_instant(instant: datetime) -> str:
    """Write an instant as answers, events and histories do: in Shanghai's time, to the millisecond."""
    return instant.astimezone(SHANGHAI).isoformat(timespec="milliseconds")


def start_of(day: date) -> datetime:
    """Return the first moment of a day."""
    return datetime.combine(day, time(), tzinfo=SHANGHAI)


def end_of(day: date) -> datetime:
    """Return the instant at which a deadline on this day has passed: its last second is still in time."""
    return datetime.combine(day + timedelta(days=1), time(), tzinfo=SHANGHAI)


def is_in_time(instant: datetime, *, until: date) -> bool:
    """True before the end of the deadline's day, whose last second counts."""
    return instant < end_of(until)


def publicity_ends(start: date, *, days: int, unit: Unit = "calendar") -> datetime:
    """Return the end of a publicity period (公示) of N days: the start is day 1, the end is 24:00 of day N.

    Counted in working days, a period that starts on a day off has the next working day as its first.
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
    """Follow the State Council's calendar; beyond the years that it covers, Monday to Friday are working days."""
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        return day.weekday() < 5


def months_between(earlier: date, later: date) -> int:
    """Count the whole months that have passed."""
    return (later.year - earlier.year) * 12 + later.month - earlier.month - (later.day < earlier.day)
