"""Live numbers: every listener is sent the KPIs that changed, as server-sent events, alike from every gateway.

A gateway that has listeners looks at the ledger twice a second. A stream remembers what it sent last and sends the
difference to the newest numbers: what comes between two writes to a slow listener is not kept for it, and no listener
waits for another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from time import monotonic
from typing import Any

from eventlet.event import Event as Signal

from gateway.http.admission import Pool
from gateway.http.json_schema import INSTANT, TEXT, WHOLE, each, many, maybe
from gateway.http.messages import Reply, Request
from gateway.http.server import EVENT_STREAM, Server
from gateway.notifications import kpi_snapshot
from gateway.notifications.kpi_snapshot import KpiSnapshot
from gateway.reporting.answer_schemas import QUANTITY, UNIT, WRITTEN_OUT
from gateway.reporting.query_service import QueryService, SharedQueryService
from services.chassis.loop import Loop
from services.chassis.problem import Overloaded
from services.chassis.provider import Provider
from services.contract import wire

LOOK_EVERY = 0.5  # seconds between two looks at the ledger
READ_AGAIN = 30.0  # seconds until the KPIs are read although no event came in: some change with the day alone
HEARTBEAT = 15.0  # seconds until a silent stream sends a comment; only then a listener that has gone is noticed
RETRY = 3_000  # milliseconds until a listener comes back
SHARE = 8  # one caller may have one part in so many of all streams, and strangers together half of them
REMEMBERED = 200  # snapshots of the past that a listener may come back from

KPI = each(
    plan=WHOLE,
    code=TEXT,
    value=maybe(QUANTITY),
    unit=UNIT,
    text=maybe(WRITTEN_OUT),
    state=TEXT,
    status=maybe(TEXT),
)
EVENTS = {
    "type": "string",
    "contentMediaType": EVENT_STREAM,
    "contentSchema": each(revision=WHOLE, as_of=INSTANT, kpis=many(KPI)),
}
"""A stream of events `numbers`; the schema is that of their `data`."""


class EventStream:
    """The streams of one gateway, and the newest numbers, which are read only while somebody listens."""

    def __init__(self, query_service: QueryService, container: Any, *, at_most: int) -> None:
        self._query_service, self._container = query_service, container
        self._pool = Pool("events", at_most, each=max(1, at_most // SHARE), strangers=(at_most + 1) // 2)
        self._streams: set[Stream] = set()
        self._loop: Loop | None = None
        self._remembered: dict[str, KpiSnapshot] = {}
        self._revision, self._read_at = -1, 0.0
        self._changed = Signal()
        self.newest: KpiSnapshot | None = None
        self.has_ended = False

    def stream(self, request: Request) -> Reply:
        """Stream all numbers and then the changes, or the changes since `Last-Event-ID` where that is remembered.

        Raises `Overloaded` where no place is left for this caller.
        """
        if self.has_ended:
            raise Overloaded(at="events")

        self._pool.take(request.caller, is_known=request.is_known)
        known = self._remembered.get(_digest(request.headers.get("Last-Event-ID")))
        stream = Stream(self, known, partial(self._pool.give_back, request.caller, is_known=request.is_known))
        self._streams.add(stream)
        if self._loop is None:
            self._loop = Loop("live numbers", self._look, seconds=LOOK_EVERY, at_once=True)
            self._loop.start(self._container)
        return Reply(
            stream, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"}, content_type=EVENT_STREAM
        )

    def leave(self, stream: Stream) -> None:
        """Let a stream go; the numbers are no longer read after the last one."""
        if stream in self._streams:
            self._streams.remove(stream)
            stream.give_back()
        if not self._streams and self._loop is not None:
            self._loop.kill()
            self._loop, self._revision, self.newest = None, -1, None

    def wait(self, seconds: float) -> None:
        """Wait until there are newer numbers or the streams end, but no longer than that."""
        self._changed.wait(seconds)

    def end(self) -> None:
        """End every stream at once."""
        self.has_ended = True
        self._wake_streams()

    def _look(self) -> None:
        revision = self._query_service.revision()
        if revision == self._revision and monotonic() < self._read_at + READ_AGAIN:
            return

        snapshot = self._read(revision)
        self._revision, self._read_at = revision, monotonic()
        if self.newest is None or snapshot.digest != self.newest.digest:
            self.newest = snapshot
            self._remember(snapshot)
            self._wake_streams()

    def _read(self, revision: int) -> KpiSnapshot:
        """Read numbers that are at least as new as this revision."""
        years = [str(plan["year"]) for plan in self._query_service.plans()["plans"]]
        progresses = [self._query_service.progress(year, {}) for year in years]
        as_of = max(progress["as_of"] for progress in progresses)
        return kpi_snapshot.read(progresses, revision=revision, as_of=as_of)

    def _remember(self, snapshot: KpiSnapshot) -> None:
        self._remembered.pop(snapshot.digest, None)
        self._remembered[snapshot.digest] = snapshot
        if len(self._remembered) > REMEMBERED:
            del self._remembered[next(iter(self._remembered))]

    def _wake_streams(self) -> None:
        changed, self._changed = self._changed, Signal()
        changed.send()


class Stream(Iterator[bytes]):
    """The events of one listener, which go on from the snapshot that it knows; `give_back` frees its place."""

    def __init__(
        self, live: EventStream, known: KpiSnapshot | None, give_back: Callable[[], None] = lambda: None
    ) -> None:
        self._live, self._known, self.give_back = live, known, give_back
        self._beat_at = 0.0

    def __next__(self) -> bytes:
        if not self._beat_at:
            return self._send(b"retry: %d\n\n" % RETRY)

        while not self._live.has_ended:
            if event := self._next_event():
                return self._send(event)
            if monotonic() >= self._beat_at:
                return self._send(b": here\n\n")
            self._live.wait(self._beat_at - monotonic())
        raise StopIteration

    def close(self) -> None:
        """Give up the stream's place: its listener has gone, or the gateway stops."""
        self._live.leave(self)

    def _next_event(self) -> bytes | None:
        newest = self._live.newest
        if newest is None or newest is self._known:
            return None

        known, self._known = self._known, newest
        changed = newest.since(known)
        return _event(newest, changed) if changed else None

    def _send(self, data: bytes) -> bytes:
        self._beat_at = monotonic() + HEARTBEAT
        return data


class EventStreamProvider(Provider[EventStream]):
    """Provides the gateway's `EventStream`, which ends as soon as the server stops listening."""

    server = Server()
    reporting = SharedQueryService()

    def start(self) -> None:
        at_most = self.container.config["SETTINGS"].http_streams
        self._stream = EventStream(self.reporting.query_service, self.container, at_most=at_most)
        self.server.at_close.append(self._stream.end)

    def provide(self) -> EventStream:
        return self._stream


def _event(snapshot: KpiSnapshot, changed: list[kpi_snapshot.Answer]) -> bytes:
    """An event `numbers`; its id names the revision and the digest, since numbers also change with the day alone."""
    data = wire.encode({"revision": snapshot.revision, "as_of": snapshot.as_of, "kpis": changed})
    return b"event: numbers\nid: %d.%s\ndata: %s\n\n" % (snapshot.revision, snapshot.digest.encode(), data)


def _digest(last_event: str | None) -> str:
    return (last_event or "").rpartition(".")[2]
