"""Days of Shanghai's calendar (X-07): past events bear no future day, plans no past one, and days have an order."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

from services.kernel.refusal import Refusal

YEARS = range(1991, 2100)
"""The years of days that a plan may count or name: from 20 years before the first plan, as for its periods."""

FOUNDED = 1949
"""The first year in which an organisation that still reports was founded or registered."""


class NotYet(Refusal, rule="X-07", zh="已发生事项的日期不得晚于今天"):
    """A past event bears no future day."""


class Over(Refusal, rule="X-07", zh="所定日期不得早于今天"):
    """A planned day is today at the earliest."""


class OutOfOrder(Refusal, rule="X-07", zh="日期先后颠倒"):
    """Nothing ends before it begins, and no step is taken before the one that it follows."""


def past(*, today: date, **days: date | None) -> None:
    """Refuse any day after today; today itself is allowed, and so is None, which means not known."""
    for name, day in days.items():
        if day is not None and day > today:
            raise NotYet(**{name: day}, today=today)


def upcoming(*, today: date, **days: date) -> None:
    """Refuse any day before today; today itself is allowed."""
    for name, day in days.items():
        if day < today:
            raise Over(**{name: day}, today=today)


def in_order(**days: date | None) -> None:
    """Refuse a day that lies before the one named before it; the same day is allowed, and None is passed over."""
    known = [(name, day) for name, day in days.items() if day is not None]
    for (before, earlier), (after, later) in pairwise(known):
        if later < earlier:
            raise OutOfOrder(**{before: earlier, after: later})
