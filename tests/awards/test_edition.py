"""The rules of editions: what is announced can be run to its end, and the window is what decides."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial

import pytest

from services import contract
from services.awards.domain import edition
from services.awards.domain.edition import (
    HELD,
    LIFECYCLE,
    STEPS,
    UNJUDGED,
    CategoryInUse,
    CertificatesMissing,
    ClosedEarly,
    OpenedEarly,
)
from services.awards.domain.programme import HABITS
from services.awards.domain.rubric import NothingCounts
from services.awards.domain.rules import (
    AdvanceUnclear,
    JudgedWhileCollecting,
    LastRoundWeightless,
    NamedTwice,
    QuotaAboveCap,
    QuotaUnclear,
    RoundsOutOfOrder,
    RubricMissing,
)
from services.awards.domain.window import WindowReversed
from services.contract.awards import NominationQuota, Quota, RoundRules
from services.kernel import ForbiddenMove
from services.kernel.calendar import SHANGHAI
from services.kernel.quantity import NotWhole
from tests.awards.examples import A_CRITERION, A_TEAM, IN_WINDOW, a_category, an_edition, some_rules
from tests.machines import follows_the_machine

HAPPENINGS = contract.awards.Edition.kind.happenings
NOTHING = frozenset()

MOVES = {
    "announced": (edition.announce, "announced"),
    "collecting": (lambda one: edition.open(one, at=IN_WINDOW), "opened"),
    "eligibility": (lambda one: edition.close(one, reason="报送已满", at=IN_WINDOW), "closed"),
    "archived": (lambda one: edition.archive(one, uncertified=0), "archived"),
    "cancelled": (lambda one: edition.cancel(one, reason="经费未落实"), "cancelled"),
}


@pytest.mark.rule("X-12")
@pytest.mark.parametrize("state", LIFECYCLE.states)
@pytest.mark.parametrize("to", MOVES)
def test_a_state_allows_its_own_moves_and_refuses_all_others(state, to):
    do, happening = MOVES[to]

    follows_the_machine(LIFECYCLE, state, to, partial(do, an_edition(state=state)), happened=happening)
    assert happening in HAPPENINGS


@pytest.mark.parametrize("state", LIFECYCLE.states)
@pytest.mark.parametrize("to", STEPS)
def test_an_edition_keeps_in_step_with_its_rounds_and_its_list_where_a_way_leads_there(state, to):
    change = edition.follow(an_edition(state=state), to=to)

    if to in LIFECYCLE.moves.get(state, ()):
        assert (change.record.state, change.happened) == (to, STEPS[to])
        assert STEPS[to] in HAPPENINGS
    else:
        assert change is None


def test_the_machine_has_the_states_of_the_contract_and_each_move_has_its_command():
    assert set(LIFECYCLE.states) == set(contract.awards.Edition.kind.states)
    assert {to for targets in LIFECYCLE.moves.values() for to in targets} == {*MOVES, *STEPS}
    assert set(LIFECYCLE.terminal) == {"cancelled", "archived"}
    assert set(HELD) == set(LIFECYCLE.states) - {"cancelled"}


@pytest.mark.parametrize("programme_kind", HABITS)
@pytest.mark.parametrize("level", ["city", "province", "national"])
def test_every_programme_has_editions_at_every_level(programme_kind, level):
    created = edition.create(
        programme_kind=programme_kind,
        level=level,
        edition_no=9,
        year=2011,
        host_org_id="o-city",
        rules=some_rules(programme_kind),
    )

    view = contract.awards.Edition.kind.read(contract.awards.Edition.kind.write(created.record))
    assert (view.programme_kind, view.level, view.submit_to) == (programme_kind, level, date(2011, 3, 31))
    assert [category.category_code for category in view.categories] == ["innovation", "team", "home"]
    assert edition.announce(created.record).happened == "announced"


def test_a_youth_contest_takes_one_entry_of_each_student_unless_its_call_says_otherwise():
    assert some_rules("youth").one_entry_each
    assert not some_rules("youth", one_entry_each=False).one_entry_each
    assert not some_rules("paper").one_entry_each


@pytest.mark.rule("X-06")
def test_an_edition_has_a_whole_number():
    with pytest.raises(NotWhole):
        edition.create(
            programme_kind="youth", level="city", edition_no=-1, year=2011, host_org_id="o", rules=some_rules()
        )


# --- what is announced ------------------------------------------------------------------------------------------------


@pytest.mark.rule("X-07")
def test_a_window_may_be_one_day_and_never_ends_before_it_begins():
    assert some_rules(submit_from=date(2011, 3, 31)).submit_from == date(2011, 3, 31)
    with pytest.raises(WindowReversed, match="first=2011-04-01, last=2011-03-31"):
        some_rules(submit_from=date(2011, 4, 1))
    with pytest.raises(WindowReversed):
        some_rules(work_from=date(2011, 7, 1), work_to=date(2011, 6, 30))


@pytest.mark.rule("X-07")
def test_judging_begins_the_day_after_the_submissions_end_at_the_earliest():
    with pytest.raises(JudgedWhileCollecting):
        announced(judge_from=date(2011, 3, 31))

    assert announced(judge_from=date(2011, 4, 1)).state == "announced"


@pytest.mark.rule("A-31")
def test_nothing_is_announced_with_a_category_without_rubric():
    with pytest.raises(RubricMissing, match="category_code=innovation"):
        announced(categories=(a_category(rubric=()),))


@pytest.mark.rule("A-31")
@pytest.mark.parametrize(
    ("twice", "named"),
    [
        ({"categories": (A_TEAM, A_TEAM)}, "category_code=team"),
        ({"categories": (a_category(rubric=(A_CRITERION, A_CRITERION)),)}, "criterion_code=innovation"),
        ({"categories": (a_category(quotas=(Quota(grade="first", places=1),) * 2),)}, "grade=first"),
        ({"nomination_quotas": (NominationQuota(nominating_unit_id="o-1", places=1),) * 2}, "nominating_unit_id=o-1"),
        ({"tie_break": ("committee", "committee")}, "tie_break=committee"),
    ],
)
def test_what_is_listed_is_listed_once(twice, named):
    with pytest.raises(NamedTwice, match=named):
        announced(**twice)


@pytest.mark.rule("A-18")
def test_the_shares_of_the_grades_may_reach_the_cap_and_not_exceed_it():
    third = Quota(grade="third", percent=30)
    categories = (a_category(quotas=(Quota(grade="first", percent=10), Quota(grade="second", percent=20), third)),)

    assert announced(categories=categories, award_cap_percent=60).state == "announced"
    with pytest.raises(QuotaAboveCap, match="percent=60, award_cap_percent=59"):
        announced(categories=categories, award_cap_percent=59)


@pytest.mark.rule("A-18")
@pytest.mark.parametrize("said", [{}, {"places": 3, "percent": 10}])
def test_a_quota_is_a_number_of_places_or_a_share_and_not_both(said):
    with pytest.raises(QuotaUnclear):
        announced(categories=(a_category(quotas=(Quota(grade="first", **said),)),))

    assert announced(categories=(a_category(quotas=(Quota(grade="first", places=0),)),)).state == "announced"


# --- rounds ---------------------------------------------------------------------------------------------------------


def rounds(*days, **last):
    """A round from each day to the next one, half of its entries going on; the last one to its own end."""
    windows = [RoundRules(judge_from=one, judge_to=other, weight=1, advance_percent=50) for one, other in days]
    return (*windows[:-1], replace(windows[-1], **{"advance_percent": None, **last}))


FIRST, SECOND = (date(2011, 4, 10), date(2011, 4, 14)), (date(2011, 4, 15), date(2011, 4, 20))


def test_an_edition_without_stated_rounds_has_one_in_the_whole_window():
    (only,) = some_rules().judging

    assert (only.judge_from, only.judge_to, only.advance_percent) == (date(2011, 4, 10), date(2011, 4, 20), None)


@pytest.mark.rule("X-07")
@pytest.mark.parametrize(
    "broken",
    [
        rounds(SECOND, FIRST),
        rounds((FIRST[1], FIRST[0]), SECOND),
        rounds((date(2011, 4, 9), FIRST[1]), SECOND),
        rounds(FIRST, (SECOND[0], date(2011, 4, 21))),
    ],
)
def test_rounds_follow_each_other_within_the_window_of_judging(broken):
    assert announced(rounds=rounds(FIRST, SECOND)).state == "announced"
    with pytest.raises(RoundsOutOfOrder, match="judge_from=2011-04-10, judge_to=2011-04-20"):
        announced(rounds=broken)


@pytest.mark.rule("A-31")
def test_each_round_but_the_last_says_who_goes_on_and_the_last_one_weighs_something():
    silent = (replace(rounds(FIRST, SECOND)[0], advance_percent=None), rounds(FIRST, SECOND)[1])

    for broken in (silent, rounds(FIRST, SECOND, advance_percent=50)):
        with pytest.raises(AdvanceUnclear, match="rounds=2"):
            announced(rounds=broken)
    with pytest.raises(LastRoundWeightless):
        announced(rounds=rounds(FIRST, SECOND, weight=0))


@pytest.mark.rule("A-14")
def test_every_round_has_a_criterion_that_counts_in_every_category():
    interview = replace(A_CRITERION, criterion_code="interview", round_no=2)
    first_only = replace(A_CRITERION, round_no=1)

    two = announced(rounds=rounds(FIRST, SECOND), categories=(a_category(rubric=(first_only, interview)),))
    assert two.state == "announced"
    with pytest.raises(NothingCounts):
        announced(rounds=rounds(FIRST, SECOND), categories=(a_category(rubric=(first_only,)),))


# --- revising ---------------------------------------------------------------------------------------------------------


@pytest.mark.rule("X-12")
@pytest.mark.parametrize("state", LIFECYCLE.states)
def test_the_rules_are_revised_until_judges_may_score_and_never_after(state):
    again = {"rules": some_rules(publicity_days=5), "used_categories": NOTHING, "reason": "省里缩短公示期"}

    if state in UNJUDGED:
        change = edition.revise(an_edition(state=state), **again)
        assert (change.record.publicity_days, change.record.state, change.happened) == (5, state, "revised")
    else:
        with pytest.raises(ForbiddenMove):
            edition.revise(an_edition(state=state), **again)


@pytest.mark.rule("A-31")
def test_what_was_announced_is_revised_to_what_can_be_announced_and_a_plan_to_anything():
    incomplete = some_rules(categories=(a_category(rubric=()),))

    with pytest.raises(RubricMissing):
        edition.revise(an_edition(state="announced"), rules=incomplete, used_categories=NOTHING, reason="另定")
    planned = edition.revise(an_edition(state="planned"), rules=incomplete, used_categories=NOTHING, reason="另定")
    assert planned.happened == "revised"


@pytest.mark.rule("X-04")
def test_a_category_with_entries_stays():
    fewer = some_rules(categories=(a_category(),))

    with pytest.raises(CategoryInUse, match="category_code=team"):
        edition.revise(an_edition(), rules=fewer, used_categories=frozenset({"innovation", "team"}), reason="合并类别")
    revised = edition.revise(an_edition(), rules=fewer, used_categories=frozenset({"innovation"}), reason="合并类别")
    assert len(revised.record.categories) == 1


@pytest.mark.rule("A-34")
def test_an_edition_is_put_away_with_the_last_certificate_and_not_before():
    with pytest.raises(CertificatesMissing, match="awards=1"):
        edition.archive(an_edition(state="granted"), uncertified=1)

    assert edition.archive(an_edition(state="granted"), uncertified=0).record.state == "archived"


# --- the window -------------------------------------------------------------------------------------------------------


@pytest.mark.rule("X-07")
def test_an_edition_opens_in_the_first_second_of_its_first_day_in_shanghai():
    first = datetime(2011, 3, 1, tzinfo=SHANGHAI)

    with pytest.raises(OpenedEarly):
        edition.open(an_edition(state="announced"), at=first - timedelta(milliseconds=1))
    assert edition.open(an_edition(state="announced"), at=first.astimezone(UTC)).record.opened_at == first


@pytest.mark.rule("X-07")
def test_before_its_last_second_is_over_an_edition_is_closed_for_a_reason_only():
    over = datetime(2011, 4, 1, tzinfo=SHANGHAI)

    with pytest.raises(ClosedEarly):
        edition.close(an_edition(), reason=None, at=over - timedelta(milliseconds=1))
    assert edition.close(an_edition(), reason="报送已满", at=IN_WINDOW).reason == "报送已满"
    assert edition.close(an_edition(), reason=None, at=over).record.state == "eligibility"


@pytest.mark.rule("A-01")
def test_what_arrived_before_it_was_closed_is_in_time_and_what_arrives_then_is_not():
    closed = edition.close(an_edition(), reason="报送已满", at=IN_WINDOW).record
    moment = timedelta(milliseconds=1)

    assert closed.takes_entries(IN_WINDOW - moment)
    assert not closed.takes_entries(IN_WINDOW)


@pytest.mark.rule("A-01")
def test_nothing_is_taken_before_it_was_opened_or_outside_the_window_or_after_it_was_cancelled():
    one, last = an_edition(), datetime(2011, 3, 31, 23, 59, 59, 999_000, tzinfo=SHANGHAI)

    assert one.takes_entries(last)
    assert not one.takes_entries(last + timedelta(milliseconds=1))
    assert not one.takes_entries(datetime(2011, 3, 1, 7, 59, tzinfo=SHANGHAI))
    for state in ("planned", "announced", "cancelled"):
        assert not an_edition(state=state).takes_entries(IN_WINDOW)


def announced(**changes):
    return edition.announce(an_edition(state="planned", rules=some_rules(**changes))).record
