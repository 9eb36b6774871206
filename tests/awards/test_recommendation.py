"""The rules by which somebody is recommended above."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial

import pytest

from services import contract
from services.awards.domain import recommendation
from services.awards.domain.recommendation import (
    HOLDING,
    LIFECYCLE,
    MisconductKnown,
    MisconductUnchecked,
    PublicityRunning,
    VoteLost,
    WorkerUnconfirmed,
)
from services.kernel.calendar import SHANGHAI
from services.kernel.day import NotYet
from services.kernel.duty import SamePerson
from services.kernel.quantity import NotWhole
from tests.machines import follows_the_machine

TODAY = date(2011, 3, 1)
OVER = datetime(2011, 3, 8, tzinfo=SHANGHAI)  # a week on public display since 1 March
NOTHING = frozenset()


def propose(**changes):
    usual = {
        "candidate_id": "p-luo",
        "target_kind": "talent_plan",
        "target_level": "province",
        "target_title": "天府科技英才",
        "proposer_org_ids": ("o-society",),
        "worker_document_sha256": "c" * 64,
        "misconduct_checked_on": date(2011, 2, 28),
        "held_against": NOTHING,
    }
    return recommendation.recommend(**{**usual, "today": TODAY, "by": "u-li", **changes})


def a_recommendation(*, state="proposed", **changes):
    """Proposed by u-li, voted for by 9 of 10, on public display in the first week of March."""
    usual = {"votes_for": 9, "votes_against": 1, "publicity_from": TODAY, "publicity_ends_at": OVER}
    return replace(propose().record, state=state, **{**usual, **changes})


def publicise(one, *, starts_on=TODAY, unit="calendar"):
    return recommendation.publicise(one, starts_on=starts_on, publicity_days=7, publicity_unit=unit, today=TODAY)


COMMANDS = {
    "verified": lambda one: recommendation.verify(one, held_against=NOTHING, by="u-wang"),
    "voted": lambda one: recommendation.vote(one, votes_for=9, votes_against=1, minute_no="2011-3"),
    "publicised": publicise,
    "submitted_up": lambda one: recommendation.submit_up(one, held_against=NOTHING, at=OVER),
    "selected": lambda one: recommendation.answer(
        one, answer="selected", answered_on=TODAY, document_no="川人才〔2011〕1号", today=TODAY
    ),
    "not_selected": lambda one: recommendation.answer(
        one, answer="not_selected", answered_on=TODAY, document_no=None, today=TODAY
    ),
    "withdrawn": lambda one: recommendation.withdraw(one, reason="本人要求"),
}


@pytest.mark.rule("X-12")
@pytest.mark.parametrize("state", LIFECYCLE.states)
@pytest.mark.parametrize("to", COMMANDS)
def test_a_state_allows_its_own_moves_and_refuses_all_others(state, to):
    follows_the_machine(LIFECYCLE, state, to, partial(COMMANDS[to], a_recommendation(state=state)), happened=to)


def test_the_machine_has_the_states_of_the_contract_and_each_move_has_its_command():
    assert set(LIFECYCLE.states) == set(contract.awards.Recommendation.kind.states)
    assert {"proposed", *COMMANDS} == set(contract.awards.Recommendation.kind.happenings)
    assert {to for targets in LIFECYCLE.moves.values() for to in targets} == set(COMMANDS)
    assert set(HOLDING) == set(LIFECYCLE.states) - {"withdrawn", "not_selected"}


@pytest.mark.rule("A-27")
def test_who_is_no_confirmed_worker_or_was_not_looked_into_is_not_recommended():
    with pytest.raises(WorkerUnconfirmed, match="candidate_id=p-luo"):
        propose(worker_document_sha256=None)
    with pytest.raises(MisconductUnchecked, match="candidate_id=p-luo"):
        propose(misconduct_checked_on=None)

    assert propose().happened == "proposed"


@pytest.mark.rule("A-27")
def test_who_was_excluded_for_fraud_is_not_recommended_nor_goes_on_when_it_becomes_known():
    known = frozenset({"n-2", "n-1"})

    with pytest.raises(MisconductKnown, match="records=n-1, n-2"):
        propose(held_against=known)
    with pytest.raises(MisconductKnown):
        recommendation.verify(a_recommendation(), held_against=known, by="u-wang")
    with pytest.raises(MisconductKnown):
        recommendation.submit_up(a_recommendation(state="publicised"), held_against=known, at=OVER)


@pytest.mark.rule("X-05")
def test_who_proposed_does_not_verify():
    with pytest.raises(SamePerson):
        recommendation.verify(a_recommendation(), held_against=NOTHING, by="u-li")


@pytest.mark.rule("A-20")
def test_who_has_more_votes_for_than_against_is_publicised():
    for votes in ({"votes_for": 5, "votes_against": 5}, {"votes_for": 0, "votes_against": 0}):
        with pytest.raises(VoteLost):
            publicise(a_recommendation(state="voted", **votes))

    assert publicise(a_recommendation(state="voted", votes_for=6, votes_against=5)).happened == "publicised"


@pytest.mark.rule("X-06")
def test_votes_are_whole():
    with pytest.raises(NotWhole):
        recommendation.vote(a_recommendation(state="verified"), votes_for=-1, votes_against=0, minute_no="2011-3")


@pytest.mark.rule("X-07")
def test_it_goes_up_when_its_last_day_is_over_and_not_a_moment_before():
    shown = publicise(a_recommendation(state="voted", publicity_from=None, publicity_ends_at=None)).record
    assert (shown.publicity_from, shown.publicity_to, shown.publicity_ends_at) == (TODAY, date(2011, 3, 7), OVER)

    with pytest.raises(PublicityRunning, match="publicity_to=2011-03-07"):
        recommendation.submit_up(shown, held_against=NOTHING, at=OVER - timedelta(milliseconds=1))
    assert recommendation.submit_up(shown, held_against=NOTHING, at=OVER).record.submitted_up_on == date(2011, 3, 8)


@pytest.mark.rule("X-07")
def test_working_days_are_counted_where_the_period_is_in_those_and_none_begins_in_the_past():
    assert publicise(a_recommendation(state="voted"), unit="working").record.publicity_to == date(2011, 3, 9)
    with pytest.raises(match="starts_on=2011-02-28, today=2011-03-01"):
        publicise(a_recommendation(state="voted"), starts_on=date(2011, 2, 28))


@pytest.mark.rule("X-07")
def test_what_was_looked_into_and_answered_was_so_by_today():
    with pytest.raises(NotYet, match="misconduct_checked_on"):
        propose(misconduct_checked_on=date(2011, 3, 2))
    with pytest.raises(NotYet, match="answered_on"):
        recommendation.answer(
            a_recommendation(state="submitted_up"), answer="selected", answered_on=date(2011, 3, 2),
            document_no=None, today=TODAY,
        )  # fmt: skip


@pytest.mark.rule("X-08")
def test_the_view_says_neither_what_the_target_is_called_nor_who_proposed():
    view = contract.awards.Recommendation.kind.write(a_recommendation())

    assert (view["votes_for"], view["publicity_to"]) == (9, "2011-03-07")
    assert "天府" not in str(view)
    assert "u-li" not in str(view)
