import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.kpi.ledger import Settlement, count, record_of, settle
from gateway.kpi.measures import Measure
from services.contract import rule
from tests.awards.events import granted, revoked
from tests.gateway.examples import PLAN, an_event, kpi

MEASURES = {}
for measure in map(Measure, PLAN.rules()):
    MEASURES.setdefault(measure.rule.of.key, []).append(measure)


class Kept:
    """What a gateway keeps, in memory."""

    def __init__(self):
        self.views, self.history, self.counts = {}, {}, {}

    def take(self, *events):
        settled = settle(events, self.views, MEASURES)
        for row in settled.rows:
            assert key(row) not in self.history
        for row in settled.rows + settled.late:
            self.history.setdefault(key(row), row)
        for view in settled.first:
            assert view["_id"] not in self.views
        self.views |= {view["_id"]: view for view in settled.first + settled.newer}
        for id_, changed in settled.increments.items():
            for path, by in changed.items():
                self.counts[id_, path] = self.counts.get((id_, path), 0) + by
        return settled

    def digest(self):
        return self.views, self.history, {place: by for place, by in self.counts.items() if by}


def key(row):
    return row["_id"]["record"], row["_id"]["version"]


def counted_from(views):
    """The counts of these views, added up one by one."""
    totals = {}
    for view in views.values():
        for measure in MEASURES.get(view["kind"], ()):
            for id_, changed in count(measure, [view]).items():
                for path, by in changed.items():
                    totals[id_, path] = totals.get((id_, path), 0) + by
    return {place: by for place, by in totals.items() if by}


def n(kept, code):
    return kept.counts.get((f"{Measure(kpi(code).rule).key}|2011", "n"), 0)


def k2(kept):
    return kept.counts.get((f"{Measure(kpi('K2').rule).key}|2011", "sum"), 0)


def test_a_correction_lowers_the_number_in_the_period_of_the_fact_and_both_versions_stay():
    kept = Kept()

    kept.take(an_event(version=1, person_times=3_000))
    kept.take(an_event(version=2, person_times=2_800))

    assert k2(kept) == 2_800
    assert [row["data"]["person_times"] for row in kept.history.values()] == [3_000, 2_800]


def test_a_newer_version_that_arrives_first_wins_for_good():
    kept = Kept()

    kept.take(an_event("awards.external_result", "r-1", version=3, state="revoked"))
    kept.take(an_event("awards.external_result", "r-1", version=2, state="verified"))

    assert n(kept, "K1") == 0
    assert sorted(kept.history) == [("awards.external_result/r-1", 2), ("awards.external_result/r-1", 3)]


@pytest.mark.parametrize("first", [0, 1])
def test_an_award_that_was_revoked_before_its_grant_was_heard_of_counts_for_nothing(first):
    events = [[granted(), revoked(2)], [revoked(2), granted()]][first]
    measure = Measure(rule.read({"of": "awards.award", "where": {"state": "granted"}, "on": "granted_on"}))
    views, number = {}, 0

    for event in (*events, *events):
        settled = settle([event], views, {"awards.award": [measure]})
        views |= {view["_id"]: view for view in settled.first + settled.newer}
        number += settled.increments.get(f"{measure.key}|2011", {}).get("n", 0)

    assert number == 0
    assert [view["data"]["state"] for view in views.values()] == ["revoked"]


def test_an_event_that_comes_again_changes_nothing():
    kept = Kept()
    event = an_event()
    kept.take(event, event)

    settled = kept.take(event)

    assert k2(kept) == 300
    assert settled == Settlement(late=settled.late, heard=settled.heard)  # its row is there already


def test_several_versions_in_one_batch_count_once():
    kept = Kept()

    kept.take(an_event(version=2, person_times=200), an_event(version=1), an_event(version=3, person_times=100))

    assert k2(kept) == 100
    assert len(kept.history) == 3


def test_records_of_two_kinds_with_one_id_are_two_records():
    assert record_of(an_event(record="x")) != record_of(an_event("awards.external_result", "x"))


def test_a_rule_that_is_being_counted_takes_only_the_records_it_has_come_to():
    underway = {"outreach.audience_count": [Measure(kpi("K2").rule, upto="outreach.audience_count/b")]}

    settled = settle([an_event(record="a"), an_event(record="c")], {}, underway)

    assert {changed["n"] for changed in settled.increments.values()} == {1}


def test_the_last_event_of_each_service_is_told_by_its_time():
    early, late = "2011-05-14T10:00:00.000+08:00", "2011-05-14T03:00:00.000+00:00"

    settled = settle([an_event(time=late), an_event(record="c-2", time=early)], {}, {})

    assert settled.heard["outreach"].isoformat() == "2011-05-14T03:00:00+00:00"


def test_a_time_that_is_none_is_refused():
    with pytest.raises(ValueError, match="Invalid isoformat"):
        settle([an_event(time="yesterday")], {}, {})


DAYS = ["2010-12-31", "2011-01-01", "2011-05-14", "2011-05-15"]
COUNTS = st.builds(
    lambda record, version, **changes: an_event(record=record, version=version, **changes),
    record=st.sampled_from(["c-1", "c-2", "c-3", "c-4"]),
    version=st.integers(1, 5),
    day=st.sampled_from(DAYS),
    person_times=st.integers(0, 500),
    mode=st.sampled_from(["offline", "online"]),
    district=st.sampled_from(["511102", "511111"]),
    state=st.sampled_from(["recorded", "verified", "rejected"]),
)
POINTS = st.builds(
    lambda record, version, day, state: an_event(
        "rural.service_point", record, version, completed_on=day, state=state
    ),
    record=st.sampled_from(["p-1", "p-2"]),
    version=st.integers(1, 4),
    day=st.sampled_from([None, *DAYS]),
    state=st.sampled_from(["incomplete", "complete", "lapsed"]),
)  # fmt: skip
FACTS = st.lists(st.one_of(COUNTS, POINTS), max_size=25, unique_by=lambda event: (record_of(event), event.version))


def delivered(facts, chance):
    """The same events one to five times in any order, in batches of any size."""
    deck = [event for event in facts for _ in range(chance.randint(1, 5))]
    chance.shuffle(deck)
    while deck:
        size = chance.randint(1, len(deck))
        yield deck[:size]
        deck = deck[size:]


@given(FACTS, st.integers(0, 2**32))
def test_any_order_and_any_repetition_of_the_same_events_keep_the_same(facts, seed):
    in_order, shuffled = Kept(), Kept()
    for event in sorted(facts, key=lambda event: event.version):
        in_order.take(event)

    for batch in delivered(facts, random.Random(seed)):
        shuffled.take(*batch)

    assert shuffled.digest() == in_order.digest()
    assert shuffled.digest()[2] == counted_from(shuffled.views)
