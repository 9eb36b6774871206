"""Alerts: rules that people made, what each of them last saw, and the inbox of their owners.

A rule is one document: what it last saw of each KPI, and the alerts that this made and that are not handed out yet.
Both change in one write that another gateway's write in between prevents, so each change makes one alert, and whoever
dies on the way loses none: handing out is done by whichever gateway comes next, and may be done twice.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pymongo import ReturnDocument
from pymongo.collection import Collection
from pymongo.database import Database

from gateway.http import pagination
from gateway.http.json_schema import INSTANT, TEXT, TRUTH, WHOLE, WORDS, each, many, maybe, one_of, page
from gateway.notifications import status_changes
from gateway.notifications.status_changes import KpiConditions, Subscription
from gateway.notifications.webhook_outbox import WebhookOutbox
from gateway.notifications.webhooks import a_new_secret
from services.chassis.clock import SystemClock
from services.chassis.problem import Conflict, NotFound
from services.chassis.tokens import Actor
from services.contract import wire

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
    state=one_of("active", "retired"),
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
    value=maybe(WHOLE),
    state=TEXT,
    revision=WHOLE,
    at=INSTANT,
    read=TRUTH,
)
INBOX = page(ALERT, unread=WHOLE)


@dataclass(frozen=True)
class KpiObservation:
    """What was seen of a year's KPIs: how each stands, and what the plan says of it."""

    as_of: str
    revision: int
    standings: KpiConditions
    kpis: Mapping[str, Document]  # each with its item

    def of(self, wants: Subscription) -> KpiConditions:
        """Of what a rule asks for."""
        return {code: one for code, one in self.standings.items() if wants.covers(self.kpis[code])}


class Alerts:
    """The rules and inboxes of all gateways."""

    def __init__(self, database: Database[Document], deliveries: WebhookOutbox, clock: SystemClock) -> None:
        self._rules: Collection[Document] = database["alert_rules"]
        self._inbox: Collection[Document] = database["alerts"]
        self._deliveries, self._clock = deliveries, clock

    def prepare(self) -> None:
        self._rules.create_index([("owner", 1), ("made_at", -1), ("_id", -1)])
        self._rules.create_index("state")
        self._rules.create_index("is_full", partialFilterExpression={"is_full": True})
        self._inbox.create_index([("owner", 1), ("read", 1), ("at", -1), ("_id", -1)])
        self._deliveries.prepare()

    # --- rules -------------------------------------------------------------------------------------------------------

    def make(self, said: Mapping[str, Any], *, owner: str) -> Document:
        """The rule, with the secret of its webhook, which is not told again."""
        if self._rules.count_documents({"owner": owner, "state": "active"}, limit=AT_MOST) >= AT_MOST:
            raise Conflict(f"You have {AT_MOST} rules; retire one.", f"您已有 {AT_MOST} 条规则，请先停用一条。")
        told = {name: list(said[name]) for name in ("kpis", "items", "to")}
        rule = {
            "_id": uuid.uuid4().hex,
            "owner": owner,
            **{name: said[name] for name in ("name", "year", "webhook")},
            **told,
            "secret": a_new_secret() if said["webhook"] else None,
            "state": "active",
            "made_at": self._now(),
            "since": None,
            "retired_at": None,
            "turn": 0,
            "as_of": "",
            "seen": {},
            "outbox": [],
            "is_full": False,
        }
        self._rules.insert_one(rule)
        return _rule(rule) | {"secret": rule["secret"]}

    def rules(self, asked: Mapping[str, Any], *, owner: str) -> Document:
        """The newest first, also those that are retired."""
        limit, after = asked.get("limit", pagination.PAGE), asked.get("cursor")
        which: Document = {"owner": owner}
        if after:
            made_at, id_ = after
            which["$or"] = [{"made_at": {"$lt": made_at}}, {"made_at": made_at, "_id": {"$lt": id_}}]
        found = list(self._rules.find(which).sort([("made_at", -1), ("_id", -1)]).limit(limit + 1))
        last = found[limit - 1] if len(found) > limit else None
        return {
            "items": [_rule(rule) for rule in found[:limit]],
            "cursor": pagination.write_mark(last["made_at"], last["_id"]) if last else None,
        }

    def rule(self, id_: str, *, actor: Actor) -> Document:
        """Only its owner and operators may ask."""
        held = self._rules.find_one({"_id": id_, **_of(actor)})
        if held is None:
            raise NotFound(rule=id_)
        return _rule(held)

    def retire(self, id_: str, *, actor: Actor) -> Document:
        """It makes no further alerts; what it made before is still delivered. Again, it changes nothing."""
        retired = {"state": "retired", "retired_at": self._now()}
        self._rules.update_one({"_id": id_, **_of(actor), "state": "active"}, {"$set": retired})
        return self.rule(id_, actor=actor)

    # --- what rules see ----------------------------------------------------------------------------------------------

    def active(self) -> list[Document]:
        return list(self._rules.find({"state": "active"}))

    def note(self, rule: Document, sight: KpiObservation) -> bool:
        """What it sees now, with the alerts that this makes, in one write; False where another gateway was first.

        The rule was read before what it sees: so nobody goes back to what was before the change of another.
        """
        wants, before = wants_of(rule), rule["seen"]
        known = status_changes.seen(before, sight.of(wants), wants)
        if known == before and rule["since"]:
            return True
        made = _made(rule, sight, wants)
        is_seen = all(one.keys() >= set(wants.aspects) for one in known.values())
        since = rule["since"] or (sight.as_of if is_seen else None)
        noted = {"seen": known, "turn": rule["turn"] + 1, "as_of": sight.as_of, "since": since}
        full = {"$set": {**noted, "is_full": True}, "$push": {"outbox": {"$each": made}}}
        is_next = {"_id": rule["_id"], "turn": rule["turn"], "state": "active", "as_of": {"$lte": sight.as_of}}
        return self._rules.update_one(is_next, full if made else {"$set": noted}).matched_count > 0

    def hand_out(self) -> None:
        """Everything that rules have made into its inbox, and to its webhook."""
        for rule in self._rules.find({"is_full": True}):
            for made in rule["outbox"]:
                self._inbox.update_one({"_id": made["_id"]}, {"$setOnInsert": made}, upsert=True)
                if rule["webhook"]:
                    self._deliveries.keep(made["_id"], rule=rule["_id"], address=rule["webhook"], body=_event(made))
            handed = {"$set": {"outbox": [], "is_full": False}}
            self._rules.update_one({"_id": rule["_id"], "turn": rule["turn"]}, handed)

    def secret(self, rule: str) -> str:
        return self._rules.find_one({"_id": rule}, {"secret": 1})["secret"]  # type: ignore[index]  # none is deleted

    # --- the inbox ---------------------------------------------------------------------------------------------------

    def inbox(self, asked: Mapping[str, Any], *, owner: str) -> Document:
        """Unread ones first, of each the newest first."""
        limit, after = asked.get("limit", pagination.PAGE), asked.get("cursor")
        which: Document = {"owner": owner}
        if after:
            read, at, id_ = after
            same = {"read": read, "at": at, "_id": {"$lt": id_}}
            which["$or"] = [{"read": {"$gt": read}}, {"read": read, "at": {"$lt": at}}, same]
        found = list(self._inbox.find(which).sort([("read", 1), ("at", -1), ("_id", -1)]).limit(limit + 1))
        last = found[limit - 1] if len(found) > limit else None
        return {
            "items": [_said(alert) for alert in found[:limit]],
            "cursor": pagination.write_mark(last["read"], last["at"], last["_id"]) if last else None,
            "unread": self._inbox.count_documents({"owner": owner, "read": False}),
        }

    def read(self, id_: str, *, owner: str) -> Document:
        """From now on it counts as read."""
        held = self._inbox.find_one_and_update(
            {"_id": id_, "owner": owner}, {"$set": {"read": True}}, return_document=ReturnDocument.AFTER
        )
        if held is None:
            raise NotFound(alert=id_)
        return _said(held)

    def _now(self) -> str:
        return self._clock.now().isoformat(timespec="milliseconds")


def wants_of(rule: Document) -> Subscription:
    return Subscription(rule["year"], frozenset(rule["kpis"]), frozenset(rule["items"]), frozenset(rule["to"]))


def _made(rule: Document, sight: KpiObservation, wants: Subscription) -> list[Document]:
    """The alerts of the rule's next turn; without a full stop in their ids, which a signature could not tell apart."""
    return [
        _alert(f"{rule['_id']}-{rule['turn'] + 1}-{number}", rule, change, sight)
        for number, change in enumerate(status_changes.changes(rule["seen"], sight.of(wants), wants))
    ]


def _alert(id_: str, rule: Document, change: status_changes.StatusChange, sight: KpiObservation) -> Document:
    kpi = sight.kpis[change.kpi]
    return {
        "_id": id_,
        "owner": rule["owner"],
        "rule": rule["_id"],
        "name": rule["name"],
        "year": rule["year"],
        "kpi": change.kpi,
        "was": change.was,
        "now": change.now,
        **{name: kpi[name] for name in ("item", "title", "value", "state")},
        "revision": sight.revision,
        "at": sight.as_of,
        "read": False,
    }


def _event(alert: Document) -> bytes:
    """A CloudEvent of the change."""
    said = _said(alert)
    return wire.encode(
        {
            "specversion": "1.0",
            "id": said.pop("id"),
            "source": "/gateway",
            "type": "kpi.status_changed",
            "subject": f"{alert['year']}/{alert['kpi']}",
            "time": said.pop("at"),
            "datacontenttype": "application/json",
            "data": {name: value for name, value in said.items() if name != "read"},
        }
    )


def _of(actor: Actor) -> Document:
    return {} if "operator" in actor.roles else {"owner": actor.id}


def _said(alert: Document) -> Document:
    """The alert as its owner is told."""
    names = [name for name in ALERT["properties"] if name != "id"]
    return {"id": alert["_id"], **{name: alert[name] for name in names}}


def _rule(rule: Document) -> Document:
    """The rule as its owner is told."""
    names = [name for name in RULE["properties"] if name != "id"]
    return {"id": rule["_id"], **{name: rule[name] for name in names}}
