"""Plans that are applied and targets that are revised, and what answers say of the time before."""

from datetime import date, datetime, timedelta

import pytest

from gateway.reporting.plan_commands import PlanCommands
from gateway.reporting.plan_history import PLANS, MeaningChanged, PlanHistory, TargetsOverlap
from services.chassis.mongo import database
from services.chassis.problem import InvalidInput
from services.kernel.calendar import SHANGHAI
from tests.gateway.conftest import MovedClock
from tests.gateway.examples import an_event
from tests.stack import until

FILE = (PLANS / "2011.yaml").read_text()
SPRING = datetime(2011, 3, 1, 9, tzinfo=SHANGHAI)
LECTURES = FILE.replace("format: visit", "format: lecture")


@pytest.fixture
def clock():
    return MovedClock(SPRING)


@pytest.fixture
def plan_commands(query_service):
    return PlanCommands(query_service)


def a_target(value, decided_on, **changes):
    return {"value": value, "baseline": None, "decided_on": decided_on, "doc_no": "d-7", "why": "more to do"} | changes


def kpi(query_service, code, **params):
    return query_service.kpi(code, params)


@pytest.mark.rule("G-09")
def test_a_revised_target_keeps_the_original_and_one_that_overlaps_is_refused(plan_commands, query_service):
    query_service.take_events([an_event(person_times=100_000, time="2011-03-01T08:00:00.000+08:00")])
    plan_commands.revise("2011", "K2", a_target(250_000, date(2011, 2, 1)), by="u-1")

    answer = kpi(query_service, "K2")

    assert (answer["target"], answer["percent"]) == (250_000, 40.0)
    assert (answer["original"]["value"], answer["original"]["percent"]) == (200_000, 50.0)
    for overlapping in (date(2011, 2, 1), date(2011, 1, 31)):
        with pytest.raises(TargetsOverlap):
            plan_commands.revise("2011", "K2", a_target(260_000, overlapping), by="u-1")


def test_an_answer_about_the_past_is_made_by_the_targets_and_the_plan_that_were_known_then(
    plan_commands, query_service, clock
):
    before = clock.at
    clock.at += timedelta(hours=1)
    plan_commands.revise("2011", "K2", a_target(250_000, date(2011, 2, 1)), by="u-1")
    plan_commands.apply({"file": LECTURES, "why": "lectures count too"}, by="u-1")

    assert kpi(query_service, "K2", as_of=before)["target"] == 200_000
    assert [kpi(query_service, "K2", as_of=at)["definition"] for at in (before, clock.at)] == [1, 2]


def test_money_is_revised_in_yuan_and_counted_in_fen(plan_commands, query_service):
    plan_commands.revise("2011", "K5", a_target(1_200_000, date(2011, 2, 1)), by="u-1")

    assert kpi(query_service, "K5")["target"] == 120_000_000


def test_a_rule_that_is_changed_in_the_middle_of_the_year_is_counted_from_january(plan_commands, query_service, clock):
    january = "2011-01-05T08:00:00.000+08:00"
    query_service.take_events([an_event("outreach.activity", "a-1", time=january)])
    assert kpi(query_service, "N24")["value"] == 0

    clock.at += timedelta(hours=1)
    plan_commands.apply({"file": LECTURES, "why": "lectures count too"}, by="u-1")

    assert until(lambda: kpi(query_service, "N24")["value"])
    assert kpi(query_service, "N24", as_of=SPRING)["value"] == 0


@pytest.mark.rule("G-13")
def test_a_number_keeps_its_meaning_once_a_fact_of_it_is_counted(plan_commands, query_service):
    other = FILE.replace("measure: {sum: person_times}", "measure: {sum: handouts}")
    plan_commands.apply({"file": other, "why": "nothing is counted yet"}, by="u-1")
    plan_commands.apply({"file": FILE, "why": "back again"}, by="u-1")
    query_service.take_events([an_event()])

    with pytest.raises(MeaningChanged):
        plan_commands.apply({"file": other, "why": "too late"}, by="u-1")


def test_the_same_plan_again_changes_nothing_and_a_broken_one_is_refused_with_its_lines(plan_commands):
    first = plan_commands.apply({"file": FILE, "why": "again"}, by="u-1")
    assert first["version"] == 1

    with pytest.raises(InvalidInput) as refused:
        plan_commands.apply({"file": FILE.replace("on: day", "on: dayy"), "why": "x"}, by="u-1")
    assert "line" in refused.value.errors[0].en


def test_every_version_of_a_plan_says_who_applied_it_when_and_why(plan_commands, query_service, clock):
    clock.at += timedelta(days=1)
    plan_commands.apply({"file": LECTURES, "why": "lectures count too"}, by="u-1")
    plan_commands.revise("2011", "K1", a_target(70, date(2011, 6, 1)), by="u-2")

    first, second, revised = query_service.plan("2011")["versions"]

    assert (first["version"], first["by"], second["version"], second["by"], second["why"]) == (
        1, "installation", 2, "u-1", "lectures count too",
    )  # fmt: skip
    assert (revised["kpi"], revised["value"], revised["by"]) == ("K1", 70, "u-2")


def test_where_somebody_dropped_the_database_the_plans_that_come_with_the_gateway_are_in_force_again(
    settings, query_service
):
    base = database(settings, "gateway")
    base.client.drop_database(base.name)

    again = PlanHistory(base, query_service.plan_history._clock)

    assert list(again.plan_index().plans) == [2011]
