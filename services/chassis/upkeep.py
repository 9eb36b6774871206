"""Upkeep: what a service tells an operator of its records as they are stored, and how events are made to come again.

Copies are compared by ranges of ids, cheap ones first: sums of a range, then the versions in it, then whole histories.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import eventlet
from pymongo.collection import Collection

from services.chassis import fields, parking, relay
from services.chassis.document import flaw
from services.chassis.fields import FieldError
from services.chassis.mongo import Document, database
from services.chassis.problem import InvalidInput, NotFound, TooLarge
from services.chassis.records import Records
from services.chassis.version import VERSION
from services.contract import wire

BUCKET = 20_000  # records whose sums are told at once
RANGE = 100_000  # records whose versions are told at once
HISTORIES = 2_000  # records whose histories are told at once
PAGE = 4_000_000  # bytes after which no further history is added
REARMED = 20_000  # records that are re-armed at once

ENTRIES = {"$size": {"$cond": [{"$isArray": "$history"}, "$history", []]}}
ENTRY = ("version", "happened", "at", "by", "because", "hash", "view")  # the reason stays at home


class Position(fields.Input):
    """A record's id, or an empty text: before all of them."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        if not isinstance(value, str):
            raise self.wrong("A record's id, or an empty text.", "须为记录编号或空文本。")
        return value


class Versions(fields.Input):
    """A version, 0 for none, by record id."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> dict[str, int]:
        is_right = isinstance(value, dict) and len(value) <= REARMED
        if not is_right or not all(type(version) is int and version >= 0 for version in value.values()):
            raise self.wrong(f"Up to {REARMED} versions by record id.", f"须为记录编号与版本号，至多 {REARMED} 项。")
        return value


class OfKind(fields.Schema):
    kind = fields.Text(max=100)


class Bucket(OfKind):
    after = Position(required=False)
    limit = fields.Whole(min=1, max=BUCKET, rule=None, required=False)


class Range(OfKind):
    after = Position()
    through = Position(required=False)


class Histories(OfKind):
    after = Position(required=False)
    limit = fields.Whole(min=1, max=HISTORIES, rule=None, required=False)


class Rearm(OfKind):
    records = Versions(required=False)
    everything = fields.Flag(required=False)


class Nothing(fields.Schema):
    pass


def bucket(container: Any, asked: Mapping[str, Any]) -> Document:
    """How many records, versions and history entries the next so many records have together.

    `through` is the last one's id; None where it is the kind's last, and the sums are of all there are.
    """
    given = fields.load(Bucket(), asked)
    limit = given["limit"] or 5_000
    summed = _collection(container, given["kind"]).aggregate(
        [
            {"$match": {"_id": {"$gt": given["after"] or ""}}},
            {"$sort": {"_id": 1}},
            {"$limit": limit},
            {
                "$group": {
                    "_id": None,
                    "through": {"$last": "$_id"},
                    "records": {"$sum": 1},
                    "versions": {"$sum": "$version"},
                    "entries": {"$sum": ENTRIES},
                }
            },
        ]
    )
    sums = next(summed, {"records": 0, "versions": 0, "entries": 0})
    return {
        "through": sums["through"] if sums["records"] == limit else None,
        **{name: sums[name] for name in ("records", "versions", "entries")},
    }


def versions(container: Any, asked: Mapping[str, Any]) -> Document:
    """Version and number of history entries of each record after one id, up to another or the last one."""
    given = fields.load(Range(), asked)
    bounds = {"$gt": given["after"]} | ({} if given["through"] is None else {"$lte": given["through"]})
    found = _collection(container, given["kind"]).aggregate(
        [
            {"$match": {"_id": bounds}},
            {"$sort": {"_id": 1}},
            {"$limit": RANGE + 1},
            {"$project": {"version": 1, "entries": ENTRIES}},
        ]
    )
    records = {document["_id"]: [document.get("version"), document["entries"]] for document in found}
    if len(records) > RANGE:
        raise TooLarge(records=f"more than {RANGE}")
    return {"records": records}


def histories(container: Any, asked: Mapping[str, Any]) -> Document:
    """The whole histories of the next so many records, each with its first flaw; a page ends early at 4 MB."""
    given = fields.load(Histories(), asked)
    limit = given["limit"] or 500
    found = _collection(container, given["kind"]).find({"_id": {"$gt": given["after"] or ""}})
    records, size = [], 0
    for document in found.sort("_id", 1).limit(limit).batch_size(100):
        record = _history(document)
        records.append(record)
        size += len(wire.encode(record))
        if size > PAGE or len(records) == limit:
            return {"through": document["_id"], "records": records}
        eventlet.sleep(0)  # whoever waits for a command is not held up by hashing
    return {"through": None, "records": records}


def rearm(container: Any, asked: Mapping[str, Any]) -> Document:
    """Publish again what is newer than these versions, or everything; how many records have something newer."""
    given = fields.load(Rearm(), asked)
    if (given["records"] is None) is not (given["everything"] is True):
        en, zh = "Either records or everything is needed.", "须给出 records 或 everything 之一。"
        raise InvalidInput(FieldError("records", en, zh))
    collection = _collection(container, given["kind"])
    if given["everything"]:
        return {"rearmed": rearm_all(collection)}
    return {"rearmed": relay.rearm(collection, given["records"])}


def rearm_all(collection: Collection[Document]) -> int:
    """Publish everything again; of how many records."""
    return sum(relay.rearm(collection, dict.fromkeys(ids, 0)) for ids in _all_ids(collection))


def condition(container: Any, asked: Mapping[str, Any]) -> Document:
    """What waits here: records to be published and since when, messages that could not be handled."""
    fields.load(Nothing(), asked)
    held = _records(container).values()
    oldest = [instant for records in held if (instant := _oldest_pending(records.collection))]
    parked, alarms = parking.waiting(database(container.config["SETTINGS"], container.service_name))
    return {
        "service": container.service_name,
        "version": VERSION,
        "pending": sum(records.collection.count_documents({"pending": True}) for records in held),
        "oldest_pending": _seconds_since(min(oldest), container) if oldest else None,
        "parked": parked,
        "alarms": alarms,
    }


def _records(container: Any) -> dict[str, Records[Any]]:
    return {one.kind.name: one for one in container.dependencies if isinstance(one, Records)}


def _collection(container: Any, kind: str) -> Collection[Document]:
    held = _records(container)
    if kind not in held:
        known = ", ".join(sorted(held))
        raise NotFound(f"Unknown kind; known: {known}", f"未知类别；可用：{known}", kind=kind)
    return held[kind].collection


def _history(document: Document) -> Document:
    held, broken = document.get("history"), flaw(document)
    entries = [_entry(said) for said in held if isinstance(said, dict)] if isinstance(held, list) else []
    return {
        "id": document["_id"],
        "version": document.get("version"),
        "entries": entries,
        "broken": broken and broken._asdict(),
    }


def _entry(said: Document) -> Document:
    return {name: _sendable(said.get(name)) for name in ENTRY}


def _sendable(value: Any) -> Any:
    """Whoever edits a database can leave there what no answer can carry."""
    try:
        wire.encode(value)
    except (TypeError, ValueError, RecursionError):
        return None
    return value


def _all_ids(collection: Collection[Document]) -> Iterator[list[str]]:
    after = ""
    while ids := [
        document["_id"]
        for document in collection.find({"_id": {"$gt": after}}, {"_id": 1}).sort("_id", 1).limit(REARMED)
    ]:
        yield ids
        after = ids[-1]


def _oldest_pending(collection: Collection[Document]) -> datetime | None:
    """When the oldest entry that waits was written, of up to as many records as a sweep looks at."""
    is_whole = {"$and": [{"$isArray": "$history"}, {"$isNumber": "$published"}]}
    waiting = {"$cond": [is_whole, {"$arrayElemAt": ["$history.at", "$published"]}, None]}
    written = {"$dateFromString": {"dateString": waiting, "onError": None, "onNull": None}}
    found = collection.aggregate(
        [
            {"$match": {"pending": True}},
            {"$limit": relay.SWEPT},
            {"$group": {"_id": None, "oldest": {"$min": written}}},
        ]
    )
    return next((one["oldest"] for one in found), None)


def _seconds_since(instant: datetime, container: Any) -> float:
    since = container.config["CLOCK"].now() - instant
    return max(0.0, round(since.total_seconds(), 3))
