"""Parking: a message that cannot be handled (a dead letter) is stored in MongoDB by a majority, and only then acked.

It is never put back into a queue and never dropped: it is tried again after 1, 5, 30 and 120 minutes, then an operator
is alarmed. Settled messages are kept for 90 days.
"""

from __future__ import annotations

import hashlib
import traceback
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from bson import Binary, ObjectId
from pymongo import IndexModel, ReturnDocument
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError
from structlog import get_logger

from services.chassis import metrics, tokens
from services.chassis.amqp import body_of
from services.chassis.clock import SystemClock
from services.chassis.mongo import Document, patiently
from services.chassis.problem import NotFound
from services.contract.topology import rpc_queue
from services.kernel.calendar import format_instant

log = get_logger()

SCHEDULE = (60, 300, 1_800, 7_200)  # seconds to the first try, and from each try to the next
NOT_NOW = 5  # seconds until a message that its handler could not take yet is tried again
KEPT = timedelta(days=90)
PAGE = 100
LONGEST = 12_000_000  # bytes of a body that are stored; a document holds 16 MB

WAITING = {"state": "waiting"}
SETTLED = {"handled": "已处理", "replayed": "已重放", "discarded": "已丢弃"}  # by the schedule; by an operator

ITEM = (
    "queue", "exchange", "routing_key", "error", "parked_at", "size", "state", "tries", "due_at", "alarm",
    "settled_at", "settled_by", "why",
)  # fmt: skip


class Parking:
    """The parked messages of one service.

    A message that comes again while it waits, because its ack was lost, is recognised by queue, ids and bytes. So two
    messages with the same content are stored as one, as their handler would have taken them as one. A message that
    comes again after it was settled waits anew.
    """

    def __init__(self, database: Database[Document], clock: SystemClock) -> None:
        self._parked = database["parked"]
        self._clock = clock

    def prepare(self, requests: str) -> None:
        """Make the indexes, and mend what earlier releases parked.

        Their messages had no schedule at first; later they alarmed for each message in the queue of `requests`.
        """
        self._parked.update_many({**WAITING, "queue": requests, "alarm": True}, {"$set": {"alarm": False}})
        unmarked = {"state": {"$exists": False}}  # by an earlier release
        self._parked.update_many(unmarked, {"$set": {**WAITING, **_scheduled(self._clock.now())}})
        once = {**WAITING, "message": {"$exists": True}}
        self._parked.create_indexes(
            [
                IndexModel([("message", 1)], unique=True, partialFilterExpression=once),
                IndexModel([("due_at", 1)], sparse=True),
                IndexModel([("state", 1), ("alarm", 1), ("exchange", 1)]),
                IndexModel([("state", 1), ("_id", 1)]),
                IndexModel([("settled_at", 1)], expireAfterSeconds=int(KEPT.total_seconds())),
            ]
        )

    def park(self, message: Any, *, queue: str, error: BaseException, is_heard: bool, alarm: bool = True) -> None:
        """Store the message, and wait for as long as the database does not accept it: nothing is acked before.

        Where no handler here can take it again there is no other try, and an operator is alarmed at once if at all.
        """
        body = body_of(message)
        info, now = message.delivery_info, self._clock.now()
        document = {
            "_id": str(ObjectId()),
            "queue": queue,
            "exchange": info.get("exchange"),
            "routing_key": info.get("routing_key"),
            "properties": _properties(message),
            "body": Binary(body[:LONGEST]),
            "size": len(body),
            "parked_at": format_instant(now),
            **_fault(error),
            **(_scheduled(now) if is_heard and len(body) <= LONGEST else {"tries": 0, "alarm": alarm}),
        }
        same = {**WAITING, "message": _identity(message, body, queue)}
        with suppress(DuplicateKeyError):  # it waits already
            patiently(lambda: self._parked.update_one(same, {"$setOnInsert": document}, upsert=True))
        log.error("parked", queue=queue, error=type(error).__name__, alarm=document["alarm"])

    def claim(self, queues: Iterable[str]) -> Document | None:
        """Take the next due message for this caller alone; it is due again later, should the caller die."""
        now = self._clock.now()
        due = {**WAITING, "queue": {"$in": list(queues)}, "due_at": {"$lte": now}}
        while candidate := self._parked.find_one(due, {"tries": 1, "due_at": 1, "queue": 1}, sort=[("due_at", 1)]):
            if candidate["tries"] >= len(SCHEDULE):  # the process ended in the last try
                self._alarm(candidate)
                continue
            pause = timedelta(seconds=SCHEDULE[min(candidate["tries"] + 1, len(SCHEDULE) - 1)])
            claimed = self._parked.find_one_and_update(
                {**WAITING, **candidate},
                {"$inc": {"tries": 1}, "$set": {"due_at": now + pause}},
                return_document=ReturnDocument.AFTER,
            )
            if claimed:
                return claimed
        return None

    def postpone(self, claimed: Document) -> None:
        """Put a message back whose handler cannot take it yet: that was no try."""
        soon = self._clock.now() + timedelta(seconds=NOT_NOW)
        self._parked.update_one(_as_is(claimed), {"$inc": {"tries": -1}, "$set": {"due_at": soon}})

    def fail(self, claimed: Document, error: BaseException) -> None:
        """Note a failed try; after the last try of the schedule the operator is alarmed."""
        self._parked.update_one(_as_is(claimed), {"$set": _fault(error)})
        if claimed["tries"] >= len(SCHEDULE):
            self._alarm(claimed)

    def _alarm(self, claimed: Document) -> None:
        self._parked.update_one(_as_is(claimed), {"$set": {"alarm": True}, "$unset": {"due_at": ""}})
        log.error("parked message needs an operator", id=claimed["_id"], queue=claimed["queue"])

    def note(self, id_: str, error: BaseException) -> None:
        """Note the error of a failed replay."""
        self._parked.update_one({**WAITING, "_id": id_}, {"$set": _fault(error)})

    def settle(self, id_: str, state: str, *, by: str | None = None, why: str | None = None) -> bool:
        """End a message's wait; False where somebody else was first."""
        settled = {"state": state, "settled_at": self._clock.now(), "settled_by": by, "why": why}
        changed = self._parked.update_one({**WAITING, "_id": id_}, {"$set": settled, "$unset": {"due_at": ""}})
        return bool(changed.matched_count)

    def page(self, *, state: str | None, cursor: str | None, limit: int | None) -> Document:
        """Return `items`, the oldest first, their `total`, and the `cursor` of the next page."""
        matching = {"state": {"$in": list(SETTLED)}} if state == "settled" else WAITING
        after = {"_id": {"$gt": cursor}} if cursor else {}
        limit = limit or PAGE
        documents = list(
            self._parked.find({**matching, **after}, dict.fromkeys(ITEM, 1)).sort("_id", 1).limit(limit + 1)
        )
        return {
            "items": [item(document) for document in documents[:limit]],
            "total": self._parked.count_documents(matching),
            "cursor": documents[limit - 1]["_id"] if len(documents) > limit else None,
        }

    def find(self, id_: str) -> Document:
        """Return a message; raises `NotFound`."""
        document = self._parked.find_one({"_id": id_})
        if document is None:
            raise NotFound(kind="parked", id=id_)
        return document


def waiting(database: Database[Document]) -> tuple[int, int]:
    """Count the parked messages, and those of them that only an operator can settle."""
    parked = database["parked"]
    return parked.count_documents(WAITING), parked.count_documents({**WAITING, "alarm": True})


def waiting_events(database: Database[Document], service: str) -> int:
    """Count the parked events of a service. A request in its queue is no fact that others could miss."""
    return database["parked"].count_documents({**WAITING, "queue": {"$ne": rpc_queue(service)}})


def count(database: Database[Document], service: str) -> None:
    """Set the metrics of parked messages, whichever process parked them and however long ago."""
    metrics.PARKED.labels(service).set(waiting_events(database, service))
    metrics.PARKED_ALARMS.labels(service).set(waiting(database)[1])


def _properties(message: Any) -> dict[str, str]:
    """The sender's properties, without the token that some send along."""
    properties = dict(message.properties)
    headers = properties.pop("application_headers", None) or {}
    properties["application_headers"] = {name: value for name, value in headers.items() if name != tokens.HEADER}
    return {name: _as_text(value) for name, value in properties.items()}


def _as_text(value: Any) -> str:
    """Write any value as a text that can be stored."""
    try:
        return str(value)[:1_000].encode(errors="backslashreplace").decode()
    except RecursionError:
        return "nested too deeply"


def _identity(message: Any, body: bytes, queue: str) -> str:
    ids = [message.properties.get(name) for name in ("message_id", "correlation_id")]
    return hashlib.sha256(repr([queue, *ids]).encode() + body).hexdigest()


def _scheduled(parked_at: datetime) -> Document:
    """A message at the start of the schedule."""
    return {"tries": 0, "alarm": False, "due_at": parked_at + timedelta(seconds=SCHEDULE[0])}


def _fault(error: BaseException) -> Document:
    return {
        "error": f"{type(error).__name__}: {error}"[:2_000],
        "traceback": "".join(traceback.format_exception(error))[-8_000:],
    }


def _as_is(claimed: Document) -> Document:
    return {**WAITING, "_id": claimed["_id"], "due_at": claimed["due_at"]}


def item(document: Document) -> Document:
    """Return a message as lists show it."""
    instants = {name: _instant(document.get(name)) for name in ("due_at", "settled_at")}
    return {"id": document["_id"], **{name: document.get(name) for name in ITEM}, **instants}


def _instant(stored: datetime | None) -> str | None:
    return None if stored is None else format_instant(stored)
