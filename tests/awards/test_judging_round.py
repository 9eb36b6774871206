"""Rounds of judging: started when all have judges, closed when all have scores, reopened at need."""

from dataclasses import replace
from datetime import date

import pytest

from services import contract
from services.awards.domain import judging_round
from services.awards.domain.conflict import Conflict, Conflicts
from services.awards.domain.judging_round import (
    LIFECYCLE,
    LaterRound,
    NobodyToJudge,
    NoSuchRound,
    SeatsEmpty,
    StartedEarly,
    Undecided,
)
from services.awards.domain.ranking import BoundaryTie, MinuteMissing, NotTied, Vote
from services.awards.domain.round_result import TooFewScores
from services.kernel.lifecycle import ForbiddenMove
from tests.awards.rounds import DAY, TWO_ROUNDS, a_round, an_edition, entries, judged, sheets

HAPPENINGS = contract.awards.Round.kind.happenings
CLEAR = {"judge-a": {"e1": 90, "e2": 80}, "judge-b": {"e1": 88, "e2": 82}}
TIED = {"judge-a": {"e1": 90, "e2": 80}, "judge-b": {"e1": 80, "e2": 90}}
A_VOTE = Vote(order=("e2", "e1"), minute="评委会纪要〔2011〕3号")


def started(**changes):
    usual = {
        "edition_id": "e-1",
        "round_no": 1,
        "earlier": (),
        "entries": entries("e1", "e2", state="eligible"),
        "undecided": frozenset(),
        "seats": {"e1": 2, "e2": 2},
        "today": DAY,
    }
    edition = changes.pop("edition", None) or an_edition(state="eligibility")
    return judging_round.start(edition, **{**usual, **changes})


def closed(*ids, table, edition=None):
    """A first round that was closed with these scores."""
    held = a_round(*ids, state="closing", is_last=False)
    return judging_round.settle(held, of=judged(held, table, edition=edition), today=DAY).record


def candidates(rounds, of, *, round_no=1):
    return judging_round.candidates(rounds, of, round_no=round_no)


MOVES = {
    "closing": (lambda held: judging_round.close(held, of=judged(held, CLEAR)), "closing"),
    "closed": (lambda held: judging_round.settle(held, of=judged(held, CLEAR), today=DAY), "closed"),
    "open": (lambda held: judging_round.reopen(held, edition=an_edition(), rested_on=False, reason="回避"), "reopened"),
}


@pytest.mark.rule("X-12")
@pytest.mark.parametrize("state", LIFECYCLE.states)
@pytest.mark.parametrize("to", MOVES)
def test_a_state_allows_its_own_moves_and_refuses_all_others(state, to):
    do, happening = MOVES[to]
    held = a_round("e1", "e2", state=state)

    if state == "closing" and to == "open":  # not by anybody's order: where the last moment left too few scores
        change = judging_round.settle(held, of=judged(held, {"judge-a": {"e1": 90, "e2": 80}}), today=DAY)
        assert (change.record.state, change.happened) == ("open", "reopened")
    elif to in LIFECYCLE.moves[state]:
        change = do(held)
        assert (change.record.state, change.happened) == (to, happening)
        assert happening in HAPPENINGS
    elif to == "closed":
        assert do(held) is None
    else:
        with pytest.raises(ForbiddenMove, match=f"state={state}"):
            do(held)


def test_the_machine_has_the_states_of_the_contract():
    assert set(LIFECYCLE.states) == set(contract.awards.Round.kind.states)


# --- starting ---------------------------------------------------------------------------------------------------------


def test_a_round_knows_its_entries_and_whether_it_is_the_last():
    assert started().record == replace(a_round("e1", "e2"), started_on=DAY)
    assert not started(edition=an_edition(state="eligibility", rounds=TWO_ROUNDS)).record.is_last


@pytest.mark.rule("A-33")
def test_a_round_waits_for_every_entry_to_be_decided_about_and_has_one_at_least():
    with pytest.raises(Undecided, match="entries=e3, e4"):
        started(undecided={"e4", "e3"})
    with pytest.raises(NobodyToJudge):
        started(entries={})


@pytest.mark.rule("A-17")
def test_a_round_waits_until_each_entry_has_as_many_judges_as_its_category_asks_for():
    with pytest.raises(SeatsEmpty, match="entries=e2"):
        started(seats={"e1": 2, "e2": 1})
    with pytest.raises(SeatsEmpty, match="entries=e1, e2"):
        started(seats={})


@pytest.mark.rule("X-07")
def test_a_round_starts_on_the_first_day_of_its_own_window():
    first = TWO_ROUNDS[0].judge_from

    assert started(today=first).happened == "started"
    with pytest.raises(StartedEarly, match="judge_from=2011-04-10"):
        started(today=date(2011, 4, 9))
    with pytest.raises(StartedEarly, match="judge_from=2011-04-15"):
        started(edition=an_edition(rounds=TWO_ROUNDS), round_no=2, earlier=[a_round("e1", state="closed")], today=DAY)


@pytest.mark.rule("A-33")
@pytest.mark.parametrize(
    ("round_no", "before"), [(2, ()), (2, ("open",)), (1, ("closed",)), (3, ("closed", "closed")), (2, ("closing",))]
)
def test_rounds_are_held_in_their_order_and_as_many_as_the_edition_has(round_no, before):
    earlier = [a_round("e1", state=state, round_no=number) for number, state in enumerate(before, start=1)]

    with pytest.raises(NoSuchRound):
        started(edition=an_edition(rounds=TWO_ROUNDS), round_no=round_no, earlier=earlier, today=date(2011, 4, 15))


@pytest.mark.rule("X-12")
@pytest.mark.parametrize("state", ["planned", "collecting", "deliberation", "publicity", "cancelled"])
def test_a_round_starts_in_an_edition_that_is_being_checked_or_judged(state):
    with pytest.raises(ForbiddenMove, match=f"state={state}"):
        started(edition=an_edition(state=state))


def test_who_went_on_is_judged_next_and_whoever_was_excluded_since_is_not():
    first = a_round("e1", "e2", "e3", state="closed", is_last=False, advanced_ids=("e1", "e2"))
    of = entries("e1", "e3", e2="disqualified")

    assert set(candidates((), entries("e1", e2="eligible", e3="ineligible", e4="submitted"))) == {"e1", "e2"}
    assert set(candidates((first,), of, round_no=2)) == {"e1"}


def test_nobody_is_judged_in_a_later_round_before_it_is_certain_who_goes_on():
    first = a_round("e1", "e2", is_last=False)

    assert candidates((), entries("e1"), round_no=2) == {}
    assert candidates((first,), entries("e1", "e2"), round_no=2) == {}
    assert set(candidates((first,), entries("e1", "e2"))) == {"e1", "e2"}


@pytest.mark.rule("A-09")
def test_a_judge_who_came_into_conflict_fills_no_seat_whether_the_sheet_has_heard_of_it_or_not():
    told = sheets({"judge-a": {"e1": 1, "e2": 1}, "judge-b": {"e1": 1, "e2": 1}}, state="sent")
    flagged = sheets({"judge-c": {"e1": 1}}, state="accepted", flagged="relative")
    relative = Conflict(entry_id="e1", conflict_type="relative", source="declared")
    conflicts = Conflicts(edition_id="e-1", judge_id="judge-a", conflicts=(relative,))

    assert judging_round.seats([*told, *flagged], [conflicts]) == {"e1": 1, "e2": 2}


# --- closing ----------------------------------------------------------------------------------------------------------


@pytest.mark.rule("A-17")
def test_a_round_is_not_closed_while_an_entry_has_too_few_scores():
    held = a_round("e1", "e2")

    with pytest.raises(TooFewScores, match="e2: 1"):
        judging_round.close(held, of=judged(held, {"judge-a": {"e1": 90, "e2": 80}, "judge-b": {"e1": 88}}))


@pytest.mark.rule("A-33")
def test_a_round_is_not_closed_while_a_late_entry_waits_to_be_decided_about():
    held = a_round("e1", "e2")
    of = entries("e1", "e2", e3="submitted")

    with pytest.raises(Undecided, match="entries=e3"):
        judging_round.close(held, of=judged(held, CLEAR, of=of))


@pytest.mark.rule("A-17")
def test_an_entry_that_was_found_eligible_late_is_judged_like_the_others():
    held = a_round("e1", "e2")

    with pytest.raises(TooFewScores, match="e3: 0"):
        judging_round.close(held, of=judged(held, CLEAR, of=entries("e1", "e2", e3="eligible")))


@pytest.mark.parametrize("state", ["disqualified", "withdrawn"])
def test_an_entry_that_is_out_is_not_waited_for_while_the_round_is_open(state):
    held = a_round("e1", "e2", "e3")
    closing = judging_round.close(held, of=judged(held, CLEAR, of=entries("e1", "e2", e3=state))).record

    assert closing.entry_ids == ("e1", "e2")


def test_an_entry_that_is_excluded_after_the_close_leaves_its_place_to_the_next_and_the_hash_as_it_was():
    held = a_round("e1", "e2", state="closed")
    before, after = (judged(held, CLEAR, of=of) for of in (entries("e1", "e2"), entries("e2", e1="disqualified")))

    assert after.standings().inputs_hash == before.standings().inputs_hash
    assert [place.entry_id for place in after.standings().places["innovation"]] == ["e2"]
    assert after.standings().places["innovation"][0].rank == 1


def test_a_closed_round_says_by_which_method_and_from_which_sheets_who_goes_on():
    held = a_round("e1", "e2", "e3", "e4", is_last=False, state="closing")
    table = {"a": {"e1": 90, "e2": 80, "e3": 70, "e4": 60}, "b": {"e1": 91, "e2": 81, "e3": 71, "e4": 61}}

    closed = judging_round.settle(held, of=judged(held, table, edition=an_edition(rounds=TWO_ROUNDS)), today=DAY).record

    assert (closed.method, closed.advanced_ids, closed.eliminated_count) == ("mean", ("e1", "e2"), 2)
    assert closed.inputs_hash == judged(held, table).standings().inputs_hash
    assert [closed.leads_to(one) for one in held.entry_ids] == [
        "shortlisted",
        "shortlisted",
        "eliminated",
        "eliminated",
    ]
    assert closed.leads_edition_to == "judging"


def test_from_the_last_round_everybody_goes_to_the_committee():
    held = a_round("e1", "e2", state="closing")

    closed = judging_round.settle(held, of=judged(held, CLEAR), today=DAY).record

    assert (closed.advanced_ids, closed.eliminated_count, closed.leads_edition_to) == (("e1", "e2"), 0, "deliberation")
    assert closed.leads_to("e1") == "proposed"


def test_a_sheet_that_is_flagged_or_taken_back_in_the_last_moment_lets_the_round_go_on():
    held = a_round("e1", "e2", state="closing")
    flagged = judging_round.gather(
        (held,),
        edition=an_edition(),
        entries=entries("e1", "e2"),
        sheets=[*sheets({"a": {"e1": 90, "e2": 80}}), *sheets({"b": {"e1": 88, "e2": 82}}, flagged="institutional")],
    )

    change = judging_round.settle(held, of=flagged, today=DAY)

    assert (change.record.state, change.happened) == ("open", "reopened")
    assert "A-17" in change.reason


def test_only_sheets_that_stand_count():
    held = a_round("e1", "e2")
    of = [*sheets(CLEAR), *sheets({"judge-c": {"e1": 10, "e2": 100}}, state="recused")]

    found = judging_round.gather((held,), edition=an_edition(), entries=entries("e1", "e2"), sheets=of)

    assert [one.judge_id for one in found.sheets] == ["judge-a", "judge-a", "judge-b", "judge-b"]


def test_two_rounds_are_weighted_and_a_round_of_no_weight_only_selects():
    before = {"a": {"e1": 90, "e2": 50}, "b": {"e1": 90, "e2": 50}}
    second = a_round("e1", "e2", round_no=2)
    of = sheets(before) + sheets({"a": {"e1": 60, "e2": 80}, "b": {"e1": 60, "e2": 80}}, round_no=2)

    def adjusted(weight):
        rounds = (replace(TWO_ROUNDS[0], weight=weight), TWO_ROUNDS[1])
        edition = an_edition(rounds=rounds)
        first = closed("e1", "e2", table=before, edition=edition)
        found = judging_round.gather((first, second), edition=edition, entries=entries("e1", "e2"), sheets=of)
        return {place.entry_id: str(place.adjusted) for place in found.standings().places["innovation"]}

    assert adjusted(25) == {"e2": "72.5000", "e1": "67.5000"}
    assert adjusted(0) == {"e2": "80.0000", "e1": "60.0000"}


def test_a_conflict_that_comes_to_light_later_leaves_an_earlier_round_as_it_was_closed():
    edition = an_edition(rounds=(replace(TWO_ROUNDS[0], advance_percent=100), TWO_ROUNDS[1]))
    first = closed("e1", "e2", table=CLEAR, edition=edition)
    flagged = [replace(one, flagged="institutional") for one in sheets(CLEAR)]

    found = judging_round.gather(
        (first, a_round("e1", "e2", round_no=2)),
        edition=edition,
        entries=entries("e1", "e2"),
        sheets=[*flagged, *sheets(TIED, round_no=2)],
    )

    assert found.advanced() == ("e1", "e2")
    assert [str(place.adjusted) for place in found.standings().places["innovation"]] == ["86.0000", "84.0000"]


def test_the_figures_of_a_closed_round_are_those_that_it_was_closed_with():
    of = entries("e1", "e2")
    held = closed("e1", "e2", table=CLEAR)

    kept = judging_round.closed_with((held,), edition=an_edition(), entries=of)

    assert kept == judged(held, CLEAR).standings()


# --- ties -------------------------------------------------------------------------------------------------------------


@pytest.mark.rule("A-19")
def test_a_tie_at_the_edge_of_those_who_go_on_waits_for_the_committee():
    held = a_round("e1", "e2", is_last=False)
    of = judged(held, TIED, edition=an_edition(rounds=TWO_ROUNDS))

    with pytest.raises(BoundaryTie, match="tied=e1, e2"):
        judging_round.close(held, of=of)
    voted = judging_round.resolve_tie(held, of=of, category_code="innovation", vote=A_VOTE).record

    assert judging_round.settle(replace(voted, state="closing"), of=of, today=DAY).record.advanced_ids == ("e2",)


@pytest.mark.rule("A-19")
def test_the_committee_votes_on_a_tie_of_a_closed_round_with_a_minute_and_the_place_says_so():
    held = a_round("e1", "e2", state="closed")
    of = judged(held, TIED)

    with pytest.raises(MinuteMissing):
        judging_round.resolve_tie(held, of=of, category_code="innovation", vote=replace(A_VOTE, minute=""))
    voted = judging_round.resolve_tie(held, of=of, category_code="innovation", vote=A_VOTE).record

    first, second = of.standings(voted.votes).places["innovation"]
    assert [(first.entry_id, first.rank), (second.entry_id, second.rank)] == [("e2", 1), ("e1", 2)]
    assert (first.decided_by, first.minute) == ("committee", "评委会纪要〔2011〕3号")


@pytest.mark.rule("A-19")
@pytest.mark.parametrize(("table", "category_code"), [(CLEAR, "innovation"), (TIED, "painting")])
def test_nobody_votes_on_what_is_no_tie(table, category_code):
    held = a_round("e1", "e2")

    with pytest.raises(NotTied):
        judging_round.resolve_tie(held, of=judged(held, table), category_code=category_code, vote=A_VOTE)


def test_a_vote_on_a_tie_that_is_none_any_more_decides_nothing():
    held = a_round("e1", "e2", votes=(A_VOTE,))

    assert [place.entry_id for place in judged(held, CLEAR).standings(held.votes).places["innovation"]] == ["e1", "e2"]


# --- reopening --------------------------------------------------------------------------------------------------------


@pytest.mark.rule("X-04")
def test_a_round_is_not_reopened_under_a_later_one_or_a_list():
    held = a_round("e1", state="closed", method="mean", inputs_hash="0" * 64, advanced_ids=("e1",), votes=(A_VOTE,))

    with pytest.raises(LaterRound):
        judging_round.reopen(held, edition=an_edition(), rested_on=True, reason="回避")
    with pytest.raises(LaterRound, match="edition=publicity"):
        judging_round.reopen(held, edition=an_edition(state="publicity"), rested_on=False, reason="回避")

    assert judging_round.reopen(
        held, edition=an_edition(state="deliberation"), rested_on=False, reason="回避"
    ).record == a_round("e1")


@pytest.mark.rule("X-04")
def test_nobody_votes_on_a_tie_under_a_later_round_or_a_list():
    held = a_round("e1", "e2", state="closed")

    with pytest.raises(LaterRound):
        judging_round.resolve_tie(held, of=judged(held, TIED), category_code="innovation", vote=A_VOTE, rested_on=True)


def test_the_entries_of_a_reopened_round_are_its_own_wherever_they_have_come_meanwhile():
    held = a_round("e1", "e2", "e3")
    of = entries("e1", e2="eliminated", e3="proposed")

    assert held.entries_of(of) == ("e1", "e2", "e3")
