"""Audit trail: who sent which write, when, by which command and how they were identified; never its content.

It has every write of a known caller, every login that was tried, and every read of names or of what is meant for few:
which record was read, never what it says. Requests of unknown callers change nothing, and
are only counted in the metrics. An entry is written a moment after the response, and kept for five years.
"""

from __future__ import annotations

import re
import secrets
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

import eventlet
from eventlet.event import Event as Signal
from nameko.extensions import SharedExtension
from pymongo import IndexModel
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError, PyMongoError
from structlog import get_logger

from gateway.http import pagination, parameters
from gateway.http.json_schema import INSTANT, TEXT, WHOLE, Shape, each, maybe, one_of, page
from gateway.http.messages import Request
from gateway.http.pagination import CURSOR, LIMIT
from gateway.http.parameters import InvalidValue, Parameter
from gateway.http.server import Server
from services.chassis.amqp import Backoff
from services.chassis.mongo import DUPLICATE, database, patiently
from services.chassis.provider import Provider
from services.kernel.calendar import end_of, format_instant, start_of

KEPT = timedelta(days=5 * 365 + 2)
READING = ("GET", "HEAD", "OPTIONS")
LONGEST = 500  # characters of an address
BATCH_TIME = 0.05  # seconds in which entries are collected for one write
MOST_WAITING = 20_000  # entries while the database is away; then the oldest are given up
STOP_TIMEOUT = 2.0  # seconds that the last entries may take when the process stops

Document = dict[str, Any]

log = get_logger()


def cursor(text: str) -> str:
    """Read a cursor of this list, which is the id of an entry; raises `InvalidValue`."""
    if not re.fullmatch(r"[0-9a-f]{12}-[0-9a-f]{16}", text):
        raise InvalidValue("Not a cursor of this list.", "不是此列表的游标。")
    return text


DAY: Document = {"type": "string", "format": "date"}
ASKS = {
    "actor": Parameter(str, "Only requests of this actor.", "仅限该主体（编号）。"),
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


@dataclass(frozen=True, kw_only=True)
class AuditEntry:
    """A request that may have changed something, or read what is confidential.

    Its id begins with its instant, so that ids are in order of time.
    """

    id: str
    at: datetime
    who: str | None
    identified_by: str
    token_id: str | None
    method: str
    address: str
    status: int
    command_id: str | None
    sent_from: str | None


class AuditTrail(SharedExtension):
    """The trail of one gateway; all gateways write to the same collection."""

    server = Server()

    def __init__(self) -> None:
        self._waiting: deque[AuditEntry] = deque()
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
        """Write what is left; the server calls this after its last response."""
        self._is_closing = True
        self._wake()
        if self._thread is not None:
            with eventlet.Timeout(STOP_TIMEOUT, False):
                self._thread.wait()

    def note(self, request: Request, status: int) -> None:
        """Note a request that belongs in the trail; it is written later, so that no response waits for it."""
        is_read = request.method in READING
        if (is_read and not request.is_noted) or request.identified_by is None:
            return

        at = self.container.config["CLOCK"].now()
        self._waiting.append(
            AuditEntry(
                id=f"{_id_prefix(at)}-{secrets.token_hex(8)}",
                at=at,
                who=request.actor.id or None,
                identified_by=request.identified_by,
                token_id=request.token_id,
                method=request.method,
                address=(request.full_path.rstrip("?") if is_read else request.path)[:LONGEST],
                status=status,
                command_id=request.command_id,
                sent_from=request.remote_addr,
            )
        )
        self._wake()

    def page(self, params: Mapping[str, Any]) -> Document:
        """List entries, the newest first."""
        rows = self._entries.find(_filter(params)).sort("_id", -1)
        return pagination.page(
            lambda most: map(_read_entry, rows.limit(most)),
            limit=params.get("limit", pagination.PAGE),
            show=_show_entry,
            cursor=attrgetter("id"),
        )

    def _prepare(self) -> None:
        self._entries.create_indexes(
            [IndexModel("at", expireAfterSeconds=int(KEPT.total_seconds())), IndexModel([("who", 1), ("_id", 1)])]
        )

    def _wake(self) -> None:
        if not self._bell.ready():
            self._bell.send()

    def _run(self) -> None:
        backoff = Backoff(longest=5.0)
        while self._waiting or not self._is_closing:
            if self._waiting:
                self._write_batch(backoff)
            else:
                self._bell = Signal()
                self._bell.wait()

    def _write_batch(self, backoff: Backoff) -> None:
        if not self._is_closing:
            eventlet.sleep(BATCH_TIME)
        try:
            self._write(list(self._waiting))
            backoff.reset()
        except PyMongoError as error:
            self._give_up_the_oldest()
            log.warning("audit trail waits", entries=len(self._waiting), error=type(error).__name__)
            eventlet.sleep(backoff.next())

    def _write(self, entries: list[AuditEntry]) -> None:
        """Write all entries; those of an earlier try whose answer was lost are there already, and left alone."""
        try:
            self._entries.insert_many([_write_entry(entry) for entry in entries], ordered=False)
        except BulkWriteError as error:
            if any(fault["code"] != DUPLICATE for fault in error.details["writeErrors"]):
                raise
        for _ in entries:
            self._waiting.popleft()

    def _give_up_the_oldest(self) -> None:
        lost = max(0, len(self._waiting) - MOST_WAITING)
        for _ in range(lost):
            self._waiting.popleft()
        if lost:
            log.error("audit entries lost", entries=lost)


class AuditTrailProvider(Provider[AuditTrail]):
    """Provides the gateway's `AuditTrail`."""

    trail = AuditTrail()

    def provide(self) -> AuditTrail:
        return self.trail


def _write_entry(entry: AuditEntry) -> Document:
    values = asdict(entry)
    return {"_id": values.pop("id"), **values}


def _read_entry(document: Mapping[str, Any]) -> AuditEntry:
    return AuditEntry(id=document["_id"], **{name: document[name] for name in ENTRY["properties"]})


def _show_entry(entry: AuditEntry) -> Document:
    shown = {name: getattr(entry, name) for name in ENTRY["properties"]}
    return {**shown, "at": format_instant(entry.at)}


def _filter(params: Mapping[str, Any]) -> Document:
    """Turn days into ranges of ids, which begin with the instant."""
    bounds: Document = {}
    if since := params.get("since"):
        bounds["$gte"] = _id_prefix(start_of(since))
    before = [_id_prefix(end_of(until))] if (until := params.get("until")) else []
    before += [last] if (last := params.get("cursor")) else []
    if before:
        bounds["$lt"] = min(before)
    by_actor = {"who": params["actor"]} if params.get("actor") else {}
    return {**by_actor, **({"_id": bounds} if bounds else {})}


def _id_prefix(at: datetime) -> str:
    """The beginning of every id from this instant on, in milliseconds."""
    return f"{int(at.timestamp() * 1_000):012x}"
