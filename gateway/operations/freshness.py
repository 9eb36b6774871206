"""Freshness of the sources: how far each service's records have come in, and whether facts are overdue.

An answer may be `KNOWN_FOR` seconds old, so that not every reader makes the gateway ask services and broker.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from time import monotonic
from typing import Any

import eventlet
from eventlet.semaphore import Semaphore

from gateway.http.json_schema import DAY, INSTANT, NUMBER, TEXT, TRUTH, WHOLE, each, many, maybe, one_of
from gateway.kpi.plan_index import KpiLine
from gateway.operations import broker_status, system_status
from gateway.operations.source_freshness import INTERVALS, STATES, ExpectedFact, SourceFreshness
from gateway.read_model.store import Store, differing_records
from gateway.reconciliation import own_records
from gateway.reporting.query_service import QueryService, SharedQueryService
from gateway.upstream.delegation import DelegatedCaller
from services.chassis.client import Caller, CallerProvider
from services.chassis.clock import SystemClock
from services.chassis.problem import Problem
from services.chassis.settings import Settings
from services.contract.topology import LEDGER_QUEUE, SERVICES, exchange

KNOWN_FOR = 2.0  # seconds

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
    service=TEXT, state=one_of(*STATES), reasons=many(REASON),
    reachable=TRUTH, last_event=maybe(INSTANT),
    pending=COUNT, oldest_pending=maybe(NUMBER), parked_here=WHOLE, parked_there=COUNT,
    differing=COUNT, expected=many(FACT),
)  # fmt: skip
SOURCES = each(as_of=INSTANT, revision=WHOLE, queued=COUNT, sources=many(SOURCE))


@dataclass(frozen=True)
class GatewaySnapshot:
    """Knowledge that the gateway itself has of all services at one moment, and the KPIs of this year."""

    store: Store
    ledger: Mapping[str, Any]
    parked: Mapping[str, int]  # by the exchange that the messages came from
    lines: list[KpiLine]

    def source(
        self, service: str, condition: Mapping[str, Any] | None, queued: int | None, today: date
    ) -> SourceFreshness:
        """Put together the freshness of a service; its `condition` is None where it does not answer."""
        stated = condition or {}
        lines = [line for line in self.lines if line.kpi.rule.of.service == service]
        facts = [expected_fact(self.store, line, today) for line in lines]
        return SourceFreshness(
            service=service,
            is_reachable=condition is not None,
            last_event=self.ledger["heard"].get(service),
            pending=stated.get("pending"),
            oldest_pending=stated.get("oldest_pending"),
            parked_here=self.parked.get(exchange(service), 0),
            parked_there=stated.get("parked_events", stated.get("parked")),  # a ping, and older services, say no more
            differing=differing_records(dict(self.ledger)).get(service),
            queued=queued,
            expected=tuple(fact for fact in facts if fact),
        )


def expected_fact(store: Store, line: KpiLine, today: date) -> ExpectedFact | None:
    """The next fact of a KPI, counted from the last one, or from the beginning of the year before the first one.

    None where the plan expects no facts, or is not this year's.
    """
    often = line.kpi.expects
    if often is None or line.plan.year != today.year:
        return None

    begins = date(line.plan.year, 1, 1)
    last = own_records.last_fact(store, line.kpi.rule, since=begins, until=today)
    return ExpectedFact(line.kpi.code, often, last, (last or begins) + INTERVALS[often])


class FreshnessMonitor:
    """Asks services and broker for the freshness of all sources, at most once in `KNOWN_FOR` seconds."""

    def __init__(self, caller: Caller, settings: Settings, query_service: QueryService, clock: SystemClock) -> None:
        self._caller, self._settings, self._query_service, self._clock = caller, settings, query_service, clock
        self._one_at_a_time = Semaphore(1)
        self._known: tuple[float, dict[str, Any]] = (0.0, {})

    def all(self) -> dict[str, Any]:
        """Show all sources; readers that come at once get the same answer."""
        with self._one_at_a_time:
            until, answer = self._known
            if monotonic() >= until:
                answer = self._look()
                self._known = monotonic() + KNOWN_FOR, answer
        return answer

    def _look(self) -> dict[str, Any]:
        queues = eventlet.spawn(broker_status.lengths, self._settings)
        conditions = {service: eventlet.spawn(self._condition, service) for service in SERVICES}
        snapshot, now = self._snapshot(), self._clock.now()
        queued, today = queues.wait()[LEDGER_QUEUE.name], now.date()
        sources = [snapshot.source(service, conditions[service].wait(), queued, today) for service in SERVICES]
        return {
            "as_of": now.isoformat(timespec="seconds"),
            "revision": snapshot.ledger["revision"],
            "queued": queued,
            "sources": [source.show(today) for source in sources],
        }

    def _snapshot(self) -> GatewaySnapshot:
        generations = self._query_service.generations
        store = generations.serving()
        ledger = generations.ask(lambda serving: serving.read_counts({})).ledger
        return GatewaySnapshot(store, ledger, store.parked(), self._query_service.kpi_lines(self._clock.today().year))

    def _condition(self, service: str) -> dict[str, Any] | None:
        """The service's condition, or without a key to ask for it only its ping; None where it does not answer."""
        with eventlet.Timeout(system_status.TIMEOUT, False), suppress(Problem):
            return self._ask(service)
        return None

    def _ask(self, service: str) -> dict[str, Any]:
        key = self._settings.token_private_key
        if key is None:
            return dict(self._caller.call(service, "ping", {}, timeout=system_status.TIMEOUT))

        ask = DelegatedCaller(self._caller, key, by="gateway")
        return dict(ask(service, "condition", timeout=system_status.TIMEOUT))


class FreshnessMonitorProvider(CallerProvider):
    """Provides the gateway's `FreshnessMonitor`, which calls services over a connection of its own."""

    reporting = SharedQueryService()

    def start(self) -> None:
        super().start()
        config, query_service = self.container.config, self.reporting.query_service
        self._monitor = FreshnessMonitor(self._caller, config["SETTINGS"], query_service, config["CLOCK"])

    def provide(self) -> FreshnessMonitor:
        return self._monitor
