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

    @endpoint("POST", "/api/v1/alerts/rules", takes=inputs.AlertRule, answers={201: NEW_RULE})
    def make_alert_rule(self, request: Request) -> Reply:
        """Be told when a number changes its status. 订阅状态变化提醒。"""
        return self.alert_requests.make(request)

    @endpoint("GET", "/api/v1/alerts/rules", asks=inputs.RULES, answers={200: RULES})
    def alert_rules(self, request: Request) -> Any:
        """Your rules. 我的提醒规则。"""
        return self.alert_requests.rules(request)

    @endpoint("GET", "/api/v1/alerts/rules/<id_>", answers={200: RULE})
    def alert_rule(self, request: Request, id_: str) -> Any:
        """One of them. 提醒规则详情。"""
        return self.alert_requests.rule(id_, request)

    @endpoint("POST", "/api/v1/alerts/rules/<id_>/retire", answers={200: RULE})
    def retire_alert_rule(self, request: Request, id_: str) -> Any:
        """Be told no more. 停用提醒规则。"""
        return self.alert_requests.retire(id_, request)

    @endpoint("GET", "/api/v1/alerts", asks=inputs.INBOX, answers={200: INBOX})
    def alerts(self, request: Request) -> Any:
        """Your inbox. 提醒收件箱。"""
        return self.alert_requests.inbox(request)

    @endpoint("POST", "/api/v1/alerts/<id_>/read", answers={200: ALERT})
    def read_alert(self, request: Request, id_: str) -> Any:
        """You have read it. 标记已读。"""
        return self.alert_requests.read(id_, request)

    @endpoint(
        "GET", "/api/v1/alerts/deliveries", **OPERATOR, asks=inputs.DELIVERIES,
        answers={200: DELIVERIES},
    )  # fmt: skip
    def deliveries(self, request: Request) -> Any:
        """What was sent to webhooks, and what waits. 外发提醒及其状态。"""
        return self.alert_requests.deliveries(request)

    @endpoint("POST", "/api/v1/alerts/deliveries/<id_>/again", **OPERATOR, answers={200: DELIVERY})
    def deliver_again(self, _: Request, id_: str) -> Any:
        """Try one again that was given up. 重新发送。"""
        return self.alert_requests.again(id_)
