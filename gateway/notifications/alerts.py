"""Alerts: the rules of all owners, what each rule saw last, and the owners' inboxes.

A rule is one document, with what it saw last of each KPI and the alerts that are not handed out yet. Both change in one
write, which fails if another gateway wrote in between: so each change makes one alert. A gateway that dies on the way
loses none: the next one hands them out, perhaps a second time.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from pymongo import IndexModel, ReturnDocument
from pymongo.collection import Collection
from pymongo.database import Database

from gateway.http import pagination
from gateway.http.json_schema import INSTANT, TEXT, TRUTH, WHOLE, WORDS, each, many, maybe, one_of, page
from gateway.notifications import status_changes
from gateway.notifications.alert_rules import (
    LIFECYCLE,
    Alert,
    AlertRule,
    KpiObservation,
    observe,
    read_alert,
    read_rule,
    write_alert,
    write_rule,
)
from gateway.notifications.webhook_outbox import WebhookOutbox
from gateway.notifications.webhooks import make_secret
from gateway.reporting.answer_schemas import QUANTITY, UNIT, WRITTEN_OUT
from services.chassis.clock import SystemClock
from services.chassis.problem import Conflict, NotFound
from services.chassis.tokens import Actor
from services.contract import wire
from services.kernel.calendar import format_instant

Document = dict[str, Any]

AT_MOST = 100  # rules of one owner that are active at once

RULE = each(
    id=TEXT,
    name=TEXT,
    year=WHOLE,
    kpis=many(TEXT),
    items=many(WHOLE),
    to=many(one_of(*status_changes.WORDS)),
    webhook=maybe(TEXT),
    state=one_of(*LIFECYCLE.states),
    made_at=INSTANT,
    since=maybe(INSTANT),
    retired_at=maybe(INSTANT),
)
NEW_RULE = each(**RULE["properties"], secret=maybe(TEXT))
RULES = page(RULE)
ALERT = each(
    id=TEXT,
    rule=TEXT,
    name=TEXT,
    year=WHOLE,
    item=WHOLE,
    kpi=TEXT,
    title=WORDS,
    was=maybe(TEXT),
    now=one_of(*status_changes.WORDS),
    value=maybe(QUANTITY),
    unit=maybe(UNIT),
    text=maybe(WRITTEN_OUT),
    state=TEXT,
    revision=WHOLE,
    at=INSTANT,
    read=TRUTH,
)
INBOX = page(ALERT, unread=WHOLE)


class Alerts:
    """The rules and inboxes that all gateways share."""

    def __init__(self, database: Database[Document], outbox: WebhookOutbox, clock: SystemClock) -> None:
        self._rules: Collection[Document] = database["alert_rules"]
        self._inbox: Collection[Document] = database["alerts"]
        self._outbox, self._clock = outbox, clock

    def prepare(self) -> None:
        """Create the indexes."""
        self._rules.create_indexes(
            [
                IndexModel([("owner", 1), ("made_at", -1), ("_id", -1)]),
                IndexModel("state"),
                IndexModel("is_full", partialFilterExpression={"is_full": True}),
            ]
        )
        self._inbox.create_index([("owner", 1), ("read", 1), ("at", -1), ("_id", -1)])
        self._outbox.prepare()

    # --- rules -------------------------------------------------------------------------------------------------------

    def make_rule(self, params: Mapping[str, Any], *, owner: str) -> AlertRule:
        """Make a rule, with a secret if it has a webhook; `Conflict` where its owner has too many."""
        if self._rules.count_documents({"owner": owner, "state": "active"}, limit=AT_MOST) >= AT_MOST:
            raise Conflict(f"You have {AT_MOST} rules; retire one.", f"您已有 {AT_MOST} 条规则，请先停用一条。")

        rule = AlertRule(
            id=uuid.uuid4().hex,
            owner=owner,
            name=params["name"],
            year=params["year"],
            kpis=tuple(params["kpis"]),
            items=tuple(params["items"]),
            to=tuple(params["to"]),
            webhook=params["webhook"],
            secret=make_secret() if params["webhook"] else None,
            made_at=self._now(),
        )
        self._rules.insert_one(write_rule(rule))
        return rule

    def rules(self, params: Mapping[str, Any], *, owner: str) -> Document:
        """List the owner's rules, the newest first and the retired ones too."""
        condition: Document = {"owner": owner}
        if cursor := params.get("cursor"):
            made_at, id_ = cursor
            condition["$or"] = [{"made_at": {"$lt": made_at}}, {"made_at": made_at, "_id": {"$lt": id_}}]
        rows = self._rules.find(condition).sort([("made_at", -1), ("_id", -1)])
        return pagination.page(
            lambda most: map(read_rule, rows.limit(most)),
            limit=params.get("limit", pagination.PAGE),
            show=show_rule,
            cursor=lambda rule: pagination.write_mark(rule.made_at, rule.id),
        )

    def rule(self, id_: str, *, actor: Actor) -> AlertRule:
        """The rule, for its owner and for operators; `NotFound` for everybody else."""
        document = self._rules.find_one({"_id": id_, **_visible_to(actor)})
        if document is None:
            raise NotFound(rule=id_)
        return read_rule(document)

    def retire_rule(self, id_: str, *, actor: Actor) -> AlertRule:
        """Have the rule make no further alerts; earlier ones are still delivered. Twice is the same as once."""
        retired = {"state": "retired", "retired_at": self._now()}
        self._rules.update_one({"_id": id_, **_visible_to(actor), "state": "active"}, {"$set": retired})
        return self.rule(id_, actor=actor)

    def secret_of(self, rule: str) -> str:
        """The secret with which the rule's webhooks are signed."""
        document: Document = self._rules.find_one({"_id": rule}, {"secret": 1}) or {}
        secret: str = document["secret"]  # no rule is ever deleted
        return secret

    # --- what rules see ----------------------------------------------------------------------------------------------

    def active_rules(self) -> list[AlertRule]:
        """All rules that are not retired."""
        return [read_rule(document) for document in self._rules.find({"state": "active"})]

    def note(self, rule: AlertRule, observation: KpiObservation) -> bool:
        """Note what a rule sees, with the alerts this makes, in one write; False where another gateway was first.

        The rule has to be read before the observation, so that no gateway takes back what another one noted since.
        """
        noted = observe(rule, observation)
        if noted is rule:
            return True

        values: Document = {name: getattr(noted, name) for name in ("seen", "turn", "as_of", "since")}
        update: Document = {"$set": values}
        if made := noted.outbox[len(rule.outbox) :]:
            values["is_full"] = True
            update["$push"] = {"outbox": {"$each": [write_alert(alert) for alert in made]}}
        is_unchanged = {"_id": rule.id, "turn": rule.turn, "state": "active", "as_of": {"$lte": observation.as_of}}
        return self._rules.update_one(is_unchanged, update).matched_count > 0

    def hand_out(self) -> None:
        """Put every alert that rules have made into its owner's inbox, and into the outbox of webhooks."""
        for rule in map(read_rule, self._rules.find({"is_full": True})):
            for alert in rule.outbox:
                self._hand_out(alert, rule.webhook)
            self._rules.update_one({"_id": rule.id, "turn": rule.turn}, {"$set": {"outbox": [], "is_full": False}})

    def _hand_out(self, alert: Alert, webhook: str | None) -> None:
        self._inbox.update_one({"_id": alert.id}, {"$setOnInsert": write_alert(alert)}, upsert=True)
        if webhook:
            self._outbox.add_delivery(alert.id, rule=alert.rule, address=webhook, body=_cloud_event(alert))

    # --- the inbox ---------------------------------------------------------------------------------------------------

    def inbox(self, params: Mapping[str, Any], *, owner: str) -> Document:
        """List the owner's alerts: unread before read ones, and of each the newest first."""
        condition: Document = {"owner": owner}
        if cursor := params.get("cursor"):
            read, at, id_ = cursor
            same = {"read": read, "at": at, "_id": {"$lt": id_}}
            condition["$or"] = [{"read": {"$gt": read}}, {"read": read, "at": {"$lt": at}}, same]
        rows = self._inbox.find(condition).sort([("read", 1), ("at", -1), ("_id", -1)])
        alerts = pagination.page(
            lambda most: map(read_alert, rows.limit(most)),
            limit=params.get("limit", pagination.PAGE),
            show=show_alert,
            cursor=lambda alert: pagination.write_mark(alert.read, alert.at, alert.id),
        )
        return {**alerts, "unread": self._inbox.count_documents({"owner": owner, "read": False})}

    def mark_read(self, id_: str, *, owner: str) -> Alert:
        """Mark an alert of the owner as read; `NotFound` for everybody else."""
        document = self._inbox.find_one_and_update(
            {"_id": id_, "owner": owner}, {"$set": {"read": True}}, return_document=ReturnDocument.AFTER
        )
        if document is None:
            raise NotFound(alert=id_)
        return read_alert(document)

    def _now(self) -> str:
        return format_instant(self._clock.now())


def show_rule(rule: AlertRule) -> Document:
    """Show a rule to its owner, without its secret."""
    return {name: getattr(rule, name) for name in RULE["properties"]}


def show_new_rule(rule: AlertRule) -> Document:
    """Show a rule that was just made, with its secret, which is never shown again."""
    return {**show_rule(rule), "secret": rule.secret}


def show_alert(alert: Alert) -> Document:
    """Show an alert to its owner."""
    return {name: getattr(alert, name) for name in ALERT["properties"]}


def _cloud_event(alert: Alert) -> bytes:
    """The body of a webhook: the change as a CloudEvent."""
    data = show_alert(alert)
    del data["read"]
    return wire.encode(
        {
            "specversion": "1.0",
            "id": data.pop("id"),
            "source": "/gateway",
            "type": "kpi.status_changed",
            "subject": f"{alert.year}/{alert.kpi}",
            "time": data.pop("at"),
            "datacontenttype": "application/json",
            "data": data,
        }
    )


def _visible_to(actor: Actor) -> Document:
    return {} if "operator" in actor.roles else {"owner": actor.id}
