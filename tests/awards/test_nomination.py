"""The rules by which winners go on to the contest above."""

from dataclasses import replace
from datetime import date, datetime
from functools import partial

import pytest

from services import contract
from services.awards.domain import nomination, nomination_call
from services.awards.domain.nomination import (
    HOLDING,
    LIFECYCLE,
    BeyondQuota,
    NotAProvincialWinner,
    NotAWinner,
    SealedStays,
    heed,
    nominate,
)
from services.awards.domain.nomination_call import NotTheLowerContest
from services.kernel import ForbiddenMove
from services.kernel.calendar import SHANGHAI
from services.kernel.duty import SamePerson
from services.kernel.quantity import NotWhole
from tests.awards.examples import a_result, an_edition, an_entry
from tests.awards.upward import a_call, a_nomination
from tests.machines import follows_the_machine

NIGHT = datetime(2011, 3, 14, 23, 30, tzinfo=SHANGHAI)
WON = an_entry(state="awarded")

COMMANDS = {
    "withdrawn": lambda one: nomination.withdraw(one, an_entry(state="revoked"), reason="改推他项"),
    "sealed": lambda one: nomination.seal(one, WON, at=NIGHT, by="u-chair"),
    "sent_up": lambda one: nomination.send_up(one, WON, today=date(2011, 3, 15)),
    "accepted_above": nomination.accept_above,
    "returned_above": lambda one: nomination.return_above(one, reason="材料不全"),
    "result_known": nomination.conclude,
}


def put(entry=WON, call=None, *, slot_no=1, won=()):
    return nominate(entry, call or a_call(), entry_id="n-1", call_id="c-1", slot_no=slot_no, won=won, by="u-li")


@pytest.mark.rule("X-12")
@pytest.mark.parametrize("state", LIFECYCLE.states)
@pytest.mark.parametrize("to", COMMANDS)
def test_a_state_allows_its_own_moves_and_refuses_all_others(state, to):
    follows_the_machine(LIFECYCLE, state, to, partial(COMMANDS[to], a_nomination(state=state)), happened=to)


def test_the_machines_have_the_states_of_the_contract_and_each_move_has_its_command():
    assert set(LIFECYCLE.states) == set(contract.awards.Nomination.kind.states)
    assert {"drafted", *COMMANDS} == set(contract.awards.Nomination.kind.happenings)
    assert {to for targets in LIFECYCLE.moves.values() for to in targets} == set(COMMANDS)
    assert set(nomination_call.LIFECYCLE.states) == set(contract.awards.NominationCall.kind.states)
    assert set(HOLDING) == set(LIFECYCLE.states) - {"withdrawn"}


# --- calls ------------------------------------------------------------------------------------------------------------


@pytest.mark.rule("A-08")
@pytest.mark.parametrize(
    ("edition", "call"),
    [
        ({"level": "province"}, {}),
        ({"level": "national"}, {"to_level": "province"}),
        ({"programme_kind": "paper"}, {}),
        ({}, {"to_series": "other"}),
        ({}, {"year": 2012}),
    ],
)
def test_a_call_is_of_the_contest_above_of_the_same_kind_and_year(edition, call):
    with pytest.raises(NotTheLowerContest):
        a_call(an_edition(**edition), **call)

    assert a_call(an_edition(level="province"), to_level="national").to_level == "national"
    assert a_call(an_edition(programme_kind="golden_bridge"), to_series="other").to_series == "other"


@pytest.mark.rule("X-06")
def test_slots_are_whole():
    with pytest.raises(NotWhole):
        a_call(places=-1)


@pytest.mark.rule("X-12")
@pytest.mark.parametrize("state", nomination_call.LIFECYCLE.states)
def test_by_a_closed_call_nobody_is_nominated_and_it_is_closed_once(state):
    call = a_call(state=state)

    if "closed" in nomination_call.LIFECYCLE.moves.get(state, ()):
        assert put(call=call).happened == "drafted"
        assert nomination_call.close(call, reason="名额有误").record.state == "closed"
    else:
        with pytest.raises(ForbiddenMove, match=f"state={state}"):
            put(call=call)
        with pytest.raises(ForbiddenMove, match=f"state={state}"):
            nomination_call.close(call, reason="又一次")


# --- who goes up ------------------------------------------------------------------------------------------------------


@pytest.mark.rule("A-08")
@pytest.mark.parametrize("state", [state for state in contract.awards.Entry.kind.states if state != "awarded"])
def test_who_did_not_win_is_not_nominated(state):
    with pytest.raises(NotAWinner, match=f"state={state}"):
        put(an_entry(state=state))


@pytest.mark.rule("A-08")
def test_who_won_elsewhere_did_not_win_here():
    with pytest.raises(NotAWinner, match="edition_id=e-2"):
        put(an_entry(state="awarded", edition_id="e-2"))


@pytest.mark.rule("A-08")
def test_the_last_slot_of_the_quota_is_taken_and_the_next_one_is_refused():
    assert put(slot_no=3).record.slot_no == 3
    for beyond in (0, 4):
        with pytest.raises(BeyondQuota, match=f"slot_no={beyond}, places=3"):
            put(slot_no=beyond)


@pytest.mark.rule("A-08")
def test_for_the_nation_goes_who_won_in_the_province_that_year():
    national = a_call(to_level="national")
    province = a_result(state="verified", entry_id="n-1", awarded_on=date(2011, 3, 27))

    for lacking in (
        {"state": "reported"},
        {"state": "revoked"},
        {"level": "national"},
        {"series": "other"},
        {"awarded_on": date(2010, 3, 27)},
    ):
        with pytest.raises(NotAProvincialWinner, match="entry_id=n-1, year=2011"):
            put(call=national, won=[replace(province, **lacking)])
    assert put(call=national, won=[province]).record.to_level == "national"


@pytest.mark.rule("A-08")
@pytest.mark.parametrize("to", ["sealed", "sent_up"])
def test_who_lost_the_prize_since_goes_no_further(to):
    lost = an_entry(state="revoked")
    steps = {
        "sealed": lambda: nomination.seal(a_nomination(), lost, at=NIGHT, by="u-chair"),
        "sent_up": lambda: nomination.send_up(a_nomination(state="sealed"), lost, today=NIGHT.date()),
    }

    with pytest.raises(NotAWinner, match="state=revoked"):
        steps[to]()


@pytest.mark.rule("A-08")
@pytest.mark.parametrize("state", ["sealed", "returned_above"])
def test_a_sealed_slot_stays_with_a_winner_and_is_left_by_whoever_lost_the_prize_since(state):
    sealed = a_nomination(state=state, sealed_at=NIGHT, sealed_by="u-chair")

    with pytest.raises(SealedStays, match="slot_no=1"):
        nomination.withdraw(sealed, WON, reason="改推他项")
    assert nomination.withdraw(sealed, an_entry(state="revoked"), reason="奖项撤销").record.state == "withdrawn"
    assert nomination.withdraw(a_nomination(), WON, reason="改推他项").record.state == "withdrawn"


@pytest.mark.rule("X-05", "A-08")
def test_a_slot_is_sealed_by_another_person_and_on_the_day_of_shanghai():
    with pytest.raises(SamePerson):
        nomination.seal(a_nomination(), WON, at=NIGHT, by="u-li")

    sealed = nomination.seal(a_nomination(), WON, at=NIGHT, by="u-chair").record
    assert (sealed.sealed_at, sealed.sealed_on, sealed.sealed_by) == (NIGHT, date(2011, 3, 14), "u-chair")
    assert a_nomination().sealed_on is None


# --- the result -------------------------------------------------------------------------------------------------------


def a_fitting(**changes):
    return replace(a_result(state="verified", entry_id="n-1"), **changes)


def test_a_verified_prize_of_the_entry_at_that_contest_is_the_result():
    accepted = a_nomination(state="accepted_above")
    others = [
        ("r-1", a_fitting(state="reported")),
        ("r-2", a_fitting(entry_id="n-2")),
        ("r-3", a_fitting(entry_id=None)),
        ("r-4", a_fitting(level="national")),
        ("r-5", a_fitting(series="other")),
        ("r-6", a_fitting(edition_no=25)),
    ]

    assert heed(accepted, others) is None
    known = heed(accepted, [*others, ("r-9", a_fitting()), ("r-8", a_fitting(award_kind="special"))])
    assert (known.record.state, known.record.result_id) == ("result_known", "r-8")


@pytest.mark.parametrize("state", [state for state in LIFECYCLE.states if state != "accepted_above"])
def test_a_prize_changes_no_nomination_that_waits_for_no_result(state):
    assert heed(a_nomination(state=state), [("r-1", a_fitting())]) is None


@pytest.mark.rule("X-08")
def test_the_view_names_nobody():
    view = contract.awards.Nomination.kind.write(a_nomination(sealed_at=NIGHT, sealed_by="u-chair"))

    assert (view["slot_no"], view["sealed_on"], view["result_id"]) == (1, "2011-03-14", None)
    assert "u-" not in str(view)
