"""Ranking: ties broken step by step, by the committee, or refused at an edge."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.awards.domain.ranking import (
    BoundaryTie,
    MinuteMissing,
    NotTied,
    Vote,
    cut,
    rank,
    resolve_tie,
    usual_chain,
)
from tests.awards.score_examples import a_result, places, results_of, sheets, tables

CHAIN = usual_chain("innovation")
MINUTE = "乐科协评〔2011〕3号纪要"


def decided(*results, chain=CHAIN):
    return [(place.entry_id, place.rank, place.decided_by) for place in rank(results, chain=chain)]


def test_the_usual_chain_has_the_named_criterion_in_its_place():
    assert [step.step for step in CHAIN] == ["trimmed_mean", "criterion", "first_ranks", "lower_stdev"]
    assert [step.step for step in usual_chain()] == ["trimmed_mean", "first_ranks", "lower_stdev"]


@pytest.mark.parametrize(
    ("better", "step"),
    [
        ({"adjusted": "80.0001"}, "adjusted_mean"),
        ({"trimmed_mean": "80.0001"}, "trimmed_mean"),
        ({"first_ranks": 1}, "first_ranks"),
        ({"stdev": "1.9999"}, "lower_stdev"),
    ],
)
def test_a_tie_is_decided_by_the_first_step_that_differs_and_says_so(better, step):
    assert decided(a_result("e1"), a_result("e2", **better)) == [("e2", 1, step), ("e1", 2, step)]


def test_a_named_criterion_decides_before_first_ranks_and_one_without_it_comes_last():
    better = replace(a_result("e1"), criteria={"innovation": Decimal("8.0001")})
    other = a_result("e2", first_ranks=9)
    without = replace(a_result("e3", first_ranks=9), criteria={})

    assert decided(without, other, better) == [
        ("e1", 1, "criterion"),
        ("e2", 2, "criterion"),
        ("e3", 3, "criterion"),
    ]


def test_each_place_says_the_step_that_settled_it():
    ahead = a_result("e1", adjusted="90.0000")
    trimmed = a_result("e2", trimmed_mean="81.0000")
    steady, shaky = a_result("e4", stdev="1.0000"), a_result("e3", stdev="3.0000")

    assert decided(shaky, steady, trimmed, ahead) == [
        ("e1", 1, "adjusted_mean"),
        ("e2", 2, "trimmed_mean"),
        ("e4", 3, "lower_stdev"),
        ("e3", 4, "lower_stdev"),
    ]


def test_who_is_tied_after_all_steps_shares_the_rank_and_the_next_one_is_skipped():
    assert decided(a_result("e3", adjusted="70.0000"), a_result("e2"), a_result("e1")) == [
        ("e1", 1, None),
        ("e2", 1, None),
        ("e3", 3, "adjusted_mean"),
    ]


def test_a_single_judge_is_not_steadier_than_two():
    alone, two = replace(a_result("e1"), stdev=None, spread=None), a_result("e2", stdev="30.0000")

    assert decided(alone, two)[0] == ("e2", 1, "lower_stdev")


def test_nothing_is_ranked_where_nothing_was_scored():
    assert rank([], chain=CHAIN) == ()


@given(tables(most_judges=3), st.data())
def test_ranks_follow_from_who_is_ahead_whatever_the_order_of_the_results(table, data):
    results = results_of(sheets(table)).by_entry

    found = rank(data.draw(st.permutations(list(results.values()))), chain=usual_chain("quality"))

    for place in found:
        ahead = [other for other in found if other.adjusted > place.adjusted]
        assert place.rank > len(ahead)
        assert place.is_tied == (sum(other.rank == place.rank for other in found) > 1)
        assert place.rank == 1 + sum(other.rank < place.rank for other in found)
    assert found == rank(results.values(), chain=usual_chain("quality"))


# --- the committee ----------------------------------------------------------------------------------------------------


def test_a_committee_puts_a_tie_in_order_with_its_minute():
    settled = resolve_tie(places(90, 80, 80, 80, 70), Vote(order=("e4", "e2", "e3"), minute=MINUTE))

    assert [(place.entry_id, place.rank, place.decided_by, place.minute) for place in settled] == [
        ("e1", 1, "adjusted_mean", None),
        ("e4", 2, "committee", MINUTE),
        ("e2", 3, "committee", MINUTE),
        ("e3", 4, "committee", MINUTE),
        ("e5", 5, "adjusted_mean", None),
    ]


@pytest.mark.rule("A-19")
@pytest.mark.parametrize(
    "order", [("e1",), ("e1", "e2"), ("e2",), ("e2", "e3", "e3"), ("e2", "e3", "e5"), ("e2", "e9"), ()]
)
def test_a_committee_votes_on_the_whole_of_a_tie_and_on_nothing_else(order):
    with pytest.raises(NotTied):
        resolve_tie(places(90, 80, 80, 70, 70), Vote(order=order, minute=MINUTE))


@pytest.mark.rule("A-19")
def test_a_tie_that_was_voted_on_is_none_any_more():
    vote = Vote(order=("e2", "e1"), minute=MINUTE)

    with pytest.raises(NotTied):
        resolve_tie(resolve_tie(places(80, 80), vote), vote)


@pytest.mark.rule("A-19")
def test_a_committee_resolves_no_tie_without_a_minute():
    with pytest.raises(MinuteMissing, match="voted=e2, e1"):
        resolve_tie(places(80, 80), Vote(order=("e2", "e1"), minute=""))


# --- the edge of a quota ----------------------------------------------------------------------------------------------


@pytest.mark.rule("A-19")
def test_a_tie_at_the_last_place_is_refused_until_the_committee_resolved_it():
    tied = places(90, 80, 80, 70)
    with pytest.raises(BoundaryTie, match="places=2, tied=e2, e3"):
        cut(tied, 2, edge="committee")

    settled = resolve_tie(tied, Vote(order=("e3", "e2"), minute=MINUTE))
    assert [place.entry_id for place in cut(settled, 2, edge="committee").within] == ["e1", "e3"]


@pytest.mark.parametrize(
    ("edge", "number", "within"),
    [
        ("expand", 2, ["e1", "e2", "e3", "e4"]),
        ("expand", 3, ["e1", "e2", "e3", "e4"]),
        ("shrink", 2, ["e1"]),
        ("shrink", 3, ["e1"]),
    ],
)
def test_all_of_a_tie_at_the_last_place_is_in_or_out_as_the_edition_says(edge, number, within):
    found = cut(places(90, 80, 80, 80, 70), number, edge=edge)

    assert [place.entry_id for place in found.within] == within
    assert len(found.within) + len(found.beyond) == 5
    assert found.at_edge == {"e2", "e3", "e4"}


@pytest.mark.parametrize("edge", ["expand", "shrink", "committee"])
@pytest.mark.parametrize("number", [0, 1, 4, 5, 9])
def test_a_tie_that_no_edge_divides_matters_to_nobody(edge, number):
    found = cut(places(90, 80, 80, 80, 70), number, edge=edge)

    assert (len(found.within), found.at_edge) == (min(number, 5), frozenset())


@given(tables(), st.integers(0, 9), st.sampled_from(["expand", "shrink"]))
def test_a_cut_never_divides_a_tie(table, number, edge):
    found = cut(rank(results_of(sheets(table)).by_entry.values(), chain=()), number, edge=edge)

    assert not {place.rank for place in found.within} & {place.rank for place in found.beyond}
    if edge == "shrink":
        assert len(found.within) <= number
    elif number:
        assert len(found.within) >= min(number, len(found.within) + len(found.beyond))
