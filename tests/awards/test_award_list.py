"""Award lists: grades within quotas and the overall cap."""

import random
from collections import Counter
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.awards.domain.award_list import (
    GRADES,
    Decision,
    DecisionUnfounded,
    NotRanked,
    OverCap,
    OverQuota,
    QuotaBroken,
    Quotas,
    award_list,
    number_of_places,
)
from services.awards.domain.ranking import BoundaryTie, Vote, rank, resolve_tie, usual_chain
from services.awards.domain.round_result import Scoring, compute_results
from services.kernel.quantity import NotWhole
from tests.awards.score_examples import PAINTING, out_of_100, places, results_of, sheets, tables

ALL = Decimal(1)  # a cap that binds nobody
MINUTE = "乐科协评〔2011〕3号纪要"


def quotas(first=0, second=0, third=0, *, entries=10):
    return Quotas(entries=entries, grades={"first": first, "second": second, "third": third})


def awarded(ranked, quota, *, edge="committee", cap=ALL, decisions=()):
    return award_list({PAINTING: ranked}, quotas={PAINTING: quota}, edge=edge, cap=cap, decisions=decisions)


def grades(lines):
    return " ".join(f"{line.entry_id}:{line.grade}" for line in lines)


def test_grades_are_given_from_the_top_and_who_gets_none_is_on_the_list_too():
    lines = awarded(places(90, 85, 80, 75, 70), quotas(1, 1, 2))

    assert grades(lines) == "e1:first e2:second e3:third e4:third e5:none"
    assert {(line.category, line.decided_by, line.edge, line.minute) for line in lines} == {
        (PAINTING, "adjusted_mean", None, None)
    }


@pytest.mark.parametrize(
    ("quota", "entries", "expected"),
    [
        (3, 10, 3),
        (0, 10, 0),
        (Decimal("0.15"), 20, 3),
        (Decimal("0.15"), 19, 2),  # 2.85: a broken place is not given
        (Decimal("0.1"), 9, 0),
        (Decimal(1), 7, 7),
        (Decimal(0), 7, 0),
    ],
)
def test_a_quota_is_so_many_places_or_a_share_of_the_entries(quota, entries, expected):
    assert number_of_places(quota, among=entries) == expected


@pytest.mark.rule("A-18")
@pytest.mark.parametrize("quota", ["1.01", "-0.1", "NaN", "Infinity", "0.33333", "1E-999999"])
def test_a_share_lies_between_0_and_1_and_has_four_decimals_at_most(quota):
    with pytest.raises(QuotaBroken):
        number_of_places(Decimal(quota), among=10)


@pytest.mark.rule("X-06")
def test_a_number_of_places_is_whole():
    with pytest.raises(NotWhole):
        number_of_places(-1, among=10)


# --- ties at an edge --------------------------------------------------------------------------------------------------


@pytest.mark.rule("A-19")
def test_two_entries_tied_at_the_last_first_prize_wait_for_the_committee():
    """Acceptance scenario 2: refused until the tie is resolved; the step that decided is on the line."""
    tied = places(90, 80, 80, 70)
    with pytest.raises(BoundaryTie, match="places=2, tied=e2, e3"):
        awarded(tied, quotas(2, 1))

    lines = awarded(resolve_tie(tied, Vote(order=("e3", "e2"), minute=MINUTE)), quotas(2, 1))

    assert grades(lines) == "e1:first e3:first e2:second e4:none"
    assert [(line.decided_by, line.minute) for line in lines[1:3]] == [("committee", MINUTE)] * 2


def test_a_tie_within_a_grade_needs_no_committee():
    assert grades(awarded(places(90, 80, 80, 70), quotas(1, 2))) == "e1:first e2:second e3:second e4:none"


@pytest.mark.parametrize(
    ("reached", "expected"),
    [
        ((90, 80, 80, 70, 60), "e1:first e2:first e3:first e4:second e5:none"),  # taken from the second prizes
        ((90, 80, 80, 80, 60), "e1:first e2:first e3:first e4:first e5:none"),
        ((80, 80, 80, 80, 80), "e1:first e2:first e3:first e4:first e5:first"),  # more than there are of both
        ((90, 85, 80, 70, 70), "e1:first e2:first e3:second e4:second e5:second"),
    ],
)
def test_an_expanded_grade_takes_from_the_next_and_only_the_last_makes_the_list_longer(reached, expected):
    lines = awarded(places(*reached), quotas(2, 2), edge="expand")

    assert grades(lines) == expected


def test_a_tie_may_expand_over_more_than_the_next_grade():
    lines = awarded(places(80, 80, 80, 80, 70, 60), quotas(1, 1, 2), edge="expand")

    assert grades(lines) == "e1:first e2:first e3:first e4:first e5:none e6:none"


@pytest.mark.parametrize(
    ("reached", "expected"),
    [
        ((90, 80, 80, 70, 60), "e1:first e2:second e3:second e4:none e5:none"),
        ((80, 80, 80, 70, 60), "e1:none e2:none e3:none e4:none e5:none"),  # neither grade holds all three
        ((90, 85, 80, 70, 70), "e1:first e2:first e3:second e4:none e5:none"),
    ],
)
def test_what_shrinks_a_grade_stays_vacant_and_goes_to_a_lower_grade_that_holds_it(reached, expected):
    assert grades(awarded(places(*reached), quotas(2, 2), edge="shrink")) == expected


def test_a_line_says_that_its_entry_was_tied_at_an_edge():
    for edge in ("expand", "shrink"):
        lines = awarded(places(90, 80, 80, 70), quotas(2, 2), edge=edge)

        assert [line.edge for line in lines] == [None, edge, edge, None]


# --- the cap ----------------------------------------------------------------------------------------------------------


@pytest.mark.rule("A-18")
def test_all_awards_together_stay_within_the_cap():
    rankings = {"a": places(90, 80, 70), "b": places(90, 80, 70)}
    both = {"a": quotas(2, entries=3), "b": quotas(2, entries=3)}
    with pytest.raises(OverCap, match="given=4, most=3"):
        award_list(rankings, quotas=both, edge="committee", cap=Decimal("0.6"))

    lines = award_list(rankings, quotas={**both, "b": quotas(1, entries=3)}, edge="committee", cap=Decimal("0.6"))
    assert sum(line.grade != "none" for line in lines) == 3


@pytest.mark.rule("A-18")
def test_an_expanded_tie_stays_within_the_cap_or_is_refused():
    tied = places(90, 80, 80, 70, 60)

    with pytest.raises(OverCap, match="given=3, most=2"):
        awarded(tied, quotas(2, entries=5), edge="expand", cap=Decimal("0.4"))
    assert awarded(tied, quotas(2, entries=5), edge="shrink", cap=Decimal("0.4"))


# --- what the committee decides ---------------------------------------------------------------------------------------


def test_a_committee_departs_from_the_results_with_a_reason_and_a_minute():
    decision = Decision(entry_id="e1", grade="none", reason="实物与申报材料不符", minute=MINUTE)

    lines = awarded(places(90, 80, 70), quotas(1, 2), decisions=[decision])

    assert grades(lines) == "e1:none e2:second e3:second"
    assert (lines[0].rank, lines[0].decision, lines[1].decision) == (1, decision, None)


@pytest.mark.rule("A-20")
@pytest.mark.parametrize("missing", [{"reason": ""}, {"minute": ""}])
def test_a_decision_without_its_reason_or_its_minute_is_refused(missing):
    decision = Decision(**{"entry_id": "e1", "grade": "none", "reason": "抄袭", "minute": MINUTE, **missing})

    with pytest.raises(DecisionUnfounded, match="entry_id=e1"):
        awarded(places(90, 80), quotas(1), decisions=[decision])


@pytest.mark.rule("A-20")
def test_an_entry_that_was_not_ranked_gets_no_prize_by_decision():
    decision = Decision(entry_id="e9", grade="first", reason="评委推荐", minute=MINUTE)

    with pytest.raises(NotRanked, match="entries=e9"):
        awarded(places(90, 80), quotas(1), decisions=[decision])


@pytest.mark.rule("A-18")
def test_a_committee_gives_no_more_prizes_of_a_grade_than_there_are():
    up = Decision(entry_id="e3", grade="first", reason="评委会复议", minute=MINUTE)
    down = Decision(entry_id="e1", grade="none", reason="抄袭", minute=MINUTE)
    with pytest.raises(OverQuota, match=r"grade=first, given=2, most=1"):
        awarded(places(90, 80, 70), quotas(1, 1), decisions=[up])

    assert grades(awarded(places(90, 80, 70), quotas(1, 1), decisions=[up, down])) == "e1:none e2:second e3:first"


@pytest.mark.rule("A-18")
def test_an_expanded_tie_is_no_room_for_another_prize():
    decision = Decision(entry_id="e4", grade="first", reason="评委会复议", minute=MINUTE)

    with pytest.raises(OverQuota, match="given=3, most=2"):
        awarded(places(90, 80, 80, 70), quotas(2), edge="expand", decisions=[decision])


@pytest.mark.rule("A-18")
def test_whoever_a_decision_takes_out_of_an_expanded_tie_takes_a_place_each():
    down = [Decision(entry_id=entry, grade="second", reason="评委会复议", minute=MINUTE) for entry in ("e2", "e3")]

    with pytest.raises(OverQuota, match="grade=second, given=2, most=1"):
        awarded(places(90, 80, 80, 80), quotas(2, 1), edge="expand", decisions=down)
    assert awarded(places(90, 80, 80, 80), quotas(2, 1), edge="expand", decisions=down[:1])


@given(
    tables(most_entries=8),
    st.tuples(*[st.integers(0, 4) | st.decimals(0, 1, places=2)] * 3),
    st.sampled_from(["expand", "shrink"]),
)
def test_grades_fall_with_the_rank_and_equal_ranks_have_equal_grades(table, numbers, edge):
    results = results_of(sheets(table)).by_entry
    quota = quotas(*numbers, entries=len(results))

    lines = awarded(rank(results.values(), chain=()), quota, edge=edge)

    steps = [(*GRADES, "none").index(line.grade) for line in lines]
    assert steps == sorted(steps)
    assert len({(line.rank, line.grade) for line in lines}) == len({line.rank for line in lines})
    if edge == "shrink":
        assert all(sum(line.grade == grade for line in lines) <= quota.places(grade) for grade in GRADES)


def test_a_contest_of_the_size_of_sichuan_is_graded_as_its_quotas_say():
    """1,620 entries [R12] of six categories, three of sixty judges each; `--durations=1` tells how long it takes."""
    chance = random.Random(2011)
    of = {f"e{number:04}": f"c{number % 6}" for number in range(1_620)}
    table = {f"j{number:02}": {} for number in range(60)}
    for entry in of:
        for judge in chance.sample(sorted(table), 3):
            table[judge][entry] = Decimal(chance.randrange(10_001)) / 100
    scoring = dict.fromkeys(of.values(), Scoring(rubric=out_of_100(), min_scores=3))
    shares = quotas(Decimal("0.1"), Decimal("0.2"), Decimal("0.3"), entries=270)

    results = compute_results(sheets(table), entries=of, scoring=scoring)
    rankings = {
        category: rank(results.of(entry for entry in of if of[entry] == category), chain=usual_chain("quality"))
        for category in scoring
    }
    lines = award_list(rankings, quotas=dict.fromkeys(scoring, shares), edge="committee", cap=Decimal("0.6"))

    assert results.method == "z_global"
    given = Counter((line.category, line.grade) for line in lines)
    assert {given[category, grade] for category in scoring for grade in GRADES} == {27, 54, 81}
    assert (len(lines), sum(line.grade != "none" for line in lines)) == (1_620, 972)
