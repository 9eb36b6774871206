"""Traces that are only carried: what a request brings goes along with all that follows of it, and leaves nothing."""

import pytest

from services.chassis import trace
from services.chassis.document import flaw
from services.chassis.problem import Malfunction
from tests.chassis.conftest import a_hall, held
from tests.chassis.outsider import Outsider
from tests.chassis.points import an_event, is_drained, parked, publish_raw
from tests.chassis.processes import Process
from tests.chassis.test_relay import a_record_left_pending
from tests.chassis.toy import Toy
from tests.stack import expect_requests, until

ONE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
OTHER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"

NONE = [
    None, b"", 7, {"a": 1}, "", "00", ONE.upper(), f" {ONE}", f"{ONE}\n", f"{ONE}-00", f"ff{ONE[2:]}", f"01{ONE[2:]}",
    ONE.replace("4bf92f3577b34da6a3ce929d0e0e4736", "0" * 32), ONE.replace("00f067aa0ba902b7", "0" * 16),
]  # fmt: skip


def traces_of(witness, record):
    return [event.traceparent for event in witness.heard if event.record == record]


@pytest.mark.parametrize("said", NONE)
def test_what_is_no_traceparent_is_none(said):
    with trace.within(ONE), trace.within(said):
        assert trace.current() is None


def test_what_is_done_within_a_trace_belongs_to_it_and_nothing_after_it():
    with trace.span("server", "a", ONE), trace.span("consumer", "b", OTHER, ONE, OTHER):
        assert (trace.current(), trace.current_id()) == (OTHER, "0af7651916cd43dd8448eb211c80319c")

    assert trace.current() is None


def test_every_event_carries_the_trace_of_its_command_and_one_without_carries_none(running, witness):
    running.start(Toy)
    with trace.within(ONE):
        hall = a_hall(running)
    running.call("outreach", "add_seats", hall_id=hall, seats=1)
    with trace.within(OTHER):
        running.call("outreach", "add_seats", hall_id=hall, seats=1)

    running.settle()
    assert traces_of(witness, hall) == [ONE, None, OTHER]


def test_nothing_of_a_trace_stays_with_the_record_nor_touches_its_history(running):
    running.start(Toy)
    with trace.within(ONE):
        hall = a_hall(running)
        running.call("outreach", "add_seats", hall_id=hall, seats=1)

    running.settle()
    kept = held(running, hall)
    assert not {"pending", "traces"} & set(kept)
    assert ONE not in str(kept)
    assert flaw(kept) is None


def test_what_another_process_left_pending_is_published_with_its_traces(running, witness):
    record = a_record_left_pending(running, versions=3)
    venues = running.database("outreach")["venue"]
    venues.update_one({"_id": record}, {"$set": {"traces": {"1": ONE, "3": OTHER}}})

    running.start(Toy)
    running.settle()
    assert traces_of(witness, record) == [ONE, None, OTHER]
    assert "traces" not in venues.find_one({"_id": record})


def test_what_follows_of_an_event_belongs_to_its_trace(running, witness):
    running.start(Toy)
    with Outsider(running.settings) as outsider:
        publish_raw(outsider, an_event("p-1").write().replace(b'"data"', f'"traceparent":"{ONE}","data"'.encode()))
        until(lambda: traces_of(witness, "hall.p-1"))

    assert traces_of(witness, "hall.p-1") == [ONE]


@pytest.mark.parametrize("said", ['"00-x"', "7", "null", '{"a": [1]}'])
def test_an_event_whose_trace_is_none_is_handled_all_the_same(running, witness, said):
    running.start(Toy)
    with Outsider(running.settings) as outsider:
        publish_raw(outsider, an_event("p-1").write().replace(b'"data"', f'"traceparent":{said},"data"'.encode()))
        until(lambda: traces_of(witness, "hall.p-1") and is_drained(running, outsider))

    assert traces_of(witness, "hall.p-1") == [None]
    assert parked(running) == []


@pytest.mark.parametrize("said", [b"\xff\xfe", 7, None, {"a": "b"}, "00-x"])
def test_a_request_whose_trace_is_none_is_answered_all_the_same(running, said):
    running.start(Toy)
    with Outsider(running.settings) as outsider:
        answer = outsider.ask("outreach.ping", application_headers={"traceparent": said})

    assert answer == {"result": {"service": "outreach", "parked": 0}, "error": None}


def test_log_lines_name_the_trace_of_the_request_that_they_are_about(running, tmp_path):
    expect_requests(running.settings, ["outreach"])
    with Process(running.settings, tmp_path / "log", "tests.chassis.toy_process") as process:
        process.ready()
        for traceparent in (ONE, None):
            with trace.within(traceparent), pytest.raises(Malfunction):
                running.call("outreach", "break_hall", hall_id="h-1", how="bug")

        lines = until(
            lambda: len(found := [one for one in process.lines if one["event"] == "malfunction"]) == 2 and found
        )

    assert [line.get("trace_id") for line in lines] == ["4bf92f3577b34da6a3ce929d0e0e4736", None]
