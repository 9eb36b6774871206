"""Freshness of the sources: of values, and on the real stack."""

from datetime import UTC, date, datetime, timedelta

import pytest
from jsonschema import validate

from gateway.operations import freshness, system_status
from gateway.operations.freshness import FreshnessMonitorProvider
from gateway.operations.source_freshness import INTERVALS, ExpectedFact, SourceFreshness
from services.awards.service import Awards
from services.outreach.service import Outreach
from tests.gateway.examples import an_event
from tests.stack import until

TODAY = date(2011, 5, 14)
WELL = SourceFreshness(
    service="outreach", is_reachable=True, last_event=datetime(2011, 5, 14, 1, tzinfo=UTC), pending=0,
    oldest_pending=None, parked_here=0, parked_there=0, differing=0, queued=0, expected=(),
)  # fmt: skip


def a_source(**changes):
    source = SourceFreshness(**{**vars(WELL), **changes}).show(TODAY)
    validate(source, freshness.SOURCE)
    return source


def an_expectation(due):
    return ExpectedFact("K2", "weekly", due - INTERVALS["weekly"], due)


def test_a_source_with_nothing_to_tell_is_fresh():
    source = a_source()

    assert (source["state"], source["reasons"]) == ("fresh", [])
    assert source["last_event"] == "2011-05-14T09:00:00+08:00"


def test_what_nobody_can_tell_is_no_reason():
    source = a_source(
        pending=None, oldest_pending=None, parked_there=None, differing=None, queued=None, last_event=None
    )

    assert source["state"] == "fresh"


@pytest.mark.parametrize(
    ("changes", "state", "codes"),
    [
        ({"oldest_pending": 30.0}, "fresh", []),
        ({"oldest_pending": 31.0}, "late", ["pending"]),
        ({"queued": 1_000}, "fresh", []),
        ({"queued": 1_001}, "late", ["queued"]),
        ({"parked_here": 1, "parked_there": 2}, "late", ["parked", "parked"]),
        ({"differing": 3}, "late", ["behind"]),
        ({"is_reachable": False, "differing": 3}, "away", ["away", "behind"]),
        ({"expected": (an_expectation(TODAY),)}, "fresh", []),
        ({"expected": (an_expectation(TODAY - timedelta(days=1)),), "differing": 3}, "stale", ["stale", "behind"]),
        ({"expected": (an_expectation(TODAY - timedelta(days=1)),), "is_reachable": False}, "away", ["away", "stale"]),
    ],
)
def test_a_source_is_as_its_worst_reason_says(changes, state, codes):
    source = a_source(**changes)

    assert (source["state"], [reason["code"] for reason in source["reasons"]]) == (state, codes)


def test_a_reason_is_told_in_both_languages():
    (reason,) = a_source(expected=(an_expectation(date(2011, 5, 13)),))["reasons"]

    assert reason == {
        "code": "stale", "zh": "指标 K2 应有数据的最后日期为 2011-05-13，至今没有",
        "en": "K2 expects a fact by 2011-05-13 and has none",
    }  # fmt: skip


# --- on the real stack ------------------------------------------------------------------------------------------------


def ask(gateway):
    """The sources by name, as they are now."""
    gateway.extension(FreshnessMonitorProvider)._monitor._known = (0.0, {})
    response = gateway.get("/api/v1/sources")
    assert response.status == 200, response.content
    validate(response.body, freshness.SOURCES)
    return {source["service"]: source for source in response.body["sources"]}


def test_sources_tell_who_is_there_and_when_it_was_heard_last(gateway, monkeypatch):
    monkeypatch.setattr(system_status, "TIMEOUT", 1.0)
    gateway.running.start(Awards)
    gateway.take(an_event("awards.external_result", "r-1"))

    sources = until(lambda: (sources := ask(gateway))["awards"]["reachable"] and sources)

    assert (sources["awards"]["state"], sources["awards"]["pending"]) == ("fresh", 0)
    assert sources["awards"]["last_event"] == "2011-05-14T10:00:01+08:00"
    assert (sources["rural"]["state"], sources["rural"]["reachable"], sources["rural"]["pending"]) == (
        "away",
        False,
        None,
    )


def test_a_message_that_is_parked_makes_its_source_late(gateway):
    gateway.running.start(Outreach)
    parked = {"_id": "p-1", "state": "waiting", "exchange": "outreach.events", "alarm": False}
    gateway.running.database("gateway")["parked"].insert_one(parked)
    gateway.running.database("outreach")["parked"].insert_one({**parked, "exchange": "rural.events"})

    source = ask(gateway)["outreach"]

    assert (source["state"], source["parked_here"], source["parked_there"]) == ("late", 1, 1)


def test_a_source_is_stale_when_the_last_fact_is_older_than_the_plan_expects(gateway):
    gateway.running.start(Outreach)
    at(gateway, "2011-05-21")
    gateway.take(
        an_event(record="c-1", day="2011-05-14"),
        an_event(record="c-2", day="2011-05-20", state="rejected"),
        an_event(record="c-3", day="2011-06-30"),
    )
    (expected,) = ask(gateway)["outreach"]["expected"]
    assert expected == {
        "kpi": "K2", "expects": "weekly", "last_fact": "2011-05-14", "due": "2011-05-21", "stale": False,
    }  # fmt: skip

    at(gateway, "2011-05-22")
    source = ask(gateway)["outreach"]
    assert (source["state"], [reason["code"] for reason in source["reasons"]]) == ("stale", ["stale"])


def test_before_the_first_fact_the_year_of_the_plan_begins_it_and_after_its_end_nothing_is_expected(gateway):
    gateway.running.start(Outreach)

    at(gateway, "2011-01-08")
    assert [(fact["last_fact"], fact["stale"]) for fact in ask(gateway)["outreach"]["expected"]] == [(None, False)]
    at(gateway, "2011-01-09")
    assert [(fact["due"], fact["stale"]) for fact in ask(gateway)["outreach"]["expected"]] == [("2011-01-08", True)]
    at(gateway, "2012-01-01")
    assert ask(gateway)["outreach"]["expected"] == []


def test_many_who_look_at_once_are_answered_by_one_look(gateway, monkeypatch):
    looks = []
    monitor = gateway.extension(FreshnessMonitorProvider)._monitor
    monkeypatch.setattr(monitor, "_look", lambda: looks.append(1) or {"sources": []})

    for _ in range(3):
        until(lambda: gateway.get("/api/v1/sources").status == 200)

    assert looks == [1]


def test_sources_are_told_to_viewers_and_to_nobody_without_a_token(gateway):
    assert gateway.get("/api/v1/sources", token="").status == 401


def at(gateway, day):
    """Let it be noon of that day."""
    clock = gateway.running.clock
    clock.ahead = timedelta()
    clock.ahead = datetime.fromisoformat(f"{day}T12:00:00+08:00") - clock.now()
