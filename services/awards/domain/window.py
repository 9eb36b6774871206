"""Windows: the days from one to another, both inclusive, in which something may be done (X-07)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from services.kernel import Refusal
from services.kernel.calendar import day_of


class WindowReversed(Refusal, rule="X-07", zh="起始日期不得晚于截止日期"):
    """A window begins on its last day at the latest."""


@dataclass(frozen=True, kw_only=True)
class Window:
    """Open from the first second of its first day to the last second of its last day, by Shanghai's clock."""

    first: date
    last: date

    def holds(self, day: date) -> bool:
        """True for a day within it."""
        return self.first <= day <= self.last

    def is_open(self, at: datetime) -> bool:
        """True for an instant within it."""
        return self.holds(day_of(at))


def in_order(first: date, last: date) -> None:
    """Refuse a window that ends before it begins (X-07)."""
    if first > last:
        raise WindowReversed(first=first, last=last)
