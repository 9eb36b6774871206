"""The rules of the expert group and its visits to communities and schools."""

from dataclasses import replace
from datetime import date
from functools import partial

import pytest

from services import contract
from services.kernel.day import NotYet
from services.outreach.domain import expert_roster_entry as roster
from services.outreach.domain import expert_visit
from services.outreach.domain.expert_visit import (
    HELD,
    LIFECYCLE,
    ContactMissing,
    ExpertMissing,
    NotItsActivity,
    ReceiverSilent,
)
from tests.machines import follows_the_machine
from tests.outreach.examples import LATER, SATURDAY, SUNDAY, an_activity

RECEIPT = "a" * 64
ASKED = {
    "target": "school",
    "receiver_id": "o-school",
    "district": "511102",
    "day": SATURDAY,
    "slot": "morning",
    "topic": "防震避险",
    "contact_name": "某老师",
    "contact_phone": "0833-2442121",
    "by": "u-li",
}


def an_expert(*, state="active", absent_on=()):
    there = roster.enrol(person_id="p-1", discipline_codes=("d-geo",), enrolled_on=SATURDAY, today=LATER).record
    return replace(there, state=state, absent_on=absent_on)


EXPERTS = {"x-1": an_expert()}


def a_visit(*, state="requested", **asked):
    visit = expert_visit.request(**{**ASKED, **asked}).record
    if state != "requested":
        visit = expert_visit.match(visit, experts=EXPERTS).record
    return replace(visit, state=state)


def delivered(visit, **changes):
    usual = {"experts": EXPERTS, "activity_id": "a-1", "receipt_sha256": RECEIPT, "today": LATER}
    return expert_visit.deliver(visit, **{**usual, "activity": an_activity(format="lecture"), **changes})


OF_VISITS = {
    "matched": lambda it: expert_visit.match(it, experts=EXPERTS),
    "confirmed": lambda it: expert_visit.confirm(it, experts=EXPERTS),
    "delivered": delivered,
    "evaluated": lambda it: expert_visit.evaluate(it, rating=5),
    "cancelled": lambda it: expert_visit.cancel(it, reason="学校停课"),
}
OF_EXPERTS = {
    ("suspended", "suspended"): lambda it: roster.suspend(it, reason="本人申请"),
    ("active", "restored"): lambda it: roster.restore(it, reason="本人申请"),
}


@pytest.mark.parametrize("state", LIFECYCLE.states)
@pytest.mark.parametrize("to", OF_VISITS)
@pytest.mark.rule("X-12")
def test_a_visit_allows_its_own_moves_and_refuses_all_others(state, to):
    follows_the_machine(LIFECYCLE, state, to, partial(OF_VISITS[to], a_visit(state=state)), happened=to)


@pytest.mark.parametrize("state", roster.LIFECYCLE.states)
@pytest.mark.parametrize(("to", "happening"), OF_EXPERTS)
@pytest.mark.rule("X-12")
def test_an_expert_is_suspended_and_restored_in_turns(state, to, happening):
    do = partial(OF_EXPERTS[to, happening], an_expert(state=state))

    follows_the_machine(roster.LIFECYCLE, state, to, do, happened=happening)


def test_the_machines_have_the_states_of_the_contract():
    assert set(LIFECYCLE.states) == set(contract.outreach.ExpertVisit.kind.states) == {"requested", *OF_VISITS}
    assert set(roster.LIFECYCLE.states) == set(contract.outreach.ExpertRosterEntry.kind.states)


@pytest.mark.rule("O-14")
@pytest.mark.parametrize("missing", [{"contact_name": None}, {"contact_phone": None}])
def test_a_school_visit_is_confirmed_with_a_contact_and_a_community_s_without(missing):
    with pytest.raises(ContactMissing):
        expert_visit.confirm(a_visit(state="matched", **missing), experts=EXPERTS)

    community = a_visit(state="matched", target="community", **missing)
    assert expert_visit.confirm(community, experts=EXPERTS).happened == "confirmed"
    named = {"contact_name": "某老师", "contact_phone": "0833-2442121"}
    later = expert_visit.confirm(a_visit(state="matched", **missing), experts=EXPERTS, **named).record
    assert (later.contact_name, later.contact_phone) == tuple(named.values())


@pytest.mark.rule("O-14")
@pytest.mark.parametrize(
    "experts", [{}, {"x-1": an_expert(state="suspended")}, {"x-1": an_expert(absent_on=(SATURDAY,))}]
)
def test_no_visit_is_matched_confirmed_or_delivered_without_an_expert_who_is_there(experts):
    for state, do in (
        ("requested", partial(expert_visit.match, experts=experts)),
        ("matched", partial(expert_visit.confirm, experts=experts)),
        ("confirmed", partial(delivered, experts=experts)),
    ):
        with pytest.raises(ExpertMissing):
            do(a_visit(state=state))

    elsewhere = {"x-1": an_expert(absent_on=(SUNDAY,))}
    assert expert_visit.match(a_visit(), experts=elsewhere).record.entry_ids == ("x-1",)


@pytest.mark.rule("O-24")
def test_a_visit_takes_the_slot_of_each_of_its_experts_until_it_is_cancelled():
    experts = {"x-1": an_expert(), "x-2": an_expert()}
    matched = expert_visit.match(a_visit(), experts=experts).record

    assert matched.bookings == ("x-1 2011-05-14 morning", "x-2 2011-05-14 morning")
    assert expert_visit.cancel(matched, reason="学校停课").record.bookings == ()


@pytest.mark.rule("O-25")
def test_a_visit_is_delivered_with_the_receiver_s_confirmation_alone():
    with pytest.raises(ReceiverSilent):
        delivered(a_visit(state="confirmed"), receipt_sha256=None)

    assert delivered(a_visit(state="confirmed")).record.delivered_on == SATURDAY


@pytest.mark.rule("O-25")
@pytest.mark.parametrize(
    "changes", [{"format": "plaza"}, {"days": (SUNDAY,)}, {"state": "scheduled"}, {"state": "cancelled"}]
)
def test_a_visit_s_audience_is_that_of_a_visit_or_lecture_held_on_its_day(changes):
    with pytest.raises(NotItsActivity):
        delivered(a_visit(state="confirmed"), activity=an_activity(**{"format": "visit", **changes}))

    for state in HELD:
        done = delivered(a_visit(state="confirmed"), activity=an_activity(format="visit", state=state))
        assert done.record.activity_id == "a-1"


@pytest.mark.rule("X-07")
def test_a_visit_is_not_delivered_before_its_day():
    with pytest.raises(NotYet):
        delivered(a_visit(state="confirmed"), today=date(2011, 5, 13))


def test_absences_are_kept_in_order_and_once():
    revised = roster.revise(an_expert(), discipline_codes=("d-geo",), absent_on=(SUNDAY, SATURDAY, SUNDAY)).record

    assert revised.absent_on == (SATURDAY, SUNDAY)
