"""The rules that are counted: registered for all gateways, and counted from the kept views where they are new."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from pymongo import UpdateOne
from pymongo.client_session import ClientSession
from pymongo.collection import Collection

from gateway.kpi import ledger
from gateway.kpi.measures import Increments, Measure
from services.chassis.mongo import Document
from services.chassis.problem import Unavailable
from services.chassis.transaction import in_one_transaction
from services.contract import rule as plan_rule
from services.contract.rule import BrokenRule, Rule

LEDGER = "ledger"  # the one document among the counts that is no count: what was taken in so far
CHUNK = 2_000  # kept views that are counted in one transaction when a rule is new


class CountedRules:
    """The rules of one generation, and how far each of them is counted."""

    def __init__(self, rules: Collection[Document], views: Collection[Document], counts: Collection[Document]) -> None:
        self._rules, self._views, self._counts = rules, views, counts
        self._client = rules.database.client
        self._measures: dict[str, list[Measure]] = {}
        self._known = -1  # the ledger's `rules` at which the measures were read

    def count_only(self, measures: Mapping[str, Measure]) -> None:
        """Count these rules and no others; those that are new from all views that are kept."""
        in_one_transaction(self._client, partial(self._register, measures))
        for rule in list(self._rules.find({"upto": {"$exists": True}}, {"_id": 1})):
            while in_one_transaction(self._client, partial(self._count_more, rule["_id"])):
                pass

    def measures(self, at: int, session: ClientSession | None = None) -> Mapping[str, list[Measure]]:
        """Return the measures by kind, as of this state (`rules`) of the ledger."""
        if at != self._known:
            self._read(at, session)
        return self._measures

    def whole(self, at: int) -> frozenset[str]:
        """Return the keys of the rules that are counted from all views, as of this state of the ledger."""
        of_all_kinds = (measure for measures in self.measures(at).values() for measure in measures)
        return frozenset(measure.key for measure in of_all_kinds if measure.upto is None)

    def _register(self, measures: Mapping[str, Measure], session: ClientSession) -> None:
        """Write the rules down; another gateway that counts now learns it from the ledger's `rules`."""
        known = {document["_id"] for document in self._rules.find({}, {"_id": 1}, session=session)}
        if known == set(measures):
            return
        self._rules.delete_many({"_id": {"$in": list(known - set(measures))}}, session=session)
        stale = [{"_id": {"$gt": f"{key}|", "$lt": f"{key}}}"}} for key in known ^ set(measures)]
        self._counts.delete_many({"$or": stale}, session=session)
        if new := [{"_id": key, "says": measures[key].rule.say()} for key in measures if key not in known]:
            is_empty = self._views.find_one({}, {"_id": 1}, session=session) is None
            self._rules.insert_many([rule if is_empty else rule | {"upto": ""} for rule in new], session=session)
        self._change_state(session)

    def _count_more(self, key: str, session: ClientSession) -> bool:
        """Count the next records of a new rule; False where there are no more.

        Both this and `Store.take_events` write the ledger, so no record can be counted by both or by neither.
        """
        document = self._rules.find_one({"_id": key}, session=session)
        if document is None or "upto" not in document:
            return False
        self._change_state(session)
        measure = Measure(_rule(document))
        kind = measure.rule.of.key
        after, beyond = max(document["upto"], f"{kind}/"), f"{kind}0"  # 0 comes right after the slash
        views = list(self._views.find({"_id": {"$gt": after, "$lt": beyond}}, session=session).sort("_id").limit(CHUNK))
        if increments := ledger.count(measure, views):
            self._counts.bulk_write(count_updates(increments), ordered=False, session=session)
        change = {"$set": {"upto": views[-1]["_id"]}} if views else {"$unset": {"upto": ""}}
        self._rules.update_one({"_id": key}, change, session=session)
        return bool(views)

    def _change_state(self, session: ClientSession) -> None:
        self._counts.update_one({"_id": LEDGER}, {"$inc": {"rules": 1, "revision": 1}}, session=session)

    def _read(self, at: int, session: ClientSession | None) -> None:
        measures: dict[str, list[Measure]] = {}
        for document in self._rules.find(session=session):
            measure = Measure(_rule(document), upto=document.get("upto"))
            measures.setdefault(measure.rule.of.key, []).append(measure)
        self._measures, self._known = measures, at


def count_updates(increments: Increments) -> list[UpdateOne]:
    """The writes that add increments to the counts."""
    return [UpdateOne({"_id": id_}, {"$inc": changed}, upsert=True) for id_, changed in increments.items()]


def _rule(document: Document) -> Rule:
    """Read a registered rule; raises `Unavailable` where only a newer gateway can."""
    try:
        return plan_rule.read(document["says"])
    except BrokenRule as error:
        raise Unavailable("A newer gateway is at work.", "已有更新版本的网关在运行。") from error
