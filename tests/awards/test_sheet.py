"""Score sheets: held to the rubric, weighed, and hashed."""

import hashlib
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services.awards.domain.figure import kept
from services.awards.domain.rubric import draw_up
from services.awards.domain.sheet import (
    CriterionMissing,
    CriterionScoredTwice,
    EmptySheet,
    OffScale,
    Score,
    ScoredTwice,
    Sheet,
    UnknownCriterion,
    by_criterion,
    examine,
    inputs_hash,
    require_single,
    total,
)
from tests.awards.score_examples import a_criterion, scores, sheets, tables

RUBRIC = draw_up(
    [
        a_criterion("innovation", weight="30", full="10", step="0.5"),
        a_criterion("science", weight="50", full="20"),
        a_criterion("writing", weight="20", full="5", required=False),
        a_criterion(
            "interview", weight="40", full="3", required=False, independent=True
        ),  # weighs nothing all the same
    ]
)

THIRDS = draw_up([a_criterion(code, full="3") for code in ("innovation", "science", "writing")])

SHEET = Sheet(entry_id="e1", judge_id="j1", scores=scores(innovation="8", science="15"))


@pytest.mark.rule("A-14")
@pytest.mark.parametrize("score", ["-0.5", "10.5", "8.25", "8.50001", "NaN", "Infinity", "1E+999999", "1E-999999"])
def test_a_score_off_its_scale_or_between_its_steps_is_refused(score):
    with pytest.raises(OffScale, match="criterion=innovation"):
        examine(scores(innovation=score, science="15"), rubric=RUBRIC)


@pytest.mark.parametrize("score", ["0", "0.5", "8.50", "10"])
def test_both_ends_of_a_scale_and_its_steps_are_taken(score):
    examine(scores(innovation=score, science="15"), rubric=RUBRIC)


@pytest.mark.rule("A-14")
def test_a_required_criterion_may_not_be_left_out_and_an_optional_one_may():
    with pytest.raises(CriterionMissing, match="criteria=science"):
        examine(scores(innovation="8", writing="4"), rubric=RUBRIC)

    examine(scores(innovation="8", science="15"), rubric=RUBRIC)


@pytest.mark.rule("A-14")
def test_a_criterion_of_another_rubric_is_refused():
    with pytest.raises(UnknownCriterion, match="criteria=beauty"):
        examine(scores(innovation="8", science="15", beauty="1"), rubric=RUBRIC)


@pytest.mark.rule("A-15")
@pytest.mark.parametrize("given", [{}, {"interview": "3"}])
def test_an_empty_sheet_is_no_abstention_and_one_of_zeros_is_not_empty(given):
    with pytest.raises(EmptySheet):
        examine(scores(**given), rubric=RUBRIC)

    examine(scores(innovation="0", science="0"), rubric=RUBRIC)


@pytest.mark.rule("A-14")
def test_a_judge_has_one_sheet_for_an_entry():
    with pytest.raises(ScoredTwice, match="judge_id=j1, entry_id=e1"):
        require_single([SHEET, replace(SHEET, version=2)])

    require_single([SHEET, replace(SHEET, entry_id="e2"), replace(SHEET, judge_id="j2")])


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"innovation": "8", "science": "15", "writing": "4"}, "77.5000"),  # (0.8 x 30 + 0.75 x 50 + 0.8 x 20) / 100
        ({"innovation": "10", "science": "20", "writing": "5"}, "100.0000"),
        ({"innovation": "0", "science": "0", "writing": "0"}, "0.0000"),
        ({"innovation": "8", "science": "15"}, "76.8750"),  # (0.8 x 30 + 0.75 x 50) / 80: no zero for writing
        ({"innovation": "8", "science": "15", "writing": "0"}, "61.5000"),
        ({"innovation": "8", "science": "15", "writing": "4", "interview": "0"}, "77.5000"),
    ],
)
def test_a_total_is_the_weighted_share_out_of_100(given, expected):
    assert str(kept(total(scores(**given), rubric=RUBRIC))) == expected


def test_the_same_total_by_other_thirds_is_the_same_to_the_last_digit():
    one = total(scores(innovation="1", science="1", writing="0"), rubric=THIRDS)
    other = total(scores(innovation="2", science="0", writing="0"), rubric=THIRDS)

    assert one == other == Fraction(200, 9)
    assert Decimal(1) / 3 + Decimal(1) / 3 != Decimal(2) / 3  # what would happen in Decimal


def test_the_hash_can_be_computed_with_nothing_but_json_and_sha256():
    text = '[["j1","e1",1,[["innovation",17,2],["science",15,1]]]]'
    sheet = replace(SHEET, scores=scores(science="15", innovation="8.5"))

    assert inputs_hash([sheet]) == hashlib.sha256(text.encode()).hexdigest()


@given(tables().map(sheets).flatmap(lambda of: st.tuples(st.just(of), st.permutations(of))))
def test_the_hash_is_the_same_for_any_order(both):
    given_order, other_order = both

    assert inputs_hash(given_order) == inputs_hash(other_order)


def test_the_hash_is_the_same_however_a_number_is_written_and_criteria_are_ordered():
    written = Sheet(entry_id="e1", judge_id="j1", scores=scores(science="15.00", innovation="8.0"))

    assert inputs_hash([written]) == inputs_hash([SHEET])


@pytest.mark.parametrize(
    "change",
    [
        {"judge_id": "j2"},
        {"entry_id": "e2"},
        {"version": 2},
        {"scores": scores(innovation="8", science="16")},
        {"scores": scores(innovation="8")},
        {"scores": scores(innovation="8", writing="15")},
        {"judge_id": "e1", "entry_id": "j1"},
    ],
)
def test_the_hash_differs_with_any_change(change):
    assert inputs_hash([replace(SHEET, **change)]) != inputs_hash([SHEET])


@given(tables().map(sheets), st.data())
def test_the_hash_differs_without_a_sheet_and_with_one_score_changed(of, data):
    place = data.draw(st.integers(0, len(of) - 1))
    score = data.draw(st.decimals(0, 100, places=2))
    assume(score != of[place].scores["quality"])

    changed = [*of[:place], replace(of[place], scores={"quality": score}), *of[place + 1 :]]

    assert len({inputs_hash(of), inputs_hash(changed), inputs_hash([*of[:place], *of[place + 1 :]])}) == 3


@pytest.mark.rule("A-14")
def test_a_criterion_is_given_one_score():
    once, again = (Score(criterion_code="innovation", points=Decimal(points)) for points in (8, 9))
    other = Score(criterion_code="science", points=Decimal(1))

    with pytest.raises(CriterionScoredTwice, match="criteria=innovation"):
        by_criterion([once, again])
    assert by_criterion([once, other]) == scores(innovation="8", science="1")
