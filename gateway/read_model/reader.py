"""Reading a store, now or as it was known at an instant; everything that one reader reads is of one moment.

Reading the past closes it first (`Store.close_until`): events that are taken in later were not known then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from itertools import islice
from types import MappingProxyType
from typing import Any, TypeVar

import eventlet
from pymongo.client_session import ClientSession
from pymongo.errors import OperationFailure

from gateway.kpi.as_of import Touched, known_then, patched, unwound
from gateway.kpi.measures import Increments, Measure
from gateway.plans.periods import Period, Piece
from gateway.read_model.store import LAST_VERSION, Counts, Store, row_id
from services.chassis.mongo import Document
from services.chassis.problem import Unavailable
from services.contract.rule import Condition, Rule
from services.contract.view import Kind

BATCH = 1_000  # records of the past that are fetched together
NO_SNAPSHOT = (239, 246)  # MongoDB's codes: the snapshot is too old, or a collection was made just now
TRIES = 5

T = TypeVar("T")

Place = tuple[str, str]
"""A record's place in a list: its day and its id."""

Among = Mapping[str, Any]
"""A filter: only records with these values; None is an empty field."""

EVERYWHERE: Among = MappingProxyType({})


def read_at(store: Store, as_of: datetime | None, ask: Callable[[Reader], T]) -> T:
    """Answer as of an instant; None: now. Raises `LedgerMissing`, and `Unavailable` where no snapshot can be had."""
    if as_of is None:
        return ask(Reader(store))
    store.close_until(as_of)
    for _ in range(TRIES):
        with suppress(SnapshotMissing):
            return _read_past(store, as_of, ask)
        eventlet.sleep(0.05)
    raise Unavailable("The database cannot look back.", "数据库暂不能提供快照。")


class SnapshotMissing(Exception):
    """The database has no snapshot just now."""


def _read_past(store: Store, as_of: datetime, ask: Callable[[Reader], T]) -> T:
    try:
        with store.views.database.client.start_session(snapshot=True) as session:
            return ask(Reader(store, as_of, session))
    except OperationFailure as error:
        if error.code in NO_SNAPSHOT:
            raise SnapshotMissing from None
        raise


class Reader:
    """A store at one moment: as it is now, or as it was known at an instant."""

    def __init__(self, store: Store, as_of: datetime | None = None, session: ClientSession | None = None) -> None:
        self._store, self._as_of, self._session = store, as_of, session
        self._learnt: dict[str, dict[str, Touched]] = {}

    def counts(self, wanted: Mapping[str, Piece], measures: Iterable[Measure]) -> Counts:
        """Read these documents of the counts of these measures."""
        now = self._store.read_counts(wanted, self._session)
        if self._as_of is None:
            return now
        measures, increments = list(measures), IncrementSums()
        for touched in self._touched({measure.rule.of.key for measure in measures}):
            increments.add(unwound(measures, touched))
        return Counts(patched(now.documents, increments.all, wanted), now.ledger, now.counted)

    def records(
        self, rule: Rule, period: Period, *, among: Among = EVERYWHERE, after: Place | None = None, limit: int
    ) -> list[Document]:
        """Return the views that a rule counts in a period, by day and id, after a place in the list."""
        window = Window(rule, period.first.isoformat(), period.last.isoformat(), among)
        return list(islice(self._counting(window, after, limit), limit))

    def group_values(
        self, rule: Rule, fields: Iterable[str], period: Period, *, among: Among = EVERYWHERE
    ) -> list[ValueGroup]:
        """Group all records with their day in the period, counting or not, by these fields and those of conditions."""
        names = sorted({*fields, *(condition.field for condition in rule.where)})
        window = Window(rule, period.first.isoformat(), period.last.isoformat(), among)
        groups = self._store.views.aggregate(
            [{"$match": window.query}, {"$group": _grouped(rule, names)}], session=self._session
        )
        by_values = {_key(row["_id"]): ValueGroup(row["_id"], row["records"], int(row["amount"])) for row in groups}
        for data, sign in self._changes(window):
            values = {name: data.get(name) for name in names}
            group = by_values.setdefault(_key(values), ValueGroup(values))
            group.records += sign
            group.amount += sign * ((rule.sum is not None and data.get(rule.sum)) or 0)
        return [group for group in by_values.values() if group.records]

    def value(self, rule: Rule, period: Period, among: Among) -> int:
        """Return the number of a rule that is not additive: how many values there are, or the last record's value."""
        if rule.measure == "last":
            view = self.last(rule, period, among=among)
            return view["data"][rule.field] or 0 if view else 0
        field = rule.field or ""
        groups = self.group_values(rule, [field], period, among=among)
        return len({group.values[field] for group in groups if rule.holds(group.values)} - {None})

    def last(self, rule: Rule, period: Period, *, among: Among = EVERYWHERE) -> Document | None:
        """Return the counting view with the latest day up to the period's end, of several the one with the greatest id.

        Views without a value in the rule's field are passed over.
        """
        window = Window(rule, "", period.last.isoformat(), among)
        has_value = [{f"data.{rule.field}": {"$ne": None}}] if rule.field else []
        tests = {"$and": [window.query, *window.tests, *has_value, *self._untouched(rule.of)]}
        order = [(f"data.{rule.on}", -1), ("_id", -1)]
        untouched = self._store.views.find(tests, session=self._session).sort(order).limit(1)
        then = [view for view in self._then(window) if not rule.field or view["data"].get(rule.field) is not None]
        return max((*untouched, *then), key=window.place, default=None)

    def last_day(self, rule: Rule, first: str, last: str) -> str | None:
        """Return the last day from `first` to `last`, both included, with a view that a rule counts."""
        window = Window(rule, first, last, EVERYWHERE)
        on = f"data.{rule.on}"
        tests = {"$and": [window.query, *window.tests]}
        view = self._store.views.find_one(tests, {on: 1}, sort=[(on, -1)], session=self._session)
        return str(view["data"][rule.on]) if view else None

    def versions(self, record: str) -> list[Document]:
        """Return the rows of all versions of a record that were known, the first one first."""
        known = {"known": {"$lte": self._as_of}} if self._as_of else {}
        ends = {"$gte": row_id(record, 0), "$lte": row_id(record, LAST_VERSION)}
        return list(self._store.history.find({"_id": ends, **known}, session=self._session).sort("_id"))

    def changed_records(self, kind: Kind) -> dict[str, Touched]:
        """Return the records of a kind that changed after this moment was known, as they are now and were then."""
        if kind.key not in self._learnt:
            batches = self._touched({kind.key})
            self._learnt[kind.key] = {touched.record: touched for batch in batches for touched in batch}
        return self._learnt[kind.key]

    # --- the past -----------------------------------------------------------------------------------------------------

    def _touched(self, kinds: set[str]) -> Iterator[list[Touched]]:
        """Yield, in batches, the records of these kinds of which a version was learnt since."""
        if self._as_of is None:
            return
        since: list[Document] = [
            {"$match": {"known": {"$gt": self._as_of}}},
            {"$group": {"_id": "$_id.record", "versions": {"$push": "$_id.version"}}},
        ]
        rows = self._store.history.aggregate(since, session=self._session, allowDiskUse=True)
        learnt = ((row["_id"], row["versions"]) for row in rows if row["_id"].partition("/")[0] in kinds)
        while batch := dict(islice(learnt, BATCH)):
            yield self._compare(batch)
            eventlet.sleep(0)

    def _compare(self, learnt: Mapping[str, list[int]]) -> list[Touched]:
        """Read these records as they are now and were then; a version between may have been taken in since."""
        now = {view["_id"]: view for view in self._find(self._store.views, list(learnt))}
        newest = {record: known_then(view["version"], learnt[record]) for record, view in now.items()}
        ids = [row_id(record, version) for record, version in newest.items() if version]
        then = {row["_id"]["record"]: row for row in self._find(self._store.history, ids)}
        for record, version in newest.items():
            if version and record not in then and (known := self.versions(record)):
                then[record] = known[-1]
        return [_touched(view, then.get(record)) for record, view in now.items()]

    def _find(self, collection: Any, ids: list[Any]) -> Iterable[Document]:
        documents: Iterable[Document] = collection.find({"_id": {"$in": ids}}, session=self._session)
        return documents

    def _then(self, window: Window) -> list[Document]:
        """The views of then that count in this window, of records that have changed since."""
        return [
            {"_id": touched.record, "version": touched.version, "data": touched.then}
            for touched in self.changed_records(window.rule.of).values()
            if touched.then is not None and window.has(touched.then) and window.rule.counts(touched.then)
        ]

    def _untouched(self, kind: Kind) -> list[Document]:
        learnt = self.changed_records(kind) if self._as_of else None
        return [{"_id": {"$nin": list(learnt)}}] if learnt else []

    def _changes(self, window: Window) -> Iterator[tuple[Mapping[str, Any], int]]:
        """Yield data to take away (-1) and to add (1), so that the records in this window are as they were then."""
        changed = self.changed_records(window.rule.of).values() if self._as_of else ()
        both = ((data, sign) for touched in changed for data, sign in ((touched.now, -1), (touched.then, 1)))
        for data, sign in both:
            if data is not None and window.has(data):
                yield data, sign

    def _counting(self, window: Window, after: Place | None, limit: int) -> Iterator[Document]:
        on = f"data.{window.rule.on}"
        tests = [window.query, *window.tests, *self._untouched(window.rule.of)]
        if after:
            tests += [{on: {"$gte": after[0]}}, {"$or": [{on: {"$gt": after[0]}}, {"_id": {"$gt": after[1]}}]}]
        untouched = self._store.views.find({"$and": tests}, session=self._session)
        ordered = untouched.sort([(on, 1), ("_id", 1)]).limit(limit)
        then = [view for view in self._then(window) if after is None or window.place(view) > after]
        return merge(ordered, sorted(then, key=window.place), key=window.place)


@dataclass(frozen=True)
class Window:
    """The records of a rule's kind with these values and their day from the first to the last one, both included."""

    rule: Rule
    first: str
    last: str
    among: Among

    @property
    def query(self) -> Document:
        """The filter for records in the window, counting or not; a record without a day is in no window."""
        days = {f"data.{self.rule.on}": {"$gte": self.first, "$lte": self.last}}
        return {"kind": self.rule.of.key, **days, **{f"data.{name}": value for name, value in self.among.items()}}

    @property
    def tests(self) -> list[Document]:
        """The filters for records that count."""
        return [{f"data.{condition.field}": _test(condition)} for condition in self.rule.where]

    def has(self, data: Mapping[str, Any]) -> bool:
        """Tell whether a record with this data is in the window."""
        day = data.get(self.rule.on)
        is_among = all(data.get(name) == value for name, value in self.among.items())
        return is_among and day is not None and self.first <= day <= self.last

    def place(self, view: Document) -> Place:
        """The place of a view in a list by day."""
        return view["data"][self.rule.on], view["_id"]


@dataclass
class ValueGroup:
    """Values that records share, the number of these records, and the sum of their amounts."""

    values: Document
    records: int = 0
    amount: int = 0


class IncrementSums:
    """The sum of increments that come in batches."""

    def __init__(self) -> None:
        self.all: dict[str, dict[str, int]] = {}

    def add(self, increments: Increments) -> None:
        """Add a batch of increments."""
        for id_, changed in increments.items():
            sums = self.all.setdefault(id_, {})
            for path, by in changed.items():
                sums[path] = sums.get(path, 0) + by


def _touched(view: Document, then: Document | None) -> Touched:
    return Touched(view["_id"], view["data"], then["data"] if then else None, then["_id"]["version"] if then else 0)


def _grouped(rule: Rule, names: Iterable[str]) -> Document:
    return {
        "_id": {name: {"$ifNull": [f"$data.{name}", None]} for name in names},
        "records": {"$sum": 1},
        "amount": {"$sum": {"$ifNull": [f"$data.{rule.sum}", 0]} if rule.sum else 0},
    }


def _key(values: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(tuple(value) if isinstance(value, list) else value for _, value in sorted(values.items()))


def _test(condition: Condition) -> Any:
    if condition.exists is not None:
        return {"$ne": None} if condition.exists else None
    if condition.any_of:
        return {"$in": list(condition.any_of)}
    return {f"${name}": bound for name, bound in (("gte", condition.gte), ("lte", condition.lte)) if bound is not None}
