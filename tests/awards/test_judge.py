"""The rules of judges: who may be asked, and for whom they work."""

from datetime import date, timedelta
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.awards.domain import judge as judges
from services.awards.domain.judge import LIFECYCLE, Affiliation, AffiliationBackwards, colleagues
from services.kernel.quantity import NotWhole
from tests.awards.judging import A_DAY, a_judge
from tests.machines import follows_the_machine

COMMANDS = {
    "active": (judges.activate, "activated"),
    "suspended": (lambda judge: judges.suspend(judge, reason="专家资格暂停"), "suspended"),
}

days = st.dates(date(2000, 1, 1), date(2020, 12, 31))


@pytest.mark.rule("X-12")
@pytest.mark.parametrize("state", LIFECYCLE.states)
@pytest.mark.parametrize("to", COMMANDS)
def test_a_state_allows_its_own_moves_and_refuses_all_others(state, to):
    do, happening = COMMANDS[to]

    follows_the_machine(LIFECYCLE, state, to, partial(do, a_judge(state=state)), happened=happening)


def test_every_move_has_a_command():
    assert {to for targets in LIFECYCLE.moves.values() for to in targets} == set(COMMANDS)


def test_an_invited_judge_is_not_active_before_the_invitation_is_accepted():
    invited = judges.invite(person_id="p-luo", discipline_codes=("agriculture",), max_load=10)

    assert (invited.happened, invited.record.is_active) == ("invited", False)
    assert judges.activate(invited.record).record.is_active


def test_a_suspension_keeps_its_reason_out_of_the_record():
    suspended = judges.suspend(a_judge(), reason="专家资格暂停")

    assert suspended.reason == "专家资格暂停"
    assert "暂停" not in str(suspended.record)


@pytest.mark.rule("X-06")
@pytest.mark.parametrize("max_load", [-1, 1.5, True])
def test_a_load_is_a_whole_number(max_load):
    with pytest.raises(NotWhole):
        judges.invite(person_id="p-luo", discipline_codes=(), max_load=max_load)
    with pytest.raises(NotWhole):
        judges.revise(a_judge(), discipline_codes=(), max_load=max_load)


def test_disciplines_and_load_are_stated_anew_in_any_state():
    for state in LIFECYCLE.states:
        revised = judges.revise(a_judge(state=state), discipline_codes=("forestry",), max_load=0).record

        assert (revised.discipline_codes, revised.max_load, revised.state) == (("forestry",), 0, state)


@pytest.mark.rule("A-11")
def test_an_affiliation_may_end_on_its_first_day_and_not_before():
    backwards = Affiliation(org_id="o-school", starts_on=A_DAY, ends_on=A_DAY - timedelta(days=1))
    one_day = Affiliation(org_id="o-school", starts_on=A_DAY, ends_on=A_DAY)

    with pytest.raises(AffiliationBackwards, match="org_id=o-school"):
        judges.affiliate(a_judge(), affiliations=(backwards,))
    with pytest.raises(AffiliationBackwards):
        judges.invite(person_id="p-luo", discipline_codes=(), max_load=1, affiliations=(backwards,))
    assert judges.affiliate(a_judge(), affiliations=(one_day,)).record.units(A_DAY) == {"o-school"}


def test_an_affiliation_that_is_known_already_changes_nothing():
    changed = judges.affiliate(a_judge(), affiliations=(Affiliation(org_id="o-school"),))

    assert changed.happened == "affiliated"
    assert judges.affiliate(changed.record, affiliations=changed.record.affiliations) is None


@pytest.mark.rule("A-11")
def test_a_unit_counts_from_the_first_day_on_until_n_years_after_the_last():
    worked = a_judge(
        affiliations=(Affiliation(org_id="o-school", starts_on=date(2003, 9, 1), ends_on=date(2006, 5, 14)),)
    )

    def counts(on):
        return worked.units(on, years=5) == {"o-school"}

    assert [counts(date(2003, 8, 31)), counts(date(2003, 9, 1))] == [False, True]
    assert [counts(date(2011, 5, 14)), counts(date(2011, 5, 15))] == [True, False]


@pytest.mark.rule("A-11")
def test_with_no_years_only_those_count_for_whom_the_judge_works_that_day():
    worked = Affiliation(org_id="o-school", ends_on=A_DAY)

    assert [worked.reaches(A_DAY), worked.reaches(A_DAY + timedelta(days=1))] == [True, False]


@given(ends_on=days, on=days, years=st.integers(0, 20))
def test_a_unit_that_counts_within_some_years_counts_within_more(ends_on, on, years):
    affiliation = Affiliation(org_id="o-school", ends_on=ends_on)

    assert affiliation.reaches(on, years=years) <= affiliation.reaches(on, years=years + 1)
    assert affiliation.reaches(on) == (on <= ends_on)


def test_judges_of_one_unit_on_the_day_are_colleagues_and_former_ones_are_not():
    past = Affiliation(org_id="o-college", ends_on=A_DAY - timedelta(days=1))
    people = [a_judge("p-1"), a_judge("p-2"), a_judge("p-3", affiliations=(past,)), a_judge("p-4", affiliations=())]

    assert colleagues(people, on=A_DAY) == {("p-1", "p-2")}
    assert colleagues(reversed(people), on=A_DAY) == {("p-1", "p-2")}
