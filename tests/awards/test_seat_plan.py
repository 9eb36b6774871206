"""The rules of a seat plan: what a proposal becomes, and when it holds."""

from dataclasses import replace
from functools import partial

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.awards.domain import edition as editions
from services.awards.domain import entry as entries_of
from services.awards.domain import seat_plan
from services.awards.domain.assignment import Pair, propose
from services.awards.domain.conflict import Conflicts, ConflictStands
from services.awards.domain.seat_plan import LIFECYCLE, Assignment, SeatsShort, seat_by_chair
from services.awards.schemas.editions import ROUNDS
from services.awards.schemas.sheets import ConfirmAssignment
from services.chassis import fields
from services.kernel import ForbiddenMove
from tests.awards.examples import a_category, an_edition, some_rules
from tests.awards.judging import a_judge, a_sheet
from tests.awards.jury import an_eligible_entry
from tests.machines import follows_the_machine

ENTRIES = {one: an_eligible_entry(one) for one in ("n-1", "n-2")}
IN_TIME = ("eligibility", "judging")


def judged(min_scores=2, state="eligibility"):
    return an_edition(state=state, rules=some_rules(categories=(a_category(min_scores=min_scores),)))


def a_proposal(*, entries=ENTRIES, per_entry=2, **changes):
    judges = [a_judge(f"p-{number}", affiliations=()) for number in range(3)]
    usual = {"conflicts": (), "per_entry": per_entry, "seed": 1}
    return propose(dict.fromkeys(entries), judges, **{**usual, **changes})


def draw_up(held=None, *, edition=None, proposal=None, **changes):
    usual = {"edition_id": "d-1", "round_no": 1, "per_entry": 2, "seed": 1, "due_on": None, "entry_count": 2}
    proposal = proposal or a_proposal()
    return seat_plan.draw_up(held, edition=edition or judged(), proposal=proposal, **{**usual, **changes})


def a_plan(state="proposed", **changes):
    return replace(draw_up(**changes).record, state=state)


def confirm(plan, *, edition=None, entries=ENTRIES, conflicts=()):
    return seat_plan.confirm(plan, edition=edition or judged(), entries=entries, conflicts=conflicts)


COMMANDS = {"proposed": draw_up, "confirmed": confirm}


@pytest.mark.rule("X-12")
@pytest.mark.parametrize("state", LIFECYCLE.states)
@pytest.mark.parametrize("to", COMMANDS)
def test_a_state_allows_its_own_moves_and_refuses_all_others(state, to):
    follows_the_machine(LIFECYCLE, state, to, partial(COMMANDS[to], a_plan(state)), happened=to)


@pytest.mark.rule("X-12")
@pytest.mark.parametrize("state", editions.LIFECYCLE.states)
@pytest.mark.parametrize("do", [lambda of: draw_up(edition=of), lambda of: confirm(a_plan(), edition=of)])
def test_judges_are_given_out_between_the_last_day_of_submissions_and_the_end_of_judging(state, do):
    if state in IN_TIME:
        assert do(judged(state=state)).record.seat_count == 4
    else:
        with pytest.raises(ForbiddenMove):
            do(judged(state=state))


@pytest.mark.rule("A-17")
def test_every_entry_needs_as_many_judges_as_its_category_asks_for_scores():
    with pytest.raises(SeatsShort, match="entry_id=n-1, entries=2"):
        confirm(a_plan(), edition=judged(min_scores=3))
    with pytest.raises(SeatsShort, match="entry_id=n-3, entries=1"):
        confirm(a_plan(), entries={**ENTRIES, "n-3": an_eligible_entry("n-3")})  # found eligible since

    assert confirm(a_plan(), edition=judged(min_scores=2)).happened == "confirmed"


@pytest.mark.rule("A-09")
def test_a_plan_does_not_hold_against_a_conflict_with_one_of_its_seats():
    plan = a_plan()
    seated = sorted(plan.pairs)[0]
    (elsewhere,) = {f"p-{number}" for number in range(3)} - {pair.judge_id for pair in plan.pairs if pair[1] == "n-1"}

    with pytest.raises(ConflictStands, match=f"judge_id={seated.judge_id}, entry_id={seated.entry_id}"):
        confirm(plan, conflicts={tuple(seated)})
    assert confirm(plan, conflicts={(elsewhere, "n-1")}).happened == "confirmed"


@pytest.mark.rule("A-17")
def test_of_many_uncovered_entries_the_first_are_named_and_all_are_counted():
    many = [f"n-{number:04}" for number in range(seat_plan.SHOWN + 50)]
    barred = {(f"p-{judge}", entry) for judge in range(2) for entry in many}

    plan = a_plan(proposal=a_proposal(entries=many, conflicts=barred))

    assert plan.uncovered_count == len(many)
    assert [one.entry_id for one in plan.uncovered] == many[: seat_plan.SHOWN]


@given(seed=st.integers(0, 20), held=st.frozensets(st.sampled_from([("p-0", "n-1"), ("p-1", "n-2")])))
def test_a_plan_has_the_pairs_that_were_proposed_and_says_how_many_are_kept(seed, held):
    proposal = a_proposal(seed=seed, held=held)

    plan = a_plan(proposal=proposal)

    assert plan.pairs == set(proposal.pairs)
    assert (plan.seat_count, plan.held_count) == (4, len(held))
    assert {one.judge_id: one.entries for one in plan.loads} == proposal.loads
    assert msgspec.convert(msgspec.to_builtins(plan), type=Assignment) == plan
    assert all(isinstance(pair, Pair) for pair in plan.pairs)


def test_a_category_is_a_discipline_where_a_judge_knows_it_and_else_any_judge_will_do():
    knows = a_judge(discipline_codes=("innovation",))

    assert seat_plan.disciplines(ENTRIES.items(), [knows]) == {"n-1": "innovation", "n-2": "innovation"}
    assert seat_plan.disciplines(ENTRIES.items(), [a_judge()]) == {"n-1": None, "n-2": None}


@pytest.mark.rule("X-12")
@pytest.mark.parametrize("state", entries_of.LIFECYCLE.states)
@pytest.mark.parametrize("round_no", [1, 2])
def test_the_chair_gives_out_what_is_scored_in_that_round(state, round_no):
    of = {"edition_id": "d-1", "round_no": round_no, "entry_id": "n-1", "judge_id": "p-luo"}
    conflicts = Conflicts(edition_id="d-1", judge_id="p-luo")
    scored = {1: ("eligible", "in_review"), 2: ("shortlisted", "in_review")}
    entry = replace(ENTRIES["n-1"], state=state)

    def seat(**changes):
        return seat_by_chair(None, **{"entry": entry, "judge": a_judge(), "conflicts": conflicts, **of, **changes})

    if state in scored[round_no]:
        assert (seat().record.state, seat().record.by_chair) == ("sent", True)
        with pytest.raises(ForbiddenMove):
            seat(judge=a_judge(state="suspended"))
    else:
        with pytest.raises(ForbiddenMove):
            seat()


@pytest.mark.rule("X-12")
def test_a_judge_who_has_an_entry_or_gave_it_up_is_not_given_it_again():
    of = {"edition_id": "d-26", "round_no": 1, "entry_id": "e-1", "judge_id": "p-luo"}
    how = {"entry": ENTRIES["n-1"], "judge": a_judge(), "conflicts": Conflicts(edition_id="d-26", judge_id="p-luo")}

    for state in ("sent", "accepted", "scored", "reopened", "recused", "replaced"):
        with pytest.raises(ForbiddenMove):
            seat_by_chair(a_sheet(state=state), **how, **of)
    assert seat_by_chair(a_sheet(state="cancelled"), **how, **of).happened == "sent"


def test_the_plan_of_an_edition_with_the_longest_id_can_be_named():
    named = {"assignment_id": seat_plan.assignment_id(edition_id="e" * 100, round_no=ROUNDS)}

    assert fields.load(ConfirmAssignment(), named) == named
