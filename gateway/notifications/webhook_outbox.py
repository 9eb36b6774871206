"""Deliveries: webhooks that wait for their receiver, were taken by it or were given up.

Each is delivered at least once, by one gateway at a time: whoever tries it has it for `LEASE` seconds of the database's
clock. When it is tried again is a matter of the injected clock.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from pymongo import ReturnDocument
from pymongo.collection import Collection

from gateway.http import pagination
from gateway.http.json_schema import INSTANT, TEXT, WHOLE, each, maybe, one_of, page
from gateway.notifications import inputs
from gateway.notifications.webhooks import next_try, origin
from services.chassis.clock import SystemClock
from services.chassis.problem import NotFound
from services.kernel.calendar import format_instant

Document = dict[str, Any]

LEASE = 30.0  # seconds; longer than a receiver may take
KEPT = timedelta(days=90)  # after it was delivered or given up

LAST = each(at=INSTANT, outcome=TEXT)
DELIVERY = each(
    id=TEXT,
    rule=TEXT,
    to=TEXT,
    state=one_of(*inputs.DELIVERY_STATES),
    tries=WHOLE,
    made_at=INSTANT,
    next_at=maybe(INSTANT),
    ended_at=maybe(INSTANT),
    last=maybe(LAST),
)
DELIVERIES = page(DELIVERY)


class WebhookOutbox:
    """The outgoing webhooks of all gateways."""

    def __init__(self, deliveries: Collection[Document], clock: SystemClock) -> None:
        self._deliveries, self._clock = deliveries, clock

    def prepare(self) -> None:
        self._deliveries.create_index([("state", 1), ("next_at", 1)])
        self._deliveries.create_index([("made_at", -1), ("_id", -1)])
        self._deliveries.create_index("ended_at", expireAfterSeconds=int(KEPT.total_seconds()))

    def keep(self, id_: str, *, rule: str, address: str, body: bytes) -> None:
        """From now on it will be delivered; the same one again changes nothing."""
        now = self._clock.now()
        new = {"rule": rule, "address": address, "body": body, "state": "waiting", "tries": 0, "last": None}
        new |= {"made_at": now, "since": now, "next_at": now, "ended_at": None, "lease": None, "leased_until": None}
        self._deliveries.update_one({"_id": id_}, {"$setOnInsert": new}, upsert=True)

    def take(self) -> Document | None:
        """The next one that is due, for us alone for now."""
        is_free = {"$lt": ["$leased_until", "$$NOW"]}  # null is less than any instant
        until = {"$add": ["$$NOW", int(LEASE * 1_000)]}
        return self._deliveries.find_one_and_update(
            {"state": "waiting", "next_at": {"$lte": self._clock.now()}, "$expr": is_free},
            [{"$set": {"lease": uuid.uuid4().hex, "leased_until": until}}],
            sort=[("next_at", 1)],
            return_document=ReturnDocument.AFTER,
        )

    def delivered(self, held: Document, *, status: int) -> None:
        now = self._clock.now()
        self._tried(held, f"status {status}", {"state": "delivered", "ended_at": now, "next_at": None})

    def failed(self, held: Document, *, why: str) -> bool:
        """False where it is given up."""
        now, tries = self._clock.now(), held["tries"] + 1
        at = next_try(tries, since=held["since"], now=now)
        self._tried(held, why, {"next_at": at} if at else {"state": "given_up", "ended_at": now, "next_at": None})
        return at is not None

    def _tried(self, held: Document, outcome: str, then: Mapping[str, Any]) -> None:
        told = {"last": {"at": self._clock.now(), "outcome": outcome}, "lease": None, "leased_until": None}
        self._deliveries.update_one(
            {"_id": held["_id"], "lease": held["lease"]}, {"$set": {**told, **then}, "$inc": {"tries": 1}}
        )

    # --- what operators see and do -----------------------------------------------------------------------------------

    def page(self, asked: Mapping[str, Any]) -> Document:
        """The newest first."""
        limit, after = asked.get("limit", pagination.PAGE), asked.get("cursor")
        which: list[Document] = [{"state": asked["state"]}] if "state" in asked else []
        if after:
            made_at, id_ = after
            which.append({"$or": [{"made_at": {"$lt": made_at}}, {"made_at": made_at, "_id": {"$lt": id_}}]})
        order = [("made_at", -1), ("_id", -1)]
        found = list(self._deliveries.find({"$and": which} if which else {}).sort(order).limit(limit + 1))
        last = found[limit - 1] if len(found) > limit else None
        return {
            "items": [_said(held) for held in found[:limit]],
            "cursor": pagination.write_mark(_instant(last["made_at"]), last["_id"]) if last else None,
        }

    def again(self, id_: str) -> Document:
        """Try it now, and for three more days; also one that was delivered, for a receiver that lost it."""
        now = self._clock.now()
        changed = {"state": "waiting", "since": now, "next_at": now, "ended_at": None, "tries": 0}
        held = self._deliveries.find_one_and_update(
            {"_id": id_}, {"$set": changed}, return_document=ReturnDocument.AFTER
        )
        if held is None:
            raise NotFound(delivery=id_)
        return _said(held)


def _said(held: Document) -> Document:
    """The receiver's origin alone: what comes after it may be a secret."""
    last = held["last"]
    return {
        "id": held["_id"],
        "rule": held["rule"],
        "to": origin(held["address"]) or "-",
        "state": held["state"],
        "tries": held["tries"],
        "last": {"at": _instant(last["at"]), "outcome": last["outcome"]} if last else None,
        **{name: _instant(held[name]) for name in ("made_at", "next_at", "ended_at")},
    }


def _instant(stored: datetime | None) -> str | None:
    return format_instant(stored) if stored else None
