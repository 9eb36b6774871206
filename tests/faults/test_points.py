"""A process told to crash at a point ends there: what comes before has happened, what comes after has not."""

import signal
from contextlib import closing
from dataclasses import replace

import eventlet
import pytest

from gateway.service import Gateway
from services.chassis.problem import Unavailable
from services.contract.topology import LEDGER_QUEUE
from tests.chaos.injection.crash_points import POINTS
from tests.chassis.outsider import Outsider
from tests.chassis.points import publish_raw
from tests.chassis.processes import Process
from tests.gateway.conftest import Http
from tests.gateway.examples import an_event
from tests.stack import expect_requests, until

PRIZE = {
    "series": "youth_contest", "level": "province", "edition_no": 26, "category": "science_idea", "title": "作品",
    "award_kind": "graded", "grade": "second", "first_entrant": "p-1", "awarded_on": "2011-04-10",
    "document_sha256": "b" * 64,
}  # fmt: skip
AT_SERVICE = ("after_commit", "before_answer", "after_publish", "before_mark")
AT_GATEWAY = ("after_apply", "before_ack", "in_transaction", "before_park")


@pytest.fixture
def settings(settings):
    return replace(settings, http_port=0)


@pytest.fixture
def crashing(settings, tmp_path):
    """Start a service in a process that crashes at a point."""
    started = []
    expect_requests(settings)

    def start(service, point):
        with closing(eventlet.listen(("127.0.0.1", 0))) as free:
            http_port = str(free.getsockname()[1])
        variables = {"CRASH_AT": point, "CRASH_LOG": str(tmp_path / "crashes"), "HTTP_PORT": http_port}
        process = Process(settings, tmp_path / f"{service}.log", "tests.chaos.injection.process", service, **variables)
        started.append(process)
        return process.ready()

    yield start
    for process in started:
        process.__exit__()


def crashed(process, tmp_path):
    """Wait for the crash and return where it happened."""
    assert process.exit_code() == -signal.SIGKILL, process.log
    return (tmp_path / "crashes").read_text()


def waiting_events(settings):
    with Outsider(settings) as outsider:
        return outsider.messages_in(LEDGER_QUEUE.name)


def report_prize(running):
    """Report a prize over RPC, without an answer."""
    with pytest.raises(Unavailable):
        running.call("awards", "report_external_result", result_id="r-1", timeout=2.0, **PRIZE)


def test_every_point_is_tried_here():
    assert {*AT_SERVICE, *AT_GATEWAY} == {*POINTS}


@pytest.mark.parametrize("point", ["after_commit", "before_answer"])
def test_a_command_that_was_never_answered_was_written(point, running, crashing, tmp_path):
    process = crashing("awards", point)

    report_prize(running)

    assert crashed(process, tmp_path) == f"crashed at {point}\n"
    assert running.database("awards")["external_result"].find_one({"_id": "r-1"})["version"] == 1


@pytest.mark.parametrize("point", ["after_publish", "before_mark"])
def test_an_event_that_went_out_is_still_to_be_published(point, running, crashing, settings, tmp_path):
    process = crashing("awards", point)

    eventlet.spawn(report_prize, running)

    assert crashed(process, tmp_path) == f"crashed at {point}\n"
    record = running.database("awards")["external_result"].find_one({"_id": "r-1"})
    assert (record["pending"], record["published"]) == (True, 0)
    until(lambda: waiting_events(settings) == 1)


@pytest.mark.acceptance(2)
@pytest.mark.parametrize(("point", "kept"), [("after_apply", 1), ("before_ack", 1), ("in_transaction", 0)])
def test_a_gateway_that_is_killed_at_each_step_of_a_batch_loses_nothing_and_doubles_nothing(
    point, kept, running, crashing, settings, tmp_path
):
    process = crashing("gateway", point)

    running.publish(an_event())

    assert crashed(process, tmp_path) == f"crashed at {point}\n"
    until(lambda: waiting_events(settings) == 1)
    assert running.database("gateway")["views"].count_documents({}) == kept
    running.start(Gateway).settle()
    assert Http(running).get("/api/v1/kpis/K2").body["value"] == 300


def test_a_message_that_is_not_parked_yet_comes_again(running, crashing, settings, tmp_path):
    process = crashing("gateway", "before_park")

    with Outsider(settings) as outsider:
        publish_raw(outsider, b"\xff")

    assert crashed(process, tmp_path) == "crashed at before_park\n"
    until(lambda: waiting_events(settings) == 1)
    assert running.database("gateway")["parked"].count_documents({}) == 0
