"""Accepted commands: stored while a service cannot be reached, and given to it as soon as it can.

Whoever gets 202 may rely on it: the command was written to a majority before. It is given under its own id, so that one
whose first answer was lost, or that two gateways give, is still done once (X-01), and as what its sender may do then.
What it says is forgotten as soon as its outcome is known (X-08).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from services.chassis import trace
from services.chassis.clock import SystemClock
from services.chassis.problem import Conflict, NotFound, Problem, Unavailable
from services.chassis.tokens import Actor, issue
from services.contract import wire

Document = dict[str, Any]

AT_ONCE = 200  # commands that are looked at in one round
TRIES = 3  # times that a command may go unanswered before the others of its service overtake it
KEPT = timedelta(days=90)  # that an outcome can be asked for
TOKEN_HOLDS = timedelta(minutes=5)

IN_TURN = [("turn", 1), ("accepted_at", 1)]


class AcceptedCommands:
    """The commands that wait for their service, and what became of those that did."""

    def __init__(
        self,
        accepted: Collection[Document],
        clock: SystemClock,
        private_key: str | None,
        as_now: Callable[[Document, str | None], Actor],
        *,
        at_most: int,
    ) -> None:
        self._accepted, self._clock, self._private_key, self._at_most = accepted, clock, private_key, at_most
        self._as_now = as_now

    def prepare(self) -> None:
        self._accepted.create_index([("state", 1), ("service", 1), *IN_TURN])
        self._accepted.create_index("settled_at", expireAfterSeconds=int(KEPT.total_seconds()))

    def keep(
        self, service: str, command: str, arguments: Document, *, actor: Actor, token_id: str | None = None
    ) -> Document:
        """Store it; the same command under the same id is stored once, another one is a `Conflict`.

        `Unavailable` where as many wait as may: then the caller keeps it and sends it again.
        """
        waiting = {"state": "accepted", "service": service}
        if (
            self._private_key is None  # nobody could act for the caller later
            or self._accepted.count_documents(waiting, limit=max(1, self._at_most)) >= self._at_most
        ):
            raise Unavailable(command_id=arguments["command_id"])
        document = {
            "_id": arguments["command_id"],
            "service": service,
            "command": command,
            "actor": {"id": actor.id, "roles": sorted(actor.roles), "district": actor.district},
            "token_id": token_id,
            "arguments": wire.encode(arguments),  # not as a document: BSON does not hold all that JSON does
            "accepted_at": self._clock.now().isoformat(timespec="milliseconds"),
            "state": "accepted",
            "turn": 0,
            "tries": 0,
            trace.HEADER: trace.current(),
        }
        try:
            self._accepted.insert_one(document)
        except DuplicateKeyError:
            held = self._accepted.find_one({"_id": document["_id"]}) or document
            if any(held[name] != document[name] for name in ("service", "command", "actor")):
                raise Conflict(command_id=document["_id"]) from None
            return _said(held)
        return _said(document)

    def find(self, command_id: str, *, actor: Actor) -> Document:
        """What became of it; only whoever sent it, and operators, may ask."""
        held = self._accepted.find_one({"_id": command_id})
        if held is None or (held["actor"]["id"] != actor.id and "operator" not in actor.roles):
            raise NotFound(command_id=command_id)
        return _said(held)

    def give(self, service: str, call: Callable[..., Any]) -> int:
        """Give a service that answers what waits for it, the oldest first; how many had an outcome.

        Ends with the first one that goes unanswered, so that none overtakes it because of a moment's outage.
        """
        given = 0
        for held in self._accepted.find({"state": "accepted", "service": service}).sort(IN_TURN).limit(AT_ONCE):
            try:
                actor = self._as_now(held["actor"], held.get("token_id"))
                with trace.within(held.get(trace.HEADER)):
                    done = call(held["command"], wire.decode(held["arguments"]), token=self._token_for(actor))
                outcome = {"state": "done", "record": done}
            except Unavailable:
                self._put_back(held)
                return given
            except Problem as problem:
                outcome = {"state": "refused", "problem": problem.say()}
            outcome["settled_at"] = self._clock.now()
            self._accepted.update_one({"_id": held["_id"]}, {"$set": outcome, "$unset": {"arguments": ""}})
            given += 1
        return given

    def _put_back(self, held: Document) -> None:
        tries = held["tries"] + 1
        self._accepted.update_one({"_id": held["_id"]}, {"$set": {"tries": tries, "turn": tries // TRIES}})

    def _token_for(self, actor: Actor) -> str:
        key = self._private_key or ""
        return issue(key, subject=actor.id, roles=actor.roles, district=actor.district, lifetime=TOKEN_HOLDS)


def _said(held: Document) -> Document:
    """What its sender is told: never what the command said."""
    told = {"command_id": held["_id"], "service": held["service"], "command": held["command"]}
    told |= {"state": held["state"], "accepted_at": held["accepted_at"]}
    return told | {name: held[name] for name in ("record", "problem") if name in held}
