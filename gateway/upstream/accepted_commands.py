"""Accepted commands: stored while a service cannot be reached, and given to it as soon as it can.

A sender that gets 202 may rely on it: by then the command was written to a majority. It is given under its own id, so
that a command whose first answer was lost, or that two gateways give, is still done once (X-01), with the rights that
its sender has then. Its arguments are forgotten as soon as its outcome is known (X-08).

An id is its sender's: the first sender of an id has it as `_id`, as earlier releases look for it, and another one
`<sender>/<id>`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from pymongo import IndexModel
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from gateway.identity.stored_actor import read_actor, write_actor
from gateway.upstream import descriptions
from services.chassis import trace
from services.chassis.clock import SystemClock
from services.chassis.command_ids import CommandIdReused, digest
from services.chassis.problem import NotFound, Problem, Unavailable
from services.chassis.tokens import Actor, DelegatedTokens
from services.contract import wire
from services.kernel import Lifecycle
from services.kernel.calendar import format_instant

Document = dict[str, Any]

LIFECYCLE = Lifecycle(accepted=("done", "refused"))

AT_ONCE = 200  # commands that are given in one round
TRIES = 3  # times that a command may go unanswered before the others of its service overtake it
KEPT = timedelta(days=90)  # that an outcome can be asked for

OLDEST_FIRST = [("turn", 1), ("accepted_at", 1)]


@dataclass(frozen=True, kw_only=True)
class AcceptedCommand:
    """A command that waits for its service, or its outcome: the `record` it made or the `problem` that refused it.

    `arguments` are None once there is an outcome, and `digest` is theirs; where an earlier release settled it, it has
    none. Commands of a higher `turn` are given after those of a lower one.
    """

    id: str
    key: str
    service: str
    command: str
    actor: Actor
    token_id: str | None
    arguments: Document | None = field(repr=False)
    digest: bytes | None
    accepted_at: str
    traceparent: str | None
    state: str = "accepted"
    turn: int = 0
    tries: int = 0
    record: Mapping[str, Any] | None = None
    problem: Mapping[str, Any] | None = None

    @property
    def method(self) -> str:
        """The command with its service."""
        return f"{self.service}.{self.command}"

    def require_same(self, other: AcceptedCommand) -> None:
        """Raise `CommandIdReused` where its sender sends another command under its id."""
        if self.method != other.method or self.digest not in (None, other.digest):
            raise CommandIdReused(command_id=self.id, used_for=self.method, used_at=self.accepted_at)


class AcceptedCommands:
    """The commands that wait for their service, and the outcomes of those that did."""

    def __init__(
        self,
        accepted: Collection[Document],
        clock: SystemClock,
        tokens: DelegatedTokens,
        current_rights: Callable[[Actor, str | None], Actor],
        *,
        at_most: int,
    ) -> None:
        self._accepted, self._clock, self._tokens, self._at_most = accepted, clock, tokens, at_most
        self._current_rights = current_rights

    def prepare(self) -> None:
        """Create the indexes; MongoDB removes outcomes after `KEPT`."""
        self._accepted.create_indexes(
            [
                IndexModel([("state", 1), ("service", 1), *OLDEST_FIRST]),
                IndexModel("settled_at", expireAfterSeconds=int(KEPT.total_seconds())),
            ]
        )

    def accept(
        self, service: str, command: str, arguments: Document, *, actor: Actor, token_id: str | None = None
    ) -> Document:
        """Store a command; the same one under the same id is stored once, another one raises `CommandIdReused`.

        `Unavailable` where as many wait as may, or nobody could act for the caller later: it has to send it again.
        """
        if self._tokens.private_key is None or self._is_full(service):
            raise Unavailable(command_id=arguments["command_id"])

        accepted = AcceptedCommand(
            id=arguments["command_id"],
            key=arguments["command_id"],
            service=service,
            command=command,
            actor=actor,
            token_id=token_id,
            arguments=arguments,
            digest=_digest(arguments),
            accepted_at=format_instant(self._clock.now()),
            traceparent=trace.current(),
        )
        return _show(self._store(accepted))

    def find(self, command_id: str, *, actor: Actor) -> Document:
        """Show a command and its outcome to its sender; operators also see the first sender's, others `NotFound`."""
        stored = self._find(command_id, actor.id)
        if stored is None and "operator" in actor.roles:
            stored = self._find(command_id)
        if stored is None:
            raise NotFound(command_id=command_id)
        return _show(stored)

    def give(self, service: str, call: Callable[..., Any]) -> int:
        """Give a service the commands that wait for it, the oldest first; the number of those with an outcome.

        Ends with the first one that goes unanswered, so that no other overtakes it because of a short outage.
        """
        waiting = self._accepted.find({"state": "accepted", "service": service}).sort(OLDEST_FIRST).limit(AT_ONCE)
        given = 0
        for command in map(_read_command, waiting):
            outcome = self._outcome(command, call)
            if outcome is None:
                self._put_back(command)
                break
            settled = {**outcome, "settled_at": self._clock.now()}
            self._accepted.update_one({"_id": command.key}, {"$set": settled, "$unset": {"arguments": ""}})
            given += 1
        return given

    def _outcome(self, command: AcceptedCommand, call: Callable[..., Any]) -> Document | None:
        """None where the service does not answer."""
        try:
            actor = self._current_rights(command.actor, command.token_id)
            with trace.within(command.traceparent):
                token = self._tokens.token_for(actor, command.service)
                record = call(command.command, command.arguments, token=token)
        except Unavailable:
            return None
        except Problem as problem:
            return {"state": "refused", "problem": problem.say()}
        return {"state": "done", "record": record}

    def _is_full(self, service: str) -> bool:
        waiting = {"state": "accepted", "service": service}
        return self._accepted.count_documents(waiting, limit=max(1, self._at_most)) >= self._at_most

    def _store(self, accepted: AcceptedCommand) -> AcceptedCommand:
        """Store a command, or return what its sender has sent under this id before; `CommandIdReused` for another."""
        for key in _keys(accepted.id, accepted.actor.id):
            with suppress(DuplicateKeyError):
                self._accepted.insert_one(_write_command(replace(accepted, key=key)))
                return accepted
            if stored := self._find(accepted.id, accepted.actor.id):
                stored.require_same(accepted)
                return self._judge_anew(stored, accepted)
        return accepted

    def _judge_anew(self, stored: AcceptedCommand, accepted: AcceptedCommand) -> AcceptedCommand:
        """Let a command wait again that was refused; any other stays as it is."""
        if stored.state != "refused":
            return stored
        again = replace(accepted, key=stored.key)
        self._accepted.replace_one({"_id": stored.key, "state": "refused"}, _write_command(again))
        return again

    def _find(self, command_id: str, sender: str | None = None) -> AcceptedCommand | None:
        """The command that this sender has sent under the id, or its first sender."""
        wanted = {"_id": {"$in": _keys(command_id, sender)}, "actor.id": sender} if sender else {"_id": command_id}
        document = self._accepted.find_one(wanted)
        return _read_command(document) if document else None

    def _put_back(self, command: AcceptedCommand) -> None:
        tries = command.tries + 1
        self._accepted.update_one({"_id": command.key}, {"$set": {"tries": tries, "turn": tries // TRIES}})


def _write_command(command: AcceptedCommand) -> Document:
    """Write a new command; its arguments as bytes, since BSON does not hold everything that JSON does."""
    return {
        "_id": command.key,
        "service": command.service,
        "command": command.command,
        "actor": write_actor(command.actor),
        "token_id": command.token_id,
        "arguments": wire.encode(command.arguments),
        "digest": command.digest,
        "accepted_at": command.accepted_at,
        "state": command.state,
        "turn": command.turn,
        "tries": command.tries,
        trace.HEADER: command.traceparent,
    }


def _read_command(document: Mapping[str, Any]) -> AcceptedCommand:
    """Read a stored command; earlier ones have no digest, and the earliest no turn, tries, token id and trace."""
    encoded = document.get("arguments")
    arguments = None if encoded is None else wire.decode(encoded)
    return AcceptedCommand(
        id=document["_id"].rpartition("/")[2],
        key=document["_id"],
        service=document["service"],
        command=document["command"],
        actor=read_actor(document["actor"]),
        token_id=document.get("token_id"),
        arguments=arguments,
        digest=document.get("digest") or (arguments and _digest(arguments)),
        accepted_at=document["accepted_at"],
        traceparent=document.get(trace.HEADER),
        state=document["state"],
        turn=document.get("turn", 0),
        tries=document.get("tries", 0),
        record=document.get("record"),
        problem=document.get("problem"),
    )


def _keys(command_id: str, sender: str) -> list[str]:
    """The places of a command, in their order: the second where the first has another sender's."""
    return [command_id, f"{sender}/{command_id}"]


def _digest(arguments: Document) -> bytes:
    return digest({name: value for name, value in arguments.items() if name not in descriptions.OF_EVERY_COMMAND})


def _show(command: AcceptedCommand) -> Document:
    """Show a command, without its arguments."""
    shown = {"command_id": command.id, "by": command.actor.id, "service": command.service, "command": command.command}
    shown |= {"state": command.state, "accepted_at": command.accepted_at}
    outcome = {"record": command.record, "problem": command.problem}
    return shown | {name: value for name, value in outcome.items() if value is not None}
