"""An event: one version of one record, as a CloudEvents 1.0 JSON object on the exchange `<service>.events`.

The id is `<kind>/<record>/<version>`, so the same fact always has the same id; `data` is the whole public view after
the change. Readers ignore what they do not know and refuse an unknown major version (X-11).

Between our services `dataschema` is a path and `sequence` a plain number: the release before reads nothing else, and
may have to read what this one has left in the queues. `for_others` makes of it what CloudEvents demand; both are read.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from services.contract.view import EVERY_KIND, BrokenView, Kind, View

CONTENT_TYPE = "application/json"  # not application/cloudevents+json: stock clients drop what they cannot decode

COMMANDS = uuid.UUID("6b657869-6500-4000-8000-000000000004")
"""The namespace of the UUIDs by which events name the commands that caused them."""

DIGITS = 18
"""The digits of a `sequence` for others, as many as a version may have."""

EVENT_ID = re.compile(r"[a-z_]+/.+/[1-9][0-9]*")


class NotAnEvent(ValueError):
    """Bytes that are not one of our events; the message says why."""


class UnknownVersion(NotAnEvent):
    """X-11: the major version of a view that this reader does not know."""


class _Envelope(msgspec.Struct, kw_only=True, omit_defaults=True):
    specversion: Literal["1.0"]
    id: str
    source: str
    type: str
    subject: str
    time: str
    dataschema: str
    sequence: str
    actor: str
    cause: str
    hash: str
    traceparent: Any = None
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Event:
    """Version `version` of a record: what happened, who did it, and its cause as `cause_of` names it."""

    kind: Kind
    record: str
    version: int
    happened: str
    time: str
    actor: str
    cause: str
    hash: str
    data: dict[str, Any]
    traceparent: Any = field(default=None, compare=False)  # the trace that it happened in, as it was sent

    @property
    def id(self) -> str:
        """The same for the same fact: `<kind>/<record>/<version>`."""
        return f"{self.kind.name}/{self.record}/{self.version}"

    @property
    def routing_key(self) -> str:
        """`<kind>.<happening>`."""
        return self.kind.routing_key(self.happened)

    @property
    def view(self) -> View:
        """The record's public view after the change, as a frozen value."""
        return self.kind.read(self.data)

    def write(self) -> bytes:
        """Encode as a CloudEvents 1.0 JSON object."""
        return msgspec.json.encode(
            _Envelope(
                specversion="1.0",
                id=self.id,
                source=f"/{self.kind.service}",
                type=self.routing_key,
                subject=self.record,
                time=self.time,
                dataschema=self.kind.dataschema,
                sequence=str(self.version),
                actor=self.actor,
                cause=self.cause,
                hash=self.hash,
                traceparent=self.traceparent,
                data=self.data,
            )
        )


def cause_of(because: str) -> str:
    """Name a cause: an event by its id, a command by the UUID (version 5) of its id, which is its sender's text (X-08).

    Who knows a command's id and its caller can find what it caused: `uuid.uuid5(COMMANDS, command_id)` and the actor.
    """
    return because if EVENT_ID.fullmatch(because) else str(uuid.uuid5(COMMANDS, because))


_READS = msgspec.json.Decoder(_Envelope)


def read(body: bytes) -> Event:
    """Decode an event and check its view against the contract; raises `NotAnEvent`."""
    try:
        envelope = _READS.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise NotAnEvent(str(error)) from None

    kind_name, _, happened = envelope.type.partition(".")
    kind = EVERY_KIND.get(f"{envelope.source.removeprefix('/')}.{kind_name}")
    if kind is None or envelope.source != f"/{kind.service}":
        raise NotAnEvent(f"unknown kind {envelope.source}/{kind_name}")
    if not happened:
        raise NotAnEvent(f"{envelope.type} says nothing that happened")
    if envelope.dataschema not in (kind.dataschema, kind.schema_uri):
        raise UnknownVersion(f"{envelope.dataschema}, this reader knows {kind.dataschema}")

    event = Event(
        kind=kind,
        record=envelope.subject,
        version=_version(envelope.sequence),
        happened=happened,
        time=envelope.time,
        actor=envelope.actor,
        cause=envelope.cause,
        hash=envelope.hash,
        data=envelope.data,
        traceparent=envelope.traceparent,
    )
    if event.id != envelope.id:
        raise NotAnEvent(f"id {envelope.id} is not {event.id}")
    try:
        kind.read(event.data)
    except BrokenView as error:
        raise NotAnEvent(str(error)) from None
    return event


def for_others(body: bytes) -> bytes:
    """Rewrite an event by the book: `dataschema` is an absolute URI, and texts of `sequence` sort as their numbers do.

    Bytes that are none of our events stay as they are.
    """
    try:
        event = read(body)
    except NotAnEvent:
        return body
    told = msgspec.json.decode(body)
    told |= {"dataschema": event.kind.schema_uri, "sequence": f"{event.version:0{DIGITS}}"}
    return msgspec.json.encode(told)


def _version(sequence: str) -> int:
    if not re.fullmatch("[0-9]{1,18}", sequence) or not int(sequence):
        raise NotAnEvent(f"sequence {sequence[:40]!r} is no version")
    return int(sequence)
