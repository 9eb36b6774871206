"""Parked messages when their process goes away or is replaced by a newer one: they are tried all the same."""

from datetime import timedelta
from itertools import chain

import eventlet
from eventlet.greenpool import GreenPool

from services.chassis.mongo import database
from services.chassis.parking import SCHEDULE, Parking
from tests.chassis.conftest import Ear
from tests.chassis.outsider import Outsider
from tests.chassis.points import QUEUE, an_event, is_nothing_due, park, pass_by, stumble, the_one
from tests.chassis.toy import toy
from tests.stack import MovableClock, until


def test_a_process_that_dies_over_a_message_leaves_it_due_later(running, settings):
    hold = eventlet.event.Event()
    ear = Ear(stumble)
    running.start(toy(ear))
    event = an_event("p-1")
    with Outsider(settings) as outsider:
        park(running, outsider, event)
    ear.heard.clear()
    ear.do = lambda *_: hold.wait()
    pass_by(running, SCHEDULE[0])
    until(lambda: ear.heard)
    running.containers.pop().kill()

    survivor = Ear()
    running.start(toy(survivor))
    assert is_nothing_due(running)
    pass_by(running, SCHEDULE[1])
    until(lambda: the_one(running)["state"] == "handled")
    assert survivor.heard == [event.id]


def test_a_process_that_stops_over_a_message_finishes_its_try(running, settings):
    hold = eventlet.event.Event()
    ear = Ear(stumble)
    running.start(toy(ear))
    with Outsider(settings) as outsider:
        park(running, outsider, an_event("p-1"))
    ear.heard.clear()
    ear.do = lambda *_: hold.wait()
    pass_by(running, SCHEDULE[0])
    until(lambda: ear.heard)

    stopping = eventlet.spawn(running.stop, "outreach")
    until(lambda: not running.containers)
    hold.send()
    stopping.wait()
    assert the_one(running)["state"] == "handled"


def test_what_an_earlier_release_has_parked_waits_too(running):
    request = {"_id": "m-3", "queue": "rpc-outreach", "state": "waiting", "tries": 0, "alarm": True}
    running.database("outreach")["parked"].insert_many([{"_id": "m-1"}, {"_id": "m-2"}, request])
    running.start(toy(Ear()))

    assert running.call("outreach", "ping")["parked"] == 2
    assert running.call("outreach", "list_parked", roles=["operator"])["total"] == 3
    assert running.call("outreach", "condition", roles=["operator"])["alarms"] == 0


def test_of_many_who_look_at_once_one_claims_each_message(settings):
    held, clock = database(settings, "outreach"), MovableClock()
    parking = Parking(held, clock)
    held["parked"].insert_many([{"_id": f"m-{number}", "queue": QUEUE} for number in range(20)])
    parking.prepare("rpc-outreach")
    clock.ahead = timedelta(seconds=SCHEDULE[0])

    def claim_all(_):
        return [claimed["_id"] for claimed in iter(lambda: parking.claim([QUEUE]), None)]

    claimed = chain.from_iterable(GreenPool().imap(claim_all, range(8)))
    assert sorted(claimed) == sorted(f"m-{number}" for number in range(20))
