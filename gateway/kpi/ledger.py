"""The ledger: how a batch of events changes the views, the history and the counts that the gateway keeps. Pure.

Events may come twice, late and in any order: the newest version of a record wins for good (G-03), every version has
one row in the history, and the counts are the fold of the newest views (G-01). The store writes what is computed here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from gateway.kpi.measures import Changes, Increments, Measure
from services.contract.event import Event

Document = dict[str, Any]
Data = Mapping[str, Any]

INSTANT = timedelta(milliseconds=1)  # the smallest difference between two times that are kept


@dataclass(frozen=True)
class Settlement:
    """The writes of a batch. Rows of `late` versions are written unless they are there already, as they should be."""

    first: list[Document] = field(default_factory=list)  # views of records not known before
    newer: list[Document] = field(default_factory=list)  # views that replace stored ones
    rows: list[Document] = field(default_factory=list)
    late: list[Document] = field(default_factory=list)
    increments: Increments = field(default_factory=dict)
    heard: dict[str, datetime] = field(default_factory=dict)  # the time of the last event of each service


def record_of(event: Event) -> str:
    """Name the event's record among those of all services: `outreach.audience_count/c-1`."""
    return f"{event.kind.key}/{event.record}"


def settle(
    events: Sequence[Event],
    views: Mapping[str, Mapping[str, Any]],
    measures: Mapping[str, Iterable[Measure]],
    settled: datetime | None = None,
) -> Settlement:
    """Compute the writes of a batch, given the stored `views` by record and the rules being counted by kind.

    At `settled` somebody was answered what was known: an event that comes in now was not known then, whenever it
    happened.
    """
    settlement, changes = Settlement(), Changes()
    for record, versions in _by_record(events).items():
        before = views.get(record)
        known, newest = before["version"] if before else 0, versions[max(versions)]
        for event in versions.values():
            (settlement.rows if event.version > known else settlement.late).append(row(record, event, settled))

        if newest.version > known:
            (settlement.newer if before else settlement.first).append(view(record, newest))
            of_kind = measures.get(newest.kind.key, ())
            _recount(changes, record, of_kind, before["data"] if before else None, newest.data)
    settlement.increments.update(changes.increments())
    settlement.heard.update(_heard(events))
    return settlement


def _recount(changes: Changes, record: str, measures: Iterable[Measure], old: Data | None, new: Data) -> None:
    for measure in measures:
        if measure.covers(record):
            changes.replace(measure, old, new)


def count(measure: Measure, views: Iterable[Mapping[str, Any]]) -> Increments:
    """Count these views from nothing: to count a new rule, or to check the stored counts."""
    changes = Changes()
    for stored in views:
        changes.replace(measure, None, stored["data"])
    return changes.increments()


def view(record: str, event: Event) -> Document:
    """Make the stored view of a record, which its newest event is."""
    return {"_id": record, "kind": event.kind.key, "version": event.version, "data": event.data}


def row(record: str, event: Event, settled: datetime | None = None) -> Document:
    """Make a version's row in the history; it is `known` since its service wrote it, or since the gateway heard it.

    `moved` marks the latter: an answer for `settled` had been given before the event came in.
    """
    time = datetime.fromisoformat(event.time)
    since = max(time, settled + INSTANT) if settled else time
    moved = {"moved": True} if since > time else {}
    return moved | {
        "known": since,
        "_id": {"record": record, "version": event.version},
        "happened": event.happened,
        "time": event.time,
        "actor": event.actor,
        "cause": event.cause,
        "hash": event.hash,
        "data": event.data,
    }


def _by_record(events: Sequence[Event]) -> dict[str, dict[int, Event]]:
    by_record: dict[str, dict[int, Event]] = {}
    for event in events:
        by_record.setdefault(record_of(event), {}).setdefault(event.version, event)
    return by_record


def _heard(events: Sequence[Event]) -> dict[str, datetime]:
    last: dict[str, datetime] = {}
    for event in events:
        service, time = event.kind.service, datetime.fromisoformat(event.time)
        if service not in last or time > last[service]:
            last[service] = time
    return last
