"""Mutants: the same processes with one protection switched off, so that the campaign proves that it would see it.

Each names the faults that should bring it to light; where the campaign finds nothing all the same, it proves nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import pymongo
from pymongo.collection import Collection

from gateway.kpi import ledger
from gateway.kpi.ledger import Settlement
from gateway.read_model.store import Store
from services.chassis import relay, transaction
from services.chassis.mongo import Document
from services.chassis.parking import Parking
from services.chassis.records import Bound
from services.chassis.relay import Publisher
from tests.chaos.injection.crash_points import wrap


@dataclass(frozen=True)
class Mutant:
    """A protection, how to do without it, and what should then show that it is missing."""

    title: str
    remove: Callable[[], None]
    faults: tuple[str, ...]
    seconds: float = 60.0  # of faults, after which at the latest something has to be found


def remove(name: str) -> None:
    """This process does without the protection from now on; KeyError where there is none of that name."""
    MUTANTS[name].remove()


# --- services ------------------------------------------------------------------------------------------------------


def _forget_commands() -> None:
    wrap((Bound, "_read"), _without_history)
    wrap((Bound, "outcome"), lambda outcome, *given: None)  # noqa: ARG005


def _without_history(read: Callable[..., Document | None], *given: Any) -> Document | None:
    held = read(*given)
    if held:
        held.pop("history", None)
    return held


def _mark_blindly() -> None:
    wrap((relay, "_mark"), _mark_whatever_is_there)


def _mark_whatever_is_there(_: Any, collection: Collection[Document], found: Sequence[Document]) -> None:
    for document in found:
        marked = {"$set": {"published": document["version"]}, "$unset": {"pending": ""}}
        collection.update_one({"_id": document["_id"]}, marked)


def _expect_no_confirms() -> None:
    wrap((Publisher, "_confirm"), _drain)


def _drain(_: Any, publisher: Any, seconds: float) -> None:  # noqa: ARG001
    """Read what the broker has said so far, and believe that it took everything."""
    with suppress(TimeoutError):
        while True:
            publisher._connection.drain_events(timeout=0)
    publisher._unconfirmed, publisher._returned, publisher._refused = set(), [], False


def _park_nothing() -> None:
    wrap((Parking, "park"), lambda park, *given, **named: None)  # noqa: ARG005


def _trust_one_member() -> None:
    wrap((pymongo, "MongoClient"), _weak_client)


def _weak_client(client: Callable[..., Any], *given: Any, **named: Any) -> Any:
    return client(*given, **{**named, "w": 1, "journal": False, "readConcernLevel": "local"})


def _rearm_without_lowering() -> None:
    wrap((relay, "_rearmed"), _only_pending)


def _only_pending(*_: Any) -> list[Document]:
    return [{"$set": {"pending": True}}]


# --- gateway -------------------------------------------------------------------------------------------------------


def _take_whatever_comes() -> None:
    wrap((ledger, "settle"), _as_if_newer)
    wrap((Store, "_not_held"), _written_again)


def _as_if_newer(
    settle: Callable[..., Settlement], events: Any, held: Mapping[str, Mapping[str, Any]], measures: Any
) -> Settlement:
    settled = settle(events, {record: {**view, "version": 0} for record, view in held.items()}, measures)
    return replace(settled, rows=[], late=settled.rows + settled.late)


def _written_again(_: Any, store: Any, late: list[Document], session: Any) -> list[Document]:
    store.history.delete_many({"_id": {"$in": [row["_id"] for row in late]}}, session=session)
    return late


def _write_one_by_one() -> None:
    wrap((transaction, "_once"), _in_a_session)


def _in_a_session(_: Any, client: Any, do: Callable[[Any], Any]) -> Any:
    with client.start_session() as session:
        session.abort_transaction = lambda: None  # there is none
        return do(session)


CRASHES = ("F5.kill", "F5.freeze", "F7.again")
CUTS = ("F7.again", "F5.freeze", "F1.again")
ELECTIONS = ("F11.partition", "F11.rollback", "F11.kill")

MUTANTS: Mapping[str, Mutant] = {
    "command_id": Mutant("a command sent again is given again", _forget_commands, CUTS),
    "version_gate": Mutant("an older version takes a newer one's place", _take_whatever_comes, ("F14",)),
    "mark_version": Mutant("the relay marks what it has not published", _mark_blindly, CUTS),
    "confirms": Mutant(
        "the relay waits for no confirm", _expect_no_confirms, ("F5.kill", "F5.freeze", "F7.again"), 90.0
    ),
    "park_before_ack": Mutant("what cannot be handled is acked and dropped", _park_nothing, ("F13",)),
    "majority": Mutant("one member's word is enough", _trust_one_member, ELECTIONS, 120.0),
    "ledger_transaction": Mutant("a batch is written bit by bit", _write_one_by_one, ("F2.in_transaction",)),
    "rearm_published": Mutant("re-arming only sets pending", _rearm_without_lowering, ("F8.purge", "F8.wipe")),
}
