"""Listeners when the broker or their own process goes away: what was not acked comes again, and harms nothing."""

import eventlet
import pytest

from services.chassis.listener import Retry
from services.chassis.provisioning import provision
from tests.chassis.conftest import Ear, a_hall
from tests.chassis.outsider import Outsider
from tests.chassis.points import QUEUE, an_event, inbox_of, inboxes_of, is_drained, parked, publish, publish_raw
from tests.chassis.toy import Toy, keep_in_step, toy
from tests.stack import until


@pytest.fixture
def outsider(settings):
    with Outsider(settings) as one:
        yield one


def test_an_event_that_a_cut_connection_brings_again_has_its_effect_once(behind_proxy, proxy, outsider):
    hold = eventlet.event.Event()

    def slowly(service, event):
        heard.append(event.id)
        keep_in_step(service, event)
        if len(heard) == 1:
            hold.wait()

    heard = []
    behind_proxy.start(toy(slowly))
    publish(outsider, an_event("p-1"))
    until(lambda: heard)

    proxy.cut()
    until(lambda: _is_up(behind_proxy))
    hold.send()
    until(lambda: len(heard) == 2 and is_drained(behind_proxy, outsider))
    hall = behind_proxy.database("outreach")["venue"].find_one({"_id": "hall.p-1"})
    assert hall["version"] == 1
    assert len(hall["history"]) == 1


def test_what_had_arrived_before_a_connection_opened_again_is_forgotten_and_comes_again(behind_proxy, proxy, outsider):
    ear, cuts = Ear(), []
    behind_proxy.start(toy(ear))
    inbox = inbox_of(behind_proxy)

    def gather_for_so_long_that_another_connection_opens():
        if not cuts:
            cuts.append(proxy.cut())
            inbox._arrived.clear()

    inbox._gather = gather_for_so_long_that_another_connection_opens
    event = an_event("p-1")
    publish(outsider, event)

    until(lambda: ear.heard and is_drained(behind_proxy, outsider))
    assert cuts
    assert ear.heard == [event.id]


def test_events_that_come_while_the_connection_is_frozen_are_handled_after_it(behind_proxy, proxy, outsider):
    ear = Ear()
    behind_proxy.start(toy(ear))
    proxy.freeze()
    event = an_event("p-1")
    publish(outsider, event)
    until(lambda: not _is_up(behind_proxy))

    proxy.heal()
    until(lambda: ear.heard and is_drained(behind_proxy, outsider))
    assert set(ear.heard) == {event.id}


def test_a_queue_that_was_deleted_is_heard_once_it_is_provisioned(running, outsider):
    ear = Ear()
    running.start(toy(ear))
    outsider.delete(QUEUE)
    until(lambda: not _is_up(running))

    provision(running.settings.amqp_uri)
    event = an_event("p-1")

    def arrives():
        publish(outsider, event)
        return ear.heard

    until(arrives)
    assert set(ear.heard) == {event.id}


def test_an_event_published_before_its_listener_first_started_is_heard(running, outsider):
    running.start(Toy)
    a_hall(running)
    running.settle()
    running.stop("outreach")
    event = an_event("p-1")
    publish(outsider, event)

    ear = Ear()
    running.start(toy(ear))
    until(lambda: ear.heard == [event.id])


def test_a_listener_that_stops_finishes_what_it_has_and_leaves_the_rest(running, outsider):
    hold = eventlet.event.Event()
    ear = Ear(lambda *_: hold.wait())
    running.start(toy(ear))
    first, second = an_event("p-1"), an_event("p-2")
    publish(outsider, first)
    until(lambda: ear.heard)

    inboxes = inboxes_of(running)
    stopping = eventlet.spawn(running.stop, "outreach")
    until(lambda: all(inbox._stopping for inbox in inboxes))
    publish(outsider, second)
    hold.send()
    stopping.wait()
    assert ear.heard == [first.id]
    until(lambda: outsider.messages_in(QUEUE) == 1)


def test_what_was_handled_or_parked_does_not_come_again(running, outsider):
    def stumble(_, event):
        if event.record == "p-bad":
            raise KeyError("no such thing")

    ear = Ear(stumble)
    running.start(toy(ear))
    publish(outsider, *(an_event(f"p-{number}") for number in range(5)), an_event("p-bad"))
    publish_raw(outsider, b"garbage")
    until(lambda: len(parked(running)) == 2 and is_drained(running, outsider))

    running.stop("outreach")
    assert outsider.messages_in(QUEUE) == 0


def test_a_listener_that_waits_for_what_passes_stops_and_hears_it_again_at_the_next_start(running, outsider):
    def never(*_):
        raise Retry("not now")

    waiting = Ear(never)
    running.start(toy(waiting))
    event = an_event("p-1")
    publish(outsider, event)
    until(lambda: waiting.heard)
    running.stop("outreach")

    ear = Ear()
    running.start(toy(ear))
    until(lambda: ear.heard == [event.id])


def _is_up(world):
    return world.containers[0].config["HEALTH"].ready()[0] == 200
