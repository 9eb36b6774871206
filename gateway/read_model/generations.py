"""Generations: the gateway's collections can be made anew beside those that serve, and take their place in one write.

One document, the pointer, names the generation that serves and the one that is being filled from the services. It is
read for every batch of events, before the batch's transaction: its events were committed at their service before, so
a generation whose filling begins after that reads them there. Events go to both.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TypeVar

import eventlet
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError, PyMongoError
from structlog import get_logger

from gateway.read_model.store import LedgerMissing, Store
from services.chassis.mongo import Document
from services.chassis.periodic_read import PeriodicRead
from services.chassis.problem import Unavailable
from services.contract.event import Event
from services.contract.rule import Rule

POINTER = "pointer"
KNOWN_FOR = 1.0  # seconds that an answer may come from a generation that serves no more
LINGERS = 5.0  # seconds that such a generation is kept for them
BEAT = 2.0  # seconds between two signs of life of the gateway that fills a generation
SILENT = 30.0  # seconds after which a filling is given up

T = TypeVar("T")

log = get_logger()


@dataclass(frozen=True)
class Pointer:
    """The names of the generation that serves and of the one that is being filled."""

    serving: str
    filling: str | None = None


class Generations:
    """All generations of one gateway's database; the same rules are counted in each of them."""

    def __init__(self, database: Database[Document], rules: Callable[[], Iterable[Rule]]) -> None:
        self._database, self._rules = database, rules
        self._pointers: Collection[Document] = database["generations"]
        self._stores: dict[str, Store] = {}
        self._known = Pointer("")
        self._pointer_read = PeriodicRead(self._look, seconds=KNOWN_FOR)

    def prepare(self) -> None:
        """Make what is missing, and count the rules that are new."""
        self._pointer_read.at_once()
        for store in self.stores():
            store.prepare(self._rules())

    def take_events(self, events: Sequence[Event]) -> None:
        """Take events into every generation; raises `Unavailable` where the database fails, as no event is to blame."""
        try:
            self._pointer_read.if_due()
            stores = self.stores()
        except PyMongoError as error:
            raise Unavailable("The database cannot be reached.", "数据库暂不可用。") from error
        try:
            for store in stores:
                store.take_events(events)
        except LedgerMissing:
            self._pointer_read.expire()
            raise Unavailable("The ledger vanished.", "台账已丢失。") from None

    def ask(self, question: Callable[[Store], T]) -> T:
        """Ask the generation that serves; asks its successor where it was dropped meanwhile."""
        try:
            return question(self.serving())
        except LedgerMissing:
            self._pointer_read.expire()
        try:
            return question(self.serving())
        except LedgerMissing:
            raise Unavailable("The ledger is being made anew.", "台账正在重建。") from None

    def serving(self) -> Store:
        """Return the generation that serves; another one may serve since `KNOWN_FOR` seconds at most."""
        self._pointer_read.if_due()
        return self._store(self._known.serving)

    def is_filling(self) -> bool:
        """True where a generation was being filled when the pointer was last read."""
        return self._known.filling is not None

    def stores(self) -> list[Store]:
        """Read the pointer; return the generation that serves and the one that is being filled."""
        self._known = self._read()
        return [self._store(name) for name in (self._known.serving, self._known.filling) if name is not None]

    # --- another generation takes its place --------------------------------------------------------------------------

    @contextmanager
    def filling(self) -> Iterator[Store]:
        """A new generation that takes all events from now on; it is dropped at the end unless it serves by then."""
        self._drop_others()
        store = self._new()
        if not self._point({"serving": self._read().serving}, filling=store.generation):
            raise Unavailable("The ledger was made anew meanwhile.", "台账已在此期间重建。")
        beating = eventlet.spawn(self._beat, store.generation)
        try:
            yield store
        finally:
            beating.kill()
            with suppress(PyMongoError):  # it is given up for its silence
                self._give_up(store)

    def serve(self, store: Store) -> None:
        """Let a generation serve, and drop the one before once nobody reads it any more; may be repeated.

        Where the process ends before that, the next filling finds the old generation and drops it.
        """
        revision, before = self.ask(lambda serving: serving.read_counts({})).ledger["revision"], self.serving()
        if before is store:
            return

        store.raise_revision(revision)
        store.copy_learning_times(before)
        if not self._point({"serving": before.generation, "filling": store.generation}, serving=store.generation):
            raise Unavailable("The ledger was made anew meanwhile.", "台账已在此期间重建。")
        store.copy_learning_times(before)  # of events that came in while the pointer moved
        log.info("generation serves", generation=store.generation, before=before.generation)
        eventlet.spawn_after(LINGERS, self._let_go, before)

    def _let_go(self, store: Store) -> None:
        with suppress(PyMongoError):
            if self._read().serving != store.generation:
                store.drop()

    def _give_up(self, store: Store) -> None:
        self._point({"filling": store.generation})
        if self._read().serving != store.generation:
            store.drop()

    def _beat(self, name: str) -> None:
        while True:
            eventlet.sleep(BEAT)
            with suppress(PyMongoError):
                self._pointers.update_one({"_id": POINTER, "filling": name}, {"$currentDate": {"beat_at": True}})

    def _drop_others(self) -> None:
        """Drop all generations that do not serve, such as those of rebuilds that died."""
        serving = self._store(self._read().serving)
        names = self._database.list_collection_names(filter={"name": {"$regex": "^counts(_[0-9a-f]+)?$"}})
        for name in names:
            if name != serving.counts.name:
                self._store(name.removeprefix("counts")).drop()

    # --- the pointer -------------------------------------------------------------------------------------------------

    def _read(self) -> Pointer:
        silent = {"$gt": [{"$subtract": ["$$NOW", "$beat_at"]}, int(SILENT * 1_000)]}
        look: list[Document] = [{"$match": {"_id": POINTER}}, {"$set": {"is_silent": silent}}]
        document = next(self._pointers.aggregate(look), None)
        if document is None:
            self._begin()
            return self._read()
        if document["filling"] is not None and document["is_silent"]:
            self._point({"filling": document["filling"], "beat_at": document["beat_at"]})
            return self._read()
        return Pointer(document["serving"], document["filling"])

    def _point(self, expected: Document, **to: str | None) -> bool:
        """Move the pointer; False where it is not as expected. Unless `filling` is given, nothing is filled then."""
        change = {"$set": {"filling": None, **to}, "$currentDate": {"beat_at": True}}
        self._pointer_read.expire()
        return self._pointers.update_one({"_id": POINTER, **expected}, change).matched_count > 0

    def _begin(self) -> None:
        """Begin with the generation without a name; leave it alone where a part of it was dropped."""
        store = self._store("")
        if store.exists() or store.is_empty():
            store.prepare(self._rules())
        else:
            store = self._new()
        with suppress(DuplicateKeyError):  # another gateway was first
            self._pointers.insert_one({"_id": POINTER, "serving": store.generation, "filling": None})

    # --- a generation that vanished ----------------------------------------------------------------------------------

    def _replace(self, store: Store) -> None:
        """Let an empty generation serve where this one vanished; a comparison then has the services publish again."""
        if store.exists():
            return
        pointer = self._read()
        if self._point({"filling": store.generation}) or pointer.serving != store.generation:
            return
        new = self._new()
        if self._point({"serving": store.generation}, serving=new.generation, filling=pointer.filling):
            log.warning("ledger vanished", generation=store.generation, now=new.generation)
        else:
            new.drop()

    def _look(self) -> None:
        """Read the pointer anew, and replace generations that vanished."""
        for store in self.stores():
            self._replace(store)
        self._known = self._read()

    def _new(self) -> Store:
        store = self._store(f"_{uuid.uuid4().hex[:8]}")
        store.prepare(self._rules())
        return store

    def _store(self, name: str) -> Store:
        if name not in self._stores:
            self._stores[name] = Store(self._database, name)
        return self._stores[name]
