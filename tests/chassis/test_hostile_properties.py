"""Whatever the properties of a message are, its reader goes on and the message is settled."""

import random
from itertools import count
from struct import pack

import pytest
from amqp import spec
from amqp.serialization import dumps

from services.chassis.amqp import BROKEN, LenientText, read_frames
from services.chassis.metrics import COMMANDS
from services.contract.topology import LEDGER_QUEUE, RPC_EXCHANGE, exchange
from tests.chassis.conftest import a_world, held
from tests.chassis.points import QUEUE, an_event
from tests.chassis.properties import EVIL, EXPIRATION, USER_ID, Raw, nested, properties_of, with_header
from tests.chassis.toy import Ledger, Toy
from tests.stack import connect_idly, until

SEED = 2011
MANY = 5_000  # properties that are read from frames
SOME, FEW = 400, 100  # that are sent to the broker, and of them those that it takes at least
DEEP = (10, 900, 5_000)
METHOD, HEADER, BODY = 1, 2, 3


class Counters:
    """The part of a connection that reading frames needs."""

    bytes_recv = 0


def frames_of(properties, body):
    deliver = pack(">HH", *spec.Basic.Deliver) + dumps("sLbss", ("reader", 1, False, "", "q"))
    header = pack(">HHQ", 60, 0, len(body)) + properties
    parts = [(METHOD, 1, LenientText(deliver)), (HEADER, 1, LenientText(header))]
    return [*parts, (BODY, 1, body)] if body else parts


def test_every_message_is_read_with_its_body_whatever_its_properties_are():
    received = []
    read = read_frames(Counters(), lambda *method: received.append(method[-1]))
    hostile = [*properties_of(random.Random(SEED), MANY), *map(with_header, EVIL), *map(nested, DEEP)]

    for number, properties in enumerate(hostile):
        for frame in frames_of(properties, b"%d" % number if number % 2 else b""):
            read(frame)

    assert [bytes(message.body or b"") for message in received] == [
        b"%d" % number if number % 2 else b"" for number in range(len(hostile))
    ]
    undecodable = sum(not message.properties for message in received)
    assert MANY / 20 < undecodable < MANY / 2


def test_properties_that_can_be_decoded_are_kept():
    received = []
    read = read_frames(Counters(), lambda *method: received.append(method[-1]))

    for frame in frames_of(with_header(b"t\x01", reply_to="here"), b""):
        read(frame)

    assert received[0].properties == {"application_headers": {"k": True}, "reply_to": "here"}


def test_an_error_of_a_callback_is_raised_once():
    calls = []

    def fail(*method):
        calls.append(method)
        raise ValueError("ours")

    read = read_frames(Counters(), fail)
    method, header = frames_of(with_header(b"t\x01"), b"")
    read(method)

    with pytest.raises(ValueError, match="ours"):
        read(header)
    assert len(calls) == 1


def test_an_error_of_a_callback_that_read_on_meanwhile_is_raised_once():
    calls = []

    def read_another_and_fail(*method):
        calls.append(method)
        if len(calls) == 1:
            for frame in frames_of(with_header(b"t\x01"), b"body"):
                read(frame)
            raise ValueError("ours")

    read = read_frames(Counters(), read_another_and_fail)
    method, header = frames_of(with_header(b"t\x01"), b"")
    read(method)

    with pytest.raises(ValueError, match="ours"):
        read(header)
    assert len(calls) == 2


@pytest.fixture(scope="module")
def world(addresses, keys):
    with a_world(addresses, keys) as world:
        Ledger.taken.clear()
        yield world.start(Toy, Ledger)


class Sender:
    """Sends hostile messages and counts those that the broker takes; it ends the connection of some others."""

    def __init__(self, settings):
        self._settings = settings
        self._connection = None

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self._drop()

    def send_hostile(self, to, key, *, seed):
        """Send messages with all kinds of properties and return how many were taken."""
        random_ones = properties_of(random.Random(seed), SOME, without=(EXPIRATION, USER_ID))
        hostile = [*random_ones, *map(with_header, EVIL), *map(nested, DEEP)]
        bodies = (b'{"kwargs": {"number": %d}}' % number for number in count())
        return sum(self._is_taken(to, key, *of_one) for of_one in zip(bodies, hostile, strict=False))

    def _is_taken(self, to, key, body, properties):
        try:
            self._connected().basic_publish_confirm(Raw(body, properties), exchange=to, routing_key=key)
        except BROKEN:
            self._drop()
            return False
        return True

    def _connected(self):
        if self._connection is None:
            self._connection = connect_idly(self._settings, "tests.hostile")
        return self._connection.default_channel

    def _drop(self):
        if self._connection is not None:
            self._connection.collect()
        self._connection = None


@pytest.fixture
def sender(world):
    with Sender(world.settings) as one:
        yield one


def parked_of(world, service, queue):
    return world.database(service)["parked"].count_documents({"queue": queue})


def answered(service):
    """Requests that this process's service answered, or dropped where nobody waits for an answer."""
    samples = [sample for metric in COMMANDS.collect() for sample in metric.samples]
    return sum(one.value for one in samples if one.name.endswith("_total") and one.labels["service"] == service)


def test_no_request_ends_a_service_and_each_is_answered_or_dropped(world, sender):
    before = answered("outreach")
    taken = sender.send_hostile(RPC_EXCHANGE, "outreach.ping", seed=SEED + 1)

    until(lambda: answered("outreach") - before == taken)
    assert parked_of(world, "outreach", "rpc-outreach") == 0
    assert taken > FEW
    assert world.call("outreach", "ping")["service"] == "outreach"


def test_no_event_ends_a_listener_or_the_ledger_and_each_is_parked(world, sender):
    taken = sender.send_hostile(exchange("rural"), "service_point.completed", seed=SEED + 2)
    good = an_event("p-good")
    world.publish(good)

    until(lambda: good.id in Ledger.taken and held(world, "hall.p-good"))
    assert taken > FEW
    assert parked_of(world, "outreach", QUEUE) == taken
    assert parked_of(world, "gateway", LEDGER_QUEUE.name) == taken


def test_no_answer_ends_a_caller(world, sender):
    link = world.caller.link.channel
    assert sender.send_hostile(RPC_EXCHANGE, world.caller._reply_to, seed=SEED + 3) > FEW

    assert world.call("outreach", "ping")["service"] == "outreach"
    assert world.caller.link.channel is link
