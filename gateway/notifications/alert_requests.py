"""Alerting: what people say of their rules and alerts, and the watch that makes alerts of changes and delivers them.

One gateway of all looks at the numbers, for what is parked at the services each of them knows from its own asking; any
of them hands out and delivers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from time import monotonic
from typing import Any

import eventlet
from eventlet import GreenPool
from nameko.extensions import DependencyProvider
from pymongo.errors import PyMongoError
from structlog import get_logger

from gateway.http import parameters
from gateway.http.messages import Reply, Request
from gateway.notifications import status_changes, webhooks
from gateway.notifications.alerts import Alerts, Document, Sight, wants_of
from gateway.notifications.lease import Lease
from gateway.notifications.status_changes import Standings
from gateway.notifications.webhook_outbox import Deliveries
from gateway.notifications.webhooks import Undelivered
from gateway.reporting.query_service import Desk, Reporting
from services.chassis.log import malfunction
from services.chassis.mongo import database, patiently
from services.chassis.problem import FieldError, InvalidInput, NotFound, Problem

LOOK = 2.0  # seconds between two looks at the numbers
TURN = 10.0  # seconds after which they are looked at although nothing came in: some change with the day alone
HELD = 15.0  # seconds after which another gateway looks in the place of one that died
DUE = 1.0  # seconds between two looks for webhooks that are due
AT_ONCE = 8  # webhooks under way in one gateway

log = get_logger()


class Alarms:
    """Each method answers a request."""

    def __init__(self, desk: Desk, alerts: Alerts, deliveries: Deliveries, *, hosts: str | None) -> None:
        self._desk, self._alerts, self._deliveries = desk, alerts, deliveries
        self._origins = webhooks.origins(hosts)

    def make(self, request: Request) -> Reply:
        said = request.said
        self._check_plan(said)
        self._check_webhook(said["webhook"])
        made = self._alerts.make(said, owner=request.actor.id)
        return Reply(made, 201, {"Location": f"/api/v1/alerts/rules/{made['id']}"})

    def rules(self, request: Request) -> Any:
        return self._alerts.rules(request.asked, owner=request.actor.id)

    def rule(self, id_: str, request: Request) -> Any:
        return self._alerts.rule(id_, actor=request.actor)

    def retire(self, id_: str, request: Request) -> Any:
        return self._alerts.retire(id_, actor=request.actor)

    def inbox(self, request: Request) -> Any:
        return self._alerts.inbox(request.asked, owner=request.actor.id)

    def read(self, id_: str, request: Request) -> Any:
        return self._alerts.read(id_, owner=request.actor.id)

    def deliveries(self, request: Request) -> Any:
        return self._deliveries.page(request.asked)

    def again(self, id_: str) -> Any:
        return self._deliveries.again(id_)

    def check_origin(self, address: str) -> None:
        """The setting may have changed since the rule was made; raises `Undelivered`."""
        if webhooks.origin(address) not in self._origins:
            raise Undelivered("not allowed by WEBHOOK_HOSTS")

    def _check_plan(self, said: Mapping[str, Any]) -> None:
        """There are such a plan, such KPIs and such items."""
        try:
            items = self._desk.plan(str(said["year"]))["items"]
        except NotFound as error:
            raise InvalidInput(FieldError("year", error.en, error.zh)) from None
        codes = [kpi["code"] for item in items for kpi in item["kpis"]]
        numbers = [item["no"] for item in items]
        errors = [*_unknown("kpis", said["kpis"], codes), *_unknown("items", said["items"], numbers)]
        if errors:
            raise InvalidInput(*errors)

    def _check_webhook(self, address: str | None) -> None:
        if address is None or webhooks.origin(address) in self._origins:
            return
        allowed = ", ".join(sorted(self._origins)) or "-"
        en = f"This gateway may not send there; allowed (WEBHOOK_HOSTS): {allowed}."
        raise InvalidInput(FieldError("webhook", en, f"网关不得向该地址发送；允许（WEBHOOK_HOSTS）：{allowed}。"))


class Watch:
    """Looks at the numbers for all rules, twice before it believes what it sees."""

    def __init__(self, desk: Desk, alerts: Alerts) -> None:
        self._desk, self._alerts = desk, alerts
        self._last: dict[int, Standings] = {}
        self._revision, self._look_at = -1, 0.0

    def look(self) -> None:
        """Note what changed for each rule, where there is anything to see."""
        rules = self._alerts.active()
        if not rules:
            return
        revision, is_new = self._desk.revision(), any(rule["since"] is None for rule in rules)
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
        steady = Sight(sight.as_of, sight.revision, status_changes.steady(before, sight.standings), sight.kpis)
        noted = [self._alerts.note(rule, steady) for rule in rules]
        return all(noted) and steady.standings == sight.standings

    def _sight(self, year: int, rules: list[Document]) -> Sight:
        progress = self._desk.progress(str(year), {})
        kpis = status_changes.kpis(progress)
        doubted = [wants for wants in map(wants_of, rules) if wants.needs_trust and not progress["complete"]]
        standings = {
            code: status_changes.standing(
                kpi, self._reasons(year, code) if any(one.covers(kpi) for one in doubted) else ()
            )
            for code, kpi in kpis.items()
        }
        return Sight(progress["as_of"], progress["revision"], standings, kpis)

    def _reasons(self, year: int, code: str) -> Iterable[Mapping[str, Any]]:
        """Why this number is not complete: the plan's answer says it of all of them together."""
        return self._desk.kpi(code, {"period": parameters.period(str(year))})["reasons"]


class Alerting(DependencyProvider):
    """Gives the gateway its alarms, and keeps the watch."""

    def setup(self) -> None:
        config = self.container.config
        held = database(config["SETTINGS"], self.container.service_name)
        self._deliveries = Deliveries(held["deliveries"], config["CLOCK"])
        self._alerts = Alerts(held, self._deliveries, config["CLOCK"])
        self._lease = Lease(held["leases"], "watch", seconds=HELD)
        patiently(self._alerts.prepare)
        patiently(self._lease.prepare)

    def start(self) -> None:
        (reporting,) = [one for one in self.container.dependencies if isinstance(one, Reporting)]
        desk, config = reporting.get_dependency(None), self.container.config
        self._clock = config["CLOCK"]
        self._alarms = Alarms(desk, self._alerts, self._deliveries, hosts=config["SETTINGS"].webhook_hosts)
        self._watch = Watch(desk, self._alerts)
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

    def get_dependency(self, worker_ctx: Any) -> Alarms:  # noqa: ARG002 - nameko's signature
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


def _unknown(field: str, given: Iterable[Any], known: Collection[Any]) -> Iterator[FieldError]:
    listed = ", ".join(map(str, known))
    for one in given:
        if one not in known:
            yield FieldError(
                field, f"{one} is not in this plan; there are: {listed}.", f"计划中没有 {one}；有：{listed}。"
            )


@contextmanager
def _going_on(thread: str) -> Iterator[None]:
    """Whatever happened, the next round comes: else it would end the process."""
    try:
        yield
    except (Problem, PyMongoError) as error:
        log.info("not now", thread=thread, error=type(error).__name__)
    except Exception as error:  # noqa: BLE001 - it is logged as our mistake
        malfunction(error, thread=thread)
