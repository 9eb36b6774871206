"""Faults of messages: poison in every queue, and events that come twice, late and in any order."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterable
from contextlib import suppress
from operator import attrgetter
from random import Random
from typing import Any

import eventlet
from amqp.basic_message import Message
from pymongo.errors import PyMongoError

from services.chassis.amqp import BROKEN
from services.chassis.document import event
from services.contract import EVERY_KIND
from services.contract.event import CONTENT_TYPE, Event
from services.contract.topology import HEARS, RPC_EXCHANGE, SERVICES, exchange, listener_queue, queues
from services.contract.view import Kind
from tests.chaos.faults.fault import fault
from tests.chaos.world.world import Poison, World

MOST = 5_000  # events that are published again at once
CHUNK = 200  # messages between two breaths
CONFIRMED_WITHIN = 10.0  # seconds

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
    json.dumps({name: said for name, said in ENVELOPE.items() if name != "id"}).encode(),
    json.dumps(ENVELOPE | {"type": "wonder.happened"}).encode(),
    json.dumps(ENVELOPE | {"dataschema": "/awards/award/99"}).encode(),
    json.dumps(ENVELOPE | {"sequence": "-1"}).encode(),
    b"x" * 13_000_000,
)
NO_REQUESTS = (b"", b"\xff\xfe", b"{}", b'{"args": [], "kwargs": {"__type__": "x", "__value__": 1}}', b"x" * 2_000_000)
UNANSWERED = {"content_type": "application/x-python-serialize"}


# --- F13: poison ------------------------------------------------------------------------------------------------------


@fault("F13.poison", "what nobody can handle lies in every queue", seconds=(0, 0), strikes=("queues",))
def poison_all(world: World, random: Random, _: float) -> None:
    poison(world, random, [*(queue.name for queue in queues()), *map(_rpc_queue, SERVICES)])


@fault("F13.requests", "requests that no method understands", seconds=(0, 0), strikes=("queues",))
def send_bad_requests(world: World, random: Random, _: float) -> None:
    with suppress(*BROKEN), world.channel() as channel:
        for service in SERVICES:
            for body in NO_REQUESTS:
                key, method = str(uuid.uuid4()), random.choice(("ping", "", "no_such_method", "取"))
                message = Message(body, reply_to="nowhere", correlation_id=key, **random.choice(({}, UNANSWERED)))
                channel.basic_publish(message, exchange=RPC_EXCHANGE, routing_key=f"{service}.{method}")


def poison(world: World, random: Random, queues: Iterable[str]) -> None:
    """Put one message into each of these queues that has to be parked, and write it down."""
    for queue in queues:
        body = random.choice(NO_REQUESTS if queue.startswith("rpc-") else NO_EVENTS)
        letter = Poison(str(uuid.uuid4()), queue, body)
        world.poison.append(letter)
        with suppress(*BROKEN), world.channel() as channel, _in_time():
            message = Message(body, message_id=letter.id, content_type=CONTENT_TYPE, delivery_mode=2)
            channel.basic_publish_confirm(message, exchange="", routing_key=queue, mandatory=True)
            letter.certain = True


def _in_time() -> Any:
    return eventlet.Timeout(CONFIRMED_WITHIN, TimeoutError("the broker confirms nothing"))


def _rpc_queue(service: str) -> str:
    return f"rpc-{service}"


# --- F14: duplicates and disorder -------------------------------------------------------------------------------------


@fault(
    "F14.again", "the events so far are published again, twice and in any order", seconds=(0, 0), strikes=("queues",)
)
def publish_again(world: World, random: Random, _: float) -> None:
    again = 2 * _events(world, *EVERY_KIND.values())
    random.shuffle(again)
    _publish(world, [(exchange(one.kind.service), one.routing_key, one) for one in again[: 2 * MOST]])


@fault("F14.backwards", "the newest events are published again, backwards", seconds=(0, 0), strikes=("queues",))
def publish_backwards(world: World, random: Random, _: float) -> None:  # noqa: ARG001
    newest = sorted(_events(world, *EVERY_KIND.values()), key=attrgetter("time"))[-MOST:]
    _publish(world, [(exchange(one.kind.service), one.routing_key, one) for one in reversed(newest)])


def repeat_lately_heard(world: World, listener: str, *, most: int = 20) -> None:
    """Let a listener hear again some of what it heard."""
    for line in HEARS[listener]:
        service, name, happened = line.split(".")
        heard = [one for one in _events(world, EVERY_KIND[f"{service}.{name}"]) if one.happened == happened]
        _publish(world, [("", listener_queue(listener, service), one) for one in heard[:most]])


def _events(world: World, *kinds: Kind) -> list[Event]:
    """Every event of these kinds there has been; waits for a database that is away."""
    found: list[Event] = []
    for kind in kinds:
        while (some := _events_of(world, kind)) is None:
            time.sleep(1)
        found += some
    return found


def _events_of(world: World, kind: Kind) -> list[Event] | None:
    """None where the database did not tell."""
    records = world.mongo[world.settings.database(kind.service)][kind.name]
    found: list[Event] = []
    with suppress(PyMongoError):
        for record in records.find({}, {"history": 1}):
            found += (event(kind, record["_id"], entry) for entry in record["history"])
            eventlet.sleep(0)
        return found
    return None


def _publish(world: World, events: list[tuple[str, str, Event]]) -> None:
    """To these exchanges, by these keys; some may not get there."""
    with suppress(*BROKEN), world.channel() as channel:
        for number, (to, key, one) in enumerate(events):
            message = Message(one.write(), message_id=one.id, content_type=CONTENT_TYPE, delivery_mode=2)
            channel.basic_publish(message, exchange=to, routing_key=key)
            if number % CHUNK == 0:
                time.sleep(0.02)
