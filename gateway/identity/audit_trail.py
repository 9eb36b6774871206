"""The audit trail: who asked for what was changed, when, by which command, and how they were known; never what it said.

Every write by somebody who is known and every login that was tried; requests of nobody change nothing and are counted
in the metrics. An entry is written beside the answer, a moment later, and kept for five years.
"""

from __future__ import annotations

import re
import secrets
from collections import deque
from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any

import eventlet
from eventlet.event import Event as Signal
from nameko.extensions import SharedExtension
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError, PyMongoError
from structlog import get_logger

from gateway.http import parameters
from gateway.http.json_schema import INSTANT, TEXT, WHOLE, Shape, each, maybe, one_of, page
from gateway.http.messages import Request
from gateway.http.pagination import CURSOR, LIMIT, PAGE
from gateway.http.parameters import InvalidValue, Parameter
from gateway.http.server import Server
from services.chassis.amqp import Backoff
from services.chassis.mongo import database, patiently
from services.chassis.provider import Provider
from services.kernel.calendar import SHANGHAI, end_of, format_instant

KEPT = timedelta(days=5 * 365 + 2)
READING = ("GET", "HEAD", "OPTIONS")
LONGEST = 500  # characters of an address
BREATH = 0.05  # seconds in which entries come together
HELD = 20_000  # entries that wait while the database is away; older ones are given up for newer ones
LAST_WORDS = 2.0  # seconds that the last ones may take when the process stops

Document = dict[str, Any]

log = get_logger()


def cursor(text: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{12}-[0-9a-f]{16}", text):
        raise InvalidValue("Not a cursor of this list.", "不是此列表的游标。")
    return text


DAY: Document = {"type": "string", "format": "date"}
ASKS = {
    "actor": Parameter(str, "Only what this one asked for, by its id.", "仅限该主体（编号）。"),
    "since": Parameter(parameters.day, "From this day on.", "自该日起。", DAY),
    "until": Parameter(parameters.day, "Up to this day, inclusive.", "至该日止（含）。", DAY),
    "cursor": Parameter(cursor, CURSOR.en, CURSOR.zh),
    "limit": LIMIT,
}
ENTRY: Shape = each(
    at=INSTANT, who=maybe(TEXT), identified_by=one_of("token", "session", "login"), token_id=maybe(TEXT), method=TEXT,
    address=TEXT, status=WHOLE, command_id=maybe(TEXT), sent_from=maybe(TEXT),
)  # fmt: skip
ENTRIES: Shape = page(ENTRY)


class AuditTrail(SharedExtension):
    """One for each gateway; all of them write to the same collection."""

    server = Server()

    def __init__(self) -> None:
        self._waiting: deque[Document] = deque()
        self._bell = Signal()
        self._is_closing = False
        self._thread: Any = None

    def setup(self) -> None:
        config = self.container.config
        self._entries: Collection[Document] = database(config["SETTINGS"], self.container.service_name)["audit"]
        patiently(self._prepare)
        self.server.after_each.append(self.note)
        self.server.at_stop.append(self.close)

    def start(self) -> None:
        self._thread = self.container.spawn_managed_thread(self._run, identifier="audit trail")

    def close(self) -> None:
        """Write what is left; the server calls it once the last request was answered."""
        self._is_closing = True
        self._wake()
        if self._thread is not None:
            with eventlet.Timeout(LAST_WORDS, False):
                self._thread.wait()

    def note(self, request: Request, status: int) -> None:
        """Costs no more than a line in a list."""
        if request.method in READING or request.identified_by is None:
            return
        at = self.container.config["CLOCK"].now()
        self._waiting.append(
            {
                "_id": _id(at),
                "at": at,
                "who": request.actor.id or None,
                "identified_by": request.identified_by,
                "token_id": request.token_id,
                "method": request.method,
                "address": request.path[:LONGEST],
                "status": status,
                "command_id": request.command_id,
                "sent_from": request.remote_addr,
            }
        )
        self._wake()

    def page(self, asked: Mapping[str, Any]) -> Document:
        """The newest first."""
        limit = asked.get("limit", PAGE)
        found = list(self._entries.find(_filter(asked)).sort("_id", -1).limit(limit + 1))
        items = [
            {**{name: held[name] for name in ENTRY["properties"]}, "at": format_instant(held["at"])}
            for held in found[:limit]
        ]
        return {"items": items, "cursor": found[limit - 1]["_id"] if len(found) > limit else None}

    def _prepare(self) -> None:
        self._entries.create_index("at", expireAfterSeconds=int(KEPT.total_seconds()))
        self._entries.create_index([("who", 1), ("_id", 1)])

    def _wake(self) -> None:
        if not self._bell.ready():
            self._bell.send()

    def _run(self) -> None:
        backoff = Backoff(longest=5.0)
        while self._waiting or not self._is_closing:
            if not self._waiting:
                self._bell = Signal()
                self._bell.wait()
                continue
            if not self._is_closing:
                eventlet.sleep(BREATH)
            try:
                self._write(list(self._waiting))
                backoff.reset()
            except PyMongoError as error:
                self._give_up_the_oldest()
                log.warning("audit trail waits", entries=len(self._waiting), error=type(error).__name__)
                eventlet.sleep(backoff.next())

    def _write(self, entries: list[Document]) -> None:
        """All of them; those that were written at a try whose answer was lost are there already."""
        try:
            self._entries.insert_many(entries, ordered=False)
        except BulkWriteError as error:
            if any(fault["code"] != 11000 for fault in error.details["writeErrors"]):
                raise
        for _ in entries:
            self._waiting.popleft()

    def _give_up_the_oldest(self) -> None:
        lost = max(0, len(self._waiting) - HELD)
        for _ in range(lost):
            self._waiting.popleft()
        if lost:
            log.error("audit entries lost", entries=lost)


class AuditTrailProvider(Provider[AuditTrail]):
    """Gives the gateway its trail."""

    trail = AuditTrail()

    def provide(self) -> AuditTrail:
        return self.trail


def _filter(asked: Mapping[str, Any]) -> Document:
    """Ids begin with the instant, so that days are ranges of them."""
    bounds: Document = {}
    if since := asked.get("since"):
        bounds["$gte"] = _from(datetime.combine(since, time(), tzinfo=SHANGHAI))
    before = [_from(end_of(until))] if (until := asked.get("until")) else []
    before += [last] if (last := asked.get("cursor")) else []
    if before:
        bounds["$lt"] = min(before)
    by_actor = {"who": asked["actor"]} if asked.get("actor") else {}
    return {**by_actor, **({"_id": bounds} if bounds else {})}


def _id(at: datetime) -> str:
    return f"{_from(at)}-{secrets.token_hex(8)}"


def _from(at: datetime) -> str:
    """The beginning of every id from then on: milliseconds."""
    return f"{int(at.timestamp() * 1_000):012x}"
