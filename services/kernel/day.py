"""Days on which something happened: they have come, by the calendar of Shanghai (X-07)."""

from __future__ import annotations

from datetime import date

from services.kernel.refusal import Refusal


class NotYet(Refusal, rule="X-07", zh="已发生事项的日期不得晚于今天"):
    """What has happened bears no day that is still to come."""


def past(*, today: date, **days: date | None) -> None:
    """Refuse a day after today, which is the last one taken; None is allowed, it means not known."""
    for name, day in days.items():
        if day is not None and day > today:
            raise NotYet(**{name: day}, today=today)
