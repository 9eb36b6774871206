"""Mutants: the same processes with one protection switched off, which the campaign has to notice.

Each names the faults that should bring it to light. A campaign that finds nothing in spite of them proves nothing.
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
from services.chassis.command_ids import CommandIds
from services.chassis.mongo import Document
from services.chassis.parking import Parking
from services.chassis.records import Bound
from services.chassis.relay import Publisher
from tests.chaos.injection.crash_points import wrap


@dataclass(frozen=True)
class Mutant:
    """A protection that is switched off by `remove`, and the faults that should show that it is missing."""

    title: str
    remove: Callable[[], None]
    faults: tuple[str, ...]
    seconds: float = 60.0  # of faults, within which there has to be a finding


def remove(name: str) -> None:
    """Let this process do without the protection from now on; raise KeyError where there is none of that name."""
    MUTANTS[name].remove()


# --- services ------------------------------------------------------------------------------------------------------


def _forget_commands() -> None:
    wrap((Bound, "_read"), _without_history)
    wrap((Bound, "outcome"), _none)


def _without_history(read: Callable[..., Document | None], *args: Any) -> Document | None:
    document = read(*args)
    if document:
        document.pop("history", None)
    return document


def _none(*_: Any, **__: Any) -> None:
    """Take the place of any function and do nothing."""


def _let_ids_speak_for_anything() -> None:
    wrap((CommandIds, "bind"), _none)


def _mark_blindly() -> None:
    wrap((relay, "_mark"), _mark_any_version)


def _mark_any_version(_: Any, collection: Collection[Document], published: Sequence[Document]) -> None:
    for document in published:
        marked = {"$set": {"published": document["version"]}, "$unset": {"pending": ""}}
        collection.update_one({"_id": document["_id"]}, marked)


def _expect_no_confirms() -> None:
    wrap((Publisher, "_confirm"), _drain)


def _drain(_: Any, publisher: Any, __: float) -> None:
    """Read the confirms that have come so far, and believe that the broker took everything."""
    with suppress(TimeoutError):
        while True:
            publisher._connection.drain_events(timeout=0)
    publisher._unconfirmed, publisher._returned, publisher._refused = set(), [], False


def _park_nothing() -> None:
    wrap((Parking, "park"), _none)


def _trust_one_member() -> None:
    wrap((pymongo, "MongoClient"), _weak_client)


def _weak_client(client: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    return client(*args, **{**kwargs, "w": 1, "journal": False, "readConcernLevel": "local"})


def _rearm_without_lowering() -> None:
    wrap((relay, "_rearmed"), _only_pending)


def _only_pending(*_: Any) -> list[Document]:
    return [{"$set": {"pending": True}}]


# --- gateway -------------------------------------------------------------------------------------------------------


def _take_any_version() -> None:
    wrap((ledger, "settle"), _as_if_newer)
    wrap((Store, "_missing_rows"), _written_again)


def _as_if_newer(
    settle: Callable[..., Settlement], events: Any, views: Mapping[str, Mapping[str, Any]], measures: Any
) -> Settlement:
    settled = settle(events, {record: {**view, "version": 0} for record, view in views.items()}, measures)
    return replace(settled, rows=[], late=settled.rows + settled.late)


def _written_again(_: Any, store: Any, late: list[Document], session: Any) -> list[Document]:
    store.history.delete_many({"_id": {"$in": [row["_id"] for row in late]}}, session=session)
    return late


def _write_one_by_one() -> None:
    wrap((transaction, "_once"), _in_a_session)


def _in_a_session(_: Any, client: Any, do: Callable[[Any], Any]) -> Any:
    with client.start_session() as session:
        session.abort_transaction = lambda: None  # there is none to abort
        return do(session)


CRASHES = ("F5.kill", "F5.freeze", "F7.again")
CUTS = ("F7.again", "F5.freeze", "F1.again")
ELECTIONS = ("F11.partition", "F11.rollback", "F11.kill")

MUTANTS: Mapping[str, Mutant] = {
    "command_id": Mutant("a command that is sent again is done again", _forget_commands, CUTS),
    "binding": Mutant(
        "an id that was used is answered with its first outcome, whatever is asked", _let_ids_speak_for_anything, CUTS
    ),
    "version_gate": Mutant("an older version replaces a newer one", _take_any_version, ("F14",)),
    "mark_version": Mutant("the relay marks versions that it has not published", _mark_blindly, CUTS),
    "confirms": Mutant(
        "the relay waits for no confirms", _expect_no_confirms, ("F5.kill", "F5.freeze", "F7.again"), 90.0
    ),
    "park_before_ack": Mutant("a message that cannot be handled is acked and dropped", _park_nothing, ("F13",)),
    "majority": Mutant("one member's confirmation is enough", _trust_one_member, ELECTIONS, 120.0),
    "ledger_transaction": Mutant("a batch is written in parts", _write_one_by_one, ("F2.in_transaction",)),
    "rearm_published": Mutant("re-arming sets pending only", _rearm_without_lowering, ("F8.purge", "F8.wipe")),
}
