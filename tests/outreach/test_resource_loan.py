"""The rules of shared resources and their loans."""

from dataclasses import replace
from datetime import date
from functools import partial

import pytest

from services import contract
from services.kernel import ForbiddenMove
from services.kernel.day import NotYet, OutOfOrder
from services.outreach.domain import resource, resource_loan
from services.outreach.domain.activity import TooEarly
from services.outreach.domain.resource_loan import LoanTooLong
from tests.machines import follows_the_machine

TODAY = date(2011, 6, 30)
FIRST, LAST = date(2011, 5, 14), date(2011, 5, 16)
LIBRARY, LOANS = resource.LIFECYCLE, resource_loan.LIFECYCLE


def an_item(*, state="available"):
    panels = resource.register(
        resource_kind="panel_set", name="防震减灾展板", acquired_on=FIRST, district="511102", today=TODAY
    )
    return replace(panels.record, state=state)


def a_loan(*, state="reserved", item=None, **changes):
    """Of the panels, reserved by u-li for three days of May; where it went further, handed out on the first."""
    terms = {"borrower_id": "o-school", "starts_on": FIRST, "ends_on": LAST, "by": "u-li"}
    given = {name: changes.pop(name) for name in terms if name in changes}
    reserved = resource_loan.reserve(resource_id="panels-1", resource=item or an_item(), **{**terms, **given}).record
    return replace(reserved, state=state, out_on=None if state in ("reserved", "cancelled") else FIRST, **changes)


OF_ITEMS = {
    ("retired", "retired"): lambda it: resource.retire(it, reason="破损"),
    ("available", "restored"): lambda it: resource.find_again(it, reason="已找回"),
}
OF_LOANS = {
    ("out", "handed_out"): lambda it: resource_loan.hand_out(it, resource=an_item(), out_on=FIRST, today=TODAY),
    ("returned", "returned"): lambda it: resource_loan.take_back(it, returned_on=LAST, today=TODAY),
    ("lost", "lost"): lambda it: resource_loan.lose(it, reason="搬运途中遗失"),
    ("cancelled", "cancelled"): lambda it: resource_loan.cancel(it, reason="活动取消"),
}


@pytest.mark.parametrize("state", LIBRARY.states)
@pytest.mark.parametrize(("to", "happening"), OF_ITEMS)
@pytest.mark.rule("X-12")
def test_an_item_allows_its_own_moves_and_refuses_all_others(state, to, happening):
    follows_the_machine(LIBRARY, state, to, partial(OF_ITEMS[to, happening], an_item(state=state)), happened=happening)


@pytest.mark.parametrize("state", LOANS.states)
@pytest.mark.parametrize(("to", "happening"), OF_LOANS)
@pytest.mark.rule("X-12")
def test_a_loan_allows_its_own_moves_and_refuses_all_others(state, to, happening):
    follows_the_machine(LOANS, state, to, partial(OF_LOANS[to, happening], a_loan(state=state)), happened=happening)


def test_the_machines_have_the_states_of_the_contract():
    assert set(LIBRARY.states) == set(contract.outreach.Resource.kind.states)
    assert set(LOANS.states) == set(contract.outreach.ResourceLoan.kind.states)
    assert {to for to, _ in OF_LOANS} == set(LOANS.states) - {"reserved"}


@pytest.mark.rule("O-21")
def test_a_loan_takes_each_of_its_days_until_it_ended():
    assert a_loan().bookings == ("panels-1 2011-05-14", "panels-1 2011-05-15", "panels-1 2011-05-16")
    for (to, _), do in OF_LOANS.items():
        before = a_loan(state="reserved" if to in ("out", "cancelled") else "out")
        assert bool(do(before).record.bookings) == (to == "out")


@pytest.mark.rule("O-21")
def test_a_loan_takes_92_days_at_most():
    assert len(a_loan(ends_on=date(2011, 8, 13)).bookings) == 92
    with pytest.raises(LoanTooLong):
        a_loan(ends_on=date(2011, 8, 14))


@pytest.mark.rule("X-07")
def test_a_loan_ends_after_it_begins_and_is_handed_out_within_its_days():
    assert len(a_loan(ends_on=FIRST).bookings) == 1
    with pytest.raises(OutOfOrder):
        a_loan(ends_on=date(2011, 5, 13))
    for out_on in (date(2011, 5, 13), date(2011, 5, 17)):
        with pytest.raises(OutOfOrder):
            resource_loan.hand_out(a_loan(), resource=an_item(), out_on=out_on, today=TODAY)
    with pytest.raises(OutOfOrder):
        resource_loan.take_back(a_loan(state="out"), returned_on=date(2011, 5, 13), today=TODAY)
    with pytest.raises(NotYet):
        resource_loan.take_back(a_loan(state="out"), returned_on=date(2011, 7, 1), today=TODAY)


@pytest.mark.rule("X-12")
@pytest.mark.parametrize("state", ["retired", "lost"])
def test_what_is_not_in_the_library_is_neither_reserved_nor_handed_out(state):
    with pytest.raises(ForbiddenMove):
        a_loan(item=an_item(state=state))
    with pytest.raises(ForbiddenMove):
        resource_loan.hand_out(a_loan(), resource=an_item(state=state), out_on=FIRST, today=TODAY)


@pytest.mark.rule("X-07")
def test_a_loan_is_overdue_the_day_after_its_last_and_told_once():
    out = a_loan(state="out")
    with pytest.raises(TooEarly):
        resource_loan.mark_overdue(out, today=LAST)

    told = resource_loan.mark_overdue(out, today=date(2011, 5, 17))
    assert (told.happened, told.record.overdue) == ("overdue", True)
    assert resource_loan.mark_overdue(told.record, today=TODAY) is None
    with pytest.raises(ForbiddenMove):
        resource_loan.mark_overdue(a_loan(state="returned"), today=TODAY)


def test_what_comes_back_late_was_overdue_though_nobody_told():
    late = resource_loan.take_back(a_loan(state="out"), returned_on=date(2011, 5, 17), today=TODAY).record
    on_time = resource_loan.take_back(a_loan(state="out"), returned_on=LAST, today=TODAY).record

    assert (late.overdue, on_time.overdue) == (True, False)


def test_a_lost_item_is_lost_once_and_a_retired_one_stays_so():
    assert resource.follow_loss(an_item()).record.state == "lost"
    assert resource.follow_loss(an_item(state="lost")) is None
    assert resource.follow_loss(an_item(state="retired")) is None
