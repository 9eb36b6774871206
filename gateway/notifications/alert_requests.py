"""Requests about alert rules, alerts and webhooks, and the background work that makes and delivers alerts.

Of all gateways one watches the KPIs for all rules; each of them hands out alerts and delivers webhooks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from pymongo.errors import PyMongoError

from gateway.http.messages import Reply, Request
from gateway.notifications import webhooks
from gateway.notifications.alert_watch import AlertWatch
from gateway.notifications.alerts import Alerts, show_alert, show_new_rule, show_rule
from gateway.notifications.lease import Lease
from gateway.notifications.webhook_outbox import WebhookOutbox, show_delivery
from gateway.notifications.webhook_sender import WebhookSender
from gateway.reporting.query_service import QueryService, SharedQueryService
from services.chassis.loop import Loop
from services.chassis.mongo import database, patiently
from services.chassis.problem import FieldError, InvalidInput, NotFound
from services.chassis.provider import Provider

WATCH_EVERY = 2.0  # seconds
SEND_EVERY = 1.0  # seconds
LEASE = 15.0  # seconds after which another gateway takes over the watch of one that died


class AlertRequests:
    """Answers requests about alert rules, inboxes and webhook deliveries."""

    def __init__(
        self, query_service: QueryService, alerts: Alerts, outbox: WebhookOutbox, *, origins: Collection[str]
    ) -> None:
        self._query_service, self._alerts, self._outbox, self._origins = query_service, alerts, outbox, origins

    def make_rule(self, request: Request) -> Reply:
        """Make a rule; this answer alone has the secret of its webhook."""
        self._check_plan(request.body)
        self._check_webhook(request.body["webhook"])

        rule = self._alerts.make_rule(request.body, owner=request.actor.id)
        return Reply(show_new_rule(rule), 201, {"Location": f"/api/v1/alerts/rules/{rule.id}"})

    def rules(self, request: Request) -> Any:
        """List the caller's rules."""
        return self._alerts.rules(request.params, owner=request.actor.id)

    def rule(self, id_: str, request: Request) -> Any:
        """Show a rule to its owner or an operator."""
        return show_rule(self._alerts.rule(id_, actor=request.actor))

    def retire_rule(self, id_: str, request: Request) -> Any:
        """Retire a rule of the caller, or any rule as an operator."""
        return show_rule(self._alerts.retire_rule(id_, actor=request.actor))

    def inbox(self, request: Request) -> Any:
        """List the caller's alerts."""
        return self._alerts.inbox(request.params, owner=request.actor.id)

    def mark_read(self, id_: str, request: Request) -> Any:
        """Mark an alert of the caller as read."""
        return show_alert(self._alerts.mark_read(id_, owner=request.actor.id))

    def deliveries(self, request: Request) -> Any:
        """List the webhook deliveries of all rules."""
        return self._outbox.page(request.params)

    def redeliver(self, id_: str) -> Any:
        """Attempt a delivery again now."""
        return show_delivery(self._outbox.redeliver(id_))

    def _check_plan(self, params: Mapping[str, Any]) -> None:
        """Raise `InvalidInput` unless the plan, its KPIs and its items exist."""
        try:
            items = self._query_service.plan(str(params["year"]))["items"]
        except NotFound as error:
            raise InvalidInput(FieldError("year", error.en, error.zh)) from None

        codes = [kpi["code"] for item in items for kpi in item["kpis"]]
        numbers = [item["no"] for item in items]
        errors = [*_unknown("kpis", params["kpis"], codes), *_unknown("items", params["items"], numbers)]
        if errors:
            raise InvalidInput(*errors)

    def _check_webhook(self, address: str | None) -> None:
        if address is None or webhooks.origin(address) in self._origins:
            return

        allowed = ", ".join(sorted(self._origins)) or "-"
        en = f"This gateway may not send there; allowed (WEBHOOK_HOSTS): {allowed}."
        raise InvalidInput(FieldError("webhook", en, f"网关不得向该地址发送；允许（WEBHOOK_HOSTS）：{allowed}。"))


class AlertRequestsProvider(Provider[AlertRequests]):
    """Provides the gateway's `AlertRequests`, and runs the watch and the sender of webhooks."""

    reporting = SharedQueryService()

    def setup(self) -> None:
        config = self.container.config
        collections = database(config["SETTINGS"], self.container.service_name)
        self._outbox = WebhookOutbox(collections["deliveries"], config["CLOCK"])
        self._alerts = Alerts(collections, self._outbox, config["CLOCK"])
        self._lease = Lease(collections["leases"], "watch", seconds=LEASE)
        patiently(self._alerts.prepare)
        patiently(self._lease.prepare)

    def start(self) -> None:
        query_service, config = self.reporting.query_service, self.container.config
        origins = webhooks.origins(config["SETTINGS"].webhook_hosts)
        self._requests = AlertRequests(query_service, self._alerts, self._outbox, origins=origins)
        self._watch = AlertWatch(query_service, self._alerts)
        self._sender = WebhookSender(self._outbox, self._alerts.secret_of, origins, config["CLOCK"])
        self._loops = [
            Loop("watch", self._watch_kpis, seconds=WATCH_EVERY),
            Loop("webhooks", self._sender.send_due, seconds=SEND_EVERY),
        ]
        for loop in self._loops:
            loop.start(self.container)

    def stop(self) -> None:
        """Cut off what is under way: nothing counts as done before it is, so it is done again."""
        for loop in self._loops:
            loop.kill()
        self._sender.stop()
        with suppress(PyMongoError):  # then another gateway waits until the lease is over
            self._lease.release_lease()

    def provide(self) -> AlertRequests:
        return self._requests

    def _watch_kpis(self) -> None:
        if self._lease.take_lease():
            self._watch.look()
        else:
            self._watch.forget()
        self._alerts.hand_out()


def _unknown(field: str, values: Iterable[Any], known: Collection[Any]) -> Iterator[FieldError]:
    listed = ", ".join(map(str, known))
    for value in values:
        if value not in known:
            en, zh = f"{value} is not in this plan; there are: {listed}.", f"计划中没有 {value}；有：{listed}。"
            yield FieldError(field, en, zh)
