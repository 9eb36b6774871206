"""Reading: what is asked of a store, now or as it was known at an instant; whatever is read together is of one moment.

A question about the past first settles it (`Store.close_until`): what is taken in later was not known then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
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
from gateway.kpi.ledger import Document
from gateway.kpi.measures import Increments, Measure
from gateway.plans.periods import Period, Piece
from gateway.read_model.store import LAST_VERSION, Counts, Store, row_id
from services.chassis.problem import Unavailable
from services.contract.rule import Condition, Rule
from services.contract.view import Kind

AT_ONCE = 1_000  # records of the past that are fetched together
NO_SNAPSHOT = (239, 246)  # MongoDB's codes: it is too old, or something was made just now
TRIES = 5

T = TypeVar("T")

Place = tuple[str, str]
"""Where a record stands in a list: its day and its id."""

Among = Mapping[str, Any]
"""Only records that have these values; None: the field is empty."""

EVERYWHERE: Among = MappingProxyType({})


def read_at(store: Store, as_of: datetime | None, ask: Callable[[Reader], T]) -> T:
    """What is answered at that instant; None: now. Raises `LedgerMissing`."""
    if as_of is None:
        return ask(Reader(store))
    store.close_until(as_of)
    for _ in range(TRIES):
        try:
            with store.views.database.client.start_session(snapshot=True) as session:
                return ask(Reader(store, as_of, session))
        except OperationFailure as error:
            if error.code not in NO_SNAPSHOT:
                raise
        eventlet.sleep(0.05)
    raise Unavailable("The database cannot look back.", "数据库暂不能提供快照。")


class Reader:
    """A store at one moment."""

    def __init__(self, store: Store, as_of: datetime | None = None, session: ClientSession | None = None) -> None:
        self._store, self._as_of, self._session = store, as_of, session
        self._learnt: dict[str, dict[str, Touched]] = {}

    def counts(self, wanted: Mapping[str, Piece], measures: Iterable[Measure]) -> Counts:
        """These documents of the counts of these measures."""
        found = self._store.read_counts(wanted, self._session)
        if self._as_of is None:
            return found
        measures, increments = list(measures), IncrementSums()
        for some in self._touched({measure.rule.of.key for measure in measures}):
            increments.add(unwound(measures, some))
        return Counts(patched(found.documents, increments.all, wanted), found.ledger, found.counted)

    def records(
        self, rule: Rule, period: Period, *, among: Among = EVERYWHERE, after: Place | None = None, limit: int
    ) -> list[Document]:
        """The views that a rule counts in a period, by day and id, after the last (day, id) that was seen."""
        window = Window(rule, period.first.isoformat(), period.last.isoformat(), among)
        return list(islice(self._counting(window, after, limit), limit))

    def group_values(
        self, rule: Rule, fields: Iterable[str], period: Period, *, among: Among = EVERYWHERE
    ) -> list[ValueGroup]:
        """All records with their day in the period, counting or not, by the values of these fields and conditions."""
        names = sorted({*fields, *(condition.field for condition in rule.where)})
        window = Window(rule, period.first.isoformat(), period.last.isoformat(), among)
        groups = self._store.views.aggregate(
            [{"$match": window.query}, {"$group": _grouped(rule, names)}], session=self._session
        )
        found = {_key(one["_id"]): ValueGroup(one["_id"], one["records"], int(one["amount"])) for one in groups}
        for data, sign in self._changes(window):
            values = {name: data.get(name) for name in names}
            cell = found.setdefault(_key(values), ValueGroup(values))
            cell.records += sign
            cell.amount += sign * ((rule.sum is not None and data.get(rule.sum)) or 0)
        return [cell for cell in found.values() if cell.records]

    def value(self, rule: Rule, period: Period, among: Among) -> int:
        """The number of a rule whose parts do not add up: how many values there are, or what the last record says."""
        if rule.measure == "last":
            view = self.last(rule, period, among=among)
            return view["data"][rule.field] or 0 if view else 0
        field = rule.field or ""
        found = self.group_values(rule, [field], period, among=among)
        return len({cell.values[field] for cell in found if rule.holds(cell.values)} - {None})

    def last(self, rule: Rule, period: Period, *, among: Among = EVERYWHERE) -> Document | None:
        """The counting view with the latest day up to the period's end, of several the one with the greatest id.

        One that says nothing of the rule's field is none.
        """
        window = Window(rule, "", period.last.isoformat(), among)
        says = [{f"data.{rule.field}": {"$ne": None}}] if rule.field else []
        tests = {"$and": [window.query, *window.tests, *says, *self._untouched(rule.of)]}
        order = [(f"data.{rule.on}", -1), ("_id", -1)]
        found = self._store.views.find(tests, session=self._session).sort(order).limit(1)
        then = [view for view in self._then(window) if not rule.field or view["data"].get(rule.field) is not None]
        return max((*found, *then), key=window.place, default=None)

    def last_day(self, rule: Rule, first: str, last: str) -> str | None:
        """The last day from `first` to `last`, both included, with a view that a rule counts."""
        window = Window(rule, first, last, EVERYWHERE)
        on = f"data.{rule.on}"
        tests = {"$and": [window.query, *window.tests]}
        found = self._store.views.find_one(tests, {on: 1}, sort=[(on, -1)], session=self._session)
        return str(found["data"][rule.on]) if found else None

    def versions(self, record: str) -> list[Document]:
        """Every version of a record that was known, the first one first."""
        known = {"known": {"$lte": self._as_of}} if self._as_of else {}
        ends = {"$gte": row_id(record, 0), "$lte": row_id(record, LAST_VERSION)}
        return list(self._store.history.find({"_id": ends, **known}, session=self._session).sort("_id"))

    def changed_records(self, kind: Kind) -> dict[str, Touched]:
        """All records of a kind of which something was learnt after this moment, as they are now and were then."""
        if kind.key not in self._learnt:
            found = (one for some in self._touched({kind.key}) for one in some)
            self._learnt[kind.key] = {one.record: one for one in found}
        return self._learnt[kind.key]

    # --- then ---------------------------------------------------------------------------------------------------------

    def _touched(self, kinds: set[str]) -> Iterator[list[Touched]]:
        """Piece by piece the records of these kinds of which something was learnt since."""
        if self._as_of is None:
            return
        since: list[Document] = [
            {"$match": {"known": {"$gt": self._as_of}}},
            {"$group": {"_id": "$_id.record", "versions": {"$push": "$_id.version"}}},
        ]
        rows = self._store.history.aggregate(since, session=self._session, allowDiskUse=True)
        learnt = ((row["_id"], row["versions"]) for row in rows if row["_id"].partition("/")[0] in kinds)
        while some := dict(islice(learnt, AT_ONCE)):
            yield self._compared(some)
            eventlet.sleep(0)

    def _compared(self, learnt: Mapping[str, list[int]]) -> list[Touched]:
        """Each of these records now and then; a version that should have been known then may have come in since."""
        now = {view["_id"]: view for view in self._find(self._store.views, list(learnt))}
        newest = {record: known_then(view["version"], learnt[record]) for record, view in now.items()}
        ids = [row_id(record, version) for record, version in newest.items() if version]
        then = {row["_id"]["record"]: row for row in self._find(self._store.history, ids)}
        for record, version in newest.items():
            if version and record not in then and (known := self.versions(record)):
                then[record] = known[-1]
        return [_touched(view, then.get(record)) for record, view in now.items()]

    def _find(self, collection: Any, ids: list[Any]) -> Iterable[Document]:
        found: Iterable[Document] = collection.find({"_id": {"$in": ids}}, session=self._session)
        return found

    def _then(self, window: Window) -> list[Document]:
        """The views of then that count in this window, of records that have another one now."""
        return [
            {"_id": one.record, "version": one.version, "data": one.then}
            for one in self.changed_records(window.rule.of).values()
            if one.then is not None and window.has(one.then) and window.rule.counts(one.then)
        ]

    def _untouched(self, kind: Kind) -> list[Document]:
        learnt = self.changed_records(kind) if self._as_of else None
        return [{"_id": {"$nin": list(learnt)}}] if learnt else []

    def _changes(self, window: Window) -> Iterator[tuple[Mapping[str, Any], int]]:
        """What to take away (-1) and to add (1), so that the records in this window are as they were then."""
        for one in self.changed_records(window.rule.of).values() if self._as_of else ():
            for data, sign in ((one.now, -1), (one.then, 1)):
                if data is not None and window.has(data):
                    yield data, sign

    def _counting(self, window: Window, after: Place | None, limit: int) -> Iterator[Document]:
        on = f"data.{window.rule.on}"
        tests = [window.query, *window.tests, *self._untouched(window.rule.of)]
        if after:
            tests += [{on: {"$gte": after[0]}}, {"$or": [{on: {"$gt": after[0]}}, {"_id": {"$gt": after[1]}}]}]
        found = self._store.views.find({"$and": tests}, session=self._session).sort([(on, 1), ("_id", 1)]).limit(limit)
        then = [view for view in self._then(window) if after is None or window.place(view) > after]
        return merge(found, sorted(then, key=window.place), key=window.place)


@dataclass(frozen=True)
class Window:
    """The records of a rule's kind with their day from the first to the last one, that have these values."""

    rule: Rule
    first: str
    last: str
    among: Among

    @property
    def query(self) -> Document:
        """A day that is not there is on none of them."""
        days = {f"data.{self.rule.on}": {"$gte": self.first, "$lte": self.last}}
        return {"kind": self.rule.of.key, **days, **{f"data.{name}": value for name, value in self.among.items()}}

    @property
    def tests(self) -> list[Document]:
        """Those that count."""
        return [{f"data.{condition.field}": _test(condition)} for condition in self.rule.where]

    def has(self, data: Mapping[str, Any]) -> bool:
        day = data.get(self.rule.on)
        is_among = all(data.get(name) == value for name, value in self.among.items())
        return is_among and day is not None and self.first <= day <= self.last

    def place(self, view: Document) -> Place:
        return view["data"][self.rule.on], view["_id"]


@dataclass
class ValueGroup:
    """Values that some records have, how many these are, and what they add up to."""

    values: Document
    records: int = 0
    amount: int = 0


class IncrementSums:
    """Increments that come piece by piece."""

    def __init__(self) -> None:
        self.all: dict[str, dict[str, int]] = {}

    def add(self, increments: Increments) -> None:
        for id_, changed in increments.items():
            held = self.all.setdefault(id_, {})
            for path, by in changed.items():
                held[path] = held.get(path, 0) + by


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
