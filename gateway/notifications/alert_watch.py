"""The watch over statuses: every change becomes an alert, once for all gateways."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from time import monotonic
from typing import Any

import eventlet
from eventlet import GreenPool
from pymongo.errors import PyMongoError

from gateway.notifications import status_changes, webhooks
from gateway.notifications.alert_requests import AlertRequests, log
from gateway.notifications.alerts import Alerts, Document, KpiObservation, wants_of
from gateway.notifications.lease import Lease
from gateway.notifications.status_changes import KpiConditions
from gateway.notifications.webhook_outbox import WebhookOutbox
from gateway.notifications.webhooks import Undelivered
from gateway.reporting import question_parameters
from gateway.reporting.query_service import QueryService, SharedQueryService
from services.chassis.log import malfunction
from services.chassis.mongo import database, patiently
from services.chassis.problem import NotFound, Problem
from services.chassis.provider import Provider

LOOK = 2.0  # seconds between two looks at the numbers

TURN = 10.0  # seconds after which they are looked at although nothing came in: some change with the day alone

HELD = 15.0  # seconds after which another gateway looks in the place of one that died

DUE = 1.0  # seconds between two looks for webhooks that are due

AT_ONCE = 8  # webhooks under way in one gateway


class AlertWatch:
    """Looks at the numbers for all rules, twice before it believes what it sees."""

    def __init__(self, query_service: QueryService, alerts: Alerts) -> None:
        self._query_service, self._alerts = query_service, alerts
        self._last: dict[int, KpiConditions] = {}
        self._revision, self._look_at = -1, 0.0

    def look(self) -> None:
        """Note what changed for each rule, where there is anything to see."""
        rules = self._alerts.active()
        if not rules:
            return
        revision, is_new = self._query_service.revision(), any(rule["since"] is None for rule in rules)
        if not is_new and revision == self._revision and monotonic() < self._look_at:
            return
        is_steady = True
        for year in {rule["year"] for rule in rules}:
            with suppress(NotFound):  # a plan that is no more
                is_steady &= self._look(year, [rule for rule in rules if rule["year"] == year])
        self._look_at = monotonic() + (TURN if is_steady else 0.0)
        self._revision = revision

    def forget(self) -> None:
        """What was seen is too old to go by: another gateway looks."""
        self._last = {}

    def _look(self, year: int, rules: list[Document]) -> bool:
        """False where another look is needed."""
        sight = self._sight(year, rules)
        before, self._last[year] = self._last.get(year, {}), sight.standings
        steady = KpiObservation(sight.as_of, sight.revision, status_changes.steady(before, sight.standings), sight.kpis)
        noted = [self._alerts.note(rule, steady) for rule in rules]
        return all(noted) and steady.standings == sight.standings

    def _sight(self, year: int, rules: list[Document]) -> KpiObservation:
        progress = self._query_service.progress(str(year), {})
        kpis = status_changes.kpis(progress)
        doubted = [wants for wants in map(wants_of, rules) if wants.needs_trust and not progress["complete"]]
        standings = {
            code: status_changes.standing(
                kpi, self._reasons(year, code) if any(one.covers(kpi) for one in doubted) else ()
            )
            for code, kpi in kpis.items()
        }
        return KpiObservation(progress["as_of"], progress["revision"], standings, kpis)

    def _reasons(self, year: int, code: str) -> Iterable[Mapping[str, Any]]:
        """Why this number is not complete: the plan's answer says it of all of them together."""
        return self._query_service.kpi(code, {"period": question_parameters.period(str(year))})["reasons"]


class AlertRequestsProvider(Provider[AlertRequests]):
    """Gives the gateway its alarms, and keeps the watch."""

    reporting = SharedQueryService()

    def setup(self) -> None:
        config = self.container.config
        held = database(config["SETTINGS"], self.container.service_name)
        self._deliveries = WebhookOutbox(held["deliveries"], config["CLOCK"])
        self._alerts = Alerts(held, self._deliveries, config["CLOCK"])
        self._lease = Lease(held["leases"], "watch", seconds=HELD)
        patiently(self._alerts.prepare)
        patiently(self._lease.prepare)

    def start(self) -> None:
        query_service, config = self.reporting.query_service, self.container.config
        self._clock = config["CLOCK"]
        self._alarms = AlertRequests(
            query_service, self._alerts, self._deliveries, hosts=config["SETTINGS"].webhook_hosts
        )
        self._watch = AlertWatch(query_service, self._alerts)
        self._under_way = GreenPool(AT_ONCE)
        self._threads = [
            self.container.spawn_managed_thread(self._tend, identifier="watch"),
            self.container.spawn_managed_thread(self._deliver, identifier="webhooks"),
        ]

    def stop(self) -> None:
        """What is cut off is done again: nothing counts as done before it is."""
        for thread in [*self._threads, *self._under_way.coroutines_running]:
            thread.kill()
        with suppress(PyMongoError):  # then another gateway waits a little for the lease
            self._lease.release()

    def provide(self) -> AlertRequests:
        return self._alarms

    def _tend(self) -> None:
        while True:
            eventlet.sleep(LOOK)
            with _going_on("watch"):
                if self._lease.take():
                    self._watch.look()
                else:
                    self._watch.forget()
                self._alerts.hand_out()

    def _deliver(self) -> None:
        while True:
            eventlet.sleep(DUE)
            with _going_on("webhooks"):
                while self._under_way.free() and (held := self._deliveries.take()):
                    self._under_way.spawn(self._send, held)

    def _send(self, held: Document) -> None:
        with _going_on("webhooks"):
            try:
                self._alarms.check_origin(held["address"])
                secret, now = self._alerts.secret(held["rule"]), self._clock.now()
                status = webhooks.send(held["address"], held["body"], id_=held["_id"], secret=secret, now=now)
            except Undelivered as error:
                if not self._deliveries.failed(held, why=str(error)):
                    log.warning("webhook given up", delivery=held["_id"], rule=held["rule"])
            else:
                self._deliveries.delivered(held, status=status)


@contextmanager
def _going_on(thread: str) -> Iterator[None]:
    """Whatever happened, the next round comes: else it would end the process."""
    try:
        yield
    except (Problem, PyMongoError) as error:
        log.info("not now", thread=thread, error=type(error).__name__)
    except Exception as error:  # noqa: BLE001 - it is logged as our mistake
        malfunction(error, thread=thread)
