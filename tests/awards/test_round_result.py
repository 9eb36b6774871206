"""Round results: complete, the same for any order, and combined over rounds."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.awards.domain.normalisation import METHODS
from services.awards.domain.ranking import rank, usual_chain
from services.awards.domain.round_result import (
    ForeignSheet,
    RoundMissing,
    Scoring,
    TooFewScores,
    combine,
    compute_results,
    disagrees,
)
from services.awards.domain.rubric import draw_up
from services.awards.domain.sheet import EmptySheet, OffScale, ScoredTwice, Sheet
from tests.awards.score_examples import (
    PAINTING,
    a_criterion,
    a_result,
    out_of_100,
    ranked,
    results_of,
    scores,
    sheets,
    tables,
)

TWO_EACH = {"a": {"e1": 80, "e2": 70}, "b": {"e1": 90, "e2": 60}}


@pytest.mark.rule("A-17")
def test_a_round_closes_once_every_entry_has_as_many_scores_as_its_category_asks_for():
    table = {**TWO_EACH, "c": {"e1": 85}}
    with pytest.raises(TooFewScores, match="scores=e2: 2"):
        results_of(sheets(table), min_scores=3)

    assert results_of(sheets(table), min_scores=2).by_entry["e1"].n == 3


@pytest.mark.rule("A-17")
def test_an_entry_that_nobody_scored_is_not_overlooked():
    with pytest.raises(TooFewScores, match="scores=e3: 0"):
        results_of(sheets(TWO_EACH), entries={"e1": PAINTING, "e2": PAINTING, "e3": PAINTING})


@pytest.mark.rule("A-14")
def test_a_sheet_for_an_entry_of_another_round_is_refused():
    with pytest.raises(ForeignSheet, match="judge_id=a, entry_id=e2"):
        results_of(sheets(TWO_EACH), entries={"e1": PAINTING})


@pytest.mark.rule("A-14", "A-15")
def test_every_sheet_is_held_to_the_rubric_before_anything_is_computed():
    for score, refusal in ((Decimal(101), OffScale), (Decimal("0.001"), OffScale)):
        with pytest.raises(refusal):
            results_of(sheets({"a": {"e1": score}}))
    with pytest.raises(EmptySheet):
        results_of([Sheet(entry_id="e1", judge_id="a", scores={})])
    with pytest.raises(ScoredTwice):
        results_of([*sheets(TWO_EACH), *sheets({"a": {"e1": 100}})])


def test_each_category_is_scored_by_its_own_rubric():
    film = draw_up([a_criterion("quality", full="20")])
    scoring = {PAINTING: Scoring(rubric=out_of_100()), "science_film": Scoring(rubric=film)}

    results = compute_results(
        sheets({"a": {"e1": 15, "e2": 15}}), entries={"e1": PAINTING, "e2": "science_film"}, scoring=scoring
    )

    assert [str(one.adjusted) for one in results.of(["e1", "e2"])] == ["15.0000", "75.0000"]


def test_a_result_keeps_the_raw_mean_beside_the_one_that_counts():
    result = results_of(sheets({"a": {"e1": 80, "e2": 70}, "b": {"e1": 91}, "c": {"e1": 85}}), method="median")

    found = result.by_entry["e1"]
    assert (found.n, str(found.raw_mean), str(found.adjusted), str(found.trimmed_mean)) == (
        3,
        "85.3333",
        "85.0000",
        "85.3333",
    )


def test_spread_and_deviation_are_those_of_the_population_and_missing_for_a_single_judge():
    two = results_of(sheets({"a": {"e1": 80}, "b": {"e1": 91}})).by_entry["e1"]
    one = results_of(sheets({"a": {"e1": 80}})).by_entry["e1"]

    assert (str(two.stdev), str(two.spread)) == ("5.5000", "11.0000")
    assert (one.stdev, one.spread) == (None, None)


def test_a_first_rank_is_given_by_judges_who_saw_several_entries_of_the_category():
    table = {"a": {"e1": 80, "e2": 80, "e3": 70}, "b": {"e1": 60, "e3": 50}, "c": {"e3": 100}, "d": {"e1": 9, "e4": 10}}
    entries = {"e1": PAINTING, "e2": PAINTING, "e3": PAINTING, "e4": "science_film"}
    scoring = dict.fromkeys(entries.values(), Scoring(rubric=out_of_100()))

    results = compute_results(sheets(table), entries=entries, scoring=scoring)

    assert [one.first_ranks for one in results.of(["e1", "e2", "e3", "e4"])] == [2, 1, 0, 0]


def test_disagreement_is_more_than_a_threshold_of_deviation_or_spread():
    result = a_result(stdev="5.5000", spread="11.0000")

    assert disagrees(result, stdev=Decimal("5.4999"))
    assert disagrees(result, stdev=Decimal(100), spread=Decimal("10.9999"))
    assert not disagrees(result, stdev=Decimal("5.5"), spread=Decimal(11))
    assert not disagrees(result)
    assert not disagrees(replace(result, stdev=None, spread=None), stdev=Decimal(0), spread=Decimal(0))


@pytest.mark.parametrize(("weights", "expected"), [((15, 85), "88.5000"), ((25, 75), "87.5000"), ((33, 67), "86.7000")])
def test_two_rounds_are_weighted_and_the_last_one_breaks_ties(weights, expected):
    first = {"e1": a_result(adjusted="80.0000", trimmed_mean="1.0000"), "e2": a_result("e2")}
    last = {"e1": a_result(adjusted="90.0000", trimmed_mean="2.0000")}

    combined = combine([first, last], weights=weights)

    assert {entry: str(result.adjusted) for entry, result in combined.items()} == {"e1": expected}
    assert str(combined["e1"].trimmed_mean) == "2.0000"


def test_a_weighted_score_is_rounded_half_to_even():
    first = {"e1": a_result(adjusted="80.0001")}

    for last, expected in (("80.0000", "80.0000"), ("80.0002", "80.0002"), ("80.0003", "80.0002")):
        combined = combine([first, {"e1": a_result(adjusted=last)}], weights=(1, 1))
        assert str(combined["e1"].adjusted) == expected


@pytest.mark.rule("A-17")
def test_an_entry_without_a_result_in_an_earlier_round_does_not_enter_by_a_later_one():
    with pytest.raises(RoundMissing, match="entry_id=e2, rounds=1"):
        combine([{"e1": a_result()}, {"e1": a_result(), "e2": a_result("e2")}], weights=(25, 75))


@given(tables(), st.sampled_from([*METHODS, None]), st.data())
def test_neither_the_order_nor_the_names_of_judges_entries_and_sheets_change_a_ranking(table, method, data):
    judges = sorted(table)
    entries = sorted({entry for scored in table.values() for entry in scored})
    other_judge = dict(zip(judges, data.draw(st.permutations(judges)), strict=True))
    other_entry = dict(zip(entries, data.draw(st.permutations(entries)), strict=True))
    of = sheets(table)
    renamed = [
        replace(sheet, judge_id=other_judge[sheet.judge_id], entry_id=other_entry[sheet.entry_id])
        for sheet in data.draw(st.permutations(of))
    ]

    before, after = results_of(of, method=method), results_of(renamed, method=method)

    assert {other_entry[entry]: place for entry, place in ranked(before).items()} == ranked(after)


@given(tables(), st.sampled_from([*METHODS, None]), st.data())
def test_the_same_sheets_in_any_order_give_the_same_results_to_the_last_digit(table, method, data):
    of = sheets(table)

    before, after = results_of(of, method=method), results_of(data.draw(st.permutations(of)), method=method)

    assert repr(before) == repr(after)


def test_a_sheet_that_is_replaced_changes_the_hash_and_may_change_the_ranking():
    """Acceptance scenario 1: a judge with a conflict is replaced by another, who scores otherwise."""
    before = results_of(sheets({"a": {"e1": 80, "e2": 70}, "b": {"e1": 60, "e2": 65}}))
    after = results_of(sheets({"a": {"e1": 80, "e2": 70}, "c": {"e1": 40, "e2": 75}}))

    assert before.inputs_hash != after.inputs_hash
    orders = [[place.entry_id for place in rank(one.of(["e1", "e2"]), chain=usual_chain())] for one in (before, after)]
    assert orders == [["e1", "e2"], ["e2", "e1"]]


def test_scores_of_several_criteria_are_averaged_by_criterion_and_an_optional_one_by_those_who_gave_it():
    rubric = draw_up([a_criterion("innovation"), a_criterion("film", required=False)])
    of = [
        Sheet(entry_id="e1", judge_id="a", scores=scores(innovation=7, film=5)),
        Sheet(entry_id="e1", judge_id="b", scores=scores(innovation=8)),
    ]

    found = results_of(of, rubric=rubric).by_entry["e1"].criteria

    assert {code: str(score) for code, score in found.items()} == {"innovation": "7.5000", "film": "5.0000"}
