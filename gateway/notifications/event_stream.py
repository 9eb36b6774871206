"""Live numbers: whoever listens is sent what changed, from every gateway alike, as server-sent events.

Each gateway that has listeners looks at the ledger twice a second. A stream remembers what it sent last and is given
the difference to the newest numbers: what comes between two writes to a slow listener is not kept for it, and none of
them waits for another.
"""

from __future__ import annotations

from collections.abc import Iterator
from time import monotonic
from typing import Any

import eventlet
from eventlet.event import Event as Signal
from pymongo.errors import PyMongoError
from structlog import get_logger

from gateway.http.json_schema import INSTANT, TEXT, WHOLE, each, many, maybe
from gateway.http.messages import Reply, Request
from gateway.http.server import EVENT_STREAM, Server
from gateway.notifications import kpi_snapshot
from gateway.notifications.kpi_snapshot import KpiSnapshot
from gateway.reporting.query_service import QueryService, SharedQueryService
from services.chassis.log import malfunction
from services.chassis.problem import Overloaded, Problem
from services.chassis.provider import Provider
from services.contract import wire

LOOK = 0.5  # seconds between two looks at the ledger
TURN = 30.0  # seconds after which numbers are read although nothing came in: some change with the day alone
HEARTBEAT = 15.0  # seconds after which a stream says that it is alive; a listener that has gone is noticed then
RETRY = 3_000  # milliseconds after which a listener comes back
REMEMBERED = 200  # numbers of the past that a listener may come back from

KPI = each(plan=WHOLE, code=TEXT, value=maybe(WHOLE), state=TEXT, status=maybe(TEXT))
EVENTS = {
    "type": "string",
    "contentMediaType": EVENT_STREAM,
    "contentSchema": each(revision=WHOLE, as_of=INSTANT, kpis=many(KPI)),
}
"""A stream of events `numbers`; the schema is that of their `data`."""

log = get_logger()


class EventStream:
    """The streams of one gateway, and the newest numbers, which are read only while somebody listens."""

    def __init__(self, query_service: QueryService, spawn: Any, *, at_most: int) -> None:
        self._query_service, self._spawn, self._at_most = query_service, spawn, at_most
        self._streams: set[Stream] = set()
        self._looking: Any = None
        self._remembered: dict[str, KpiSnapshot] = {}
        self._seen, self._read_at = -1, 0.0
        self._changed = Signal()
        self.newest: KpiSnapshot | None = None
        self.has_ended = False

    def stream(self, request: Request) -> Reply:
        """All numbers and then what changes, or what changed since `Last-Event-ID` where that is remembered."""
        if len(self._streams) >= self._at_most or self.has_ended:
            raise Overloaded(at="events")
        stream = Stream(self, self._remembered.get(_digest(request.headers.get("Last-Event-ID"))))
        self._streams.add(stream)
        if self._looking is None:
            self._looking = self._spawn(self._look_on, identifier="live numbers")
        return Reply(
            stream, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"}, content_type=EVENT_STREAM
        )

    def leave(self, stream: Stream) -> None:
        self._streams.discard(stream)

    def wait(self, seconds: float) -> None:
        """Until there are newer numbers, or it is over; no longer than that."""
        self._changed.wait(seconds)

    def end(self) -> None:
        """Every stream ends at once."""
        self.has_ended = True
        self._tell()

    def _look_on(self) -> None:
        while self._streams and not self.has_ended:
            try:
                self._look()
            except (Problem, PyMongoError) as error:
                log.info("no live numbers for now", error=type(error).__name__)
            except Exception as error:  # noqa: BLE001 - else it would end the process, and streams are not worth that
                malfunction(error, thread="live numbers")
            eventlet.sleep(LOOK)
        self._looking, self._seen, self.newest = None, -1, None

    def _look(self) -> None:
        revision = self._query_service.revision()
        if revision == self._seen and monotonic() < self._read_at + TURN:
            return
        found = self._read(revision)
        self._seen, self._read_at = revision, monotonic()
        if self.newest is None or found.digest != self.newest.digest:
            self.newest = found
            self._remember(found)
            self._tell()

    def _read(self, revision: int) -> KpiSnapshot:
        """The numbers are at least as new as this revision."""
        progresses = [
            self._query_service.progress(str(plan["year"]), {}) for plan in self._query_service.plans()["plans"]
        ]
        return kpi_snapshot.read(progresses, revision=revision, as_of=max(one["as_of"] for one in progresses))

    def _remember(self, found: KpiSnapshot) -> None:
        self._remembered.pop(found.digest, None)
        self._remembered[found.digest] = found
        if len(self._remembered) > REMEMBERED:
            del self._remembered[next(iter(self._remembered))]

    def _tell(self) -> None:
        told, self._changed = self._changed, Signal()
        told.send()


class Stream(Iterator[bytes]):
    """What one listener is sent; it goes on from the numbers that this one knows."""

    def __init__(self, live: EventStream, known: KpiSnapshot | None) -> None:
        self._live, self._known = live, known
        self._beat_at = 0.0

    def __next__(self) -> bytes:
        if not self._beat_at:
            return self._say(b"retry: %d\n\n" % RETRY)
        while not self._live.has_ended:
            newest = self._live.newest
            if newest is not None and newest is not self._known:
                known, self._known = self._known, newest
                if changed := newest.since(known):
                    return self._say(_event(newest, changed))
            if monotonic() >= self._beat_at:
                return self._say(b": here\n\n")
            self._live.wait(self._beat_at - monotonic())
        raise StopIteration

    def close(self) -> None:
        """The listener has gone, or the gateway ends."""
        self._live.leave(self)

    def _say(self, said: bytes) -> bytes:
        self._beat_at = monotonic() + HEARTBEAT
        return said


class EventStreamProvider(Provider[EventStream]):
    """Gives the gateway its live numbers; they end as soon as its port closes."""

    reporting = SharedQueryService()
    server = Server()

    def start(self) -> None:
        settings, spawn = self.container.config["SETTINGS"], self.container.spawn_managed_thread
        self._live = EventStream(self.reporting.query_service, spawn, at_most=settings.http_streams)
        self.server.at_close.append(self._live.end)

    def provide(self) -> EventStream:
        return self._live


def _event(found: KpiSnapshot, changed: list[kpi_snapshot.Answer]) -> bytes:
    """The id names revision and numbers: these alone change with the day, too."""
    data = wire.encode({"revision": found.revision, "as_of": found.as_of, "kpis": changed})
    return b"event: numbers\nid: %d.%s\ndata: %s\n\n" % (found.revision, found.digest.encode(), data)


def _digest(last_event: str | None) -> str:
    return (last_event or "").rpartition(".")[2]
