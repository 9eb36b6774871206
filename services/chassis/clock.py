"""The clock of a process; tests move it, everything else reads it here."""

from __future__ import annotations

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


class Clock(DependencyProvider):
    """Gives a service its process's clock."""

    def get_dependency(self, worker_ctx: Any) -> SystemClock:
        return self.container.config["CLOCK"]
