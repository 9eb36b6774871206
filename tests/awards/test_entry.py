"""The rules of entries: in time, signed, by whom they may be, of works that were done in time."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services import contract
from services.awards.domain import eligibility, entry
from services.awards.domain.entry import (
    HOLDING,
    LETTERS,
    LIFECYCLE,
    STEPS,
    CorrectedLate,
    EntrantAdded,
    OutsideWindow,
)
from services.awards.domain.material import (
    CategoryUnknown,
    EnteredTwice,
    PublishedOutsideYears,
    SignatureMissing,
    TeamFromSeveralPlaces,
    TeamOfSeveralStages,
    TeamTooLarge,
    TooManyAuthors,
    WorkOutsideYears,
    WrongParticipation,
)
from services.contract.awards import NominationQuota
from services.kernel import ForbiddenMove
from services.kernel.calendar import SHANGHAI
from services.kernel.day import NotYet
from tests.awards.examples import (
    FORM,
    IN_WINDOW,
    WORK,
    a_category,
    a_material,
    a_submission,
    an_edition,
    an_entrant,
    an_entry,
    some_rules,
)
from tests.machines import follows_the_machine

HAPPENINGS = contract.awards.Entry.kind.happenings
LAST_SECOND = datetime(2011, 3, 31, 23, 59, 59, 999_000, tzinfo=SHANGHAI)

MOVES = {
    "submitted": (
        lambda one, held: entry.resubmit(one, held, material=a_material(), at=IN_WINDOW, by="u-li"),
        "resubmitted",
    ),
    "returned": (
        lambda one, held: eligibility.send_back(
            one,
            held,
            shortcomings=("incomplete",),
            correct_by=date(2011, 4, 5),
            note=None,
            today=date(2011, 4, 1),
        ),
        "sent_back",
    ),
    "eligible": (lambda one, held: eligibility.decide(one, held, eligible=True, others=[], by="u-wang"), "decided"),
    "ineligible": (
        lambda one, held: eligibility.decide(
            one, held, eligible=False, shortcomings=("copied",), others=[], by="u-wang"
        ),
        "decided",
    ),
    "withdrawn": (lambda one, held: entry.withdraw(one, held, reason="作者要求"), "withdrawn"),
    "disqualified": (lambda one, _: entry.disqualify(one, reason="抄袭"), "disqualified"),
}


@pytest.mark.rule("X-12")
@pytest.mark.parametrize("state", LIFECYCLE.states)
@pytest.mark.parametrize("to", MOVES)
def test_a_state_allows_its_own_moves_and_refuses_all_others(state, to):
    do, happening = MOVES[to]

    follows_the_machine(LIFECYCLE, state, to, partial(do, an_entry(state=state), an_edition()), happened=happening)
    assert happening in HAPPENINGS


def test_the_machine_has_the_states_of_the_contract_and_each_move_has_its_command():
    assert set(LIFECYCLE.states) == set(contract.awards.Entry.kind.states)
    assert {to for targets in LIFECYCLE.moves.values() for to in targets} == {*MOVES, *STEPS}
    assert set(HOLDING) == set(LIFECYCLE.states) - {"withdrawn", "ineligible"}


@pytest.mark.parametrize("state", LIFECYCLE.states)
@pytest.mark.parametrize("to", STEPS)
def test_an_entry_keeps_in_step_with_its_edition_where_a_way_leads_there(state, to):
    change = entry.follow(an_entry(state=state), to=to)

    if to in LIFECYCLE.moves.get(state, ()):
        assert (change.record.state, change.happened) == (to, STEPS[to])
        assert STEPS[to] in HAPPENINGS
    else:
        assert change is None


@pytest.mark.rule("X-12")
@pytest.mark.parametrize("to", ["submitted", "returned", "eligible", "ineligible", "withdrawn"])
def test_an_entry_stays_as_it_is_once_its_edition_is_cancelled(to):
    one = an_entry(state="returned" if to == "submitted" else "submitted")

    with pytest.raises(ForbiddenMove, match="state=cancelled"):
        MOVES[to][0](one, an_edition(state="cancelled"))


@pytest.mark.rule("X-08", "A-13", "A-29")
def test_the_view_names_nobody_and_tells_no_blind_code():
    held = a_submission(material=a_material(entrants=[an_entrant("p-ming", consent_ref="c-guardian")])).record
    view = contract.awards.Entry.kind.write(held)

    assert (view["entrant_count"], view["minor"], view["submitted_on"]) == (1, True, "2011-03-20")
    for private in ("p-ming", "p-tutor", "c-guardian", "s-1", "茶叶", held.blind_code, "e" * 64):
        assert private not in str(view)


# --- in time and signed -----------------------------------------------------------------------------------------------


@pytest.mark.rule("A-01")
def test_an_entry_is_in_time_in_the_last_second_and_void_in_the_next():
    assert a_submission(at=LAST_SECOND).record.submitted_on == date(2011, 3, 31)
    with pytest.raises(OutsideWindow, match="submit_to=2011-03-31"):
        a_submission(at=LAST_SECOND + timedelta(milliseconds=1))


@pytest.mark.rule("A-01")
@pytest.mark.parametrize("lacking", [{"originality_signed_on": None}, {"attachments": (WORK,)}])
def test_an_entry_without_signature_or_sealed_form_is_void(lacking):
    with pytest.raises(SignatureMissing):
        a_submission(material=a_material(**lacking))

    assert a_submission(material=a_material(attachments=(FORM,))).happened == "submitted"


@pytest.mark.rule("X-07")
@pytest.mark.parametrize("day", ["originality_signed_on", "work_on"])
def test_what_was_signed_or_finished_was_so_by_today(day):
    with pytest.raises(NotYet, match=f"{day}=2011-03-21, today=2011-03-20"):
        a_submission(material=a_material(**{day: date(2011, 3, 21)}))


@pytest.mark.rule("A-31")
def test_an_entry_is_of_a_category_of_its_edition():
    with pytest.raises(CategoryUnknown, match="category_code=painting"):
        a_submission(material=a_material(category_code="painting"))


# --- by whom ----------------------------------------------------------------------------------------------------------


@pytest.mark.rule("A-02")
def test_all_members_of_a_team_have_used_their_entry_and_nobody_is_a_member_twice():
    pair = a_material(category_code="team", entrants=["p-ming", "p-hong"])

    assert a_submission(material=pair).record.student_refs == ("p-ming", "p-hong")
    assert a_submission(an_edition(programme_kind="paper"), material=pair).record.student_refs == ()
    with pytest.raises(EnteredTwice, match="entrants=2"):
        a_submission(material=a_material(category_code="team", entrants=["p-ming", "p-ming"]))


@pytest.mark.rule("A-03", "A-06")
@pytest.mark.parametrize(("programme_kind", "refusal"), [("youth", TeamTooLarge), ("paper", TooManyAuthors)])
def test_a_team_of_3_is_allowed_and_one_of_4_is_not(programme_kind, refusal):
    held = an_edition(programme_kind=programme_kind)
    four = [f"p-{number}" for number in range(4)]

    assert a_submission(held, material=a_material(category_code="team", entrants=four[:3])).record.entrant_count == 3
    with pytest.raises(refusal, match="entrants=4, max_team=3"):
        a_submission(held, material=a_material(category_code="team", entrants=four))


@pytest.mark.rule("A-03")
@pytest.mark.parametrize(
    ("category_code", "entrants", "organisation_id"),
    [
        ("innovation", ["p-1", "p-2"], None),
        ("innovation", [], None),
        ("innovation", ["p-1"], "o-1"),
        ("team", ["p-1"], None),
        ("home", [], None),
        ("home", ["p-1"], "o-1"),
    ],
)
def test_an_entry_is_by_whom_its_category_is_for(category_code, entrants, organisation_id):
    with pytest.raises(WrongParticipation):
        a_submission(
            material=a_material(category_code=category_code, entrants=entrants, organisation_id=organisation_id)
        )


def test_an_organisation_is_entered_by_its_id_alone():
    home = a_submission(material=a_material(category_code="home", entrants=[], organisation_id="o-1")).record

    assert (home.entrant_count, home.minor) == (0, False)
    assert home.work_keys[0].endswith("/o-1")


@pytest.mark.rule("A-03")
@pytest.mark.parametrize(
    ("other", "refusal", "asked"),
    [
        ({"district": "511181"}, TeamFromSeveralPlaces, "same_place"),
        ({"stage": "junior"}, TeamOfSeveralStages, "same_stage"),
    ],
)
def test_a_team_is_of_one_place_and_stage_where_the_edition_asks_for_it(other, refusal, asked):
    pair = a_material(category_code="team", entrants=["p-ming", an_entrant("p-hong", **other)])

    with pytest.raises(refusal):
        a_submission(material=pair)
    assert a_submission(an_edition(rules=some_rules(**{asked: False})), material=pair).happened == "submitted"


@pytest.mark.rule("A-05", "A-06")
@pytest.mark.parametrize(("programme_kind", "refusal"), [("youth", WorkOutsideYears), ("paper", PublishedOutsideYears)])
def test_a_work_is_of_the_years_of_the_edition_their_first_and_last_day_included(programme_kind, refusal):
    years = some_rules(programme_kind, work_from=date(2009, 1, 1), work_to=date(2010, 12, 31))
    held = an_edition(programme_kind=programme_kind, rules=years)

    for day in (date(2008, 12, 31), date(2011, 1, 1), None):
        with pytest.raises(refusal, match=f"work_on={day}"):
            a_submission(held, material=a_material(work_on=day))
    for day in (date(2009, 1, 1), date(2010, 12, 31)):
        assert a_submission(held, material=a_material(work_on=day)).happened == "submitted"


def test_an_edition_without_such_years_takes_works_of_any_day():
    whenever = an_edition(rules=some_rules(work_from=None, work_to=None))

    assert a_submission(whenever, material=a_material(work_on=None)).happened == "submitted"


# --- places and codes -------------------------------------------------------------------------------------------------


@pytest.mark.rule("A-08")
def test_a_unit_has_the_places_of_its_quota_less_the_taken_ones_and_another_unit_any_number():
    rules = some_rules(nomination_quotas=(NominationQuota(nominating_unit_id="o-1", places=3),))

    assert list(entry.places(rules, "o-1", taken=frozenset({2}))) == [1, 3]
    assert list(entry.places(rules, "o-1", taken=frozenset({1, 2, 3}))) == []
    assert list(entry.places(rules, "o-2", taken=frozenset({None}))) == [None]


@pytest.mark.rule("A-13")
@given(st.binary(min_size=8, max_size=8))
def test_a_blind_code_is_made_of_chance_alone_and_can_be_read_aloud(chance):
    code = entry.blind_code(chance)

    assert len(code) == 8
    assert set(code) <= set(LETTERS)
    assert not set("01IO") & set(LETTERS)


@pytest.mark.rule("A-07")
def test_a_work_is_known_again_by_its_title_and_first_entrant_or_by_its_file():
    keys = a_material(title="可调节茶叶采摘器").work_keys

    assert set(keys) & set(a_material(title="《可调节 茶叶采摘器》", attachments=(FORM,)).work_keys)
    assert set(keys) & set(a_material(title="另一题目", entrants=["p-hong"]).work_keys)
    assert not set(keys) & set(a_material(entrants=["p-hong"], attachments=(FORM,)).work_keys)


# --- after the submission ---------------------------------------------------------------------------------------------


@pytest.mark.rule("A-04")
def test_nobody_joins_after_the_submission_and_somebody_may_leave():
    three = an_entry(state="returned", category_code="team", entrants=["p-1", "p-2", "p-3"])

    with pytest.raises(EntrantAdded, match="added=1"):
        again(three, a_material(category_code="team", entrants=["p-1", "p-2", "p-4"]))
    assert again(three, a_material(category_code="team", entrants=["p-1", "p-2"])).record.student_refs == ("p-1", "p-2")


@pytest.mark.rule("A-01")
def test_a_returned_entry_comes_back_by_the_end_of_the_day_given_to_it_though_the_window_is_over():
    returned = an_entry(state="returned", shortcomings=("unsigned",), correct_by=date(2011, 4, 5))
    last = datetime(2011, 4, 5, 23, 59, 59, 999_000, tzinfo=SHANGHAI)

    mended = again(returned, a_material(), at=last, by="u-he").record
    assert (mended.state, mended.shortcomings, mended.correct_by) == ("submitted", (), None)
    assert (mended.submitted_on, mended.handed_in_by) == (date(2011, 3, 20), ("u-li", "u-he"))
    with pytest.raises(CorrectedLate, match="correct_by=2011-04-05"):
        again(returned, a_material(), at=last + timedelta(milliseconds=1))


@pytest.mark.rule("A-01", "A-03")
def test_a_mended_entry_is_judged_by_the_rules_of_a_new_one():
    with pytest.raises(SignatureMissing):
        again(an_entry(state="returned"), a_material(originality_signed_on=None))
    with pytest.raises(WrongParticipation):
        again(an_entry(state="returned"), a_material(entrants=[]))


def test_a_category_that_was_made_smaller_binds_who_hands_in_again():
    smaller = an_edition(rules=some_rules(categories=(a_category(participation="team", max_team=2),)))
    three = an_entry(state="returned", category_code="team", entrants=["p-1", "p-2", "p-3"])

    with pytest.raises(TeamTooLarge):
        entry.resubmit(three, smaller, material=replace(three.material, category_code="innovation"),
                       at=IN_WINDOW, by="u-li")  # fmt: skip


def again(returned, material, *, at=IN_WINDOW, by="u-li"):
    return entry.resubmit(returned, an_edition(state="eligibility"), material=material, at=at, by=by)
