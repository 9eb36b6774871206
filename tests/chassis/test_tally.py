"""The service's own count by a plan rule, held against a fold that a child could make."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.chassis import tally
from services.chassis.problem import InvalidInput, NotFound
from services.chassis.tally import Question, count, tally_of, tally_records
from services.contract import KINDS
from services.contract.rule import read
from tests.contract.views import samples_of

COUNT = KINDS["outreach.audience_count"]
FIRST, LAST = "2011-01-01", "2011-12-31"
YEAR = {"first": FIRST, "last": LAST}
VERIFIED = {"of": COUNT.key, "where": {"state": "verified"}, "measure": {"sum": "person_times"}, "on": "day"}

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
    assert count(collection, Question(rule=rule, **YEAR)) == {
        **_fold(rule, counted),
        "by": {name: _by(rule, name, counted) for name in by},
    }
    collection.drop()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(views, max_size=12), conditions, st.integers(1, 5), st.integers(1, 5))
def test_the_pages_of_records_are_those_that_count_by_id(shared, held, where, limit, scanned):
    rule = read({"of": COUNT.key, "where": where, "measure": {"sum": "minors"}, "on": "day"})
    collection = shared.database("tally")[shared.a_new_id()]
    if held:
        collection.insert_many(a_record(f"c-{number:02}", view) for number, view in enumerate(held))

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(tally, "SCANNED", scanned)
        found = list(pages(collection, Question(rule=rule, **YEAR), limit))

    assert found == [
        {"id": f"c-{number:02}", "version": 1, "day": view["day"], "amount": view["minors"] or 0}
        for number, view in enumerate(held)
        if rule.counts(view) and FIRST <= view["day"] <= LAST
    ]
    collection.drop()


@pytest.fixture
def collection(shared):
    made = shared.database("tally")[shared.a_new_id()]
    yield made
    made.drop()


def a_record(record, view):
    return {"_id": record, "version": 1, "state": view}


def a_count(**changes):
    return {**samples_of(COUNT)[0], "day": "2011-05-14", "district": "511102", "state": "verified", **changes}


def pages(collection, question, limit):
    after = ""
    while after is not None:
        page = tally_records(collection, question, after=after, limit=limit)
        yield from page["records"]
        after = page["through"]


def test_records_are_told_with_what_they_are_whether_they_count_or_not(collection):
    collection.insert_many(
        [a_record("c-1", a_count(person_times=300)), a_record("c-2", a_count(state="recorded", person_times=200))]
    )

    assert tally_of(collection, Question(rule=read(VERIFIED), **YEAR), ["c-1", "c-2", "c-3"]) == [
        {"id": "c-1", "version": 1, "day": "2011-05-14", "amount": 300},
        {"id": "c-2", "version": 1, "day": None, "amount": None},
    ]


def test_a_tally_of_one_district_leaves_out_the_others(collection):
    collection.insert_many(
        [a_record("c-1", a_count(person_times=300)), a_record("c-2", a_count(district="511111", person_times=200))]
    )

    question = Question(rule=read(VERIFIED | {"by": ["district"]}), district="511111", **YEAR)

    assert count(collection, question) == {
        "records": 1, "value": 200, "by": {"district": {"511111": {"records": 1, "value": 200}}},
    }  # fmt: skip
    assert [row["id"] for row in pages(collection, question, 10)] == ["c-2"]


# --- as it was known --------------------------------------------------------------------------------------------------

RECORDED, CHECKED, CORRECTED = (datetime(2011, month, 14, 9, tzinfo=UTC) for month in (5, 6, 11))


@pytest.fixture
def with_history(collection):
    """Recorded in May, verified in June, and in November found to be wrong; another one is lost, and one is new."""
    recorded = a_count(state="recorded", person_times=300)
    verified = a_count(person_times=300)
    corrected = a_count(state="superseded", person_times=300)
    collection.insert_many(
        [
            a_history("c-1", (RECORDED, recorded), (CHECKED, verified), (CORRECTED, corrected)),
            a_history("c-2", (CORRECTED, a_count(person_times=250))),
            {"_id": "c-3", "version": 1, "state": verified, "history": "lost"},
            {"_id": "c-4", "version": 1, "state": verified, "history": [{"version": 1, "view": verified}]},
        ]
    )
    return collection


def a_history(record, *entries):
    history = [
        {"version": version, "at": at.astimezone(datetime.now().astimezone().tzinfo).isoformat(), "view": view}
        for version, (at, view) in enumerate(entries, start=1)
    ]
    return {"_id": record, "version": len(history), "state": history[-1]["view"], "history": history}


@pytest.mark.parametrize(
    ("as_of", "records", "value"),
    [
        (RECORDED - timedelta(seconds=1), 0, 0),
        (RECORDED, 0, 0),
        (CHECKED - timedelta(milliseconds=1), 0, 0),
        (CHECKED, 1, 300),
        (CORRECTED - timedelta(milliseconds=1), 1, 300),
        (CORRECTED, 1, 250),
    ],
)
def test_a_tally_as_of_an_instant_counts_what_the_histories_said_by_then(with_history, as_of, records, value):
    told = count(with_history, Question(rule=read(VERIFIED), as_of=as_of, **YEAR))

    assert (told["records"], told["value"]) == (records, value)


def test_records_as_of_an_instant_have_the_version_of_then(with_history):
    question = Question(rule=read(VERIFIED), as_of=CHECKED, **YEAR)

    assert list(pages(with_history, question, 1)) == [
        {"id": "c-1", "version": 2, "day": "2011-05-14", "amount": 300},
    ]


# --- other measures ---------------------------------------------------------------------------------------------------


def test_different_values_are_counted_once_each_and_none_is_no_value(collection):
    activities = ("a-1", "a-1", "a-2", None)
    collection.insert_many(
        a_record(f"c-{number}", a_count(activity_id=activity, district=f"51110{2 - number % 2}"))
        for number, activity in enumerate(activities)
    )

    rule = read(VERIFIED | {"measure": {"distinct": "activity_id"}, "by": ["district"]})
    told = count(collection, Question(rule=rule, **YEAR))

    assert told == {
        "records": 4, "value": 2,
        "by": {"district": {"511102": {"records": 2, "value": 2}, "511101": {"records": 2, "value": 1}}},
    }  # fmt: skip


def test_the_last_value_is_that_of_the_last_day_on_which_there_was_one(collection):
    question = Question(rule=read(VERIFIED | {"measure": {"last": "minors"}}), **YEAR)
    assert count(collection, question) == {"records": 0, "value": None, "by": {}}

    days = (("2011-05-14", 3), ("2011-06-14", 4), ("2011-06-14", 5), ("2011-07-14", None))
    collection.insert_many(
        a_record(f"c-{number}", a_count(day=day, minors=minors)) for number, (day, minors) in enumerate(days)
    )

    assert count(collection, question) == {"records": 4, "value": 5, "by": {}}


# --- as it is called --------------------------------------------------------------------------------------------------


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

    with pytest.raises(NotFound, match=r"awards\.external_result belongs to another service"):
        shared.call("outreach", "tally", rule=rule, first=FIRST, last=LAST)


def _fold(rule, views):
    return {"records": len(views), "value": sum(rule.amount(view) for view in views)}


def _by(rule, name, views):
    groups = {_name(view[name]) for view in views}
    return {group: _fold(rule, [view for view in views if _name(view[name]) == group]) for group in groups}


def _name(value):
    return {None: "", True: "true", False: "false"}.get(value, value)
