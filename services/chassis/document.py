"""A record as one document: its state, its version, and its history, whose newest entries are the outbox.

    {_id, version, state, history: [{version, happened, at, by, because, reason, view, before, hash}],
     hash, published, pending: true, traces: {version: traceparent}, rearmed, follows, digest}

`pending` is present only while something is not published, and `traces` with it, for versions that belong to a trace;
`rearmed` (how often) only where events had to be published again, `follows` only on records that follow another one,
`digest` only on those that a row of a sheet added: that of the row.
Traces stay outside the history: they are no part of what happened, nor of its hash. `before` stands in entries that
changed office fields (see `field_classes`), with what these held until then: it is hashed, and never published.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from services.chassis.tokens import Actor
from services.contract import wire
from services.contract.event import Event, cause_of
from services.contract.view import Kind
from services.kernel import Change
from services.kernel.calendar import format_instant


@dataclass(frozen=True, kw_only=True)
class Cause:
    """The cause of a change: the id of a command or event, its actor and its instant."""

    because: str
    actor: Actor
    at: datetime
    expected_version: int | None = None


def state_of(kind: Kind, record: Any) -> dict[str, Any]:
    """Return the stored form of a record: its own fields and those of its view, as plain JSON values."""
    return {**msgspec.to_builtins(record), **kind.write(record)}


def entry(
    kind: Kind,
    change: Change[Any],
    cause: Cause,
    *,
    version: int,
    after: str,
    before: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Make the next entry of a history; `after` is the hash of the entry before, empty for the first."""
    return entry_of(
        kind,
        kind.write(change.record),
        cause,
        happened=change.happened,
        reason=change.reason,
        version=version,
        after=after,
        before=before,
    )


def entry_of(
    kind: Kind,
    view: Mapping[str, Any],
    cause: Cause,
    *,
    happened: str,
    reason: str | None,
    version: int = 1,
    after: str = "",
    before: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Make the entry of a change whose view is known already."""
    if happened not in kind.happenings:
        raise ValueError(f"{kind.key} does not announce {happened!r}")
    plain = {
        "version": version,
        "happened": happened,
        "at": format_instant(cause.at),
        "by": cause.actor.id,
        "because": cause.because,
        "reason": reason,
        "view": view,
        **({"before": before} if before else {}),
    }
    return {**plain, "hash": chained(after, plain)}


def first_version(
    record_id: str, state: Mapping[str, Any], first: Mapping[str, Any], *, traceparent: str | None
) -> dict[str, Any]:
    """Make the document of a new record, with one entry to publish."""
    traces = {"traces": {"1": traceparent}} if traceparent else {}
    return {
        "_id": record_id,
        "version": 1,
        "state": state,
        "history": [first],
        "hash": first["hash"],
        "published": 0,
        "pending": True,
        **traces,
    }


def chained(after: str, entry: Mapping[str, Any]) -> str:
    """SHA-256 over the hash before and the entry's canonical JSON, so that no entry can be altered unseen."""
    plain = {name: value for name, value in entry.items() if name != "hash"}
    return hashlib.sha256(after.encode() + wire.canonical(plain)).hexdigest()


class Flaw(NamedTuple):
    """A version that is not as it was written, and what became of it."""

    version: int
    what: str  # altered, dropped, reordered; of the newest: hash, version, state


def flaw(document: Mapping[str, Any]) -> Flaw | None:
    """Find the first flaw of a record's history; None where each entry follows from the one before.

    Fields that only the state has are in no hash: nobody can tell whether they were altered.
    """
    stored = document.get("history")
    history = [entry if isinstance(entry, dict) else {} for entry in stored] if isinstance(stored, list) else []
    versions = [entry.get("version") for entry in history]
    after = ""
    for version, entry in enumerate(history, start=1):
        if versions[version - 1] != version:
            return Flaw(version, _misplaced(version, versions, document.get("version")))
        if not _is_same(entry.get("hash"), chained, after, entry):
            return Flaw(version, "altered")
        after = entry["hash"]
    return _flaw_at_the_end(document, history)


def _misplaced(version: int, versions: list[Any], newest: Any) -> str:
    """Name the flaw of a place where another version lies."""
    if version in versions:
        return "reordered"
    return "dropped" if isinstance(newest, int) and len(versions) < newest else "altered"


def _flaw_at_the_end(document: Mapping[str, Any], history: list[dict[str, Any]]) -> Flaw | None:
    """Find a flaw in a history of good entries: its end is missing, or the record contradicts it."""
    version, newest = len(history), document.get("version")
    if not history:
        return Flaw(1, "dropped")
    if document.get("hash") != history[-1]["hash"]:
        is_cut = isinstance(newest, int) and newest > version
        return Flaw(version + 1, "dropped") if is_cut else Flaw(version, "hash")
    if type(newest) is not int or newest != version:
        return Flaw(version, "version")
    view = history[-1]["view"]
    is_shown = _is_same(wire.canonical(view), _shown, document.get("state"), view)
    return None if is_shown else Flaw(version, "state")


def _shown(state: Any, view: Mapping[str, Any]) -> bytes:
    return wire.canonical({name: state[name] for name in view})


def _is_same(stored: Any, compute: Callable[..., Any], *arguments: Any) -> bool:
    """Compare, and call unequal what cannot even be computed because it was never written so."""
    try:
        return bool(stored == compute(*arguments))
    except (KeyError, TypeError, ValueError, RecursionError):
        return False


def event(kind: Kind, record_id: str, entry: Mapping[str, Any], traceparent: str | None = None) -> Event:
    """Make the event of one history entry; the reason and the command's id stay at home (X-08)."""
    return Event(
        kind=kind,
        record=record_id,
        version=entry["version"],
        happened=entry["happened"],
        time=entry["at"],
        actor=entry["by"],
        cause=cause_of(str(entry["because"])),
        hash=entry["hash"],
        data=entry["view"],
        traceparent=traceparent,
    )


def answer(record_id: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Make a command's answer: the view with id and version."""
    return {"id": record_id, "version": entry["version"], **entry["view"]}
