"""Outbox relay: publishes the pending events of records until the broker has confirmed them.

Writes of its own process notify it, and once a second it looks for events that others left pending. Each entry is
published in version order with a confirm; only then is the record marked. Two relays at once merely publish twice.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from time import monotonic
from typing import Any

import eventlet
from amqp.basic_message import Message
from eventlet.event import Event as Signal
from nameko.extensions import SharedExtension
from pymongo import UpdateMany
from pymongo.collection import Collection
from pymongo.errors import PyMongoError
from structlog import get_logger

from services.chassis import metrics, trace
from services.chassis.amqp import BROKEN, MISSING, Backoff, as_logged, connect, corked
from services.chassis.document import event
from services.chassis.log import malfunction
from services.chassis.mongo import Document
from services.contract.event import CONTENT_TYPE, Event
from services.contract.topology import exchange, is_heard
from services.contract.view import Kind

SWEPT = 20_000  # records per kind that a sweep looks at
BREATH = 0.01  # seconds between two passes of a busy service
FEW = 50  # records; with more there is nothing to wait for
LAST_PASS = 2.0  # seconds that a stopping relay may spend on pending records

log = get_logger()

Pending = tuple[str, str]  # kind name, record id


@dataclass(frozen=True, slots=True)
class Publication:
    """An event with its encoded body."""

    event: Event
    body: bytes

    @classmethod
    def of(cls, event: Event) -> Publication:
        """Encode an event."""
        return cls(event, event.write())


class NotConfirmed(Exception):
    """The broker did not confirm every publication of this pass in time; all of it is published again."""


class Relay(SharedExtension):
    """The outbox relay of a service; one per process, with any number of replicas."""

    def __init__(self) -> None:
        self._collections: dict[str, tuple[Kind, Collection[Document]]] = {}
        self._notified: dict[Pending, None] = {}
        self._seen: dict[Pending, tuple[int, float]] = {}
        self._bell = Signal()
        self._stopping = False
        self._connection: Any = None
        self._publisher: Publisher | None = None
        self._backoff = Backoff()
        self.last_pass = monotonic()

    def setup(self) -> None:
        """Read the settings."""
        self.settings = self.container.config["SETTINGS"]

    def add_collection(self, kind: Kind, collection: Collection[Document]) -> None:
        """Relay the records of this collection too."""
        self._collections[kind.name] = (kind, collection)

    def start(self) -> None:
        """Relay from now on."""
        self._thread = self.container.spawn_managed_thread(self._run, identifier="relay")

    def stop(self) -> None:
        """Publish the records it was notified of, within about two seconds, and end."""
        self._stopping = True
        self._wake()
        with eventlet.Timeout(LAST_PASS + 1, False):
            self._thread.wait()

    def notify(self, kind: Kind, record_id: str) -> None:
        """Tell the relay that this record has something to publish."""
        self._notified[kind.name, record_id] = None
        self._wake()

    def _wake(self) -> None:
        if not self._bell.ready():
            self._bell.send()

    def _run(self) -> None:
        sweep = monotonic()
        while not self._stopping:
            if not self._notified:
                with eventlet.Timeout(max(0.0, sweep - monotonic()), False):
                    self._bell.wait()
            self._bell = Signal()
            self._gather()
            try:
                if monotonic() >= sweep:
                    sweep = monotonic() + self.settings.relay_sweep
                    self._sweep()
                self._pass()
                self._backoff.reset()
            except (*BROKEN, NotConfirmed, PyMongoError) as error:
                self._recover(error)
            self.last_pass = monotonic()
        self._finish()

    def _gather(self) -> None:
        """Let the writes of a busy service come together: a pass for many costs hardly more than one for one."""
        rest = self.last_pass + BREATH - monotonic()
        if rest > 0 and len(self._notified) < FEW and not self._stopping:
            eventlet.sleep(rest)

    def _finish(self) -> None:
        with eventlet.Timeout(LAST_PASS, False):
            try:
                while self._notified and self._connection:
                    self._pass()
            except (*BROKEN, NotConfirmed, PyMongoError):
                log.info("events left pending until the next start", records=len(self._notified))
        self._drop()

    def _recover(self, error: Exception) -> None:
        metrics.RELAY_FAILURES.labels(self.container.service_name).inc()
        log.warning("relay waits", error=as_logged(error), pending=len(self._notified))
        self._drop()
        if not self._stopping:
            with eventlet.Timeout(self._backoff.next(), False):
                while not self._stopping:
                    self._bell = Signal()
                    self._bell.wait()

    def _drop(self) -> None:
        """Close hard: closing politely would wait for a broker that does not answer."""
        if self._connection:
            self._connection.collect()
        self._connection = self._publisher = None

    def _pass(self) -> None:
        """Publish and mark up to a batch of the notified records, the longest waiting first."""
        taken = set(islice(self._notified, self.settings.relay_batch))
        for key in taken:
            del self._notified[key]
        try:
            self._relay(taken)
        except BaseException:
            self._notified.update(dict.fromkeys(taken))
            raise

    def _relay(self, taken: set[Pending]) -> None:
        for name in sorted({name for name, _ in taken}):
            kind, collection = self._collections[name]
            pending = _unpublished(collection, [record for kind_name, record in taken if kind_name == name])
            made = {document["_id"]: (document, _publications(kind, document)) for document in pending}
            publications = [publication for _, of_one in made.values() for publication in of_one or ()]
            if publications:
                self._publish(publications)
                metrics.PUBLISHED.labels(self.container.service_name).inc(len(publications))
            _mark(collection, [document for document, of_one in made.values() if of_one is not None])
            taken = taken - {(name, record) for record, (_, of_one) in made.items() if of_one is None}
        for key in taken:
            self._seen.pop(key, None)

    def _publish(self, publications: list[Publication]) -> None:
        traceparents = [publication.event.traceparent for publication in publications]
        with trace.span("producer", f"{exchange(self.container.service_name)} publish", *traceparents):
            self._connected().publish(publications, self.settings.confirm_timeout)

    def _connected(self) -> Publisher:
        if self._publisher is None:
            self._connection = connect(self.settings, f"{self.container.service_name}.relay")
            self._publisher = Publisher(self._connection)
        return self._publisher

    def _sweep(self) -> None:
        """Take the records that were pending at the last look and have not moved since: nobody else relays them."""
        collections = {name: collection for name, (_, collection) in self._collections.items()}
        pending = {
            (document["kind"], document["_id"]): document.get("published") or 0
            for document in find_pending(collections)
        }
        left = [key for key, published in pending.items() if self._seen.get(key, (None,))[0] == published]
        random.shuffle(left)  # so that two relays seldom take the same records
        self._notified.update(dict.fromkeys(left))

        now = monotonic()
        self._seen = {
            key: (published, self._seen[key][1] if self._seen.get(key, (None,))[0] == published else now)
            for key, published in pending.items()
        }
        oldest = max((now - since for _, since in self._seen.values()), default=0.0)
        metrics.PENDING.labels(self.container.service_name).set(len(pending))
        metrics.OLDEST_PENDING.labels(self.container.service_name).set(oldest)
        if self._publisher:
            self._publisher.keep_alive()


def find_pending(collections: Mapping[str, Collection[Document]], limit: int = SWEPT) -> Iterator[Document]:
    """Find `kind`, `_id` and `published` of records with events to publish, in one query, at most `limit` of a kind."""
    finding: dict[str, list[Document]] = {
        name: [
            {"$match": {"pending": True}},
            {"$sort": {"_id": 1}},
            {"$limit": limit},
            {"$project": {"published": 1, "kind": {"$literal": name}}},
        ]
        for name in collections
    }
    for first, collection in islice(collections.items(), 1):
        others: list[Document] = [
            {"$unionWith": {"coll": other.name, "pipeline": finding[name]}}
            for name, other in collections.items()
            if name != first
        ]
        yield from collection.aggregate([*finding[first], *others])


class Publisher:
    """A confirm channel: a whole batch is sent, then all its confirms are awaited."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._channel = connection.default_channel
        self._unconfirmed: set[int] = set()
        self._returned: list[str] = []
        self._refused = False
        self._sent = 0
        self._channel.confirm_select()
        self._channel.events["basic_ack"].add(self._on_ack)
        self._channel.events["basic_nack"].add(self._on_nack)
        self._channel.events["basic_return"].add(self._on_return)

    def publish(self, publications: Iterable[Publication], seconds: float) -> None:
        """Publish all, confirmed; raises `NotConfirmed` (some may have been sent)."""
        with eventlet.Timeout(seconds, NotConfirmed("no confirm in time")):
            with corked(self._channel):
                for publication in publications:
                    self._send(publication)
            self._confirm(seconds)

    def _send(self, publication: Publication) -> None:
        event = publication.event
        self._sent += 1
        self._unconfirmed.add(self._sent)
        message = Message(
            publication.body, content_type=CONTENT_TYPE, content_encoding="utf-8", delivery_mode=2, message_id=event.id
        )
        source, key = event.kind.service, event.routing_key
        self._channel.basic_publish(
            message, exchange=exchange(source), routing_key=key, mandatory=is_heard(source, key)
        )

    def _confirm(self, seconds: float) -> None:
        while self._unconfirmed:
            self._connection.drain_events(timeout=seconds)
        if self._returned or self._refused:
            raise NotConfirmed(f"returned or refused: {self._returned[:3]} {MISSING}")

    def keep_alive(self) -> None:
        """Stay alive while nothing is published."""
        with suppress(TimeoutError):
            self._connection.drain_events(timeout=0)
        self._connection.heartbeat_check()

    def _on_ack(self, delivery_tag: int, multiple: bool) -> None:
        if multiple:
            self._unconfirmed = {tag for tag in self._unconfirmed if tag > delivery_tag}
        else:
            self._unconfirmed.discard(delivery_tag)

    def _on_nack(self, delivery_tag: int, multiple: bool) -> None:
        self._refused = True
        self._on_ack(delivery_tag, multiple)

    def _on_return(self, exception: Any, exchange: str, routing_key: str, message: Any) -> None:
        self._returned.append(routing_key)


def _unpublished(collection: Collection[Document], ids: list[str]) -> Iterable[Document]:
    """The records with the history entries that are newer than `published`."""
    return collection.aggregate(
        [
            {"$match": {"_id": {"$in": ids}, "pending": True}},
            {
                "$project": {
                    "version": 1,
                    "rearmed": 1,
                    "traces": 1,
                    "history": {"$slice": ["$history", {"$subtract": ["$published", "$version"]}]},
                }
            },
        ]
    )


def _publications(kind: Kind, document: Document) -> list[Publication] | None:
    """The unpublished events of a record; None where they cannot be encoded: it stays pending and blocks no other."""
    try:
        traces, id_ = document.get("traces", {}), document["_id"]
        return [
            Publication.of(event(kind, id_, entry, traces.get(str(entry["version"])))) for entry in document["history"]
        ]
    except Exception as error:  # noqa: BLE001 - whatever is wrong with it, the others are published
        malfunction(error, kind=kind.key, record=document["_id"])
        return None


def _mark(collection: Collection[Document], documents: list[Document]) -> None:
    """Mark records as published up to the version seen; newer versions, and records re-armed meanwhile, stay due."""
    seen: dict[tuple[int, int | None], list[str]] = {}
    for document in documents:
        seen.setdefault((document["version"], document.get("rearmed")), []).append(document["_id"])
    for (version, rearmed), ids in seen.items():
        as_read = {"_id": {"$in": ids}, "rearmed": rearmed}
        settled = collection.update_many(
            {**as_read, "version": version}, {"$set": {"published": version}, "$unset": {"pending": "", "traces": ""}}
        )
        if settled.matched_count < len(ids):
            collection.update_many({**as_read, "published": {"$lt": version}}, {"$set": {"published": version}})


def rearm(collection: Collection[Document], copies: Mapping[str, int]) -> int:
    """Publish these records again from the versions of their copies on; returns how many have anything newer.

    Anything not published yet stays pending. A relay that is at one of them does not mark it, and the next sweeps take
    it.
    """
    behind: dict[int, list[str]] = {}
    for id_, version in copies.items():
        behind.setdefault(version, []).append(id_)
    writes = [
        UpdateMany({"_id": {"$in": ids}, "version": {"$gt": version}}, _rearmed(version))
        for version, ids in behind.items()
    ]
    return collection.bulk_write(writes, ordered=False).matched_count if writes else 0


def _rearmed(version: int) -> list[Document]:
    return [
        {
            "$set": {
                "pending": True,
                "published": {"$min": ["$published", version]},
                "rearmed": {"$add": [{"$ifNull": ["$rearmed", 0]}, 1]},
            }
        }
    ]
