"""What an outside system may hold is limited by the broker, and nothing that befalls one of them is felt by another."""

import pytest
from amqp.basic_message import Message
from amqp.exceptions import AccessRefused, AMQPError, NotAllowed
from kombu import Connection

from deploy.deployment.system_definitions import MOST_CHANNELS, MOST_CONNECTIONS, MOST_QUEUES
from services.contract.topology import LEDGER_QUEUE, RPC_EXCHANGE
from tests.gateway.door.town import HALL, REGISTER
from tests.stack import until

LIST = "outreach.list_venues"


def test_a_system_opens_neither_our_virtual_host_nor_that_of_another(town, both):
    office, library = both
    for vhost in (town.vhost.replace("/", "%2F"), library.name):
        address = town.address(office.name, town.password(office.name), f"/{vhost}")
        with pytest.raises(NotAllowed, match="access to vhost"), Connection(address) as connection:
            connection.connect()


def published(channel, exchange, key):
    channel.basic_publish(Message("{}"), exchange=exchange, routing_key=key)
    channel.queue_declare("rpc-outreach", passive=True)  # whatever the broker has to say comes before its answer


NOT_FOR_THE_DOOR = {
    "others' requests": lambda channel: channel.basic_get("rpc-outreach"),
    "the end of another's queue": lambda channel: channel.queue_delete(LEDGER_QUEUE.name),
    "a queue of its own": lambda channel: channel.queue_declare("mine"),
    "more events than were bound": lambda channel: channel.queue_bind("door.x", exchange="outreach.events"),
    "a method that nobody was granted": lambda channel: published(channel, RPC_EXCHANGE, "outreach.open_campaign"),
    "an event in another's name": lambda channel: published(channel, "outreach.events", "venue.registered"),
}


@pytest.mark.usefixtures("both")
@pytest.mark.parametrize("what", NOT_FOR_THE_DOOR)
def test_the_door_itself_may_do_in_our_virtual_host_what_it_has_to_and_no_more(town, what):
    with Connection(town.door_settings().amqp_uri) as connection, pytest.raises(AccessRefused):
        NOT_FOR_THE_DOOR[what](connection.default_channel)


# --- limits -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hoarder(town):
    (one,) = town.let_in("hoarder")
    return one


def let_in(take, most):
    """How many of these there are before the broker refuses one."""
    for number in range(most):
        try:
            take()
        except (AMQPError, OSError):
            return number
    return most


def test_connections_are_limited(hoarder):
    taken = []

    def connect():
        taken.append(Connection(hoarder.uri, max_retries=0))
        taken[-1].connect()

    try:
        assert let_in(connect, MOST_CONNECTIONS + 1) == MOST_CONNECTIONS
    finally:
        for one in taken:
            one.collect()


def test_channels_are_limited_over_all_connections(hoarder):
    until(lambda: can_connect(hoarder))
    with Connection(hoarder.uri) as first, Connection(hoarder.uri) as second:
        half = MOST_CHANNELS // 2

        taken = let_in(first.channel, half) + let_in(second.channel, 2 * half)

        assert half <= taken <= MOST_CHANNELS + 2  # the broker counts a moment later


def can_connect(system):
    try:
        with Connection(system.uri) as one:
            one.connect()
    except (AMQPError, OSError):
        return False
    return True


def test_queues_are_limited(hoarder):
    until(lambda: can_connect(hoarder))
    with hoarder.connected() as client:
        assert let_in(client.queue, MOST_QUEUES + 1) <= MOST_QUEUES


def test_a_queue_that_nobody_reads_is_limited_whatever_its_owner_says(hoarder):
    until(lambda: can_connect(hoarder))
    with hoarder.connected() as client:
        queue = client.queue("endless", arguments={"x-max-length-bytes": 10**12})
        for number in range(30):
            client.send(queue, number.to_bytes(1, "big") * 1_000_000, exchange="")

        left = until(lambda: client.channel.queue_declare(queue, passive=True).message_count)

        assert left <= 20
        first = client.got(queue)
        assert bytes(first.body)[:1] > b"\x05"  # the oldest went
        client.channel.queue_delete(queue)


# --- each on its own --------------------------------------------------------------------------------------------------


def test_a_virtual_host_that_is_deleted_leaves_the_other_served_and_is_served_again_when_it_is_back(town, both):
    office, library = both
    town.control("delete_vhost", library.name)
    with office.connected() as client:
        assert client.ask(REGISTER, HALL)["error"] is None
    until(lambda: not town.serves(library))

    town.provision()

    until(lambda: town.serves(library))
    with library.connected() as client:
        assert client.ask(LIST)["error"] is None


@pytest.fixture(scope="module")
def tinkerer(town):
    (one,) = town.let_in("tinkerer")
    return one


def test_an_exchange_to_which_no_answer_may_be_written_harms_only_its_own_system(town, office, tinkerer):
    """An internal exchange is refused to publishers with an error that closes their channel."""
    until(lambda: town.serves(tinkerer))
    with tinkerer.connected() as client, office.connected() as other:
        client.channel.exchange_delete(RPC_EXCHANGE)
        client.declare_internal(RPC_EXCHANGE)
        client.channel.queue_bind("door.requests", exchange="amq.topic", routing_key="outreach.*")
        lost = town.unanswered(tinkerer)
        for _ in range(3):
            client.send(LIST, exchange="amq.topic", reply_to="nobody")

        until(lambda: town.unanswered(tinkerer) == lost + 3)
        assert client.waiting("door.requests") == 0
        assert other.ask(LIST)["error"] is None

        client.channel.exchange_delete(RPC_EXCHANGE)
        assert client.ask_until_served(LIST)["error"] is None


def test_one_that_asks_too_often_is_told_so_and_the_other_is_not(town, both):
    office, library = both
    town.close_door()
    town.open_door(office, library, caller_rate=0.2)
    with office.connected() as client, library.connected() as other:
        assert client.ask(LIST)["error"] is None

        assert client.ask(LIST)["error"]["exc_type"] == "TooManyRequests"
        assert other.ask(LIST)["error"] is None
    town.close_door()
    town.open_door(office, library)


def test_one_whose_requests_take_long_does_not_make_another_wait(town, both, monkeypatch):
    """A request that nobody answers holds a place of its own system only."""
    office, library = both
    with office.connected() as slow, library.connected() as quick:
        held = town.hold_requests(monkeypatch, of=office)
        queue = slow.queue()
        for _ in range(50):
            slow.send(LIST, reply_to=queue, correlation_id="c")
        until(lambda: len(held) == 8)

        assert quick.ask(LIST)["error"] is None

        assert len(held) == 8
        held.release()
        assert [slow.answer(queue)["error"] for _ in range(50)] == [None] * 50


def test_a_system_that_is_let_in_or_removed_is_noticed_without_a_restart(town, both):
    (late,) = town.let_in("late")
    until(lambda: town.serves(late))
    with late.connected() as client:
        assert client.ask(LIST)["error"] is None

        town.remove(late)

        until(lambda: town.served(late) is None)
    assert all(map(town.serves, both))


def test_a_list_that_cannot_be_read_changes_nothing(town, both):
    town.list.write_text('{"../": {}}')
    late = town.list.stat().st_mtime_ns
    until(lambda: town.door_has_read(late))

    assert all(map(town.serves, both))
    town.write_list()
