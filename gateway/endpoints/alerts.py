"""Alert rules, the inbox, and the deliveries to webhooks."""

from __future__ import annotations

from typing import Any

from gateway.api.endpoint import endpoint
from gateway.endpoints.callers import OPERATOR
from gateway.http.messages import Reply, Request
from gateway.notifications import inputs
from gateway.notifications.alert_requests import AlertRequests
from gateway.notifications.alerts import ALERT, INBOX, NEW_RULE, RULE, RULES
from gateway.notifications.webhook_outbox import DELIVERIES, DELIVERY


class AlertEndpoints:
    """Alerts about changes of a KPI's status."""

    alert_requests: AlertRequests

    @endpoint(
        "POST",
        "/api/v1/alerts/rules",
        en="Create an alert rule for changes of a KPI's status.",
        zh="订阅状态变化提醒。",
        takes=inputs.NewAlertRule,
        answers={201: NEW_RULE},
    )
    def make_alert_rule(self, request: Request) -> Reply:
        return self.alert_requests.make_rule(request)

    @endpoint(
        "GET",
        "/api/v1/alerts/rules",
        en="List your alert rules.",
        zh="我的提醒规则。",
        asks=inputs.RULES,
        answers={200: RULES},
    )
    def alert_rules(self, request: Request) -> Any:
        return self.alert_requests.rules(request)

    @endpoint(
        "GET",
        "/api/v1/alerts/rules/<id_>",
        en="Show one of your alert rules.",
        zh="提醒规则详情。",
        answers={200: RULE},
    )
    def alert_rule(self, request: Request, id_: str) -> Any:
        return self.alert_requests.rule(id_, request)

    @endpoint(
        "POST",
        "/api/v1/alerts/rules/<id_>/retire",
        en="Retire an alert rule.",
        zh="停用提醒规则。",
        answers={200: RULE},
    )
    def retire_alert_rule(self, request: Request, id_: str) -> Any:
        return self.alert_requests.retire_rule(id_, request)

    @endpoint(
        "GET",
        "/api/v1/alerts",
        en="List the alerts in your inbox.",
        zh="提醒收件箱。",
        asks=inputs.INBOX,
        answers={200: INBOX},
    )
    def alerts(self, request: Request) -> Any:
        return self.alert_requests.inbox(request)

    @endpoint("POST", "/api/v1/alerts/<id_>/read", en="Mark an alert as read.", zh="标记已读。", answers={200: ALERT})
    def read_alert(self, request: Request, id_: str) -> Any:
        return self.alert_requests.mark_read(id_, request)

    @endpoint(
        "GET",
        "/api/v1/alerts/deliveries",
        en="List webhook deliveries: delivered, waiting and given up.",
        zh="外发提醒及其状态。",
        **OPERATOR,
        asks=inputs.DELIVERIES,
        answers={200: DELIVERIES},
    )
    def deliveries(self, request: Request) -> Any:
        return self.alert_requests.deliveries(request)

    @endpoint(
        "POST",
        "/api/v1/alerts/deliveries/<id_>/again",
        en="Send a webhook delivery again.",
        zh="重新发送。",
        **OPERATOR,
        answers={200: DELIVERY},
    )
    def deliver_again(self, _: Request, id_: str) -> Any:
        return self.alert_requests.redeliver(id_)
