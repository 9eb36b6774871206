"""Listeners: an event is acked once it was handled or parked, and one that is bad never stops the others."""

import eventlet
import pytest
from pymongo.errors import AutoReconnect

from services.chassis.listener import TRIES, Listener, Retry
from services.chassis.problem import Unavailable
from services.contract.topology import exchange
from tests.chassis.conftest import Ear, a_world
from tests.chassis.outsider import Outsider
from tests.chassis.points import POINT, QUEUE, an_event, inbox_of, is_drained, parked, publish, publish_raw
from tests.chassis.toy import keep_in_step, toy
from tests.stack import until


@pytest.fixture(scope="module")
def listening(addresses, keys):
    """The toy service, whose handler each test exchanges for its own."""
    with a_world(addresses, keys) as world:

        def hear(service, event):
            world.ear(service, event)

        yield world.start(toy(hear))


@pytest.fixture
def ear(listening):
    """What the service hears in this test; nothing is parked yet."""
    listening.ear = Ear()
    listening.database("outreach")["parked"].delete_many({})
    return listening.ear


@pytest.fixture(scope="module")
def outsider(listening):
    with Outsider(listening.settings) as one:
        yield one


def test_an_event_is_handled_once_and_acked(listening, ear, outsider):
    events = [an_event(f"p-{number}") for number in range(20)]
    publish(outsider, *events)

    until(lambda: len(ear.heard) >= 20 and is_drained(listening, outsider))
    assert sorted(ear.heard) == sorted(event.id for event in events)
    assert parked(listening) == []


def test_events_of_several_records_are_handled_side_by_side_and_those_of_one_in_turn(listening, ear, outsider):
    first, last = an_event("p-0"), an_event("p-2", version=2)
    have_come, told = eventlet.event.Event(), eventlet.event.Event()

    def wait_for_the_other_record(_, event):
        if event.id == first.id:
            have_come.wait()
        elif event.id == last.id:
            told.send()
        elif event.record == "p-1":
            told.wait()

    ear.do = wait_for_the_other_record
    publish(outsider, first)
    until(lambda: ear.heard)
    publish(outsider, an_event("p-1"), an_event("p-2"), last)
    until(lambda: inbox_of(listening).waiting == 3)
    have_come.send()

    until(lambda: len(ear.heard) == 4 and is_drained(listening, outsider))
    assert ear.heard.index("service_point/p-2/1") < ear.heard.index(last.id)


def test_an_event_is_not_acked_before_it_was_handled(listening, ear, outsider):
    hold = eventlet.event.Event()
    ear.do = lambda *_: hold.wait()
    event = an_event("p-1")
    publish(outsider, event)

    until(lambda: ear.heard)
    assert not is_drained(listening, outsider)
    hold.send()
    until(lambda: is_drained(listening, outsider))
    assert ear.heard == [event.id]


def test_happenings_that_nobody_listens_to_do_not_arrive(ear, outsider):
    outsider.send("service_point.planned", an_event("p-1", happened="planned").write(), exchange=exchange("rural"))
    publish(outsider, an_event("p-2"))

    until(lambda: ear.heard)
    assert ear.heard == ["service_point/p-2/1"]


@pytest.mark.parametrize("passing", [Retry, AutoReconnect, Unavailable])
def test_what_passes_by_itself_is_tried_again_in_place_and_never_parked(listening, ear, outsider, passing):
    def not_yet(*_):
        if len(ear.heard) < 3:
            raise passing("not now")

    ear.do = not_yet
    event = an_event("p-1")
    publish(outsider, event)

    until(lambda: len(ear.heard) == 3 and is_drained(listening, outsider))
    assert ear.times(event) == 3
    assert parked(listening) == []


def test_a_bug_is_parked_alone_after_three_tries_and_the_others_are_handled(listening, ear, outsider):
    def stumble(_, event):
        if event.record == "p-bad":
            raise KeyError("no such thing")

    ear.do = stumble
    good = [an_event(f"p-{number}") for number in range(10)]
    bad = an_event("p-bad")
    publish(outsider, *good[:5], bad, *good[5:])

    until(lambda: parked(listening) and is_drained(listening, outsider))
    (kept,) = parked(listening)
    assert bytes(kept["body"]) == bad.write()
    assert kept["queue"] == QUEUE
    assert kept["routing_key"] == "service_point.completed"
    assert kept["error"] == "KeyError: 'no such thing'"
    assert "stumble" in kept["traceback"]
    assert TRIES <= ear.times(bad) <= TRIES + 1  # once with its batch
    assert all(ear.times(event) for event in good)


@pytest.mark.parametrize(
    ("body", "properties"),
    [
        (b"", {}),
        (b"\x00\xff\xfe", {}),
        (b"{}", {"content_type": "text/plain"}),
        (b"[1, 2", {"content_encoding": "gzip"}),
        (b"+2AA-", {"content_encoding": "utf-7"}),
        (b'{"__type__": "datetime", "__value__": "x"}', {}),
        (b"[" * 50_000, {"content_encoding": "no such encoding"}),
        (b"x" * 1_000_000, {"content_type": "application/octet-stream", "priority": 3}),
        (b"{}", {"message_id": b"\xff", "correlation_id": b"\xfe", "app_id": "\ud800", "type": b"\xed\xa0\x80"}),
    ],
    ids=[
        "nothing",
        "bytes",
        "no event",
        "not gzip",
        "half a character",
        "a type of another library",
        "deep",
        "long",
        "properties that are no text",
    ],
)
def test_what_is_no_event_is_parked_as_it_came_and_the_next_is_handled(listening, ear, outsider, body, properties):
    event = an_event("p-1")
    publish_raw(outsider, body, **properties)
    publish(outsider, event)

    until(lambda: ear.heard and is_drained(listening, outsider))
    (kept,) = parked(listening)
    assert bytes(kept["body"]) == body
    assert kept["size"] == len(body)
    assert kept["error"].startswith("NotAnEvent: ")
    assert ear.heard == [event.id]


@pytest.mark.rule("X-11")
def test_an_event_of_an_unknown_major_version_is_parked_and_never_guessed(listening, ear, outsider):
    newer = an_event("p-1").write().replace(b"/rural/service_point/1", b"/rural/service_point/2")
    publish_raw(outsider, newer)

    until(lambda: parked(listening) and is_drained(listening, outsider))
    (kept,) = parked(listening)
    assert bytes(kept["body"]) == newer
    assert kept["error"].startswith("UnknownVersion: /rural/service_point/2")
    assert ear.heard == []


@pytest.mark.rule("X-09")
def test_an_event_about_things_never_heard_of_is_taken_in(listening, ear, outsider):
    """Of the point's host and its village nothing is known here, and its completion was never heard of."""
    ear.do = keep_in_step
    publish(outsider, an_event("p-unheard", version=7, happened="lapsed", state="lapsed"))

    hall = until(lambda: listening.database("outreach")["venue"].find_one({"_id": "hall.p-unheard"}))
    assert hall["state"]["state"] == "suspended"
    assert hall["state"]["service_point_id"] == "p-unheard"
    assert parked(listening) == []


def test_a_listener_for_a_happening_that_is_never_announced_cannot_be_declared():
    with pytest.raises(ValueError, match="does not announce painted"):
        Listener(POINT.view, "painted")
