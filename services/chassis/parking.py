"""Parking: a message that cannot be handled is kept in MongoDB, written to a majority, and only then acked.

It is never put back into a queue in a loop and never dropped; an operator sees it, replays it or discards it.
"""

from __future__ import annotations

import traceback
import uuid
from typing import Any

from bson import Binary
from pymongo.database import Database
from structlog import get_logger

from services.chassis import metrics
from services.chassis.amqp import body_of
from services.chassis.mongo import Document, patiently
from services.kernel.calendar import SHANGHAI

log = get_logger()

LONGEST = 12_000_000  # bytes of a body that are kept; a document holds 16 MB


class Parking:
    """The parked messages of one service."""

    def __init__(self, database: Database[Document], service: str, clock: Any) -> None:
        self._parked = database["parked"]
        self._service = service
        self._clock = clock

    def park(self, message: Any, *, queue: str, error: BaseException) -> None:
        """Keep it; waits for as long as the database does not take it, for nothing is acked before."""
        body = body_of(message)
        info = message.delivery_info
        document = {
            "_id": str(uuid.uuid4()),
            "queue": queue,
            "exchange": info.get("exchange"),
            "routing_key": info.get("routing_key"),
            "properties": {name: str(value)[:1_000] for name, value in message.properties.items()},
            "body": Binary(body[:LONGEST]),
            "size": len(body),
            "error": f"{type(error).__name__}: {error}"[:2_000],
            "traceback": "".join(traceback.format_exception(error))[-8_000:],
            "parked_at": self._clock.now().astimezone(SHANGHAI).isoformat(timespec="milliseconds"),
        }
        patiently(lambda: self._parked.replace_one({"_id": document["_id"]}, document, upsert=True))
        log.error("parked", id=document["_id"], queue=queue, error=type(error).__name__)


def count(database: Database[Document], service: str) -> None:
    """Show how many are parked now, by whatever process and however long ago."""
    metrics.PARKED.labels(service).set(database["parked"].estimated_document_count())
