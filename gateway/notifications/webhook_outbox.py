"""Outbox of webhooks: deliveries that wait for their receiver, were delivered, or were given up.

Each is delivered at least once, and by one gateway at a time: an attempt holds it for `LEASE` seconds of the database's
clock. The injected clock decides when it is attempted again.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from pymongo import IndexModel, ReturnDocument
from pymongo.collection import Collection

from gateway.http import pagination
from gateway.http.json_schema import INSTANT, TEXT, WHOLE, each, maybe, one_of, page
from gateway.notifications.delivery import (
    LIFECYCLE,
    Attempt,
    Delivery,
    read_delivery,
    write_attempt,
    write_delivery,
)
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
    state=one_of(*LIFECYCLE.states),
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
        """Create the indexes; MongoDB removes what ended `KEPT` ago."""
        self._deliveries.create_indexes(
            [
                IndexModel([("state", 1), ("next_at", 1)]),
                IndexModel([("made_at", -1), ("_id", -1)]),
                IndexModel("ended_at", expireAfterSeconds=int(KEPT.total_seconds())),
            ]
        )

    def add_delivery(self, id_: str, *, rule: str, address: str, body: bytes) -> None:
        """Promise the delivery; the same id again changes nothing."""
        now = self._clock.now()
        delivery = Delivery(id=id_, rule=rule, address=address, body=body, made_at=now, since=now, next_at=now)
        new = write_delivery(delivery)
        self._deliveries.update_one({"_id": new.pop("_id")}, {"$setOnInsert": new}, upsert=True)

    def take_delivery(self) -> Delivery | None:
        """Take the next delivery that is due; nobody else gets it until the lease is over."""
        is_free = {"$lt": ["$leased_until", "$$NOW"]}  # null is less than any instant
        until = {"$add": ["$$NOW", int(LEASE * 1_000)]}
        document = self._deliveries.find_one_and_update(
            {"state": "waiting", "next_at": {"$lte": self._clock.now()}, "$expr": is_free},
            [{"$set": {"lease": uuid.uuid4().hex, "leased_until": until}}],
            sort=[("next_at", 1)],
            return_document=ReturnDocument.AFTER,
        )
        return read_delivery(document) if document else None

    def note_delivered(self, delivery: Delivery, *, status: int) -> None:
        """Note that the receiver took it; changes nothing where another attempt holds it by now."""
        now = self._clock.now()
        self._note_attempt(delivery, f"status {status}", {"state": "delivered", "ended_at": now, "next_at": None})

    def note_failed(self, delivery: Delivery, *, why: str) -> bool:
        """Note a failed attempt, and plan the next one; False where the delivery is given up."""
        now = self._clock.now()
        next_at = next_try(delivery.tries + 1, since=delivery.since, now=now)
        given_up = {"state": "given_up", "ended_at": now, "next_at": None}
        self._note_attempt(delivery, why, {"next_at": next_at} if next_at else given_up)
        return next_at is not None

    def _note_attempt(self, delivery: Delivery, outcome: str, changed: Mapping[str, Any]) -> None:
        last = write_attempt(Attempt(self._clock.now(), outcome))
        self._deliveries.update_one(
            {"_id": delivery.id, "lease": delivery.lease},
            {"$set": {"last": last, "lease": None, "leased_until": None, **changed}, "$inc": {"tries": 1}},
        )

    # --- what operators see and do -----------------------------------------------------------------------------------

    def page(self, params: Mapping[str, Any]) -> Document:
        """List deliveries, the newest first."""
        conditions: list[Document] = [{"state": params["state"]}] if "state" in params else []
        if cursor := params.get("cursor"):
            made_at, id_ = cursor
            conditions.append({"$or": [{"made_at": {"$lt": made_at}}, {"made_at": made_at, "_id": {"$lt": id_}}]})
        rows = self._deliveries.find({"$and": conditions} if conditions else {}).sort([("made_at", -1), ("_id", -1)])
        return pagination.page(
            lambda most: map(read_delivery, rows.limit(most)),
            limit=params.get("limit", pagination.PAGE),
            show=show_delivery,
            cursor=lambda delivery: pagination.write_mark(format_instant(delivery.made_at), delivery.id),
        )

    def redeliver(self, id_: str) -> Delivery:
        """Attempt it now, and for three more days; also a delivered one, whose receiver may have lost it."""
        now = self._clock.now()
        changed = {"state": "waiting", "since": now, "next_at": now, "ended_at": None, "tries": 0}
        document = self._deliveries.find_one_and_update(
            {"_id": id_}, {"$set": changed}, return_document=ReturnDocument.AFTER
        )
        if document is None:
            raise NotFound(delivery=id_)
        return read_delivery(document)


def show_delivery(delivery: Delivery) -> Document:
    """Show a delivery to operators: of its address only the origin, since the rest may be a secret."""
    last = delivery.last
    return {
        "id": delivery.id,
        "rule": delivery.rule,
        "to": origin(delivery.address) or "-",
        "state": delivery.state,
        "tries": delivery.tries,
        "last": {"at": format_instant(last.at), "outcome": last.outcome} if last else None,
        "made_at": format_instant(delivery.made_at),
        "next_at": _written(delivery.next_at),
        "ended_at": _written(delivery.ended_at),
    }


def _written(instant: datetime | None) -> str | None:
    return format_instant(instant) if instant else None
