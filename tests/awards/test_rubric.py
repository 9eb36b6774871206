"""Rubrics: what a category is scored by."""

from decimal import Decimal

import pytest

from services.awards.domain.rubric import CriterionTwice, NothingCounts, ScaleBroken, draw_up, takes
from tests.awards.score_examples import a_criterion


@pytest.mark.rule("A-14")
def test_a_rubric_keeps_a_criterion_that_counts():
    with pytest.raises(NothingCounts, match="originality, interview"):
        draw_up([a_criterion("originality", independent=True), a_criterion("interview", independent=True)])
    with pytest.raises(NothingCounts):
        draw_up([])

    assert [one.criterion_code for one in draw_up([a_criterion("a", independent=True), a_criterion("b")]).counting] == [
        "b"
    ]


@pytest.mark.rule("A-14")
def test_a_criterion_stands_in_a_rubric_once():
    with pytest.raises(CriterionTwice, match="codes=innovation"):
        draw_up([a_criterion("innovation"), a_criterion("science"), a_criterion("innovation")])


@pytest.mark.rule("A-14")
@pytest.mark.parametrize(
    "broken",
    [
        {"weight": "0"},
        {"weight": "-1"},
        {"weight": "NaN"},
        {"full": "0"},
        {"full": "Infinity"},
        {"step": "0"},
        {"step": "0.00001"},
        {"step": "3"},
        {"step": "20"},
        {"weight": "-1", "independent": True},
    ],
)
def test_a_scale_that_cannot_be_scored_on_is_refused(broken):
    with pytest.raises(ScaleBroken, match="criterion=innovation"):
        draw_up([a_criterion("innovation", **broken), a_criterion("science")])


def test_an_independent_criterion_may_weigh_nothing():
    assert draw_up([a_criterion("interview", weight="0", independent=True), a_criterion("science")])


@pytest.mark.parametrize(
    ("score", "taken"), [("0", True), ("0.5", True), ("10", True), ("10.5", False), ("9.9", False)]
)
def test_a_scale_runs_from_0_to_its_maximum_in_steps(score, taken):
    assert takes(a_criterion(full="10", step="0.5"), Decimal(score)) is taken
