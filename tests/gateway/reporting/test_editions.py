import json
from datetime import datetime, timedelta

import pytest

from gateway.reporting.editions import Editions, PeriodNotOver
from services.chassis.mongo import database
from services.chassis.problem import InvalidInput, NotFound
from services.kernel.calendar import SHANGHAI
from tests.gateway.conftest import MovedClock
from tests.gateway.examples import an_event

SUMMER, WINTER = datetime(2011, 7, 4, 9, tzinfo=SHANGHAI), datetime(2011, 11, 7, 9, tzinfo=SHANGHAI)


@pytest.fixture
def clock():
    return MovedClock(SUMMER)


@pytest.fixture
def editions(settings, query_service, clock):
    return Editions(database(settings, "gateway")["editions"], query_service, clock, settings.token_private_key)


def a_prize(record, version, at, **changes):
    time = at.isoformat(timespec="milliseconds")
    return an_event("awards.external_result", record, version, time=time, **{"awarded_on": "2011-06-01", **changes})


def k1(answer):
    return next(kpi for item in answer["items"] for kpi in item["kpis"] if kpi["code"] == "K1")


@pytest.mark.rule("G-07")
def test_a_period_is_closed_when_it_is_over_and_not_before(editions, clock):
    clock.at = datetime(2011, 6, 30, 23, 59, tzinfo=SHANGHAI)
    with pytest.raises(PeriodNotOver):
        editions.close_period("2011", "2011S1", by="u-1", why="half a year")

    clock.at = datetime(2011, 7, 1, tzinfo=SHANGHAI)
    assert editions.close_period("2011", "2011S1", by="u-1", why="half a year")["edition"] == 1


@pytest.mark.acceptance(8)
def test_close_2011s1_add_a_late_fact_edition_1_is_unchanged_byte_for_byte_and_edition_2_lists_it(
    query_service, editions, clock
):
    query_service.take_events([a_prize("r-1", 1, SUMMER - timedelta(days=9))])
    editions.close_period("2011", "2011S1", by="u-1", why="half a year")
    first = editions.get_edition("2011", "2011S1", "1")

    clock.at = WINTER
    query_service.take_events([a_prize("r-2", 1, WINTER)])

    (change,) = editions.list_editions("2011", "2011S1")["changes"]
    assert (change["kpi"], change["before"]["value"], change["after"]["value"]) == ("K1", 1, 2)
    editions.close_period("2011", "2011S1", by="u-2", why="a late certificate")
    again, second = editions.get_edition("2011", "2011S1", "1"), editions.get_edition("2011", "2011S1", "2")
    assert (again.body, again.headers) == (first.body, first.headers)
    (listed,) = json.loads(second.body)["changes"]
    assert [(one["id"], one["before"], one["after"]) for one in listed["because"]] == [("r-2", None, 1)]
    assert editions.list_editions("2011", "2011S1")["changes"] == []


@pytest.mark.acceptance(7)
def test_a_prize_of_june_revoked_in_november_as_of_october_says_60_now_says_59_and_june_is_restated(
    query_service, editions, clock
):
    query_service.take_events([a_prize(f"r-{i}", 1, SUMMER - timedelta(days=9)) for i in range(60)])
    editions.close_period("2011", "2011S1", by="u-1", why="half a year")
    clock.at = WINTER

    query_service.take_events([a_prize("r-7", 2, WINTER, happened="revoked", state="revoked")])

    october = datetime(2011, 10, 31, 23, 59, 59, tzinfo=SHANGHAI)
    assert k1(query_service.progress("2011", {"as_of": october}))["value"] == 60
    assert k1(query_service.progress("2011", {}))["value"] == 59
    (change,) = editions.list_editions("2011", "2011S1")["changes"]
    assert (change["before"]["value"], change["after"]["value"], change["records"]) == (60, 59, 1)
    (reason,) = change["because"]
    assert (reason["id"], reason["happened"], reason["before"], reason["after"]) == ("r-7", "revoked", 1, None)


def test_an_edition_is_signed_over_its_very_bytes(editions):
    editions.close_period("2011", "2011S1", by="u-1", why="half a year")
    edition = editions.get_edition("2011", "2011S1", "1")

    assert edition.headers["Content-Digest"].startswith("sha-256=:")
    assert edition.headers["Signature"].startswith("ed25519=:")
    assert json.loads(edition.body)["edition"] == 1


def test_periods_of_another_year_and_editions_that_are_not_there_are_refused(editions):
    with pytest.raises(InvalidInput):
        editions.close_period("2011", "2010S1", by="u-1", why="x")
    with pytest.raises(InvalidInput):
        editions.close_period("2011", "LAST_3_MONTHS", by="u-1", why="x")
    with pytest.raises(NotFound):
        editions.get_edition("2011", "2011S1", "1")
    assert editions.list_editions("2011", "2011S1") == {"year": 2011, "period": "2011S1", "editions": [], "changes": []}
