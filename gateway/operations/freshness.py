"""Freshness of the sources: how far each service has come in, and whether it is silent longer than the plan expects.

An answer may be `KNOWN_FOR` seconds old: services and broker are not asked by everyone who looks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from time import monotonic
from typing import Any, NamedTuple

import eventlet
from eventlet.semaphore import Semaphore

from gateway.http.json_schema import DAY, INSTANT, NUMBER, TEXT, TRUTH, WHOLE, each, many, maybe, one_of
from gateway.kpi.plan_index import KpiLine
from gateway.operations import system_status
from gateway.read_model.store import Store, compared
from gateway.reconciliation import own_records
from gateway.reporting.query_service import QueryService, SharedQueryService
from gateway.upstream.delegation import DelegatedCaller
from services.chassis.client import Caller, CallerProvider
from services.chassis.clock import SystemClock
from services.chassis.problem import Problem
from services.chassis.settings import Settings
from services.contract.topology import LEDGER_QUEUE, SERVICES, exchange
from services.kernel.calendar import SHANGHAI

KNOWN_FOR = 2.0  # seconds
LATE = 30  # seconds that a record may wait to be published
QUEUED = 1_000  # events that may wait to be taken in

EXPECTED = {
    "daily": timedelta(days=1),
    "weekly": timedelta(days=7),
    "monthly": timedelta(days=31),
    "quarterly": timedelta(days=92),
    "yearly": timedelta(days=366),
}
"""How long there may be no fact of a KPI that the plan expects so often."""

Said = dict[str, Any]

COUNT = maybe(WHOLE)
REASON = each(code=TEXT, zh=TEXT, en=TEXT)
FACT = each(
    kpi=TEXT,
    expects=TEXT,
    last_fact=maybe(DAY),
    due=DAY,
    stale=TRUTH,
)
SOURCE = each(
    service=TEXT, state=one_of("fresh", "late", "stale", "away"), reasons=many(REASON),
    reachable=TRUTH, last_event=maybe(INSTANT),
    pending=COUNT, oldest_pending=maybe(NUMBER), parked_here=WHOLE, parked_there=COUNT,
    differing=COUNT, expected=many(FACT),
)  # fmt: skip
SOURCES = each(as_of=INSTANT, revision=WHOLE, queued=COUNT, sources=many(SOURCE))


@dataclass(frozen=True)
class ExpectedFact:
    """A KPI of which there has to be a fact every so often, and the day of the last one; `due` is the next one's."""

    kpi: str
    expects: str
    last_fact: date | None
    due: date

    def is_stale(self, today: date) -> bool:
        return today > self.due

    def say(self, today: date) -> Said:
        return {
            "kpi": self.kpi,
            "expects": self.expects,
            "last_fact": self.last_fact and self.last_fact.isoformat(),
            "due": self.due.isoformat(),
            "stale": self.is_stale(today),
        }


class StaleReason(NamedTuple):
    """Why a source is in that state."""

    state: str
    code: str
    zh: str
    en: str

    def say(self) -> Said:
        return {"code": self.code, "zh": self.zh, "en": self.en}


@dataclass(frozen=True)
class SourceFreshness:
    """What is known of one service now; None is what nobody can tell."""

    service: str
    is_reachable: bool
    last_event: datetime | None
    pending: int | None
    oldest_pending: float | None
    parked_here: int
    parked_there: int | None
    differing: int | None
    queued: int | None
    expected: tuple[ExpectedFact, ...]

    def say(self, today: date) -> Said:
        reasons = list(self._reasons(today))
        worst = max((reason.state for reason in reasons), key=STATES.index, default="fresh")
        return {
            "service": self.service,
            "state": worst,
            "reasons": [reason.say() for reason in reasons],
            "reachable": self.is_reachable,
            "last_event": self.last_event and self.last_event.astimezone(SHANGHAI).isoformat(timespec="seconds"),
            "pending": self.pending,
            "oldest_pending": self.oldest_pending,
            "parked_here": self.parked_here,
            "parked_there": self.parked_there,
            "differing": self.differing,
            "expected": [one.say(today) for one in self.expected],
        }

    def _reasons(self, today: date) -> Iterator[StaleReason]:
        if not self.is_reachable:
            yield StaleReason("away", "away", "服务无响应", "the service does not answer")
        for one in self.expected:
            if one.is_stale(today):
                zh = f"指标 {one.kpi} 应有数据的最后日期为 {one.due}，至今没有"
                yield StaleReason("stale", "stale", zh, f"{one.kpi} expects a fact by {one.due} and has none")
        yield from self._lags()

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


@dataclass(frozen=True)
class GatewaySnapshot:
    """What the gateway itself knows of all of them, and the KPIs of this year."""

    store: Store
    ledger: Mapping[str, Any]
    parked: Mapping[str, int]
    lines: list[KpiLine]

    def source(self, service: str, said: Mapping[str, Any] | None, queued: int | None, today: date) -> SourceFreshness:
        """With what it says of itself, None where it does not answer."""
        there, heard = said or {}, self.ledger["heard"].get(service)
        lines = [line for line in self.lines if line.kpi.rule.of.service == service]
        return SourceFreshness(
            service=service,
            is_reachable=said is not None,
            last_event=heard,
            pending=there.get("pending"),
            oldest_pending=there.get("oldest_pending"),
            parked_here=self.parked.get(exchange(service), 0),
            parked_there=there.get("parked"),
            differing=compared(dict(self.ledger)).get(service),
            queued=queued,
            expected=tuple(one for line in lines if (one := expected(self.store, line, today))),
        )


STATES = ("fresh", "late", "stale", "away")
"""The worst one last."""


def expected(store: Store, line: KpiLine, today: date) -> ExpectedFact | None:
    """None where the plan expects nothing, or its year is not this one; before the first fact its year begins it."""
    often = line.kpi.expects
    if often is None or line.plan.year != today.year:
        return None
    begins = date(line.plan.year, 1, 1)
    last = own_records.last_fact(store, line.kpi.rule, since=begins, until=today)
    return ExpectedFact(line.kpi.code, often, last, (last or begins) + EXPECTED[often])


class FreshnessMonitor:
    """Answers how the sources are."""

    def __init__(self, caller: Caller, settings: Settings, query_service: QueryService, clock: SystemClock) -> None:
        self._caller, self._settings, self._query_service, self._clock = caller, settings, query_service, clock
        self._one_at_a_time = Semaphore(1)
        self._known: tuple[float, Said] = (0.0, {})

    def all(self) -> Said:
        with self._one_at_a_time:
            until, known = self._known
            if monotonic() >= until:
                known = self._look()
                self._known = monotonic() + KNOWN_FOR, known
        return known

    def _look(self) -> Said:
        queues = eventlet.spawn(system_status.messages, self._settings)
        conditions = {service: eventlet.spawn(self._condition, service) for service in SERVICES}
        here, now = self._here(), self._clock.now()
        queued = queues.wait()[LEDGER_QUEUE.name]
        sources = [here.source(service, conditions[service].wait(), queued, now.date()) for service in SERVICES]
        return {
            "as_of": now.isoformat(timespec="seconds"),
            "revision": here.ledger["revision"],
            "queued": queued,
            "sources": [one.say(now.date()) for one in sources],
        }

    def _here(self) -> GatewaySnapshot:
        store = self._query_service.generations.serving()
        ledger = self._query_service.generations.ask(lambda one: one.read({})).ledger
        return GatewaySnapshot(store, ledger, store.parked(), self._query_service.kpi_lines(self._clock.today().year))

    def _condition(self, service: str) -> Said | None:
        """What it says of itself, or, where we have no key to ask for it, that it is there; None where it is away."""
        said = None
        with eventlet.Timeout(system_status.WITHIN, False), suppress(Problem):
            said = self._ask(service)
        return said

    def _ask(self, service: str) -> Said:
        key = self._settings.token_private_key
        if key is None:
            return dict(self._caller.call(service, "ping", {}, timeout=system_status.WITHIN))
        return dict(
            DelegatedCaller(self._caller, key, by="gateway")(service, "condition", timeout=system_status.WITHIN)
        )


class FreshnessMonitorProvider(CallerProvider):
    """Gives the gateway what it knows of its sources, over a connection of their own."""

    reporting = SharedQueryService()

    def start(self) -> None:
        super().start()
        config = self.container.config
        self._sources = FreshnessMonitor(
            self._caller, config["SETTINGS"], self.reporting.query_service, config["CLOCK"]
        )

    def provide(self) -> FreshnessMonitor:
        return self._sources
