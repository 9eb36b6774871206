"""The clock of a process: the only place where the time is read, so that tests can move it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from nameko.extensions import DependencyProvider

from services.kernel.calendar import SHANGHAI, day_of


class SystemClock:
    """The time in Shanghai, to the millisecond, as it is stored and written everywhere."""

    def now(self) -> datetime:
        """The present instant."""
        return to_the_millisecond(datetime.now(tz=SHANGHAI))

    def today(self) -> date:
        """The present day in Shanghai."""
        return day_of(self.now())


def to_the_millisecond(instant: datetime) -> datetime:
    """Cut an instant as MongoDB does when it stores it."""
    return instant.replace(microsecond=instant.microsecond // 1_000 * 1_000)


@dataclass(frozen=True)
class FixedClock(SystemClock):
    """A clock that stands still."""

    at: datetime

    def now(self) -> datetime:
        """The instant at which it stands."""
        return self.at


class ClockProvider(DependencyProvider):
    """Gives a service the time: a command or event is judged by its arrival, not by when a worker was free."""

    def get_dependency(self, worker_ctx: Any) -> SystemClock:
        """Return a clock that stands still at the cause's arrival; without a cause, the process's clock."""
        caused = worker_ctx.data.get("batch") or worker_ctx.data
        cause = caused.cause if hasattr(caused, "cause") else caused.get("cause")
        return FixedClock(cause.at) if cause else self.container.config["CLOCK"]
