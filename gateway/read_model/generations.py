"""Generations: the gateway's collections can be made anew beside those that serve, and take their place in one write.

One document, the pointer, says which generation serves and which one is being filled from the services. It is read for
every batch that comes in, before its transaction: the events of a batch were committed at their service before, so that
whoever begins to fill a generation after that reads them there. Events go to both.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from time import monotonic
from typing import TypeVar

import eventlet
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError, PyMongoError
from structlog import get_logger

from gateway.kpi.ledger import Document
from gateway.read_model.store import LedgerMissing, Store
from services.chassis.problem import Unavailable
from services.contract.event import Event
from services.contract.rule import Rule

POINTER = "pointer"
KNOWN_FOR = 1.0  # seconds that an answer may come from a generation that serves no more
LINGERS = 5.0  # seconds that it is kept for them
BEAT = 2.0  # seconds between two signs of life of whoever fills a generation
SILENT = 30.0  # seconds after which it is given up

T = TypeVar("T")

log = get_logger()


@dataclass(frozen=True)
class Pointer:
    serving: str
    filling: str | None = None


class Generations:
    """All generations of one gateway's database; what `rules` says is counted in each of them."""

    def __init__(self, database: Database[Document], rules: Callable[[], Iterable[Rule]]) -> None:
        self._database, self._rules = database, rules
        self._pointers: Collection[Document] = database["generations"]
        self._stores: dict[str, Store] = {}
        self._known, self._look_at = Pointer(""), 0.0

    def prepare(self) -> None:
        """Make what is missing, and count the rules that are new."""
        self._look()
        for store in self.stores():
            store.prepare(self._rules())

    def take_events(self, events: Sequence[Event]) -> None:
        """Take these events in; no event is to blame where the database is not there: `Unavailable`."""
        try:
            if monotonic() >= self._look_at:
                self._look()
            stores = self.stores()
        except PyMongoError as error:
            raise Unavailable("The database cannot be reached.", "数据库暂不可用。") from error
        try:
            for store in stores:
                store.take_events(events)
        except LedgerMissing:
            self._look_at = 0.0
            raise Unavailable("The ledger vanished.", "台账已丢失。") from None

    def ask(self, question: Callable[[Store], T]) -> T:
        """What the generation that serves answers."""
        try:
            return question(self.serving())
        except LedgerMissing:
            self._look_at = 0.0
        try:
            return question(self.serving())
        except LedgerMissing:
            raise Unavailable("The ledger is being made anew.", "台账正在重建。") from None

    def serving(self) -> Store:
        if monotonic() >= self._look_at:
            self._look()
        return self._store(self._known.serving)

    def is_filling(self) -> bool:
        """As it was when the generation that serves was asked for last."""
        return self._known.filling is not None

    def stores(self) -> list[Store]:
        """The one that serves, and the one that is being filled, as it is now."""
        self._known = self._read()
        return [self._store(name) for name in (self._known.serving, self._known.filling) if name is not None]

    # --- another one takes its place ---------------------------------------------------------------------------------

    @contextmanager
    def filling(self) -> Iterator[Store]:
        """A new generation that hears all events from now on; it is dropped at the end unless it serves by then."""
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
        """From now on this one answers, and the one before is dropped when nobody asks it any more; may be repeated.

        Where the process ends before that, the next one that is filled finds it and drops it.
        """
        revision, before = self.ask(lambda one: one.read_counts({})).ledger["revision"], self.serving()
        if before is not store:
            store.raise_revision(revision)
            store.copy_learning_times(before)
            if not self._point({"serving": before.generation, "filling": store.generation}, serving=store.generation):
                raise Unavailable("The ledger was made anew meanwhile.", "台账已在此期间重建。")
            store.copy_learning_times(before)  # what came in while the pointer moved
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
        """All that do not serve, such as what a rebuild left behind that died."""
        serving = self._store(self._read().serving)
        names = self._database.list_collection_names(filter={"name": {"$regex": "^counts(_[0-9a-f]+)?$"}})
        for name in names:
            if name != serving.counts.name:
                self._store(name.removeprefix("counts")).drop()

    # --- the pointer -------------------------------------------------------------------------------------------------

    def _read(self) -> Pointer:
        silent = {"$gt": [{"$subtract": ["$$NOW", "$beat_at"]}, int(SILENT * 1_000)]}
        look: list[Document] = [{"$match": {"_id": POINTER}}, {"$set": {"is_silent": silent}}]
        held = next(self._pointers.aggregate(look), None)
        if held is None:
            self._begin()
            return self._read()
        if held["filling"] is not None and held["is_silent"]:
            self._point({"filling": held["filling"], "beat_at": held["beat_at"]})
            return self._read()
        return Pointer(held["serving"], held["filling"])

    def _point(self, expected: Document, **to: str | None) -> bool:
        """Let it point there, and nothing be filled where that is not said; False where it says something else."""
        change = {"$set": {"filling": None, **to}, "$currentDate": {"beat_at": True}}
        self._look_at = 0.0
        return self._pointers.update_one({"_id": POINTER, **expected}, change).matched_count > 0

    def _begin(self) -> None:
        """The first generation has no name; one that somebody dropped a part of is left alone."""
        store = self._store("")
        if store.exists() or store.was_never_made():
            store.prepare(self._rules())
        else:
            store = self._new()
        with suppress(DuplicateKeyError):  # another gateway was first
            self._pointers.insert_one({"_id": POINTER, "serving": store.generation, "filling": None})

    # --- one that vanished -------------------------------------------------------------------------------------------

    def _replace(self, store: Store) -> None:
        """Where it vanished: another one serves, empty, until it was compared and heard again what it lacks."""
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
        """See which ones there are, and that they are whole."""
        for store in self.stores():
            self._replace(store)
        self._known, self._look_at = self._read(), monotonic() + KNOWN_FOR

    def _new(self) -> Store:
        store = self._store(f"_{uuid.uuid4().hex[:8]}")
        store.prepare(self._rules())
        return store

    def _store(self, name: str) -> Store:
        if name not in self._stores:
            self._stores[name] = Store(self._database, name)
        return self._stores[name]
