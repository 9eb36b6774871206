"""Normalisation: the four methods, worked by hand and against np."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.awards.domain.normalisation import METHODS, Incomparable
from services.awards.domain.rubric import draw_up
from services.awards.domain.sheet import Sheet
from tests.awards.score_examples import a_criterion, adjusted, results_of, scores, sheets, tables

STRICT_AND_LENIENT = {"strict": {"e1": 60, "e2": 70, "e3": 80}, "lenient": {"e1": 80, "e2": 90, "e4": 100}}

ONE_PANEL = {"a": {"e1": 90, "e2": 40}, "b": {"e1": 70, "e2": 60}, "c": {"e1": 80, "e2": 80}, "d": {"e1": 85, "e2": 75}}
FIVE = {**ONE_PANEL, "e": {"e1": 10, "e2": 61}}


@pytest.mark.parametrize(
    ("table", "method", "expected"),
    [
        (ONE_PANEL, "mean", {"e1": "81.2500", "e2": "63.7500"}),
        (ONE_PANEL, "trimmed_mean", {"e1": "81.2500", "e2": "63.7500"}),  # of four scores none is dropped
        (ONE_PANEL, "median", {"e1": "82.5000", "e2": "67.5000"}),  # between the two in the middle
        (FIVE, "mean", {"e1": "67.0000", "e2": "63.2000"}),
        (FIVE, "trimmed_mean", {"e1": "78.3333", "e2": "65.3333"}),  # 10 and 90, 40 and 80 dropped
        (FIVE, "median", {"e1": "80.0000", "e2": "61.0000"}),
    ],
)
def test_three_methods_take_the_totals_as_they_are(table, method, expected):
    assert adjusted(results_of(sheets(table), method=method)) == expected


def test_z_scores_even_out_a_strict_and_a_lenient_judge():
    """All: mean 80, variance 1000/6. Each judge: variance 200/3, so that 10 points become 10 x root 2.5 = 15.8114."""
    results = results_of(sheets(STRICT_AND_LENIENT), method="z_global")

    assert adjusted(results) == {"e1": "64.1886", "e2": "80.0000", "e3": "95.8114", "e4": "95.8114"}
    assert {entry: str(result.raw_mean) for entry, result in results.by_entry.items()} == {
        "e1": "70.0000",
        "e2": "80.0000",
        "e3": "80.0000",
        "e4": "100.0000",
    }
    assert {result.unadjusted_by for result in results.by_entry.values()} == {()}


def test_a_judge_who_scored_all_alike_puts_every_entry_at_the_mean_of_all():
    """All six: mean 70, variance 800/6. The other judge: mean 60, variance 200/3: stretched by root 2."""
    table = {"alike": {"e1": 80, "e2": 80, "e3": 80}, "other": {"e1": 50, "e2": 60, "e4": 70}}

    found = adjusted(results_of(sheets(table), method="z_global"))

    e1 = (70 + (70 - 14.142136)) / 2
    assert found == {"e1": f"{e1:.4f}", "e2": "70.0000", "e3": "70.0000", "e4": "84.1421"}


def test_a_judge_whose_totals_are_alike_by_other_thirds_scored_all_alike():
    """The totals are 200/9, 200/9, 200/9, 300/9 and 900/9, so that the mean of all is 40."""
    codes = ("innovation", "science", "writing")
    table = {"alike": [(1, 1, 0), (2, 0, 0), (0, 1, 1)], "other": [(1, 1, 1), (3, 3, 3)]}
    of = [
        Sheet(entry_id=f"e{at}", judge_id=judge, scores=scores(**dict(zip(codes, sheet, strict=True))))
        for judge, scored in table.items()
        for at, sheet in enumerate(scored, start=1 + 3 - len(scored))
    ]

    results = results_of(of, rubric=draw_up([a_criterion(code, full="3") for code in codes]), method="z_global")

    assert adjusted(results) == {"e1": "40.0000", "e2": "36.6667", "e3": "70.0000"}


def test_a_judge_with_fewer_sheets_than_it_takes_stays_unadjusted_and_is_named():
    table = {"busy": {"e1": 50, "e2": 60, "e3": 70}, "rare": {"e1": 90, "e2": 95}}

    two = results_of(sheets(table), method="z_global", least=2)
    three = results_of(sheets(table), method="z_global", least=3)

    assert {entry: result.unadjusted_by for entry, result in two.by_entry.items()} == {"e1": (), "e2": (), "e3": ()}
    assert {entry: result.unadjusted_by for entry, result in three.by_entry.items()} == {
        "e1": ("rare",),
        "e2": ("rare",),
        "e3": (),
    }


def test_the_only_entry_of_a_round_keeps_its_totals():
    results = results_of(sheets({"a": {"e1": 60}, "b": {"e1": 91}}), method="z_global", least=1)

    assert adjusted(results) == {"e1": "75.5000"}
    assert results.by_entry["e1"].unadjusted_by == ("a", "b")


def test_where_all_totals_are_the_same_so_are_all_z_scores():
    table = {judge: {"e1": 70, "e2": 70, "e3": 70} for judge in "ab"}

    assert set(adjusted(results_of(sheets(table), method="z_global")).values()) == {"70.0000"}


def test_the_usual_method_is_the_mean_where_everybody_judged_everything_and_else_z_scores():
    assert results_of(sheets(ONE_PANEL)).method == "mean"
    assert results_of(sheets(STRICT_AND_LENIENT)).method == "z_global"


@pytest.mark.rule("A-16")
@pytest.mark.parametrize("method", ["total", "sum"])
def test_entries_are_never_compared_by_a_total(method):
    with pytest.raises(Incomparable, match="methods=mean, trimmed_mean, median, z_global"):
        results_of(sheets(ONE_PANEL), method=method)


@pytest.mark.rule("A-16")
@pytest.mark.parametrize("method", METHODS)
def test_a_judge_more_or_fewer_moves_no_entry_whose_scores_agree(method):
    all_three = {judge: {"e1": 80, "e2": 70, "e3": 60} for judge in "abc"}
    recused = {**all_three, "c": {"e2": 70, "e3": 60, "e4": 80}}

    assert adjusted(results_of(sheets(all_three), method=method))["e1"] == "80.0000"
    assert adjusted(results_of(sheets(recused), method=method))["e1"] == "80.0000"


@given(tables(), st.integers(1, 4))
def test_z_scores_are_those_of_numpy(table, least):
    results = results_of(sheets(table), method="z_global", least=least)

    expected = z_scores(table, least=least)
    for entry, result in results.by_entry.items():
        assert float(result.adjusted) == pytest.approx(np.mean(expected[entry]), abs=6e-5)
        if result.n > 1:
            assert float(result.stdev) == pytest.approx(np.std(expected[entry]), abs=6e-5)
            assert float(result.spread) == pytest.approx(np.ptp(expected[entry]), abs=6e-5)


def z_scores(table, *, least):
    """By entry, as §4.7.3 reads, in floats; what is equal in a judge's scores is seen before there are any."""
    everybody = np.array([float(score) for scored in table.values() for score in scored.values()])
    single = len({entry for scored in table.values() for entry in scored}) == 1
    found = {}
    for scored in table.values():
        own = np.array([float(score) for score in scored.values()])
        for entry, score in scored.items():
            value = float(score)
            if len(own) >= least and not single:
                stretch = 0 if np.ptp(own) == 0 else everybody.std() / own.std()
                value = everybody.mean() + stretch * (value - own.mean())
            found.setdefault(entry, []).append(value)
    return found


@given(tables(least_judges=5))
def test_trimmed_means_are_those_of_numpy(table):
    results = results_of(sheets(table), method="trimmed_mean")

    for entry, result in results.by_entry.items():
        scored = np.sort([float(of[entry]) for of in table.values() if entry in of])
        assert result.n == len(scored)
        assert float(result.adjusted) == pytest.approx(np.mean(scored[1:-1] if len(scored) >= 5 else scored), abs=6e-5)


def test_an_optional_criterion_left_out_punishes_nobody():
    rubric = draw_up([a_criterion("quality", full="100"), a_criterion("film", required=False)])

    of = [
        *sheets({"a": {"e1": 80, "e2": 80}}),
        Sheet(entry_id="e2", judge_id="b", scores=scores(quality=80, film=8)),
    ]

    assert adjusted(results_of(of, rubric=rubric, method="mean")) == {"e1": "80.0000", "e2": "80.0000"}
