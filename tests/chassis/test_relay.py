"""The relay: whatever the records say has happened is published, in order, and not forgotten whatever breaks."""

from dataclasses import replace

import pytest
from bson import Regex
from prometheus_client import REGISTRY

from services.chassis import document
from services.chassis.clock import SystemClock
from services.chassis.document import Cause, state_of
from services.chassis.provisioning import provision
from services.chassis.tokens import Actor
from services.contract import KINDS
from services.contract.event import cause_of
from services.contract.topology import LEDGER_QUEUE, exchange
from services.kernel import Change
from tests.chassis.conftest import a_hall, held
from tests.chassis.outsider import Outsider
from tests.chassis.toy import Hall, Toy
from tests.stack import Running, until

VENUE = KINDS["outreach.venue"]
HEARTBEATS = 4  # one a second from the broker where the interval is 2 s; without any for 4 s a connection is given up


def add_seats(world, hall_id, seats=1, **how):
    return world.call("outreach", "add_seats", hall_id=hall_id, seats=seats, **how)


def is_marked(world, hall_id, version):
    kept = held(world, hall_id)
    return kept["published"] == version and "pending" not in kept


def a_record_left_pending(world, versions=1):
    """What a process leaves that ends between its write and its publication."""
    cause = Cause(because="c-1", actor=Actor("u-li"), at=SystemClock().now())
    hall, history, after = Hall(name=world.a_new_id(), district="511102"), [], ""
    for version in range(1, versions + 1):
        entry = document.entry(VENUE, Change(hall, "registered"), cause, version=version, after=after)
        after = entry["hash"]
        history.append(entry)
    left = {"_id": world.a_new_id(), "version": versions, "state": state_of(VENUE, hall), "history": history,
            "hash": after, "published": 0, "pending": True}  # fmt: skip
    world.database("outreach")["venue"].insert_one(left)
    return left["_id"]


def test_every_version_is_published_in_order_and_marked(running, witness):
    running.start(Toy)
    halls = [a_hall(running) for _ in range(3)]
    for _ in range(5):
        for hall in halls:
            add_seats(running, hall)

    running.settle()
    for hall in halls:
        assert witness.versions_of(hall) == [1, 2, 3, 4, 5, 6]
        assert is_marked(running, hall, 6)


def test_an_event_carries_the_view_after_its_change_actor_cause_and_hash(running, witness):
    running.start(Toy)
    hall = a_hall(running, capacity=10)
    add_seats(running, hall, 5, by="u-wang", command_id="c-5")

    running.settle()
    _, event = witness.heard
    history = held(running, hall)["history"]
    assert event.data == history[1]["view"]
    assert event.data["capacity"] == 15
    assert (event.actor, event.cause, event.hash) == ("u-wang", cause_of("c-5"), history[1]["hash"])
    assert event.routing_key == "venue.restored"


@pytest.mark.rule("X-02")
def test_what_a_dead_process_left_pending_is_published_by_the_sweep(running, witness):
    running.start(Toy)
    left = a_record_left_pending(running, versions=3)

    until(lambda: is_marked(running, left, 3))
    assert witness.versions_of(left) == [1, 2, 3]


@pytest.mark.rule("X-02")
def test_of_a_record_that_was_published_up_to_a_version_only_the_newer_ones_go_out(running, witness):
    running.start(Toy)
    hall = a_hall(running)
    add_seats(running, hall)
    running.settle()
    running.database("outreach")["venue"].update_one({"_id": hall}, {"$set": {"pending": True, "published": 1}})

    until(lambda: is_marked(running, hall, 2))
    assert witness.versions_of(hall) == [1, 2, 2]


def test_a_record_that_is_pending_with_nothing_to_publish_is_marked_and_stops_nobody(running, witness):
    running.start(Toy)
    hall = a_hall(running)
    running.settle()
    running.database("outreach")["venue"].update_one({"_id": hall}, {"$set": {"pending": True}})

    until(lambda: is_marked(running, hall, 1))
    assert witness.versions_of(hall) == [1]


@pytest.mark.rule("X-02")
@pytest.mark.parametrize(
    "broken",
    [{"history.0.view.capacity": Regex("x")}, {"history.0": {}}, {"published": None}],
    ids=["no JSON", "no event", "published up to nowhere"],
)
def test_a_record_that_cannot_be_published_stays_pending_and_holds_nobody_up(running, witness, broken):
    running.start(Toy)
    bad = a_record_left_pending(running)
    running.database("outreach")["venue"].update_one({"_id": bad}, {"$set": broken})
    until(lambda: ("venue", bad) in relay_of(running)._seen)

    good = [a_record_left_pending(running) for _ in range(3)]
    until(lambda: all(is_marked(running, record, 1) for record in good))
    assert [witness.versions_of(record) for record in [*good, bad]] == [[1], [1], [1], []]
    assert held(running, bad)["pending"]
    assert add_seats(running, good[0])["version"] == 2


@pytest.mark.rule("X-02")
def test_two_relays_leave_nothing_out_and_keep_the_order(settings, running, witness):
    running.start(Toy)
    with Running(settings) as other:
        other.start(Toy)
        left = [a_record_left_pending(running, versions=4) for _ in range(40)]
        halls = [a_hall(other) for _ in range(10)]

        until(lambda: all(is_marked(running, record, 4) for record in left))
        other.settle()
    for record in left:
        assert first_time_each(witness.versions_of(record)) == [1, 2, 3, 4]
    for hall in halls:
        assert set(witness.versions_of(hall)) == {1}


def failures():
    return REGISTRY.get_sample_value("kexie_relay_failures_total", {"service": "outreach"}) or 0


def test_an_event_that_nobody_was_bound_for_is_published_once_the_queues_are_provisioned(settings, running):
    running.start(Toy)
    a_hall(running)
    running.settle()
    with Outsider(settings) as outsider:
        for queue in (LEDGER_QUEUE.name, "outreach.from.outreach"):
            outsider.delete(queue)

        before, hall = failures(), a_hall(running)
        until(lambda: failures() > before)
        assert not is_marked(running, hall, 1)
        provision(settings.amqp_uri)
        until(lambda: is_marked(running, hall, 1))
        assert outsider.messages_in(LEDGER_QUEUE.name) == 1


def test_what_happens_while_its_exchange_is_gone_is_published_once_it_is_provisioned(settings, running):
    running.start(Toy)
    a_hall(running)
    running.settle()
    with Outsider(settings) as outsider:
        outsider._channel.exchange_delete(exchange("outreach"))

        before, hall = failures(), a_hall(running)
        until(lambda: failures() > before)
        assert not is_marked(running, hall, 1)
        provision(settings.amqp_uri)
        until(lambda: is_marked(running, hall, 1))
        assert outsider.messages_in(LEDGER_QUEUE.name) == 2


@pytest.mark.rule("X-02")
def test_what_happens_while_the_broker_is_away_is_published_when_it_is_back(behind_proxy, proxy, witness):
    behind_proxy.start(Toy)
    hall = a_hall(behind_proxy)
    behind_proxy.settle()

    proxy.refuse()
    left = [a_record_left_pending(behind_proxy, versions=2) for _ in range(5)]
    until(lambda: relay_of(behind_proxy)._backoff.tries > 1)
    assert not is_marked(behind_proxy, left[0], 2)

    proxy.heal()
    until(lambda: all(is_marked(behind_proxy, record, 2) for record in left))
    assert all(first_time_each(witness.versions_of(record)) == [1, 2] for record in left)
    assert add_seats(behind_proxy, hall, timeout=15)["version"] == 2


@pytest.mark.rule("X-02")
def test_a_publication_whose_confirm_does_not_come_is_made_again(behind_proxy, proxy, witness):
    behind_proxy.start(Toy)
    a_hall(behind_proxy)
    behind_proxy.settle()

    proxy.freeze()
    left = a_record_left_pending(behind_proxy, versions=2)
    until(lambda: relay_of(behind_proxy)._backoff.tries > 0)
    assert not is_marked(behind_proxy, left, 2)

    proxy.heal()
    until(lambda: is_marked(behind_proxy, left, 2))
    assert first_time_each(witness.versions_of(left)) == [1, 2]


def test_a_relay_with_nothing_to_do_keeps_its_connection(settings):
    with Running(replace(settings, heartbeat=2)) as world:
        world.start(Toy)
        a_hall(world)
        world.settle()
        connection = relay_of(world)._connection
        received = connection.connection.bytes_recv  # frames, in spite of its name

        until(lambda: not connection.connected or connection.connection.bytes_recv >= received + HEARTBEATS)
        assert relay_of(world)._connection is connection


def relay_of(world):
    (container,) = world.containers
    (relay,) = [one for one in container.extensions if type(one).__name__ == "Relay"]
    return relay


def first_time_each(versions):
    """The versions in the order in which each was published first."""
    return list(dict.fromkeys(versions))
