"""Pace (序时进度): how much of a target is due by a day, how a number stands by it, and where the year may end. Pure.

Expected quantities are whole, rounded down, so that a target of one is due on the last day. Every status comes with
the rule that made it.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

from gateway.plans.model import Target, Words

AHEAD = 110  # percent of what is expected, from which on a number is ahead
ENOUGH_DAYS = 60  # of a year, before a run rate says anything
ENOUGH_RECORDS = 3

Code = Literal["reached", "ahead", "on_track", "behind", "late", "not_due"]

RULES: Mapping[Code, Words] = {
    "reached": Words("已达到目标", "the target is reached"),
    "ahead": Words(f"不低于应达进度的 {AHEAD}%", f"at least {AHEAD} % of what is expected by now"),
    "on_track": Words("不低于应达进度", "at least what is expected by now"),
    "behind": Words("低于应达进度", "less than what is expected by now"),
    "late": Words("期限已过，未达到目标", "the due date has passed and the target is not reached"),
    "not_due": Words("尚无应达进度", "nothing is expected yet"),
}
LESS: Mapping[Code, Words] = {
    **RULES,
    "reached": Words("期限已过，未超过上限", "the due date has passed and the limit is kept"),
    "on_track": Words("未超过应控进度", "no more than the limit allows by now"),
    "behind": Words("超过应控进度", "more than the limit allows by now"),
    "late": Words("超过上限", "more than the limit"),
}
"""The rules where less is better: the target is a limit."""


@dataclass(frozen=True)
class Pace:
    """How a KPI's target spreads over the days of its plan's year, until the item is due."""

    year: int
    due: date
    months: tuple[int, ...] | None = None  # percents

    def expected(self, amount: int, on: date) -> int:
        """Compute how much of an amount is due by the end of that day."""
        passed, whole = self._share(on)
        return amount * passed // whole

    def between(self, amount: int, first: date, last: date) -> int:
        """Compute how much of an amount is due on these days, both included."""
        return self.expected(amount, last) - self.expected(amount, first - timedelta(days=1))

    def _share(self, on: date) -> tuple[int, int]:
        """Return the share of the year that has passed, as a fraction, so that no amount is rounded on the way."""
        first, last = date(self.year, 1, 1), date(self.year, 12, 31) if self.months else self.due
        if on < first:
            return 0, 1
        if on >= last:
            return 1, 1
        if self.months is None:
            return (on - first).days + 1, (last - first).days + 1
        days = monthrange(on.year, on.month)[1]
        return sum(self.months[: on.month - 1]) * days + self.months[on.month - 1] * on.day, 100 * days


def percent(value: int, target: Target, better: str) -> float | None:
    """Compute how much of the way to the target is done: not clamped (G-14), and None where there is no way to go.

    With a baseline the way begins there. Where less is better and there is none, it is the share of the limit used.
    """
    start = target.baseline or 0
    if better == "less" and target.baseline is None:
        return round(value * 100 / target.value, 2) if target.value else None
    way = target.value - start
    return round((value - start) * 100 / way, 2) if way else None


def status(value: int, target: Target, pace: Pace, *, better: str, on: date) -> dict[str, Any]:
    """Judge how the number stands on that day, with the rule that says so."""
    judge, rules = (_judge_limit, LESS) if better == "less" else (_judge_aim, RULES)
    status = judge(value, target, pace, on)
    return {"code": status, "rule": {"zh": rules[status].zh, "en": rules[status].en}}


def _judge_aim(value: int, target: Target, pace: Pace, on: date) -> Code:
    expected = pace.expected(target.value, on)
    if value >= target.value:
        return "reached"
    if on > pace.due:
        return "late"
    if expected == 0 and value == 0:
        return "not_due"
    if value < expected:
        return "behind"
    return "ahead" if value * 100 >= expected * AHEAD else "on_track"


def _judge_limit(value: int, target: Target, pace: Pace, on: date) -> Code:
    if value > target.value:
        return "late"
    if on > pace.due:
        return "reached"
    return "on_track" if value <= pace.expected(target.value, on) else "behind"


def months(values: Sequence[int], target: Target, pace: Pace, *, better: str, on: date) -> list[dict[str, Any]]:
    """List month by month, from January on, the total at its end and what was expected of it.

    `values` are those of the single months. A missed month stays red; it turns amber once a later month made it up.
    Months to come have no colour.
    """
    rows, total = [], 0
    for number, value in enumerate(values, start=1):
        total += value
        ends = date(pace.year, number, monthrange(pace.year, number)[1])
        expected = pace.expected(target.value, ends)
        is_over = ends <= on
        is_met = total <= expected if better == "less" else total >= expected
        rows.append(
            {
                "month": f"{pace.year}-{number:02}",
                "value": total if ends.replace(day=1) <= on else None,
                "expected": expected,
                "colour": ("green" if is_met else "red") if is_over else None,
            }
        )
    last_met = max((place for place, month in enumerate(rows) if month["colour"] == "green"), default=-1)
    for month in rows[: max(last_met, 0)]:
        if month["colour"] == "red":
            month["colour"] = "amber"
    return rows


def outlook(value: int, records: int, scheduled: int | None, *, year: int, on: date) -> dict[str, int | None]:
    """Estimate where the year may end: what there is, what is scheduled, and what comes if it goes on like this.

    The three numbers are not to be added up. There is no run rate where too little is known, or nothing is left of the
    year.
    """
    first, last = date(year, 1, 1), date(year, 12, 31)
    passed, left = (min(on, last) - first).days + 1, (last - min(on, last)).days
    is_known = passed >= ENOUGH_DAYS and records >= ENOUGH_RECORDS and left > 0
    return {"actual": value, "scheduled": scheduled, "run_rate": value * left // passed if is_known else None}
