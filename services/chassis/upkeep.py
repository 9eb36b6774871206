"""Upkeep: a service's records as they are stored, for operators, and how events are published again.

Copies are compared by ranges of ids, cheap ones first: sums of a range, then the versions in it, then whole histories.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from time import time
from typing import Any

import eventlet
from pymongo.collection import Collection
from pymongo.database import Database

from services.chassis import fields, parking, relay
from services.chassis.document import flaw
from services.chassis.fields import FieldError
from services.chassis.health import links_down
from services.chassis.mongo import Document, database
from services.chassis.problem import InvalidInput, NotFound, TooLarge
from services.chassis.records import Records
from services.chassis.sealing import SealProvider
from services.chassis.settings import Settings
from services.chassis.version import VERSION
from services.contract import wire
from services.kernel.text import hidden_characters

BUCKET = 20_000  # records summed up in one answer
RANGE = 100_000  # records whose versions are in one answer
HISTORIES = 2_000  # records whose histories are in one answer
PAGE = 4_000_000  # bytes of an answer after which no further history is added
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
    """The kind of the records."""

    kind = fields.Text(max=100)


class Bucket(OfKind):
    """A number of records after one id, to sum up."""

    after = Position(required=False)
    limit = fields.Whole(min=1, max=BUCKET, rule=None, required=False)


class Range(OfKind):
    """The records after one id, through another."""

    after = Position()
    through = Position(required=False)


class Histories(OfKind):
    """A page of records, with their histories."""

    after = Position(required=False)
    limit = fields.Whole(min=1, max=HISTORIES, rule=None, required=False)


class Rearm(OfKind):
    """The versions that a copy has, or everything."""

    records = Versions(required=False)
    everything = fields.Flag(required=False)


class Nothing(fields.Schema):
    """No parameters."""


def bucket(container: Any, params: Mapping[str, Any]) -> Document:
    """Count the records, versions and history entries of the next so many records together.

    `through` is the last one's id; None where it is the kind's last, and the sums are of all there are.
    """
    given = fields.load(Bucket(), params)
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


def versions(container: Any, params: Mapping[str, Any]) -> Document:
    """Return version and number of history entries of each record after one id, up to another or the last one."""
    given = fields.load(Range(), params)
    bounds = {"$gt": given["after"]} | ({} if given["through"] is None else {"$lte": given["through"]})
    documents = _collection(container, given["kind"]).aggregate(
        [
            {"$match": {"_id": bounds}},
            {"$sort": {"_id": 1}},
            {"$limit": RANGE + 1},
            {"$project": {"version": 1, "entries": ENTRIES}},
        ]
    )
    records = {document["_id"]: [document.get("version"), document["entries"]] for document in documents}
    if len(records) > RANGE:
        raise TooLarge(records=f"more than {RANGE}")
    return {"records": records}


def histories(container: Any, params: Mapping[str, Any]) -> Document:
    """Return the whole histories of the next so many records, each with its first flaw; a page ends early at 4 MB."""
    given = fields.load(Histories(), params)
    limit = given["limit"] or 500
    documents = _collection(container, given["kind"]).find({"_id": {"$gt": given["after"] or ""}})
    records, size = [], 0
    for document in documents.sort("_id", 1).limit(limit).batch_size(100):
        record = _history(document)
        records.append(record)
        size += len(wire.encode(record))
        if size > PAGE or len(records) == limit:
            return {"through": document["_id"], "records": records}
        eventlet.sleep(0)  # hashing must not hold up commands
    return {"through": None, "records": records}


def rearm(container: Any, params: Mapping[str, Any]) -> Document:
    """Publish again everything newer than these versions, or everything; returns the number of records behind."""
    given = fields.load(Rearm(), params)
    if (given["records"] is None) is not (given["everything"] is True):
        en, zh = "Either records or everything is needed.", "须给出 records 或 everything 之一。"
        raise InvalidInput(FieldError("records", en, zh))
    collection = _collection(container, given["kind"])
    if given["everything"]:
        return {"rearmed": rearm_all(collection)}
    return {"rearmed": relay.rearm(collection, given["records"])}


def rearm_all(collection: Collection[Document]) -> int:
    """Publish everything again; returns of how many records."""
    return sum(relay.rearm(collection, dict.fromkeys(ids, 0)) for ids in _all_ids(collection))


def condition(container: Any, params: Mapping[str, Any]) -> Document:
    """Return what waits here, records to be published and messages that could not be handled, and what is wrong here.

    `down` are connections on which nothing is heard; `opens` tells whether the sealing key opens what was sealed here,
    None where nothing is sealed; `clock` is the machine's, in seconds since 1970.
    """
    fields.load(Nothing(), params)
    settings: Settings = container.config["SETTINGS"]
    own = database(settings, container.service_name)
    every_kind = _records(container).values()
    oldest = [instant for records in every_kind if (instant := _oldest_pending(records.collection))]
    parked, alarms = parking.waiting(own)
    return {
        "service": container.service_name,
        "version": VERSION,
        "pending": sum(records.collection.count_documents({"pending": True}) for records in every_kind),
        "oldest_pending": _seconds_since(min(oldest), container) if oldest else None,
        "parked": parked,
        "parked_events": parking.waiting_events(own, container.service_name),
        "alarms": alarms,
        "down": links_down(container),
        "opens": _opens(container),
        "rehearsal": settings.rehearsal,
        **machine(own),
    }


def _opens(container: Any) -> bool | None:
    seals = (seal for seal in container.dependencies if isinstance(seal, SealProvider))
    return next((seal.provide().opens() for seal in seals), None)


def machine(own: Database[Document]) -> Document:
    """Return the clock of this machine, the seconds that the database's is ahead of it, and the room on its disk."""
    sent = time()
    database_clock = own.client.admin.command("hello")["localTime"].timestamp()
    received, stats = time(), own.command("dbStats")
    return {
        "clock": received,
        "database_ahead": round(database_clock - min(max(database_clock, sent), received), 3),
        "free": stats["fsTotalSize"] - stats["fsUsedSize"] if "fsTotalSize" in stats else None,
    }


def _records(container: Any) -> dict[str, Records[Any]]:
    return {records.kind.name: records for records in container.dependencies if isinstance(records, Records)}


def _collection(container: Any, kind: str) -> Collection[Document]:
    records = _records(container)
    if kind not in records:
        known = ", ".join(sorted(records))
        raise NotFound(f"Unknown kind; known: {known}", f"未知类别；可用：{known}", kind=kind)
    return records[kind].collection


def _history(document: Document) -> Document:
    history, broken = document.get("history"), flaw(document)
    entries = [_entry(entry) for entry in history if isinstance(entry, dict)] if isinstance(history, list) else []
    return {
        "id": document["_id"],
        "version": document.get("version"),
        "entries": entries,
        "broken": broken and broken._asdict(),
        "hidden": list(_hidden(document.get("state"))),
    }


def _hidden(state: Any, at: str = "") -> Iterator[str]:
    """Name the fields of a state whose text has characters that nobody can see, each with these (`title U+200B`)."""
    match state:
        case dict():
            for name, value in state.items():
                yield from _hidden(value, f"{at}.{name}" if at else str(name))
        case list():
            for value in state:
                yield from _hidden(value, at)
        case str() if characters := hidden_characters(state):
            yield f"{at} {' '.join(characters)}"


def _entry(entry: Document) -> Document:
    return {name: _sendable(entry.get(name)) for name in ENTRY}


def _sendable(value: Any) -> Any:
    """Return the value, or None where no answer can carry it: somebody may have edited the database."""
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
    """The time at which the oldest waiting entry was written, of up to as many records as a sweep looks at."""
    is_whole = {"$and": [{"$isArray": "$history"}, {"$isNumber": "$published"}]}
    waiting = {"$cond": [is_whole, {"$arrayElemAt": ["$history.at", "$published"]}, None]}
    written = {"$dateFromString": {"dateString": waiting, "onError": None, "onNull": None}}
    groups = collection.aggregate(
        [
            {"$match": {"pending": True}},
            {"$limit": relay.SWEPT},
            {"$group": {"_id": None, "oldest": {"$min": written}}},
        ]
    )
    return next((group["oldest"] for group in groups), None)


def _seconds_since(instant: datetime, container: Any) -> float:
    since = container.config["CLOCK"].now() - instant
    return max(0.0, round(since.total_seconds(), 3))
