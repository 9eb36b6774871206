"""Following: a record kept in step with another one, whatever order its events arrive in and however often."""

import random
from functools import partial
from types import SimpleNamespace

import pytest
from eventlet import GreenPool
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.chassis.clock import SystemClock
from services.chassis.document import Cause
from services.chassis.mongo import database
from services.chassis.records import Bound
from services.chassis.tokens import Actor
from services.contract import KINDS
from services.contract.event import Event
from tests.chassis.toy import Halls, follow_point
from tests.contract.views import samples_of

POINT = KINDS["rural.service_point"]


@pytest.fixture(scope="module")
def halls(shared):
    """Records as a listener sees them, of one event each."""
    collection = database(shared.settings, "outreach")["venue"]
    records = Halls()
    records.collection, records.settings = collection, shared.settings
    records.classes = Halls.field_classes()
    records.relay = SimpleNamespace(notify=lambda *_: None)

    def because_of(event):
        return Bound(records, Cause(because=event.id, actor=Actor("u-li"), at=SystemClock().now()))

    return because_of


def an_event(point, version, state):
    return Event(
        kind=POINT, record=point, version=version, happened="completed", time="2011-05-14T10:00:00.000+08:00",
        actor="u-li", cause="c", hash="0", data={**samples_of(POINT)[0], "state": state, "district": "511102"},
    )  # fmt: skip


def follow(halls, event):
    decide = partial(follow_point, point_id=event.record, point=event.view)
    halls(event).follow(f"hall.{event.record}", event, decide)


def hall_of(shared, point):
    return shared.database("outreach")["venue"].find_one({"_id": f"hall.{point}"})


def test_an_event_that_comes_twice_is_followed_once(shared, halls):
    point = shared.a_new_id()
    for _ in range(2):
        follow(halls, an_event(point, 1, "complete"))
        follow(halls, an_event(point, 2, "lapsed"))

    assert hall_of(shared, point)["version"] == 2
    assert hall_of(shared, point)["state"]["state"] == "suspended"


def test_an_older_event_that_comes_late_changes_nothing(shared, halls):
    point = shared.a_new_id()
    follow(halls, an_event(point, 5, "lapsed"))
    follow(halls, an_event(point, 4, "complete"))

    assert hall_of(shared, point)["state"]["state"] == "suspended"
    assert hall_of(shared, point)["version"] == 1


def test_an_older_event_is_late_even_after_a_newer_one_that_found_nothing_to_do(shared, halls):
    point = shared.a_new_id()
    follow(halls, an_event(point, 1, "lapsed"))
    follow(halls, an_event(point, 4, "lapsed"))
    follow(halls, an_event(point, 3, "complete"))

    assert hall_of(shared, point)["state"]["state"] == "suspended"
    assert hall_of(shared, point)["version"] == 1


def test_an_older_event_is_late_even_if_it_was_at_hand_when_the_newer_one_came(shared, halls):
    point = shared.a_new_id()
    older, newer = an_event(point, 2, "complete"), an_event(point, 3, "lapsed")
    follow(halls, an_event(point, 1, "lapsed"))

    def while_the_newer_one_comes(hall):
        follow(halls, newer)
        return follow_point(hall, point_id=point, point=older.view)

    halls(older).follow(f"hall.{point}", older, while_the_newer_one_comes)
    assert hall_of(shared, point)["state"]["state"] == "suspended"
    assert hall_of(shared, point)["follows"] == 3


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["complete", "lapsed"]), min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_in_any_order_the_newest_event_decides(shared, halls, states, chance):
    point = shared.a_new_id()
    events = [an_event(point, number + 1, state) for number, state in enumerate(states)]
    shuffled = events * 2
    chance.shuffle(shuffled)

    for event in shuffled:
        follow(halls, event)

    wanted = "available" if states[-1] == "complete" else "suspended"
    assert hall_of(shared, point)["state"]["state"] == wanted
    assert hall_of(shared, point)["follows"] == len(states)


def test_of_many_listeners_at_once_the_newest_event_decides(shared, halls):
    for _ in range(5):
        point = shared.a_new_id()
        states = ["complete", "lapsed", "complete", "complete", "lapsed", "lapsed"]
        events = [an_event(point, number + 1, state) for number, state in enumerate(states)] * 3
        random.shuffle(events)

        list(GreenPool().imap(partial(follow, halls), events))

        assert hall_of(shared, point)["state"]["state"] == "suspended"
        assert hall_of(shared, point)["follows"] == 6


def test_what_is_followed_says_because_of_which_event(shared, halls):
    point = shared.a_new_id()
    follow(halls, an_event(point, 3, "complete"))

    (entry,) = hall_of(shared, point)["history"]
    assert entry["because"] == f"service_point/{point}/3"
