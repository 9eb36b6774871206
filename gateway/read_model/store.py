"""A store: the newest view of every record, every version that was ever taken in, and the counts.

All that a batch of events changes is written in one snapshot transaction. So the counts are always the fold of the
kept views, however often a batch is delivered and wherever a process is killed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from eventlet.semaphore import Semaphore
from pymongo import IndexModel, ReplaceOne, UpdateOne
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import OperationFailure

from gateway.kpi import ledger
from gateway.kpi.ledger import Settlement
from gateway.kpi.measures import Measure
from gateway.plans.periods import Piece
from gateway.read_model.counted_rules import LEDGER, CountedRules, count_updates
from services.chassis import parking
from services.chassis.mongo import Document
from services.chassis.transaction import in_one_transaction
from services.contract.event import Event
from services.contract.rule import Rule
from services.contract.topology import SERVICES
from services.contract.view import Kind

LAST_VERSION = 2**63 - 1
NAMESPACE_EXISTS = 48  # MongoDB's code


class LedgerMissing(Exception):
    """The ledger was dropped, or another generation took this one's place."""


@dataclass(frozen=True)
class Counts:
    """The documents of counts that were asked for, the ledger at the same moment, and the rules that are whole."""

    documents: dict[str, Document]
    ledger: Document
    counted: frozenset[str]


class Store:
    """The collections of one generation, whose names end in its own. Every method may raise what pymongo raises."""

    def __init__(self, database: Database[Document], generation: str = "") -> None:
        self.generation = generation
        self._database = database
        self._client = database.client
        self.views: Collection[Document] = database[f"views{generation}"]
        self.history: Collection[Document] = database[f"history{generation}"]
        self.counts: Collection[Document] = database[f"counts{generation}"]
        self.rules: Collection[Document] = database[f"rules{generation}"]
        self._counted = CountedRules(self.rules, self.views, self.counts)
        self._collections = (self.counts, self.views, self.history, self.rules)
        self._parked: Collection[Document] = database["parked"]
        self._turn = Semaphore(1)  # so that batches of one process do not conflict

    def prepare(self, rules: Iterable[Rule]) -> None:
        """Make everything that is missing, and count the rules that are new from the kept views."""
        measures = {measure.key: measure for measure in map(Measure, rules)}
        self._make_indexes(measures.values())  # first: an index that comes with its collection costs next to nothing
        self._make_collections()
        self._date_history()
        self._counted.count_only(measures)

    def exists(self) -> bool:
        """True while the ledger and the indexes of the views exist; dropped views come back without indexes."""
        state = self.counts.find_one({"_id": LEDGER}, {"_id": 1})
        return state is not None and len(self.views.index_information()) > 1

    def is_empty(self) -> bool:
        """True where none of its collections holds anything, nor a rule: it was never made, or not to its end."""
        return not any(collection.find_one({}, {"_id": 1}) for collection in self._collections)

    def drop(self) -> None:
        """Drop it, the ledger first: from then on no events are taken in."""
        for collection in self._collections:
            collection.drop()

    def raise_revision(self, revision: int) -> None:
        """Raise the revision above another generation's, so that readers never see it fall."""
        self.counts.update_one({"_id": LEDGER}, {"$inc": {"revision": revision}})

    def close_until(self, as_of: datetime) -> None:
        """Let events that are taken in from now on count as learnt after an instant: its answers never change."""
        self.counts.update_one({"_id": LEDGER}, {"$max": {"settled": as_of}})

    def copy_learning_times(self, other: Store) -> None:
        """Learn the versions that another generation learnt late as late as it did."""
        state = other.counts.find_one({"_id": LEDGER}, {"settled": 1}) or {}
        if "settled" in state:
            self.close_until(state["settled"])
        for row in other.history.find({"moved": True}, {"known": 1}):
            self.history.update_one({"_id": row["_id"]}, {"$set": {"known": row["known"], "moved": True}})

    def _make_collections(self) -> None:
        for collection in self._collections:
            with _ignoring(NAMESPACE_EXISTS):  # made before, by us or by another gateway
                self._database.create_collection(collection.name, check_exists=False)
        empty = {"batches": 0, "events": 0, "revision": 0, "rules": 0, "heard": {}, "compared": {}}
        self.counts.update_one({"_id": LEDGER}, {"$setOnInsert": empty}, upsert=True)

    def _make_indexes(self, measures: Iterable[Measure]) -> None:
        days = {(measure.rule.of.key, measure.rule.on) for measure in measures}
        if indexes := [_by_day(kind, on) for kind, on in sorted(days)]:
            self.views.create_indexes(indexes)
        moved = IndexModel("moved", partialFilterExpression={"moved": True})
        self.history.create_indexes([IndexModel("known"), moved])

    def _date_history(self) -> None:
        """Say of versions from an earlier release, which did not, since when they are known: since they happened."""
        if self.history.find_one({"known": None}, {"_id": 1}):
            self.history.update_many({"known": None}, [{"$set": {"known": {"$toDate": "$time"}}}])

    # --- taking events in --------------------------------------------------------------------------------------------

    def take_events(self, events: Sequence[Event]) -> None:
        """Take in all of these events or none; events known before change nothing. Raises `LedgerMissing`."""
        with self._turn:
            in_one_transaction(self._client, partial(self._take_events, events))

    def _take_events(self, events: Sequence[Event], session: ClientSession) -> None:
        """Write the ledger first: of two transactions that do, one goes on and the other has lost no work."""
        state = self.counts.find_one_and_update(
            {"_id": LEDGER}, {"$inc": {"batches": 1}}, {"rules": 1, "settled": 1}, session=session
        )
        if state is None:
            raise LedgerMissing
        measures = self._counted.measures(state["rules"], session)
        settlement = ledger.settle(events, self._views_before(events, session), measures, state.get("settled"))
        rows = settlement.rows + self._missing_rows(settlement.late, session)
        if not rows:
            session.abort_transaction()
            return

        self.history.insert_many(rows, ordered=False, session=session)
        self._write_views(settlement, session)
        self._write_counts(settlement, len(rows), session)

    def _views_before(self, events: Sequence[Event], session: ClientSession) -> dict[str, Document]:
        records = list({ledger.record_of(event) for event in events})
        return {view["_id"]: view for view in self.views.find({"_id": {"$in": records}}, session=session)}

    def _missing_rows(self, late: list[Document], session: ClientSession) -> list[Document]:
        """Return the rows that the history lacks."""
        if not late:
            return []
        ids = [row["_id"] for row in late]
        rows = self.history.find({"_id": {"$in": ids}}, {"_id": 1}, session=session)
        known = {(row["_id"]["record"], row["_id"]["version"]) for row in rows}
        return [row for row in late if (row["_id"]["record"], row["_id"]["version"]) not in known]

    def _write_views(self, settlement: Settlement, session: ClientSession) -> None:
        if settlement.first:
            self.views.insert_many(settlement.first, ordered=False, session=session)
        if settlement.newer:
            replacements = [ReplaceOne({"_id": view["_id"]}, view) for view in settlement.newer]
            self.views.bulk_write(replacements, ordered=False, session=session)

    def _write_counts(self, settlement: Settlement, rows: int, session: ClientSession) -> None:
        progress = {
            "$inc": {"events": rows, "revision": 1},
            "$max": {f"heard.{service}": time for service, time in settlement.heard.items()},
        }
        updates = [UpdateOne({"_id": LEDGER}, progress), *count_updates(settlement.increments)]
        self.counts.bulk_write(updates, ordered=False, session=session)

    # --- reading -----------------------------------------------------------------------------------------------------

    def read_counts(self, pieces: Mapping[str, Piece], session: ClientSession | None = None) -> Counts:
        """Read documents of counts by id; days of a month only where a piece asks for them. Raises `LedgerMissing`."""
        whole = [id_ for id_, piece in pieces.items() if not piece.days]
        documents = list(self.counts.find({"_id": {"$in": [*whole, LEDGER]}}, {"days": 0}, session=session))
        if len(whole) < len(pieces):
            by_day = [id_ for id_, piece in pieces.items() if piece.days]
            documents += self.counts.find({"_id": {"$in": by_day}}, session=session)
        by_id = {document["_id"]: document for document in documents}
        if LEDGER not in by_id:
            raise LedgerMissing
        state = by_id.pop(LEDGER)
        return Counts(by_id, state, self.whole_rules(at=state["rules"]))

    def whole_rules(self, at: int) -> frozenset[str]:
        """Return the rules whose counts are whole, at this state (`rules`) of the ledger."""
        return self._counted.whole(at)

    def views_after(self, kind: str, after: str, conditions: Document, *, limit: int) -> list[Document]:
        """Return the next views of a kind by id, of those that meet these conditions."""
        return list(self.views.find({"_id": _views_between(kind, after, None), **conditions}).sort("_id").limit(limit))

    def aggregate_views(self, steps: Iterable[Document], kinds: Iterable[Kind]) -> list[Document]:
        """Run the steps of an aggregation over the views of these kinds."""
        of_kinds = {"$match": {"$or": [{"_id": _views_between(kind.key, "", None)} for kind in kinds]}}
        return list(self.views.aggregate([of_kinds, *steps]))

    def views_of(self, kind: str, ids: Iterable[str]) -> list[Document]:
        """Return the views of these records, in no order."""
        return list(self.views.find({"_id": {"$in": [f"{kind}/{id_}" for id_ in ids]}}))

    def count_records(self, kinds: Iterable[Kind]) -> int:
        """Count the records of these kinds."""
        return sum(self.views.count_documents({"_id": _views_between(kind.key, "", None)}) for kind in kinds)

    def parked(self) -> dict[str, int]:
        """Count the parked messages (dead letters) that wait for an operator, by the exchange they came from."""
        by_exchange = {"$group": {"_id": "$exchange", "messages": {"$sum": 1}}}
        groups = self._parked.aggregate([{"$match": parking.WAITING}, by_exchange])
        return {group["_id"] or "": group["messages"] for group in groups}

    # --- compared with the services ----------------------------------------------------------------------------------

    def note_compared(self, differing: Mapping[str, int]) -> None:
        """Write down for each service that was compared how many of its records differ."""
        compared = {f"compared.{service}": records for service, records in differing.items()}
        now = {f"compared_at.{service}": True for service in differing}
        self.counts.update_one({"_id": LEDGER}, {"$set": compared, "$currentDate": now, "$inc": {"revision": 1}})

    def differing_records(self) -> dict[str, int] | None:
        """Return how many records of each service differed last; None until all were compared.

        Raises `LedgerMissing`.
        """
        differing = differing_records(self.read_counts({}).ledger)
        return differing if differing.keys() >= set(SERVICES) else None

    def bucket_sums(self, kind: str, after: str, through: str | None) -> dict[str, int]:
        """Sum up the records of a kind after one id through another (None: the last): records, versions, rows."""
        match = {"$match": {"_id": _views_between(kind, after, through)}}
        group = {"$group": {"_id": None, "records": {"$sum": 1}, "versions": {"$sum": "$version"}}}
        sums = next(self.views.aggregate([match, group]), {"records": 0, "versions": 0})
        rows = self.history.count_documents({"_id": _rows_between(kind, after, through)})
        return {"records": sums["records"], "versions": sums["versions"], "entries": rows}

    def versions_of(self, kind: str, after: str, through: str | None) -> dict[str, tuple[int, int]]:
        """Return for each record between these ids its view's version, 0 without a view, and its number of rows."""
        views = self.views.find({"_id": _views_between(kind, after, through)}, {"version": 1})
        versions = {view["_id"]: view["version"] for view in views}
        match = {"$match": {"_id": _rows_between(kind, after, through)}}
        groups = self.history.aggregate([match, {"$group": {"_id": "$_id.record", "rows": {"$sum": 1}}}])
        rows = {group["_id"]: group["rows"] for group in groups}
        return {
            record.removeprefix(f"{kind}/"): (versions.get(record, 0), rows.get(record, 0))
            for record in versions.keys() | rows.keys()
        }

    def rows_of(self, kind: str, ids: Sequence[str]) -> dict[str, list[Document]]:
        """Return the rows of these records by id, the first version first; fast for ids next to each other."""
        if not ids:
            return {}
        rows: dict[str, list[Document]] = {id_: [] for id_ in ids}
        first, last = row_id(f"{kind}/{min(ids)}", 0), row_id(f"{kind}/{max(ids)}", LAST_VERSION)
        for row in self.history.find({"_id": {"$gte": first, "$lte": last}}).sort("_id"):
            record = row["_id"]["record"].removeprefix(f"{kind}/")
            if record in rows:
                rows[record].append(row)
        return {record: versions for record, versions in rows.items() if versions}


def differing_records(state: Document) -> dict[str, int]:
    """Read from the ledger how many records of each service differed, of those that were compared since it was made."""
    return dict(state.get("compared", {}))  # an earlier release's ledger was never compared


def comparison_instants(state: Document) -> dict[str, datetime]:
    """Read from the ledger when each service was compared last; comparisons of an earlier release are missing."""
    return dict(state.get("compared_at", {}))


def row_id(record: str, version: int) -> Document:
    """The id of a version's row in the history."""
    return {"record": record, "version": version}


@contextmanager
def _ignoring(code: int) -> Iterator[None]:
    try:
        yield
    except OperationFailure as error:
        if error.code != code:
            raise


def _by_day(kind: str, on: str) -> IndexModel:
    """An index of the records of a kind by the day in a field."""
    return IndexModel([(f"data.{on}", 1), ("_id", 1)], name=f"{kind}|{on}", partialFilterExpression={"kind": kind})


def _views_between(kind: str, after: str, through: str | None) -> Document:
    last = {"$lt": f"{kind}0"} if through is None else {"$lte": f"{kind}/{through}"}  # 0 comes right after the slash
    return {"$gt": f"{kind}/{after}", **last}


def _rows_between(kind: str, after: str, through: str | None) -> Document:
    last = f"{kind}0" if through is None else f"{kind}/{through}"
    return {"$gt": row_id(f"{kind}/{after}", LAST_VERSION), "$lte": row_id(last, LAST_VERSION)}
