"""A record as one document: its state, its version, and its history, whose newest entries are the outbox.

    {_id, version, state, history: [{version, happened, at, by, because, reason, view, hash}], hash,
     published, pending: true, traces: {version: traceparent}, rearmed, follows}

`pending` is there only while something is not published, and `traces` with it, of versions that belong to one;
`rearmed` (how often) only where events had to come again, `follows` only on records that follow another one. Traces
stay outside the history: they are no part of what happened, nor of its hash.
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
from services.contract.event import Event
from services.contract.view import Kind
from services.kernel import Change
from services.kernel.calendar import format_instant


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
    view = kind.write(change.record)
    return entry_of(kind, view, cause, happened=change.happened, reason=change.reason, version=version, after=after)


def entry_of(
    kind: Kind,
    view: Mapping[str, Any],
    cause: Cause,
    *,
    happened: str,
    reason: str | None,
    version: int = 1,
    after: str = "",
) -> dict[str, Any]:
    """The entry of a change whose view is known already."""
    if happened not in kind.happenings:
        raise ValueError(f"{kind.key} does not announce {happened!r}")
    said = {
        "version": version,
        "happened": happened,
        "at": format_instant(cause.at),
        "by": cause.actor.id,
        "because": cause.because,
        "reason": reason,
        "view": view,
    }
    return {**said, "hash": chained(after, said)}


def first_version(
    record_id: str, state: Mapping[str, Any], first: Mapping[str, Any], *, traceparent: str | None
) -> dict[str, Any]:
    """A new record as it is stored, with something to publish."""
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


def chained(after: str, said: Mapping[str, Any]) -> str:
    """SHA-256 over the hash before and the entry's canonical JSON, so that no entry can be altered unseen."""
    plain = {name: value for name, value in said.items() if name != "hash"}
    return hashlib.sha256(after.encode() + wire.canonical(plain)).hexdigest()


class Flaw(NamedTuple):
    """A version that is not as it was written, and what became of it or of what the record says of it."""

    version: int
    what: str  # altered, dropped, reordered; of the newest: hash, version, state


def flaw(document: Mapping[str, Any]) -> Flaw | None:
    """The first flaw of a record's history; None where each entry follows from the one before.

    Fields that only the state has are in no hash: nobody can tell whether they were altered.
    """
    held = document.get("history")
    history = [said if isinstance(said, dict) else {} for said in held] if isinstance(held, list) else []
    versions = [said.get("version") for said in history]
    after = ""
    for version, said in enumerate(history, start=1):
        if versions[version - 1] != version:
            return Flaw(version, _misplaced(version, versions, document.get("version")))
        if not _is_same(said.get("hash"), chained, after, said):
            return Flaw(version, "altered")
        after = said["hash"]
    return _flaw_at_the_end(document, history)


def _misplaced(version: int, versions: list[Any], newest: Any) -> str:
    """What happened where another version lies in this one's place."""
    if version in versions:
        return "reordered"
    return "dropped" if isinstance(newest, int) and len(versions) < newest else "altered"


def _flaw_at_the_end(document: Mapping[str, Any], history: list[dict[str, Any]]) -> Flaw | None:
    """A history whose entries are whole may lack its end, or the record may say otherwise."""
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


def _is_same(said: Any, compute: Callable[..., Any], *arguments: Any) -> bool:
    """What cannot even be computed, since it holds what was never written, is not the same."""
    try:
        return bool(said == compute(*arguments))
    except (KeyError, TypeError, ValueError, RecursionError):
        return False


def event(kind: Kind, record_id: str, entry: Mapping[str, Any], traceparent: str | None = None) -> Event:
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
        traceparent=traceparent,
    )


def answer(record_id: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    """What a command answers: the view with id and version."""
    return {"id": record_id, "version": entry["version"], **entry["view"]}
