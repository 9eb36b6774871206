"""The ledger: what a batch of events changes in the views, the history and the counts that the gateway keeps.

Events may come twice, late and in any order: the newest version of a record wins for good (G-03), every version has
one row in the history, and the counts are the fold of the newest views (G-01). Pure; the store writes what it says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from gateway.kpi.measures import Changes, Increments, Measure
from services.contract.event import Event

Document = dict[str, Any]

INSTANT = timedelta(milliseconds=1)  # the smallest difference between two times that are kept


@dataclass(frozen=True)
class Settlement:
    """What to write for a batch. Rows of `late` versions are written unless they are there already, as they should."""

    first: list[Document] = field(default_factory=list)  # views of records not known before
    newer: list[Document] = field(default_factory=list)  # views that take the place of held ones
    rows: list[Document] = field(default_factory=list)
    late: list[Document] = field(default_factory=list)
    increments: Increments = field(default_factory=dict)
    heard: dict[str, datetime] = field(default_factory=dict)  # the time of the last event of each service


def record_of(event: Event) -> str:
    """The record's name among all services: `outreach.audience_count/c-1`."""
    return f"{event.kind.key}/{event.record}"


def settle(
    events: Sequence[Event],
    held: Mapping[str, Mapping[str, Any]],
    measures: Mapping[str, Iterable[Measure]],
    settled: datetime | None = None,
) -> Settlement:
    """`held` are the views kept so far, by record; `measures` the rules being counted, by kind.

    Somebody was told what was known at `settled`: what comes in now was not known then, whenever it happened.
    """
    settlement, changes = Settlement(), Changes()
    for record, versions in _by_record(events).items():
        before = held.get(record)
        known = before["version"] if before else 0
        for event in versions.values():
            if event.version > known:
                settlement.rows.append(row(record, event, settled))
            else:
                settlement.late.append(row(record, event, settled))

        newest = versions[max(versions)]
        if newest.version > known:
            (settlement.newer if before else settlement.first).append(view(record, newest))
            for measure in measures.get(newest.kind.key, ()):
                if measure.covers(record):
                    changes.replace(measure, before["data"] if before else None, newest.data)
    settlement.increments.update(changes.increments())
    settlement.heard.update(_heard(events))
    return settlement


def count(measure: Measure, views: Iterable[Mapping[str, Any]]) -> Increments:
    """The counts of these views alone: how a new rule is counted, and what the kept counts are compared with."""
    changes = Changes()
    for held in views:
        changes.replace(measure, None, held["data"])
    return changes.increments()


def view(record: str, event: Event) -> Document:
    return {"_id": record, "kind": event.kind.key, "version": event.version, "data": event.data}


def row(record: str, event: Event, settled: datetime | None = None) -> Document:
    """A version in the history, keyed by record and version; `known` since its service wrote it, or since we heard it.

    `moved` says that it was the latter.
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
    found: dict[str, dict[int, Event]] = {}
    for event in events:
        found.setdefault(record_of(event), {}).setdefault(event.version, event)
    return found


def _heard(events: Sequence[Event]) -> dict[str, datetime]:
    last: dict[str, datetime] = {}
    for event in events:
        service, time = event.kind.service, datetime.fromisoformat(event.time)
        if service not in last or time > last[service]:
            last[service] = time
    return last
