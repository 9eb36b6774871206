"""What operators fear: the broker stops, processes are killed. Nothing is lost and nothing counted twice."""

import itertools

import eventlet
import pytest

from services.chassis.client import Caller
from services.chassis.problem import Unavailable
from tests.journeys.whole import FIVE, eventually

PRIZE = {
    "series": "youth_contest", "level": "province", "edition_no": 26, "category": "science_idea",
    "award_kind": "graded", "grade": "second", "first_entrant": "p-1", "awarded_on": "2011-04-10",
    "document_sha256": "b" * 64,
}  # fmt: skip
REPORT = "/api/v1/awards/report_external_result"
NUMBER = itertools.count(1)


def reported(whole):
    """How many prizes the gateway counts as reported, and awards itself."""
    told = whole.kpi("K1")["reported"]
    status, page = whole.get("/api/v1/awards/external_results?limit=1", whole.token())
    assert status == 200, page
    return told["value"] or 0, page["total"]


def a_prize():
    return PRIZE | {"title": f"作品 {next(NUMBER)}"}


@pytest.mark.timeout(150)
def test_a_hundred_commands_sent_while_the_broker_is_away_all_arrive_once(whole):
    assert whole.post(REPORT, a_prize(), whole.token())[0] == 200
    eventually(lambda: reported(whole) == (1, 1))
    whole.broker("stop_app")
    try:
        answers = [whole.post(REPORT, a_prize(), whole.token(), Idempotency_Key=f"away-{n}") for n in range(100)]
    finally:
        whole.broker("start_app")

    assert {status for status, _ in answers} == {202}
    eventually(lambda: reported(whole) == (101, 101), within=60)
    states = [whole.get(f"/api/v1/commands/away-{n}", whole.token())[1]["state"] for n in range(100)]
    assert states == ["done"] * 100


@pytest.mark.timeout(240)
def test_every_process_killed_under_load_loses_and_doubles_nothing(whole):
    before, _ = reported(whole)
    caller = Caller(whole.settings, "journey")
    reading = eventlet.spawn(caller.link.run)
    going, answered = [True], []
    load = [eventlet.spawn(keep_reporting, whole, caller, going, answered) for _ in range(8)]
    try:
        for name in FIVE:
            seen = len(answered)
            eventually(lambda seen=seen: len(answered) > seen + 40)
            whole.kill(name)
        seen = len(answered)
        eventually(lambda: len(answered) > seen + 40)
    finally:
        going[0] = False
        for one in load:
            one.wait()
        caller.link.stop()
        reading.wait()

    exact = (before + len(answered),) * 2
    eventually(lambda: reported(whole) == exact)
    assert len(set(answered)) == len(answered)
    assert tally(whole)["records"] == exact[0]


def keep_reporting(whole, caller, going, answered):
    """Report prizes one after the other; where there is no answer, the same command again until there is one."""
    token = whole.token()
    while going[0]:
        prize = a_prize() | {"command_id": f"load-{next(NUMBER)}"}
        while True:
            try:
                answered.append(caller.call("awards", "report_external_result", prize, token=token, timeout=3)["id"])
                break
            except Unavailable:
                eventlet.sleep(0.05)


def tally(whole):
    rule = {"of": "awards.external_result", "where": {"state": ["reported", "verified"]}, "on": "awarded_on"}
    caller = Caller(whole.settings, "journey.tally")
    reading = eventlet.spawn(caller.link.run)
    arguments = {"rule": rule, "first": "2011-01-01", "last": "2011-12-31"}
    try:
        return caller.call("awards", "tally", arguments, token=whole.token(roles=["viewer"]))
    finally:
        caller.link.stop()
        reading.wait()


@pytest.mark.timeout(60)
def test_ctrl_c_under_load_ends_everything_within_fifteen_seconds(whole):
    caller = Caller(whole.settings, "journey.last")
    reading = eventlet.spawn(caller.link.run)
    token = whole.token()
    load = eventlet.GreenPool(4)
    for _ in range(40):
        load.spawn_n(call_quietly, caller, token)

    code, seconds = whole.stop()

    assert code == 0
    assert seconds < 15
    caller.link.stop()
    reading.wait()


def call_quietly(caller, token):
    """What becomes of it does not matter here."""
    try:
        caller.call("awards", "report_external_result", a_prize(), token=token, timeout=1)
    except Unavailable:
        return
