"""What was known at an instant, against a fold of the versions that had come in by then."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from gateway.kpi import answers
from gateway.kpi.figures import Figures, documents_needed
from gateway.kpi.measures import Measure
from gateway.kpi.plan_index import PlanIndex, resolve_period
from gateway.read_model import reader
from gateway.read_model.counted_rules import LEDGER
from gateway.read_model.reader import Reader
from services.contract import rule as plan_rule
from tests.gateway.examples import PLAN, an_event, kpi

PLAN_INDEX = PlanIndex({2011: PLAN})
K2 = Measure(kpi("K2").rule)
YEAR = resolve_period("2011")
BEGAN = datetime(2011, 6, 1, tzinfo=UTC)


@pytest.fixture
def store(store):
    store.prepare(PLAN.rules())
    return store


def at(minutes):
    return BEGAN + timedelta(minutes=minutes)


def a_count(record, version, minute, **changes):
    return an_event(record=record, version=version, time=at(minute).isoformat(timespec="milliseconds"), **changes)


def number(store, as_of=None, *, period="2011", measure=K2, among=None):
    """Value, records behind it, and what these add up to."""
    question = resolve_period(period)

    def ask(read):
        counts = read.counts(measure.documents(question.pieces), [measure])
        figures = Figures(counts.documents, counts.counted, read.value, BEGAN.date())
        records = read.records(measure.rule, question.period, among=among or {}, limit=1_000)
        value = figures.measure(measure, question, among or {}).value
        return value, [view["_id"].partition("/")[2] for view in records], _folded(measure, records)

    return reader.read_at(store, as_of, ask)


def _folded(measure, views):
    return sum(measure.rule.amount(view["data"]) for view in views)


def test_the_past_is_what_was_known_then_and_the_present_what_is_known_now(store):
    store.take_events([a_count("c-1", 1, 0), a_count("c-2", 1, 1, person_times=7)])
    store.take_events([a_count("c-1", 2, 10, person_times=5), a_count("c-3", 1, 11, person_times=1)])

    assert number(store) == (13, ["c-1", "c-2", "c-3"], 13)
    assert number(store, at(9)) == (307, ["c-1", "c-2"], 307)
    assert number(store, at(0)) == (300, ["c-1"], 300)
    assert number(store, at(-1)) == (None, [], 0)


def test_what_comes_in_late_was_not_known_at_an_instant_that_somebody_was_told_about(store):
    store.take_events([a_count("c-1", 1, 0)])
    told = number(store, at(20))

    store.take_events([a_count("c-2", 1, 5), a_count("c-1", 2, 6, person_times=1)])

    assert number(store, at(20)) == told == (300, ["c-1"], 300)
    assert number(store)[0] == 301


def test_a_version_that_overtook_another_one_is_the_one_that_was_known(store):
    store.take_events([a_count("c-1", 3, 3, person_times=3)])
    number(store, at(4))
    store.take_events([a_count("c-1", 1, 1, person_times=1), a_count("c-1", 2, 2, person_times=2)])

    assert number(store, at(4)) == (3, ["c-1"], 3)
    assert number(store, at(5)) == (3, ["c-1"], 3)


def test_where_the_version_before_never_came_the_newest_that_was_known_is_the_one(store):
    store.take_events([a_count("c-1", 1, 1, person_times=1)])
    store.take_events([a_count("c-1", 3, 10, person_times=3)])

    assert number(store, at(5)) == (1, ["c-1"], 1)
    assert number(store) == (3, ["c-1"], 3)


def test_a_history_that_does_not_say_since_when_it_is_known_is_known_since_it_was_written(store):
    store.take_events([a_count("c-1", 1, 0), a_count("c-1", 2, 10, person_times=5)])
    store.history.update_many({}, {"$unset": {"known": ""}})

    store.prepare(PLAN.rules())

    assert (number(store, at(5))[0], number(store)[0]) == (300, 5)


def test_a_record_that_moved_to_another_year_was_in_its_old_one_then(store):
    store.take_events([a_count("c-1", 1, 0), a_count("c-1", 2, 10, day="2012-01-01")])

    assert number(store, at(5))[0] == 300
    assert number(store)[0] is None
    assert number(store, at(5), period="2012")[0] is None
    assert number(store, at(11), period="2012")[0] == 300


def test_an_answer_about_the_past_outlives_a_ledger_that_is_made_anew(store):
    store.take_events([a_count("c-1", 1, 0)])
    number(store, at(20))
    late = [a_count("c-2", 1, 5)]
    store.take_events(late)

    new = type(store)(store.views.database, "_1")
    new.prepare(PLAN.rules())
    new.take_events([a_count("c-1", 1, 0), *late])
    assert number(new, at(20))[0] == 600

    new.copy_learning_times(store)
    assert number(new, at(20)) == number(store, at(20)) == (300, ["c-1"], 300)


def test_history_ends_at_the_instant_that_is_asked_about(store):
    store.take_events([a_count("c-1", version, version) for version in (1, 2, 3)])

    def versions(read):
        return [row["_id"]["version"] for row in read.versions("outreach.audience_count/c-1")]

    assert reader.read_at(store, at(2), versions) == [1, 2]
    assert reader.read_at(store, None, versions) == [1, 2, 3]


HOSTS = plan_rule.read(
    {
        "of": "outreach.audience_count", "where": {"state": "verified"}, "measure": {"distinct": "activity_id"},
        "on": "day", "by": ["district"],
    }
)  # fmt: skip
STOCK = plan_rule.read(
    {
        "of": "outreach.audience_count", "where": {"state": "verified"}, "measure": {"last": "person_times"},
        "on": "day", "by": ["district"],
    }
)  # fmt: skip


def test_different_values_are_counted_once_and_a_stock_is_what_its_last_record_says(store):
    store.take_events([a_count("c-1", 1, 0, day="2011-05-01", activity_id="a", person_times=5)])
    store.take_events([a_count("c-2", 1, 1, day="2011-06-01", activity_id="a", person_times=6)])
    store.take_events([a_count("c-3", 1, 2, day="2011-04-01", activity_id="b", person_times=7, district="511111")])

    def values(rule, as_of=None, period="2011", among=None):
        return reader.read_at(store, as_of, lambda read: read.value(rule, resolve_period(period).period, among or {}))

    assert (values(HOSTS), values(HOSTS, at(1)), values(HOSTS, period="201105")) == (2, 1, 1)
    assert (values(STOCK), values(STOCK, at(0)), values(STOCK, period="201104")) == (6, 5, 7)
    assert values(STOCK, period="201103") == 0
    assert values(STOCK, among={"district": "511111"}) == 7


FACTS = st.lists(
    st.tuples(
        st.sampled_from(["c-1", "c-2", "c-3"]),
        st.sampled_from(["2011-03-01", "2011-03-02", "2011-12-31", "2012-01-01"]),
        st.integers(0, 50),
        st.sampled_from(["511102", "511111", None]),
        st.sampled_from(["recorded", "verified", "rejected"]),
    ),
    min_size=1,
    max_size=12,
)


def forget(store):
    """Nothing was ever taken in, and nobody asked."""
    for collection in (store.views, store.history):
        collection.delete_many({})
    store.counts.delete_many({"_id": {"$ne": LEDGER}})
    store.counts.update_one({"_id": LEDGER}, {"$unset": {"settled": ""}})


@pytest.mark.acceptance(6)
@given(FACTS, st.integers(-1, 12), st.randoms(use_true_random=False), st.sampled_from(["2011", "201103", "20110302"]))
@examples(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_for_random_records_and_random_questions_fold_of_records_equals_the_number(
    store, facts, minute, chance, period
):
    forget(store)
    versions, events = {}, []
    for place, (record, day, person_times, district, state) in enumerate(facts):
        versions[record] = versions.get(record, 0) + 1
        changes = {"day": day, "person_times": person_times, "state": state, "district": district or ""}
        events.append(a_count(record, versions[record], place, **changes))
    chance.shuffle(events)
    for event in events:
        store.take_events([event])

    newest = {}
    for event in sorted(events, key=lambda event: event.version):
        if event.time <= at(minute).isoformat(timespec="milliseconds"):
            newest[event.record] = event.data
    inside = [data for data in newest.values() if YEAR.period.first.isoformat() <= data["day"]]
    inside = [data for data in inside if _is_in(data["day"], period)]
    verified = [data["person_times"] for data in inside if data["state"] == "verified"]

    value, records, folded = number(store, at(minute), period=period)

    assert value == (sum(verified) if inside else None)
    assert (len(records), folded) == (len(verified), sum(verified))
    assert _groups(store, at(minute), period) == (value or 0)


def _is_in(day, period):
    found = resolve_period(period).period
    return found.first.isoformat() <= day <= found.last.isoformat()


def _groups(store, as_of, period):
    """The groups of a dimension and what is unassigned, added up (G-11)."""
    line, question = PLAN_INDEX.kpi_line("K2"), resolve_period(period)

    def ask(read):
        counts = read.counts(documents_needed([line], question), line.measures)
        figures = Figures(counts.documents, counts.counted, read.value, BEGAN.date())
        told = answers.kpi(line, question, figures, by="district")
        return sum(group["value"] or 0 for group in (*told["groups"], told["unassigned"]))

    return reader.read_at(store, as_of, ask)


def test_the_past_costs_what_has_changed_since_and_not_what_there_was(store):
    chance = random.Random(1)
    store.take_events([a_count(f"c-{i}", 1, 0, person_times=chance.randint(1, 9)) for i in range(400)])
    store.take_events([a_count("c-7", 2, 10, person_times=1_000)])

    read = Reader(store, at(5))

    assert list(read.changed_records(kpi("K2").rule.of)) == ["outreach.audience_count/c-7"]
