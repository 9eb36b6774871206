"""A store: the newest view of every record, every version that was ever heard, and the counts.

Whatever a batch of events changes is written in one snapshot transaction, so that the counts are always the fold of
the views that are kept, however often a batch is delivered and wherever a process is killed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
from gateway.kpi.ledger import Document
from gateway.kpi.measures import Increments, Measure
from gateway.plans.periods import Piece
from services.chassis import parking
from services.chassis.problem import Unavailable
from services.chassis.transaction import in_one_transaction
from services.contract import rule as plan_rule
from services.contract.event import Event
from services.contract.rule import BrokenRule, Rule
from services.contract.topology import SERVICES
from services.contract.view import Kind

LEDGER = "ledger"  # the one document among the counts that is no count: what was taken in so far
CHUNK = 2_000  # kept views that are counted in one transaction when a rule is new
LAST_VERSION = 2**63 - 1
NAMESPACE_EXISTS = 48  # MongoDB's code


class LedgerMissing(Exception):
    """The ledger is not there: somebody dropped it, or another generation took this one's place."""


@dataclass(frozen=True)
class Counts:
    """The documents of counts that were asked for, the ledger as it was then, and the rules whose counts are whole."""

    documents: dict[str, Document]
    ledger: Document
    counted: frozenset[str]


class Store:
    """The collections of one generation, which end in its name. Every method may raise what pymongo raises."""

    def __init__(self, database: Database[Document], generation: str = "") -> None:
        self.generation = generation
        self._database = database
        self._client = database.client
        self.views: Collection[Document] = database[f"views{generation}"]
        self.history: Collection[Document] = database[f"history{generation}"]
        self.counts: Collection[Document] = database[f"counts{generation}"]
        self.rules: Collection[Document] = database[f"rules{generation}"]
        self._collections = (self.counts, self.views, self.history, self.rules)
        self._parked: Collection[Document] = database["parked"]
        self._turn = Semaphore(1)  # here nobody has to try again
        self._measures: dict[str, list[Measure]] = {}
        self._rules_known = -1  # the ledger's `rules` that the measures were read at

    # --- the rules that are counted ----------------------------------------------------------------------------------

    def prepare(self, rules: Iterable[Rule]) -> None:
        """Make everything that is needed, and count the rules that are new from the views that are kept."""
        measures = {measure.key: measure for measure in map(Measure, rules)}
        self._make_collections(measures.values())
        self._date_history()
        in_one_transaction(self._client, partial(self._register, measures))
        for rule in list(self.rules.find({"upto": {"$exists": True}}, {"_id": 1})):
            while in_one_transaction(self._client, partial(self._count_more, rule["_id"])):
                pass

    def exists(self) -> bool:
        """Nobody dropped it, nor its views, which come back without their indexes."""
        ledger = self.counts.find_one({"_id": LEDGER}, {"_id": 1})
        return ledger is not None and len(self.views.index_information()) > 1

    def was_never_made(self) -> bool:
        """Was nothing of it ever made?"""
        return not set(self._database.list_collection_names()) & {one.name for one in self._collections}

    def raise_revision(self, revision: int) -> None:
        """Whoever knew that revision of another one gets none that is lower."""
        self.counts.update_one({"_id": LEDGER}, {"$inc": {"revision": revision}})

    def drop(self) -> None:
        """The ledger goes first: from then on nobody takes anything in."""
        for collection in self._collections:
            collection.drop()

    def whole_rules(self, at: int) -> frozenset[str]:
        """The rules whose counts are whole, at this state (`rules`) of the ledger."""
        if at != self._rules_known:
            self._read_rules(at)
        return frozenset(one.key for measures in self._measures.values() for one in measures if one.upto is None)

    def _date_history(self) -> None:
        """An earlier release did not write down since when it knew a version: since it was written."""
        moved = IndexModel("moved", partialFilterExpression={"moved": True})
        self.history.create_indexes([IndexModel("known"), moved])
        if self.history.find_one({"known": None}, {"_id": 1}):
            self.history.update_many({"known": None}, [{"$set": {"known": {"$toDate": "$time"}}}])

    def close_until(self, as_of: datetime) -> None:
        """Whatever is taken in from now on was not known at that instant: an answer about it is the same for ever."""
        self.counts.update_one({"_id": LEDGER}, {"$max": {"settled": as_of}})

    def copy_learning_times(self, other: Store) -> None:
        """Know as late as another generation what that one heard late."""
        state = other.counts.find_one({"_id": LEDGER}, {"settled": 1}) or {}
        if "settled" in state:
            self.close_until(state["settled"])
        for row in other.history.find({"moved": True}, {"known": 1}):
            self.history.update_one({"_id": row["_id"]}, {"$set": {"known": row["known"], "moved": True}})

    def _make_collections(self, measures: Iterable[Measure]) -> None:
        for collection in self._collections:
            try:
                self._database.create_collection(collection.name, check_exists=False)
            except OperationFailure as error:
                if error.code != NAMESPACE_EXISTS:  # made before, by us or by another gateway
                    raise
        days = {(measure.rule.of.key, measure.rule.on) for measure in measures}
        if indexes := [_by_day(kind, on) for kind, on in sorted(days)]:
            self.views.create_indexes(indexes)
        empty = {"batches": 0, "events": 0, "revision": 0, "rules": 0, "heard": {}, "compared": {}}
        self.counts.update_one({"_id": LEDGER}, {"$setOnInsert": empty}, upsert=True)

    def _register(self, measures: Mapping[str, Measure], session: ClientSession) -> None:
        """From now on these rules are counted, and no others; another gateway that counts now sees it (`rules`)."""
        known = {document["_id"] for document in self.rules.find({}, {"_id": 1}, session=session)}
        if known == set(measures):
            return
        self.rules.delete_many({"_id": {"$in": list(known - set(measures))}}, session=session)
        for key in known ^ set(measures):
            self.counts.delete_many({"_id": {"$gt": f"{key}|", "$lt": f"{key}}}"}}, session=session)
        if new := [{"_id": key, "says": measures[key].rule.say()} for key in measures if key not in known]:
            is_empty = self.views.find_one({}, {"_id": 1}, session=session) is None
            self.rules.insert_many([rule if is_empty else rule | {"upto": ""} for rule in new], session=session)
        self._change_rules(session)

    def _count_more(self, key: str, session: ClientSession) -> bool:
        """Count the next records of a new rule; False when there are no more.

        Both this and `take_events` write the ledger, so that no record can be counted by both or by none of them.
        """
        document = self.rules.find_one({"_id": key}, session=session)
        if document is None or "upto" not in document:
            return False
        self._change_rules(session)
        measure = Measure(_rule(document))
        kind = measure.rule.of.key
        after, beyond = max(document["upto"], f"{kind}/"), f"{kind}0"  # 0 comes right after the slash
        views = list(self.views.find({"_id": {"$gt": after, "$lt": beyond}}, session=session).sort("_id").limit(CHUNK))
        if increments := ledger.count(measure, views):
            self.counts.bulk_write(_updates(increments), ordered=False, session=session)
        change = {"$set": {"upto": views[-1]["_id"]}} if views else {"$unset": {"upto": ""}}
        self.rules.update_one({"_id": key}, change, session=session)
        return bool(views)

    def _change_rules(self, session: ClientSession) -> None:
        self.counts.update_one({"_id": LEDGER}, {"$inc": {"rules": 1, "revision": 1}}, session=session)

    def _read_rules(self, at: int, session: ClientSession | None = None) -> None:
        measures: dict[str, list[Measure]] = {}
        for document in self.rules.find(session=session):
            measure = Measure(_rule(document), upto=document.get("upto"))
            measures.setdefault(measure.rule.of.key, []).append(measure)
        self._measures, self._rules_known = measures, at

    # --- taking events in --------------------------------------------------------------------------------------------

    def take_events(self, events: Sequence[Event]) -> None:
        """Take these events in, all or none of them; those known before change nothing. Raises `LedgerMissing`."""
        with self._turn:
            in_one_transaction(self._client, partial(self._take_events, events))

    def _take_events(self, events: Sequence[Event], session: ClientSession) -> None:
        """Writes the ledger first: of two that do, one goes on to its end, and the other has lost no work."""
        state = self.counts.find_one_and_update(
            {"_id": LEDGER}, {"$inc": {"batches": 1}}, {"rules": 1, "settled": 1}, session=session
        )
        if state is None:
            raise LedgerMissing
        if state["rules"] != self._rules_known:
            self._read_rules(state["rules"], session)
        wanted = list({ledger.record_of(event) for event in events})
        held = {view["_id"]: view for view in self.views.find({"_id": {"$in": wanted}}, session=session)}

        settled = ledger.settle(events, held, self._measures, state.get("settled"))
        rows = settled.rows + self._not_held(settled.late, session)
        if not rows:
            session.abort_transaction()
            return
        self.history.insert_many(rows, ordered=False, session=session)
        if settled.first:
            self.views.insert_many(settled.first, ordered=False, session=session)
        if settled.newer:
            replaced = [ReplaceOne({"_id": view["_id"]}, view) for view in settled.newer]
            self.views.bulk_write(replaced, ordered=False, session=session)
        progress = {
            "$inc": {"events": len(rows), "revision": 1},
            "$max": {f"heard.{service}": time for service, time in settled.heard.items()},
        }
        updates = [UpdateOne({"_id": LEDGER}, progress), *_updates(settled.increments)]
        self.counts.bulk_write(updates, ordered=False, session=session)

    def _not_held(self, late: list[Document], session: ClientSession) -> list[Document]:
        """Those of these rows that the history lacks."""
        if not late:
            return []
        wanted = [row["_id"] for row in late]
        held = self.history.find({"_id": {"$in": wanted}}, {"_id": 1}, session=session)
        known = {(row["_id"]["record"], row["_id"]["version"]) for row in held}
        return [row for row in late if (row["_id"]["record"], row["_id"]["version"]) not in known]

    # --- what is asked -----------------------------------------------------------------------------------------------

    def read_counts(self, wanted: Mapping[str, Piece], session: ClientSession | None = None) -> Counts:
        """These documents of counts; the days of a month come only where some are asked for. Raises `LedgerMissing`."""
        whole = [id_ for id_, piece in wanted.items() if not piece.days]
        found = list(self.counts.find({"_id": {"$in": [*whole, LEDGER]}}, {"days": 0}, session=session))
        if len(whole) < len(wanted):
            days = [id_ for id_, piece in wanted.items() if piece.days]
            found += self.counts.find({"_id": {"$in": days}}, session=session)
        held = {document["_id"]: document for document in found}
        if LEDGER not in held:
            raise LedgerMissing
        state = held.pop(LEDGER)
        return Counts(held, state, self.whole_rules(at=state["rules"]))

    def views_after(self, kind: str, after: str, which: Document, *, limit: int) -> list[Document]:
        """The next views of a kind by id, of those that are like this."""
        return list(self.views.find({"_id": _views_between(kind, after, None), **which}).sort("_id").limit(limit))

    def aggregate_views(self, steps: Iterable[Document], kinds: Iterable[Kind]) -> list[Document]:
        """What these steps make of the views of these kinds."""
        of_kinds = {"$match": {"$or": [{"_id": _views_between(kind.key, "", None)} for kind in kinds]}}
        return list(self.views.aggregate([of_kinds, *steps]))

    def views_of(self, kind: str, ids: Iterable[str]) -> list[Document]:
        return list(self.views.find({"_id": {"$in": [f"{kind}/{id_}" for id_ in ids]}}))

    # --- compared with the services ----------------------------------------------------------------------------------

    def note_compared(self, differing: Mapping[str, int]) -> None:
        """These services were compared, and so many of their records found to differ."""
        found = {f"compared.{service}": records for service, records in differing.items()}
        now = {f"compared_at.{service}": True for service in differing}
        self.counts.update_one({"_id": LEDGER}, {"$set": found, "$currentDate": now, "$inc": {"revision": 1}})

    def differing_records(self) -> dict[str, int] | None:
        """How many records of each service differed last; None where one was never compared. Raises `LedgerMissing`."""
        found = differing_records(self.read_counts({}).ledger)
        return found if found.keys() >= set(SERVICES) else None

    def count_records(self, kinds: Iterable[Kind]) -> int:
        """How many records of these kinds there are."""
        return sum(self.views.count_documents({"_id": _views_between(kind.key, "", None)}) for kind in kinds)

    def bucket_sums(self, kind: str, after: str, through: str | None) -> dict[str, int]:
        """The records of a kind after one id through another (none: through the last), their versions, their rows."""
        match = {"$match": {"_id": _views_between(kind, after, through)}}
        sums = {"$group": {"_id": None, "records": {"$sum": 1}, "versions": {"$sum": "$version"}}}
        found = next(self.views.aggregate([match, sums]), {"records": 0, "versions": 0})
        rows = self.history.count_documents({"_id": _rows_between(kind, after, through)})
        return {"records": found["records"], "versions": found["versions"], "entries": rows}

    def versions_of(self, kind: str, after: str, through: str | None) -> dict[str, tuple[int, int]]:
        """For each record between these ids the version of its view, 0 without one, and how many rows it has."""
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
        """Every version of these records that was heard, the first one first; best for ids next to each other."""
        if not ids:
            return {}
        found: dict[str, list[Document]] = {id_: [] for id_ in ids}
        ends = row_id(f"{kind}/{min(ids)}", 0), row_id(f"{kind}/{max(ids)}", LAST_VERSION)
        for row in self.history.find({"_id": {"$gte": ends[0], "$lte": ends[1]}}).sort("_id"):
            record = row["_id"]["record"].removeprefix(f"{kind}/")
            if record in found:
                found[record].append(row)
        return {record: rows for record, rows in found.items() if rows}

    def parked(self) -> dict[str, int]:
        """How many messages wait for an operator, by the exchange they came from."""
        by_exchange = {"$group": {"_id": "$exchange", "messages": {"$sum": 1}}}
        groups = self._parked.aggregate([{"$match": parking.WAITING}, by_exchange])
        return {group["_id"] or "": group["messages"] for group in groups}


def differing_records(state: Document) -> dict[str, int]:
    """For each service that was compared since this ledger was made, how many of its records differed."""
    return dict(state.get("compared", {}))  # an earlier release's ledger was never compared


def comparison_instants(state: Document) -> dict[str, datetime]:
    """When each of them was compared last; one that an earlier release compared is not there."""
    return dict(state.get("compared_at", {}))


def _by_day(kind: str, on: str) -> IndexModel:
    """The records of a kind by the day of that field."""
    return IndexModel([(f"data.{on}", 1), ("_id", 1)], name=f"{kind}|{on}", partialFilterExpression={"kind": kind})


def _rule(document: Document) -> Rule:
    """A rule as it was registered; a newer gateway's may be beyond us, and then it is not for us to count."""
    try:
        return plan_rule.read(document["says"])
    except BrokenRule as error:
        raise Unavailable("A newer gateway is at work.", "已有更新版本的网关在运行。") from error


def _views_between(kind: str, after: str, through: str | None) -> Document:
    last = {"$lt": f"{kind}0"} if through is None else {"$lte": f"{kind}/{through}"}  # 0 comes right after the slash
    return {"$gt": f"{kind}/{after}", **last}


def _rows_between(kind: str, after: str, through: str | None) -> Document:
    last = f"{kind}0" if through is None else f"{kind}/{through}"
    return {"$gt": row_id(f"{kind}/{after}", LAST_VERSION), "$lte": row_id(last, LAST_VERSION)}


def row_id(record: str, version: int) -> Document:
    """The id of a row in the history."""
    return {"record": record, "version": version}


def _updates(increments: Increments) -> list[UpdateOne]:
    return [UpdateOne({"_id": id_}, {"$inc": changed}, upsert=True) for id_, changed in increments.items()]
