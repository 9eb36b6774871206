"""The clock of a process; tests move it, everything else reads it here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from nameko.extensions import DependencyProvider

from services.kernel.calendar import SHANGHAI, day_of


class SystemClock:
    """What time it is, in Shanghai, to the millisecond: as it is kept and told everywhere."""

    def now(self) -> datetime:
        return to_the_millisecond(datetime.now(tz=SHANGHAI))

    def today(self) -> date:
        return day_of(self.now())


def to_the_millisecond(instant: datetime) -> datetime:
    return instant.replace(microsecond=instant.microsecond // 1_000 * 1_000)


@dataclass(frozen=True)
class Moment(SystemClock):
    """A clock that stands still."""

    at: datetime

    def now(self) -> datetime:
        return self.at


class ClockProvider(DependencyProvider):
    """Gives a service the time: whatever has a cause is judged by when that arrived, not by when a worker was free."""

    def get_dependency(self, worker_ctx: Any) -> SystemClock:
        caused = worker_ctx.data.get("batch") or worker_ctx.data
        cause = caused.cause if hasattr(caused, "cause") else caused.get("cause")
        return Moment(cause.at) if cause else self.container.config["CLOCK"]
