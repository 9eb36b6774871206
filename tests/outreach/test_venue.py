"""The rules of venues, and how a station follows its service point (F3)."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kernel.quantity import NotWhole
from services.outreach.domain.venue import follow_point
from tests.outreach.examples import a_point, a_venue


def following(venue, **changes):
    return follow_point(venue, service_point_id="p-1", point=a_point(**changes))


def test_a_completed_service_point_becomes_a_station():
    change = following(None, state="complete", capacity=80)

    assert change.happened == "registered"
    assert (change.record.venue_kind, change.record.state, change.record.capacity) == ("station", "available", 80)
    assert change.record.service_point_id == "p-1"


def test_a_point_that_was_never_complete_is_no_venue():
    assert following(None, state="incomplete", completed_on=None) is None


def test_a_point_that_had_lapsed_before_it_was_heard_of_is_a_suspended_station():
    assert following(None, state="lapsed").record.is_suspended


def test_a_station_is_suspended_when_its_point_lapses_and_restored_when_it_is_complete_again():
    station = following(None, state="complete").record

    lapsed = following(station, state="lapsed")
    assert (lapsed.happened, lapsed.record.state) == ("suspended", "suspended")

    again = following(lapsed.record, state="complete")
    assert (again.happened, again.record.state) == ("restored", "available")


@given(heard=st.lists(st.sampled_from(["complete", "lapsed"]), min_size=1))
def test_a_station_is_as_its_point_was_last_and_counts_how_often_it_turned(heard):
    station = None
    for state in heard:
        station = following(station, state=state).record

    assert station.is_suspended == (heard[-1] == "lapsed")
    assert station.turns == sum(before != after for before, after in pairwise(heard))


@pytest.mark.rule("X-06")
def test_a_capacity_is_a_whole_number_or_not_known():
    with pytest.raises(NotWhole):
        a_venue(capacity=-1)

    assert a_venue(capacity=None).capacity is None
