"""The gateway's database: the newest view of every record, every version that was ever heard, and the counts.

Whatever a batch of events changes is written in one snapshot transaction, so that the counts are always the fold of
the views that are kept, however often a batch is delivered and wherever a process is killed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from pymongo import ReplaceOne, UpdateOne
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import OperationFailure

from gateway import ledger
from gateway.ledger import Document
from gateway.measures import Increments, Measure
from gateway.periods import Period, Piece
from gateway.transaction import in_one_transaction
from services.chassis.problem import Unavailable
from services.contract import rule as plan_rule
from services.contract.event import Event
from services.contract.rule import BrokenRule, Condition, Rule

LEDGER = "ledger"  # the one document among the counts that is no count: what was taken in so far
CHUNK = 2_000  # kept views that are counted in one transaction when a rule is new
LAST_VERSION = 2**63 - 1
NAMESPACE_EXISTS = 48  # MongoDB's code


@dataclass(frozen=True)
class Counts:
    """The documents of counts that were asked for, and the ledger as it was when they were read."""

    held: dict[str, Document]
    ledger: Document


class Store:
    """One gateway's collections. Every method may raise what pymongo raises."""

    def __init__(self, database: Database[Document]) -> None:
        self._database = database
        self._client = database.client
        self.views: Collection[Document] = database["views"]
        self.history: Collection[Document] = database["history"]
        self.counts: Collection[Document] = database["counts"]
        self.rules: Collection[Document] = database["rules"]
        self._parked: Collection[Document] = database["parked"]
        self._measures: dict[str, list[Measure]] = {}
        self._rules_known = -1  # the ledger's `rules` that the measures were read at

    # --- the rules that are counted ----------------------------------------------------------------------------------

    def prepare(self, rules: Iterable[Rule]) -> None:
        """Make everything that is needed, and count the rules that are new from the views that are kept."""
        measures = {measure.key: measure for measure in map(Measure, rules)}
        self._make_collections(measures.values())
        in_one_transaction(self._client, partial(self._register, measures))
        for key in measures:
            while in_one_transaction(self._client, partial(self._count_more, key)):
                pass

    def counted(self, at: int) -> frozenset[str]:
        """The rules whose counts are whole, at this state (`rules`) of the ledger."""
        if at != self._rules_known:
            self._read_rules(at)
        return frozenset(one.key for measures in self._measures.values() for one in measures if one.upto is None)

    def _make_collections(self, measures: Iterable[Measure]) -> None:
        for collection in (self.views, self.history, self.counts, self.rules):
            try:
                self._database.create_collection(collection.name, check_exists=False)
            except OperationFailure as error:
                if error.code != NAMESPACE_EXISTS:  # made before, by us or by another gateway
                    raise
        for kind, on in {(measure.rule.of.key, measure.rule.on) for measure in measures}:
            self.views.create_index(
                [(f"data.{on}", 1), ("_id", 1)], name=f"{kind}|{on}", partialFilterExpression={"kind": kind}
            )
        empty = {"batches": 0, "events": 0, "revision": 0, "rules": 0, "heard": {}}
        self.counts.update_one({"_id": LEDGER}, {"$setOnInsert": empty}, upsert=True)

    def _register(self, measures: Mapping[str, Measure], session: ClientSession) -> None:
        """From now on these rules are counted, and no others; another gateway that counts now sees it (`rules`)."""
        known = {document["_id"] for document in self.rules.find({}, {"_id": 1}, session=session)}
        if known == set(measures):
            return
        self.rules.delete_many({"_id": {"$in": list(known - set(measures))}}, session=session)
        for key in known - set(measures):
            self.counts.delete_many({"_id": {"$gt": f"{key}|", "$lt": f"{key}}}"}}, session=session)
        for key in set(measures) - known:
            self.rules.insert_one({"_id": key, "says": measures[key].rule.say(), "upto": ""}, session=session)
        self._change_rules(session)

    def _count_more(self, key: str, session: ClientSession) -> bool:
        """Count the next records of a new rule; False when there are no more.

        Both this and `take` write the ledger, so that no record can be counted by both or by none of them.
        """
        document = self.rules.find_one({"_id": key}, session=session)
        if document is None or "upto" not in document:
            return False
        measure = Measure(_rule(document))
        kind = measure.rule.of.key
        after, beyond = max(document["upto"], f"{kind}/"), f"{kind}0"  # 0 comes right after the slash
        views = list(self.views.find({"_id": {"$gt": after, "$lt": beyond}}, session=session).sort("_id").limit(CHUNK))
        if increments := ledger.count(measure, views):
            self.counts.bulk_write(_updates(increments), ordered=False, session=session)
        change = {"$set": {"upto": views[-1]["_id"]}} if views else {"$unset": {"upto": ""}}
        self.rules.update_one({"_id": key}, change, session=session)
        self._change_rules(session)
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

    def take(self, events: Sequence[Event]) -> None:
        """Take these events in, all or none of them; those known before change nothing."""
        in_one_transaction(self._client, partial(self._take, events))

    def _take(self, events: Sequence[Event], session: ClientSession) -> None:
        rules = self.counts.find_one({"_id": LEDGER}, {"rules": 1}, session=session)["rules"]  # type: ignore[index]
        if rules != self._rules_known:
            self._read_rules(rules, session)
        wanted = list({ledger.record_of(event) for event in events})
        held = {view["_id"]: view for view in self.views.find({"_id": {"$in": wanted}}, session=session)}

        settled = ledger.settle(events, held, self._measures)
        rows = settled.rows + self._not_held(settled.late, session)
        if not rows:
            return
        self.history.insert_many(rows, ordered=False, session=session)
        if settled.first:
            self.views.insert_many(settled.first, ordered=False, session=session)
        if settled.newer:
            replaced = [ReplaceOne({"_id": view["_id"]}, view) for view in settled.newer]
            self.views.bulk_write(replaced, ordered=False, session=session)
        progress = {
            "$inc": {"batches": 1, "events": len(rows), "revision": 1},
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

    def read(self, wanted: Mapping[str, Piece]) -> Counts:
        """These documents of counts; the days of a month come only where some of them are asked for."""
        whole = [id_ for id_, piece in wanted.items() if not piece.days]
        found = list(self.counts.find({"_id": {"$in": [*whole, LEDGER]}}, {"days": 0}))
        if len(whole) < len(wanted):
            found += self.counts.find({"_id": {"$in": [id_ for id_, piece in wanted.items() if piece.days]}})
        held = {document["_id"]: document for document in found}
        return Counts(held, held.pop(LEDGER))

    def records(
        self, rule: Rule, period: Period, *, district: str | None, after: tuple[str, str] | None, limit: int
    ) -> list[Document]:
        """The views that a rule counts in a period, by day and id, after the last (day, id) that was seen."""
        on = f"data.{rule.on}"
        first, last = (after[0] if after else period.first.isoformat()), period.last.isoformat()
        tests: list[Document] = [{"kind": rule.of.key, on: {"$gte": first, "$lte": last}}]
        tests += [{f"data.{condition.field}": _test(condition)} for condition in rule.where]
        tests += [{"data.district": district}] if district else []
        tests += [{"$or": [{on: {"$gt": after[0]}}, {"_id": {"$gt": after[1]}}]}] if after else []
        return list(self.views.find({"$and": tests}).sort([(on, 1), ("_id", 1)]).limit(limit))

    def versions(self, record: str) -> list[Document]:
        """Every version of a record that was heard, the first one first."""
        ends = [{"record": record, "version": version} for version in (0, LAST_VERSION)]
        return list(self.history.find({"_id": {"$gte": ends[0], "$lte": ends[1]}}).sort("_id"))

    def parked(self) -> dict[str, int]:
        """How many messages wait for an operator, by the exchange they came from."""
        groups = self._parked.aggregate([{"$group": {"_id": "$exchange", "messages": {"$sum": 1}}}])
        return {group["_id"] or "": group["messages"] for group in groups}


def _rule(document: Document) -> Rule:
    """A rule as it was registered; a newer gateway's may be beyond us, and then it is not for us to count."""
    try:
        return plan_rule.read(document["says"])
    except BrokenRule as error:
        raise Unavailable("A newer gateway is at work.", "已有更新版本的网关在运行。") from error


def _updates(increments: Increments) -> list[UpdateOne]:
    return [UpdateOne({"_id": id_}, {"$inc": changed}, upsert=True) for id_, changed in increments.items()]


def _test(condition: Condition) -> Any:
    if condition.exists is not None:
        return {"$ne": None} if condition.exists else None
    if condition.any_of:
        return {"$in": list(condition.any_of)}
    return {f"${name}": bound for name, bound in (("gte", condition.gte), ("lte", condition.lte)) if bound is not None}
