"""A record as one document: its state, its version, and its history, whose newest entries are the outbox.

    {_id, version, state, history: [{version, happened, at, by, because, reason, view, hash}], hash,
     published, pending: true, follows}

`pending` is there only while something is not published, `follows` only on records that follow another one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from services.chassis.tokens import Actor
from services.contract import wire
from services.contract.event import Event
from services.contract.view import Kind
from services.kernel import Change


@dataclass(frozen=True, kw_only=True)
class Cause:
    """Because of what, by whom and when something is done: a command with its id, or an event with its id."""

    because: str
    actor: Actor
    at: datetime
    expected_version: int | None = None


def state_of(kind: Kind, record: Any) -> dict[str, Any]:
    """What is stored of a record: its own fields and those of its view, as plain JSON values."""
    return {**msgspec.to_builtins(record), **kind.write(record)}


def entry(kind: Kind, change: Change[Any], cause: Cause, *, version: int, after: str) -> dict[str, Any]:
    """The next entry of a history; `after` is the hash of the one before, empty for the first."""
    if change.happened not in kind.happenings:
        raise ValueError(f"{kind.key} does not announce {change.happened!r}")
    said = {
        "version": version,
        "happened": change.happened,
        "at": cause.at.isoformat(timespec="milliseconds"),
        "by": cause.actor.id,
        "because": cause.because,
        "reason": change.reason,
        "view": kind.write(change.record),
    }
    return {**said, "hash": chained(after, said)}


def chained(after: str, said: Mapping[str, Any]) -> str:
    """SHA-256 over the hash before and the entry's canonical JSON, so that no entry can be altered unseen."""
    plain = {name: value for name, value in said.items() if name != "hash"}
    return hashlib.sha256(after.encode() + wire.canonical(plain)).hexdigest()


def event(kind: Kind, record_id: str, entry: Mapping[str, Any]) -> Event:
    """The event of one history entry; the reason stays at home (X-08)."""
    return Event(
        kind=kind,
        record=record_id,
        version=entry["version"],
        happened=entry["happened"],
        time=entry["at"],
        actor=entry["by"],
        cause=entry["because"],
        hash=entry["hash"],
        data=entry["view"],
    )


def answer(record_id: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    """What a command answers: the view with id and version."""
    return {"id": record_id, "version": entry["version"], **entry["view"]}
