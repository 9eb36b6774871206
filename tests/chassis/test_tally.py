"""The service's own count by a plan rule, held against a fold that a child could make."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.chassis.problem import InvalidInput, NotFound
from services.chassis.tally import tally
from services.contract import KINDS
from services.contract.rule import read
from tests.contract.views import samples_of

COUNT = KINDS["outreach.audience_count"]
FIRST, LAST = "2011-01-01", "2011-12-31"

views = st.fixed_dictionaries(
    {
        "day": st.sampled_from(["2010-12-31", FIRST, "2011-05-14", LAST, "2012-01-01"]),
        "mode": st.sampled_from(["offline", "online"]),
        "state": st.sampled_from(["recorded", "verified", "superseded"]),
        "person_times": st.integers(0, 5_000),
        "minors": st.none() | st.integers(0, 300),
        "district": st.sampled_from(["511102", "511111"]),
        "campaign_id": st.none() | st.sampled_from(["c-1", "c-2"]),
        "counts_for_k2": st.booleans(),
    }
).map(lambda chosen: {**samples_of(COUNT)[0], **chosen})

conditions = st.fixed_dictionaries(
    {},
    optional={
        "state": st.sampled_from(["verified", ["verified", "recorded"]]),
        "mode": st.just("offline"),
        "person_times": st.sampled_from([{"gte": 100}, {"lte": 2_000}, {"gte": 100, "lte": 2_000}, 0]),
        "minors": st.sampled_from([{"exists": True}, {"exists": False}, {"gte": 0}, 0]),
        "day": st.sampled_from([{"gte": "2011-05-14"}, "2011-12-31"]),
        "counts_for_k2": st.booleans(),
    },
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(views, max_size=12),
    conditions,
    st.sampled_from(["count", {"sum": "person_times"}, {"sum": "minors"}]),
    st.lists(st.sampled_from(["district", "campaign_id", "counts_for_k2", "mode"]), unique=True, max_size=2),
)
def test_a_tally_is_the_fold_of_the_records_it_counts(shared, held, where, measure, by):
    rule = read({"of": COUNT.key, "where": where, "measure": measure, "on": "day", "by": by})
    collection = shared.database("tally")[shared.a_new_id()]
    if held:
        collection.insert_many({"_id": f"c-{number}", "state": view} for number, view in enumerate(held))

    counted = [view for view in held if rule.counts(view) and FIRST <= view["day"] <= LAST]
    assert tally(collection, rule, first=FIRST, last=LAST) == {
        **_fold(rule, counted),
        "by": {name: _by(rule, name, counted) for name in by},
    }
    collection.drop()


def test_a_tally_is_called_with_rule_first_and_last_day(shared):
    rule = {"of": "outreach.venue", "where": {}, "on": "day"}

    with pytest.raises(InvalidInput) as invalid:
        shared.call("outreach", "tally", rule=rule, first=FIRST, last=LAST)
    assert [error.field for error in invalid.value.errors] == ["rule.on"]


@pytest.mark.parametrize(
    ("asked", "fields"),
    [
        ({}, ["rule"]),
        ({"rule": "K2"}, ["rule"]),
        ({"rule": {"of": "outreach.crowd"}}, ["rule.of"]),
        ({"rule": {"of": "outreach.campaign", "on": "starts_on", "where": {"colour": 1}}}, ["rule.where.colour"]),
        ({"period": "2011"}, ["period"]),
    ],
)
def test_what_is_wrong_with_a_tally_is_named(shared, asked, fields):
    with pytest.raises(InvalidInput) as invalid:
        shared.call("outreach", "tally", **asked)

    assert [error.field for error in invalid.value.errors] == fields


def test_a_tally_of_records_that_others_own_is_not_found(shared):
    rule = {"of": "awards.external_result", "on": "awarded_on"}

    with pytest.raises(NotFound, match=r"awards\.external_result is not ours"):
        shared.call("outreach", "tally", rule=rule, first=FIRST, last=LAST)


def _fold(rule, views):
    return {"records": len(views), "value": sum(rule.amount(view) for view in views)}


def _by(rule, name, views):
    groups = {_name(view[name]) for view in views}
    return {group: _fold(rule, [view for view in views if _name(view[name]) == group]) for group in groups}


def _name(value):
    return {None: "", True: "true", False: "false"}.get(value, value)
