"""Quantities are whole, zero or more, or not counted at all (X-06)."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kernel.quantity import NotWhole, whole


@pytest.mark.rule("X-06")
@pytest.mark.parametrize("wrong", [-1, 0.5, 1.0, "3", True, False, Decimal(1), float("nan")])
def test_what_is_no_whole_number_from_0_on_is_refused_by_its_name(wrong):
    with pytest.raises(NotWhole) as refused:
        whole(person_times=300, minors=wrong)

    assert refused.value.involved == {"minors": wrong}


@pytest.mark.rule("X-06")
@given(st.none() | st.integers(min_value=0))
def test_zero_anything_above_and_not_counted_are_taken(quantity):
    whole(fen=quantity)
