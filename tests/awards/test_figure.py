"""Figures of judging: exact on the way, rounded once."""

from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.awards.domain.figure import is_plain, kept, mean, median, root, trimmed_mean, units, variance

TOTALS = st.lists(st.fractions(min_value=0, max_value=100, max_denominator=400), min_size=1, max_size=9)


@pytest.mark.parametrize(
    ("exact", "expected"),
    [
        ("1/3", "0.3333"),
        ("2/3", "0.6667"),
        ("0.00005", "0.0000"),
        ("0.00015", "0.0002"),
        ("80", "80.0000"),
        ("-1.23445", "-1.2344"),
        ("-1.234451", "-1.2345"),
        ("123456789012345678901234567890", "123456789012345678901234567890.0000"),
    ],
)
def test_a_figure_is_kept_to_four_decimals_half_to_even(exact, expected):
    assert str(kept(Fraction(exact))) == expected


def test_the_context_of_decimal_changes_no_figure():
    with localcontext() as context:
        context.prec = 2

        assert str(kept(Fraction("98.76545"))) == "98.7654"
        assert units(Decimal("98.7654")) == 987_654
        assert is_plain(Decimal("98.7654"))


def test_a_root_is_exact_where_it_ends_and_cut_off_after_50_places_where_it_does_not():
    assert root(Fraction(4, 9)) == Fraction(2, 3)
    assert root(Fraction(8, 2)) == 2
    assert root(Fraction()) == 0

    assert str(root(Fraction(2)) * 10**50) == "141421356237309504880168872420969807856967187537694"


@given(st.fractions(min_value=0, max_value=10_000, max_denominator=10**6))
def test_a_root_lies_less_than_its_last_place_below(value):
    found = root(value)

    assert found**2 <= value < (found + Fraction(1, 10**50)) ** 2


@given(TOTALS)
def test_means_and_spreads_are_those_of_numpy(values):
    floats = np.array([float(value) for value in values])

    assert float(mean(values)) == pytest.approx(floats.mean())
    assert float(median(values)) == pytest.approx(np.median(floats))
    assert float(variance(values)) == pytest.approx(floats.var(), abs=1e-9)
    rest = np.sort(floats)[1:-1] if len(values) >= 5 else floats
    assert float(trimmed_mean(values)) == pytest.approx(rest.mean())


@given(TOTALS.flatmap(lambda values: st.tuples(st.just(values), st.permutations(values))))
def test_no_figure_depends_on_the_order_in_which_scores_arrive(both):
    values, shuffled = both

    for figure in (mean, median, trimmed_mean, variance):
        assert figure(values) == figure(shuffled)


def test_one_highest_and_one_lowest_are_dropped_from_five_scores_on():
    four, five = [Fraction(score) for score in (0, 6, 8, 100)], [Fraction(score) for score in (0, 6, 7, 100, 100)]

    assert trimmed_mean(four) == Fraction(114, 4)
    assert trimmed_mean(five) == Fraction(113, 3)


@pytest.mark.parametrize("number", ["0", "-0", "8.00000", "0.0001", "1000000", "0E-999999"])
def test_a_plain_number_has_at_most_four_decimals(number):
    assert is_plain(Decimal(number))


@pytest.mark.parametrize(
    "number", ["NaN", "sNaN", "Infinity", "-1", "0.00001", "1000000.1", "1E-999999", "1E+999999", "1.23456"]
)
def test_what_is_no_quantity_or_too_fine_or_too_large_is_not_plain(number):
    assert not is_plain(Decimal(number))
