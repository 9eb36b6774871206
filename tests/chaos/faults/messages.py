"""Faults of messages: poison in every queue, and events that come twice, late and in any order."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterable
from contextlib import suppress
from itertools import product
from operator import attrgetter
from random import Random
from typing import Any

import eventlet
from amqp.basic_message import Message
from pymongo.errors import PyMongoError

from services.chassis import document
from services.chassis.amqp import BROKEN
from services.contract import EVERY_KIND
from services.contract.event import CONTENT_TYPE, Event
from services.contract.topology import HEARS, RPC_EXCHANGE, SERVICES, exchange, listener_queue, queues
from services.contract.view import Kind
from tests.chaos.faults.fault import fault
from tests.chaos.world.world import Poison, World

MOST = 5_000  # events that are published again at once
CHUNK = 200  # messages between two short pauses
PAUSE = 0.02  # seconds
CONFIRMED_WITHIN = 10.0  # seconds

Addressed = tuple[str, str, Event]
"""Exchange, routing key and event."""

ENVELOPE = {
    "specversion": "1.0", "id": "award/x/1", "source": "/awards", "type": "award.granted", "subject": "x",
    "time": "2011-05-14T10:00:00.000+08:00", "dataschema": "/awards/award/1", "sequence": "1", "actor": "a",
    "cause": "c", "hash": "0", "data": {},
}  # fmt: skip

NO_EVENTS = (
    b"",
    b"\xff\xfe\x00 not UTF-8 \xc3\x28",
    b"{not JSON",
    b"[" * 100_000,
    b'{"__type__": "datetime", "__value__": "2011-05-14T10:00:00"}',
    json.dumps(ENVELOPE).encode(),  # no view of an award
    json.dumps({name: value for name, value in ENVELOPE.items() if name != "id"}).encode(),
    json.dumps(ENVELOPE | {"type": "wonder.happened"}).encode(),
    json.dumps(ENVELOPE | {"dataschema": "/awards/award/99"}).encode(),
    json.dumps(ENVELOPE | {"sequence": "-1"}).encode(),
    b"x" * 13_000_000,
)
NO_REQUESTS = (b"", b"\xff\xfe", b"{}", b'{"args": [], "kwargs": {"__type__": "x", "__value__": 1}}', b"x" * 2_000_000)
UNANSWERED = {"content_type": "application/x-python-serialize"}


# --- F13: poison ------------------------------------------------------------------------------------------------------


@fault("F13.poison", seconds=(0, 0), strikes=("queues",))
def poison_all(world: World, random: Random, _: float) -> None:
    """Put a message that nobody can handle into every queue."""
    poison(world, random, [*(queue.name for queue in queues()), *map(_rpc_queue, SERVICES)])


@fault("F13.requests", seconds=(0, 0), strikes=("queues",))
def send_bad_requests(world: World, random: Random, _: float) -> None:
    """Send requests that no method understands."""
    with suppress(*BROKEN), world.channel() as channel:
        for service, body in product(SERVICES, NO_REQUESTS):
            id_, method = str(uuid.uuid4()), random.choice(("ping", "", "no_such_method", "取"))
            message = Message(body, reply_to="nowhere", correlation_id=id_, **random.choice(({}, UNANSWERED)))
            channel.basic_publish(message, exchange=RPC_EXCHANGE, routing_key=f"{service}.{method}")


def poison(world: World, random: Random, queues: Iterable[str]) -> None:
    """Put a message that nobody can handle into each of these queues; note those in the world that have to be parked.

    One in a queue of requests must not be: it is no fact that could be lost.
    """
    for queue in queues:
        is_event = not queue.startswith("rpc-")
        poisoned = Poison(str(uuid.uuid4()), queue, random.choice(NO_EVENTS if is_event else NO_REQUESTS))
        if is_event:
            world.poison.append(poisoned)
        with suppress(*BROKEN), world.channel() as channel, _in_time():
            message = Message(poisoned.body, message_id=poisoned.id, content_type=CONTENT_TYPE, delivery_mode=2)
            channel.basic_publish_confirm(message, exchange="", routing_key=queue, mandatory=True)
            poisoned.certain = True


def _in_time() -> Any:
    return eventlet.Timeout(CONFIRMED_WITHIN, TimeoutError("the broker confirms nothing"))


def _rpc_queue(service: str) -> str:
    return f"rpc-{service}"


# --- F14: duplicates and disorder -------------------------------------------------------------------------------------


@fault("F14.again", seconds=(0, 0), strikes=("queues",))
def publish_again(world: World, random: Random, _: float) -> None:
    """Publish the events so far again, twice and in any order."""
    again = 2 * _events(world, *EVERY_KIND.values())
    random.shuffle(again)
    _publish(world, map(_addressed, again[: 2 * MOST]))


@fault("F14.backwards", seconds=(0, 0), strikes=("queues",))
def publish_backwards(world: World, _: Random, __: float) -> None:
    """Publish the newest events again, backwards."""
    newest = sorted(_events(world, *EVERY_KIND.values()), key=attrgetter("time"))[-MOST:]
    _publish(world, map(_addressed, reversed(newest)))


def repeat_events(world: World, listener: str, *, most: int = 20) -> None:
    """Publish to a listener again some of the events that it has taken, at most so many of each sort."""
    for sort in HEARS[listener]:
        service, name, happened = sort.split(".")
        of_kind = _events(world, EVERY_KIND[f"{service}.{name}"])
        of_sort = [event for event in of_kind if event.happened == happened]
        _publish(world, [("", listener_queue(listener, service), event) for event in of_sort[:most]])


def _events(world: World, *kinds: Kind) -> list[Event]:
    """Read every event of these kinds that there has been; wait for the database as long as it is away."""
    events: list[Event] = []
    for kind in kinds:
        while (of_kind := _events_of(world, kind)) is None:
            time.sleep(1)
        events += of_kind
    return events


def _events_of(world: World, kind: Kind) -> list[Event] | None:
    """None where the database does not answer."""
    records = world.mongo[world.settings.database(kind.service)][kind.name]
    events: list[Event] = []
    with suppress(PyMongoError):
        for record in records.find({}, {"history": 1}):
            events += (document.event(kind, record["_id"], entry) for entry in record["history"])
            eventlet.sleep(0)
        return events
    return None


def _addressed(event: Event) -> Addressed:
    """The event as its service publishes it."""
    return exchange(event.kind.service), event.routing_key, event


def _publish(world: World, events: Iterable[Addressed]) -> None:
    """Publish the events, without a promise that all of them reach their queues."""
    with suppress(*BROKEN), world.channel() as channel:
        for number, (to, key, event) in enumerate(events):
            message = Message(event.write(), message_id=event.id, content_type=CONTENT_TYPE, delivery_mode=2)
            channel.basic_publish(message, exchange=to, routing_key=key)
            time.sleep(0 if number % CHUNK else PAUSE)
