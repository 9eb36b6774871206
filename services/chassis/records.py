"""Records in MongoDB: a change is one atomic write of state, version and history, or a refusal.

There is no transaction and no second store: the history's newest entries are what the relay publishes.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Generic, TypeVar

import eventlet
import msgspec
from nameko.extensions import DependencyProvider
from pymongo import IndexModel
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from services.chassis import trace
from services.chassis.districts import require_within
from services.chassis.document import Cause, answer, entry, first_version, state_of
from services.chassis.field_classes import FieldClasses
from services.chassis.mongo import Document, database, patiently
from services.chassis.problem import Conflict, NotFound, Unavailable
from services.chassis.relay import Relay
from services.chassis.staging import Staging
from services.chassis.unique import Unique, conditions, drop_earlier_revisions
from services.contract.event import Event
from services.contract.view import Kind
from services.kernel import Change, Refusal

T = TypeVar("T")

ATTEMPTS = 100  # tries at a record that others write at the same time, before the caller gets `Unavailable`
NAMESPACE = uuid.UUID("6b657869-6500-4000-8000-000000000000")


class RecordFull(Conflict):
    """The record has reached its limit of versions, which points to a mistake somewhere; it stays as it is."""

    code = "record_full"
    title_en, title_zh = "The record has as many versions as it may have.", "记录的版本数已达上限。"


class Records(DependencyProvider, Generic[T]):
    """The records of one kind in their service's database.

    Subclasses name kind, record class and indexes, and who reads the fields that the view lacks (`field_classes`).
    """

    kind: ClassVar[Kind]
    record: ClassVar[type]
    unique: ClassVar[tuple[Unique, ...]] = ()
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = ()
    office: ClassVar[tuple[str, ...]] = ()
    personal: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    internal: ClassVar[tuple[str, ...]] = ()

    relay = Relay()

    collection: Collection[Document]

    @classmethod
    def field_classes(cls) -> FieldClasses:
        """Return the classes of the records' fields."""
        return FieldClasses(cls.kind, cls.record, cls.office, cls.personal, cls.internal)

    def setup(self) -> None:
        """Make collection and indexes, and have the relay publish what is written."""
        self.settings = self.container.config["SETTINGS"]
        self.collection = database(self.settings, self.container.service_name)[self.kind.name]
        self.classes = self.field_classes()
        self.staging = Staging(self.collection, self.unique)
        patiently(self._prepare)
        self.relay.add_collection(self.kind, self.collection)

    def get_dependency(self, worker_ctx: Any) -> Bound[T]:
        """Return the records as the worker's command, listener or row of a sheet sees them."""
        batch = worker_ctx.data.get("batch")
        return batch.bind(self) if batch else Bound(self, worker_ctx.data.get("cause"))

    def read(self, state: Document) -> T:
        """Make a record from its stored state."""
        return msgspec.convert(state, type=self.record)

    def _prepare(self) -> None:
        """Make all indexes at once: with a new collection they cost next to nothing, one by one they are each built."""
        pending = IndexModel([("pending", 1), ("_id", 1), ("published", 1)], partialFilterExpression={"pending": True})
        others = [IndexModel([(f"state.{name}", 1) for name in names]) for names in self.indexes]
        self.collection.create_indexes([pending, *(unique.index for unique in self.unique), *others])
        drop_earlier_revisions(self.collection, self.unique)


class Bound(Generic[T]):
    """The records as one command or listener sees them: every write names its cause."""

    def __init__(self, records: Records[T], cause: Cause | None) -> None:
        self._records = records
        self.collection, self.classes = records.collection, records.classes
        self._kind = records.kind
        self._cause = cause

    def add(self, change: Change[T], id: str | None = None) -> Document:  # noqa: A002 - the word of the API
        """Write the first version; `Conflict` where another command's record has the id, or a version was expected."""
        return self.add_as(id, lambda _: change)

    def add_as(self, id: str | None, decide: Callable[[str], Change[T]]) -> Document:  # noqa: A002
        """As `add`, where the change depends on the record's id: the given one, or a derived one."""
        first, *others = [id] if id else self._derived_ids
        if self._caused.expected_version is not None:
            raise Conflict(
                "There is no version yet.", "尚无版本。", id=first, expected_version=self._caused.expected_version
            )

        try:
            return self._insert(first, decide(first), follows=None)
        except Conflict:  # it is the record of another caller, who uses the same command id
            if not others:
                raise
            return self._insert(others[0], decide(others[0]), follows=None)

    def change(self, id: str, decide: Callable[[T], Change[T] | None]) -> Document:  # noqa: A002
        """Write the next version as `decide` returns it; `decide` is asked again where another writer was first."""
        for _ in range(ATTEMPTS):
            stored = self._read(id)
            if stored is None:
                raise NotFound(kind=self._kind.name, id=id)
            if stored.get("history"):
                return answer(id, stored["history"][0])
            self._check(stored)
            change = decide(self._record(stored))
            if change is None:
                return {"id": id, "version": stored["version"], **self._view(stored)}
            if written := self._write(stored, change):
                return written
            eventlet.sleep(random.uniform(0.001, 0.02))  # noqa: S311 - two writers step aside
        raise Unavailable(f"{self._kind.name} {id} is being changed by many at once", kind=self._kind.name, id=id)

    def put(self, id: str, decide: Callable[[T | None], Change[T] | None]) -> Document | None:  # noqa: A002
        """Write the next version, or the first where there is no record; None where neither exists."""
        if self._read(id) is None:
            change = decide(None)
            if change is None:
                return None
            try:
                return self.add(change, id)
            except Conflict:
                if self._caused.expected_version is not None:
                    raise
        return self.change(id, decide)  # also where somebody else was first at this very moment

    def follow(self, id: str, event: Event, decide: Callable[[T | None], Change[T] | None]) -> None:  # noqa: A002
        """Keep a record in step with another one: an event not newer than the last one followed changes nothing."""
        for _ in range(ATTEMPTS):
            stored = self._read(id)
            if stored and (stored.get("history") or stored.get("follows", 0) >= event.version):
                return
            change = decide(self._record(stored) if stored else None)
            if self._keep_step(id, event, stored, change):
                return
            eventlet.sleep(random.uniform(0.001, 0.02))  # noqa: S311
        raise Unavailable(kind=self._kind.name, id=id)

    def _keep_step(self, id: str, event: Event, stored: Document | None, change: Change[T] | None) -> bool:  # noqa: A002
        """Follow up to this event; False where another listener was first."""
        if stored is not None:
            if change is not None:
                return self._write(stored, change, follows=event.version) is not None
            return self._note(stored, event.version)
        if change is None:
            return True
        try:
            self._insert(id, change, follows=event.version)
        except Conflict:
            return False
        return True

    def _note(self, stored: Document, follows: int) -> bool:
        """Note an event that changes nothing, so that an older one that comes later changes nothing either."""
        noted = self.collection.update_one(_seen(stored, follows), {"$set": {"follows": follows}})
        return noted.matched_count > 0

    def get(self, id: str) -> T:  # noqa: A002
        """Return the record; raises `NotFound`."""
        stored = self.collection.find_one({"_id": id}, {"state": 1})
        if stored is None:
            raise NotFound(kind=self._kind.name, id=id)
        return self._record(stored)

    def find(self, **values: Any) -> list[tuple[str, T]]:
        """Find all records with these values; a tuple means any of its values."""
        documents = self.collection.find(conditions(values), {"state": 1}).sort("_id", 1)
        return [(document["_id"], self._record(document)) for document in documents]

    def versions(self, **values: Any) -> dict[str, int]:
        """The newest versions of all such records, by id: they tell whether any changed since it was read."""
        documents = self.collection.find(conditions(values), {"version": 1})
        return {document["_id"]: document["version"] for document in documents}

    def exists(self, **values: Any) -> bool:
        """True where there is a record with these values."""
        return self.collection.find_one(conditions(values), {"_id": 1}) is not None

    def outcome(self, ids: Iterable[str]) -> Document | None:
        """The answer of the running command where it was done before (X-01), or None."""
        ours = {"$elemMatch": self._ours}
        stored = self.collection.find_one(
            {"_id": {"$in": [*self._derived_ids, *ids]}, "history": ours}, {"history": ours}
        )
        return answer(stored["_id"], stored["history"][0]) if stored else None

    @property
    def _derived_ids(self) -> list[str]:
        """The ids that a record of this command may have, in their order: the second where the first is taken."""
        because, caller = self._caused.because, self._caused.actor.id
        return [derived_id(self._kind, because), derived_id(self._kind, because, caller=caller)]

    @property
    def _ours(self) -> Document:
        """The entry of a history that this command, or event, has made: ids of different callers differ."""
        return {"because": self._caused.because, "by": self._caused.actor.id}

    @property
    def _caused(self) -> Cause:
        if self._cause is None:
            raise RuntimeError("records are written by commands and listeners only")
        return self._cause

    def _record(self, document: Document) -> T:
        return self._records.read(document["state"])

    def _view(self, document: Document) -> Document:
        return {name: document["state"][name] for name in self._kind.fields}

    def _read(self, id: str) -> Document | None:  # noqa: A002
        return self.collection.find_one(
            {"_id": id},
            {"version": 1, "state": 1, "hash": 1, "follows": 1, "history": {"$elemMatch": self._ours}},
        )

    def _check(self, stored: Document) -> None:
        cause = self._caused
        if cause.expected_version not in (None, stored["version"]):
            raise Conflict(id=stored["_id"], expected_version=cause.expected_version, version=stored["version"])
        self._check_district(stored["state"])
        if stored["version"] >= self._records.settings.versions_limit:
            raise RecordFull(id=stored["_id"], version=stored["version"])

    def _check_district(self, state: Document) -> None:
        require_within(self._caused.actor, state)

    def _insert(self, id: str, change: Change[T], *, follows: int | None) -> Document:  # noqa: A002
        first = entry(self._kind, change, self._caused, version=1, after="")
        document = first_version(id, state_of(self._kind, change.record), first, traceparent=trace.current())
        self._check_district(document["state"])
        try:
            self.collection.insert_one(document if follows is None else {**document, "follows": follows})
        except DuplicateKeyError as error:
            stored = self._read(id)
            if stored is None:
                raise self._broken_rule(error, document["state"]) from None
            if not stored.get("history"):
                raise Conflict(kind=self._kind.name, id=id) from None
            return answer(id, stored["history"][0])
        self._ring(id)
        return answer(id, first)

    def _write(self, stored: Document, change: Change[T], *, follows: int | None = None) -> Document | None:
        """Write the next version; None where another writer was first."""
        version = stored["version"] + 1
        state = state_of(self._kind, change.record)
        before = self._records.classes.changed(stored["state"], state)
        new = entry(self._kind, change, self._caused, version=version, after=stored["hash"], before=before)
        values = {"state": state, "version": version, "hash": new["hash"], "pending": True}
        if traceparent := trace.current():
            values[f"traces.{version}"] = traceparent
        try:
            result = self.collection.update_one(
                _seen(stored, follows),
                {"$set": values if follows is None else {**values, "follows": follows}, "$push": {"history": new}},
            )
        except DuplicateKeyError as error:
            raise self._broken_rule(error, state) from None
        if not result.matched_count:
            return None
        self._ring(stored["_id"])
        return answer(stored["_id"], new)

    def _broken_rule(self, error: DuplicateKeyError, state: Document) -> Refusal:
        """The refusal of the unique index that was violated."""
        key = list((error.details or {})["keyPattern"])
        (broken,) = [unique for unique in self._records.unique if [name for name, _ in unique.key] == key]
        return broken.refuse(self._kind, state)

    def _ring(self, id: str) -> None:  # noqa: A002
        self._records.relay.notify(self._kind, id)


def derived_id(kind: Kind, because: str, *, caller: str | None = None) -> str:
    """The id of a record that was added without one: the same for the same command.

    With its caller where another caller's record has that id, and no sooner: an earlier release knows none of these.
    """
    return str(uuid.uuid5(NAMESPACE, f"{kind.key}/{because}/{caller}" if caller else f"{kind.key}/{because}"))


def _seen(stored: Document, follows: int | None) -> Document:
    """The filter for the record as it was read: not written meanwhile, and not in step with anything newer."""
    seen = {"_id": stored["_id"], "version": stored["version"]}
    return seen if follows is None else {**seen, "follows": {"$not": {"$gte": follows}}}
