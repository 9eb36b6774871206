"""Inputs and parameters of requests about alert rules, inboxes and webhook deliveries."""

from __future__ import annotations

from datetime import datetime

from gateway.http.pagination import CURSOR, LIMIT, mark
from gateway.http.parameters import Parameter, one_of
from gateway.notifications.delivery import LIFECYCLE
from gateway.notifications.status_changes import WORDS
from services.chassis import fields


class NewAlertRule(fields.Schema):
    """The changes of status that make an alert: of these KPIs and of all KPIs of these items, or of all if none."""

    name = fields.Text(max=100)
    year = fields.Whole(min=1, max=9_999, rule=None)
    kpis = fields.Many(fields.Id(), required=False)
    items = fields.Many(fields.Whole(min=1, rule=None), required=False)
    to = fields.Many(fields.OneOf(*WORDS), min=1)
    webhook = fields.Text(max=500, required=False)


DELIVERY_STATE = Parameter(
    one_of(LIFECYCLE.states), "Only deliveries in this state.", "仅限该状态。", {"enum": list(LIFECYCLE.states)}
)

RULES = {"cursor": Parameter(mark(str, str), CURSOR.en, CURSOR.zh), "limit": LIMIT}

INBOX = {"cursor": Parameter(mark(bool, str, str), CURSOR.en, CURSOR.zh), "limit": LIMIT}

DELIVERIES = {"cursor": Parameter(mark(datetime, str), CURSOR.en, CURSOR.zh), "state": DELIVERY_STATE, "limit": LIMIT}
