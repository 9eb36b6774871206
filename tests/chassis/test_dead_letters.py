"""Dead letters: a message that ends its reader again and again is parked, and the others are handled."""

import socket
from datetime import timedelta
from urllib.parse import unquote, urlsplit

import pytest
from amqp.basic_message import Message

from deploy.local.broker import Broker
from deploy.local.home import Home
from services.chassis.amqp import connect
from services.chassis.parking import SCHEDULE, Parking
from services.contract.topology import DELIVERIES, LEDGER_QUEUE, dead_letter_queue, exchange
from tests.chassis.conftest import Ear, a_world
from tests.chassis.outsider import Outsider
from tests.chassis.points import QUEUE, an_event, inbox_of, is_drained, pass_by, publish
from tests.chassis.toy import Ledger, toy
from tests.stack import MovableClock, until

GIVEN_UP = f"GivenUp: delivered more than {DELIVERIES} times and never settled"


@pytest.fixture(scope="module")
def world(addresses, keys):
    with a_world(addresses, keys) as world:

        def hear(service, event):
            world.ear(service, event)

        world.ear = Ear()
        yield world.start(toy(hear))


@pytest.fixture(scope="module")
def outsider(world):
    with Outsider(world.settings) as one:
        yield one


def parked(world, service, **where):
    return list(world.database(service)["parked"].find(where))


def read_and_end(settings):
    """Be given a message of the ledger's, and end without an ack."""
    connection, messages = connect(settings, "tests.reader"), []
    connection.default_channel.basic_consume(LEDGER_QUEUE.name, callback=messages.append)
    while not messages:
        connection.drain_events(timeout=10)
    connection.collect()


def test_an_event_that_ends_its_connection_each_time_is_parked_and_the_others_are_handled(world, outsider):
    poison, later = an_event("p-poison"), an_event("p-later")

    def end_the_connection(_, event):
        if event.id == poison.id:
            inbox_of(world)._link.channel.connection.transport.sock.shutdown(socket.SHUT_RDWR)

    world.ear = Ear(end_the_connection)
    publish(outsider, poison)

    (kept,) = until(lambda: parked(world, "outreach", queue=QUEUE))
    assert kept["error"] == GIVEN_UP
    assert kept["exchange"] == exchange("rural")
    assert kept["routing_key"] == "service_point.completed"
    assert world.ear.times(poison) == 1 + DELIVERIES
    publish(outsider, later)
    until(lambda: world.ear.times(later) and is_drained(world, outsider))

    world.ear = Ear()
    pass_by(world, SCHEDULE[0])
    until(lambda: parked(world, "outreach", queue=QUEUE, state="handled"))
    assert world.ear.heard == [poison.id]


def test_an_event_that_ends_the_ledgers_reader_each_time_is_parked(world, outsider):
    event = an_event("p-ledger")
    outsider.purge(LEDGER_QUEUE.name)
    publish(outsider, event)
    for _ in range(1 + DELIVERIES):
        read_and_end(world.settings)
    until(lambda: outsider.messages_in(dead_letter_queue("gateway").name))

    world.start(Ledger)

    (kept,) = until(lambda: parked(world, "gateway"))
    assert (kept["queue"], kept["error"]) == (LEDGER_QUEUE.name, GIVEN_UP)
    assert bytes(kept["body"]) == event.write()


def test_a_dead_letter_that_is_none_of_the_brokers_is_parked_too(world, outsider):
    queue = dead_letter_queue("outreach").name
    for headers in ({}, {"x-death": 1}, {"x-death": []}, {"x-death": [{"queue": "x"}]}):
        outsider.send(queue, repr(headers).encode(), exchange="", application_headers=headers)

    until(lambda: len(parked(world, "outreach", queue=queue)) == 4)


def test_a_parked_message_that_ends_its_process_in_every_try_waits_for_an_operator(world):
    clock = MovableClock()
    parking = Parking(world.database("fatal"), clock)
    parking.prepare("rpc-outreach")
    message = Message(b"{}")
    message.delivery_info = {}
    parking.park(message, queue=QUEUE, error=KeyError("why"), is_heard=True)

    for _ in SCHEDULE:
        clock.ahead += timedelta(seconds=SCHEDULE[-1])
        assert parking.claim([QUEUE])
    clock.ahead += timedelta(seconds=SCHEDULE[-1])

    assert parking.claim([QUEUE]) is None
    (kept,) = parked(world, "fatal")
    assert (kept["alarm"], kept["state"], "due_at" in kept) == (True, "waiting", False)


def test_a_request_holds_for_a_while_only(world):
    vhost = unquote(urlsplit(world.settings.amqp_uri).path[1:])

    listed = Broker(Home.of_the_environment()).control("list_queues", "--vhost", vhost, "name", "policy")

    assert "rpc-outreach\trequests" in listed
