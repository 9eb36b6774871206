"""The rules of activities."""

from datetime import date, timedelta
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services import contract
from services.kernel import ForbiddenMove
from services.outreach.domain import report
from services.outreach.domain.activity import (
    LIFECYCLE,
    WHOLE_DAY,
    CountsVerified,
    LeadAmongOthers,
    TooEarly,
    VenueLapsed,
    VenueMissing,
    cancel,
    close,
    finish,
    heed_venue,
    miss_report,
    move,
    schedule,
    start,
)
from tests.machines import follows_the_machine
from tests.outreach.examples import LATER, SATURDAY, SUNDAY, a_count, a_venue, an_activity

HAPPENINGS = contract.outreach.Activity.kind.happenings

COMMANDS = {
    "scheduled": lambda held: schedule(held, venue_id="v-1", venue=a_venue()),
    "ongoing": lambda held: start(held, today=LATER),
    "held": lambda held: finish(held, today=LATER),
    "not_reported": lambda held: miss_report(held, today=LATER),
    "reported": lambda held: report.hand_in(held, counts=[a_count()], evidence=[], by="u-li"),
    "verified": lambda held: report.verify(held, counts=[a_count(state="verified")], by="u-wang"),
    "closed": lambda held: close(held, today=LATER),
    "cancelled": lambda held: cancel(held, verified_counts=0, reason="暴雨"),
}


@pytest.mark.parametrize("state", LIFECYCLE.states)
@pytest.mark.parametrize("to", COMMANDS)
@pytest.mark.rule("X-12")
def test_a_state_allows_its_own_moves_and_refuses_all_others(state, to):
    happening = "started" if to == "ongoing" else to

    follows_the_machine(LIFECYCLE, state, to, partial(COMMANDS[to], an_activity(state=state)), happened=happening)
    assert happening in HAPPENINGS


@pytest.mark.parametrize("state", LIFECYCLE.states)
@pytest.mark.rule("X-12")
def test_only_a_scheduled_activity_moves(state):
    def move_it():
        return move(an_activity(state=state), venue_id="v-2", venue=a_venue())

    if state == "scheduled":
        assert move_it().happened == "moved"
    else:
        with pytest.raises(ForbiddenMove):
            move_it()


def test_the_machine_has_the_states_of_the_contract_and_a_command_for_each():
    assert set(LIFECYCLE.states) == set(contract.outreach.Activity.kind.states)
    assert set(COMMANDS) == set(LIFECYCLE.states) - {"draft"}


@pytest.mark.rule("O-02")
def test_the_lead_organisation_is_not_among_the_others():
    with pytest.raises(LeadAmongOthers, match="lead_org_id=o-leshan"):
        an_activity(lead_org_id="o-leshan", co_org_ids=("o-emei", "o-leshan"))

    assert an_activity(lead_org_id="o-leshan", co_org_ids=("o-emei",)).co_org_ids == ("o-emei",)


def test_days_stand_in_order_and_once():
    assert an_activity(days=(SUNDAY, SATURDAY, SUNDAY)).days == (SATURDAY, SUNDAY)


@pytest.mark.rule("O-19")
def test_an_activity_on_site_needs_a_venue_and_one_online_does_not():
    with pytest.raises(VenueMissing):
        schedule(an_activity(state="draft"), venue_id=None, venue=None)

    online = schedule(an_activity(state="draft", delivery="online"), venue_id=None, venue=None)
    assert (online.record.state, online.record.bookings) == ("scheduled", ())


def test_a_scheduled_activity_books_each_slot_of_each_day_and_lets_go_of_them_when_it_was_held():
    drafted = an_activity(state="draft", days=(SATURDAY, SUNDAY))

    scheduled = schedule(drafted, venue_id="v-1", venue=a_venue(), slots=("evening", "morning")).record
    assert scheduled.bookings == (
        "v-1 2011-05-14 morning",
        "v-1 2011-05-14 evening",
        "v-1 2011-05-15 morning",
        "v-1 2011-05-15 evening",
    )

    ongoing = start(scheduled, today=SATURDAY).record
    assert ongoing.bookings == scheduled.bookings
    assert finish(ongoing, today=SUNDAY).record.bookings == ()
    assert cancel(scheduled, verified_counts=0, reason="暴雨").record.bookings == ()


def test_without_slots_the_whole_day_is_booked_and_a_move_keeps_the_slots():
    whole_day = schedule(an_activity(state="draft"), venue_id="v-1", venue=a_venue()).record
    morning = schedule(an_activity(state="draft"), venue_id="v-1", venue=a_venue(), slots=("morning",)).record

    assert whole_day.slots == WHOLE_DAY
    assert move(morning, venue_id="v-2", venue=a_venue()).record.bookings == ("v-2 2011-05-14 morning",)


@pytest.mark.rule("O-12")
def test_nothing_is_scheduled_moved_to_or_started_at_a_suspended_venue():
    suspended = a_venue(state="suspended")

    with pytest.raises(VenueLapsed):
        schedule(an_activity(state="draft"), venue_id="v-1", venue=suspended)
    with pytest.raises(VenueLapsed):
        move(an_activity(state="scheduled"), venue_id="v-1", venue=suspended)
    with pytest.raises(VenueLapsed):
        start(an_activity(state="scheduled", venue_suspended=True), today=LATER)


def test_a_move_clears_the_flag():
    flagged = an_activity(state="scheduled", venue_suspended=True, venue_turns=1)

    assert not move(flagged, venue_id="v-2", venue=a_venue()).record.venue_suspended


def test_only_an_activity_that_waits_for_the_venue_heeds_it():
    suspended = a_venue(state="suspended", turns=1)

    assert heed_venue(an_activity(state="scheduled"), venue_id="v-1", venue=suspended).happened == "flagged"
    assert heed_venue(an_activity(state="scheduled"), venue_id="v-2", venue=suspended) is None
    assert heed_venue(an_activity(state="ongoing"), venue_id="v-1", venue=suspended) is None


@given(looks=st.lists(st.integers(0, 6), min_size=1))
def test_the_latest_look_at_a_venue_decides_the_flag_whatever_the_order(looks):
    held = an_activity(state="scheduled")
    for turns in looks:
        seen = a_venue(state="suspended" if turns % 2 else "available", turns=turns)
        change = heed_venue(held, venue_id="v-1", venue=seen)
        held = change.record if change else held

    assert held.venue_suspended == bool(max(looks) % 2)


@pytest.mark.rule("X-07")
def test_an_activity_starts_on_its_first_day_and_finishes_on_its_last():
    scheduled = an_activity(state="scheduled", days=(SATURDAY, SUNDAY))
    ongoing = an_activity(state="ongoing", days=(SATURDAY, SUNDAY))

    with pytest.raises(TooEarly):
        start(scheduled, today=date(2011, 5, 13))
    assert start(scheduled, today=SATURDAY).happened == "started"
    with pytest.raises(TooEarly):
        finish(ongoing, today=SATURDAY)
    assert finish(ongoing, today=LATER).record.held_on == SUNDAY


@pytest.mark.rule("X-07")
def test_a_report_is_missed_on_the_30th_day_and_not_before():
    held = an_activity(state="held")

    with pytest.raises(TooEarly):
        miss_report(held, today=SATURDAY + timedelta(days=29))
    assert miss_report(held, today=SATURDAY + timedelta(days=30)).happened == "not_reported"


@pytest.mark.rule("X-07")
def test_an_activity_is_closed_on_the_90th_day_or_when_its_year_is_frozen():
    verified = an_activity(state="verified")

    with pytest.raises(TooEarly):
        close(verified, today=SATURDAY + timedelta(days=89))
    with pytest.raises(TooEarly):
        close(verified, today=SUNDAY, frozen_through=date(2010, 12, 31))
    assert close(verified, today=SATURDAY + timedelta(days=90)).happened == "closed"
    assert close(verified, today=SUNDAY, frozen_through=SATURDAY).happened == "closed"


@pytest.mark.rule("O-17")
def test_an_activity_with_verified_counts_is_not_cancelled():
    with pytest.raises(CountsVerified, match="verified_counts=2"):
        cancel(an_activity(state="held"), verified_counts=2, reason="误报")

    assert cancel(an_activity(state="scheduled"), verified_counts=0, reason="暴雨").reason == "暴雨"
