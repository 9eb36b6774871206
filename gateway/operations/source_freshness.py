"""Freshness of one source as a value: what is known of a service's records, and why they are not fresh."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from services.kernel.calendar import SHANGHAI

STATES = ("fresh", "late", "stale", "away")
"""From the best to the worst."""

LATE = 30  # seconds that a record may wait to be published
QUEUED = 1_000  # events that may wait to be taken in

INTERVALS = {
    "daily": timedelta(days=1),
    "weekly": timedelta(days=7),
    "monthly": timedelta(days=31),
    "quarterly": timedelta(days=92),
    "yearly": timedelta(days=366),
}
"""The longest time between two facts of a KPI, by how often the plan expects them."""


@dataclass(frozen=True)
class ExpectedFact:
    """A KPI of which the plan expects facts regularly: the day of the last one, and the last day for the next one."""

    kpi: str
    expects: str
    last_fact: date | None
    due: date

    def is_stale(self, today: date) -> bool:
        """Is the next fact overdue? On the day itself it is not."""
        return today > self.due

    def show(self, today: date) -> dict[str, Any]:
        """Show it as part of an answer."""
        return {
            "kpi": self.kpi,
            "expects": self.expects,
            "last_fact": self.last_fact and self.last_fact.isoformat(),
            "due": self.due.isoformat(),
            "stale": self.is_stale(today),
        }


class StaleReason(NamedTuple):
    """A reason why a source is not fresh, and the state that it is in because of it."""

    state: str
    code: str
    zh: str
    en: str

    def show(self) -> dict[str, Any]:
        """Show it as part of an answer."""
        return {"code": self.code, "zh": self.zh, "en": self.en}


@dataclass(frozen=True)
class SourceFreshness:
    """Condition of a service's records now; None where something is not known."""

    service: str
    is_reachable: bool
    last_event: datetime | None
    pending: int | None
    oldest_pending: float | None  # seconds
    parked_here: int
    parked_there: int | None
    differing: int | None
    queued: int | None  # of all services
    expected: tuple[ExpectedFact, ...]

    def show(self, today: date) -> dict[str, Any]:
        """Show the source with its reasons; its state is that of the worst one."""
        reasons = [*self._outages(today), *self._lags()]
        return {
            "service": self.service,
            "state": max((reason.state for reason in reasons), key=STATES.index, default="fresh"),
            "reasons": [reason.show() for reason in reasons],
            "reachable": self.is_reachable,
            "last_event": self.last_event and self.last_event.astimezone(SHANGHAI).isoformat(timespec="seconds"),
            "pending": self.pending,
            "oldest_pending": self.oldest_pending,
            "parked_here": self.parked_here,
            "parked_there": self.parked_there,
            "differing": self.differing,
            "expected": [fact.show(today) for fact in self.expected],
        }

    def _outages(self, today: date) -> Iterator[StaleReason]:
        if not self.is_reachable:
            yield StaleReason("away", "away", "服务无响应", "the service does not answer")
        for fact in self.expected:
            if fact.is_stale(today):
                zh = f"指标 {fact.kpi} 应有数据的最后日期为 {fact.due}，至今没有"
                yield StaleReason("stale", "stale", zh, f"{fact.kpi} expects a fact by {fact.due} and has none")

    def _lags(self) -> Iterator[StaleReason]:
        if (seconds := round(self.oldest_pending or 0)) > LATE:
            en = f"a record waits to be published for {seconds} s"
            yield StaleReason("late", "pending", f"有记录 {seconds} 秒未发布", en)
        if (self.queued or 0) > QUEUED:
            en = f"{self.queued} events of all services wait to be taken in"
            yield StaleReason("late", "queued", f"{self.queued} 个事件等待接收（所有服务合计）", en)
        if self.parked_here:
            en = f"{self.parked_here} messages are parked at the gateway"
            yield StaleReason("late", "parked", f"网关有 {self.parked_here} 条消息待处理", en)
        if self.parked_there:
            en = f"{self.parked_there} messages are parked at the service"
            yield StaleReason("late", "parked", f"该服务有 {self.parked_there} 条消息待处理", en)
        if self.differing:
            en = f"{self.differing} records differed at the last comparison"
            yield StaleReason("late", "behind", f"上次比对有 {self.differing} 条记录不一致", en)
