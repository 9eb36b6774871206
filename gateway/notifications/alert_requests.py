"""Alerting: what people say of their rules and alerts, and the watch that makes alerts of changes and delivers them.

One gateway of all looks at the numbers, for what is parked at the services each of them knows from its own asking; any
of them hands out and delivers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from structlog import get_logger

from gateway.http.messages import Reply, Request
from gateway.notifications import webhooks
from gateway.notifications.alerts import Alerts
from gateway.notifications.webhook_outbox import WebhookOutbox
from gateway.notifications.webhooks import Undelivered
from gateway.reporting.query_service import QueryService
from services.chassis.problem import FieldError, InvalidInput, NotFound

log = get_logger()


class AlertRequests:
    """Each method answers a request."""

    def __init__(
        self, query_service: QueryService, alerts: Alerts, deliveries: WebhookOutbox, *, hosts: str | None
    ) -> None:
        self._query_service, self._alerts, self._deliveries = query_service, alerts, deliveries
        self._origins = webhooks.origins(hosts)

    def make(self, request: Request) -> Reply:
        said = request.body
        self._check_plan(said)
        self._check_webhook(said["webhook"])
        made = self._alerts.make(said, owner=request.actor.id)
        return Reply(made, 201, {"Location": f"/api/v1/alerts/rules/{made['id']}"})

    def rules(self, request: Request) -> Any:
        return self._alerts.rules(request.params, owner=request.actor.id)

    def rule(self, id_: str, request: Request) -> Any:
        return self._alerts.rule(id_, actor=request.actor)

    def retire(self, id_: str, request: Request) -> Any:
        return self._alerts.retire(id_, actor=request.actor)

    def inbox(self, request: Request) -> Any:
        return self._alerts.inbox(request.params, owner=request.actor.id)

    def read(self, id_: str, request: Request) -> Any:
        return self._alerts.read(id_, owner=request.actor.id)

    def deliveries(self, request: Request) -> Any:
        return self._deliveries.page(request.params)

    def again(self, id_: str) -> Any:
        return self._deliveries.again(id_)

    def check_origin(self, address: str) -> None:
        """The setting may have changed since the rule was made; raises `Undelivered`."""
        if webhooks.origin(address) not in self._origins:
            raise Undelivered("not allowed by WEBHOOK_HOSTS")

    def _check_plan(self, said: Mapping[str, Any]) -> None:
        """There are such a plan, such KPIs and such items."""
        try:
            items = self._query_service.plan(str(said["year"]))["items"]
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


def _unknown(field: str, given: Iterable[Any], known: Collection[Any]) -> Iterator[FieldError]:
    listed = ", ".join(map(str, known))
    for one in given:
        if one not in known:
            yield FieldError(
                field, f"{one} is not in this plan; there are: {listed}.", f"计划中没有 {one}；有：{listed}。"
            )
