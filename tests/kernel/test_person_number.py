"""Numbers that point at a person, and ids that only look like them."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kernel.person_number import has_person_number

PEOPLE = [
    "11010519491231002X", "11010519491231002x", "440524188001010014", "p-11010519491231002X", "id440524188001010014",
    "110105491231002", "r.110105491231002.1", "13812345678", "19912345678", "8613812345678", "0086-13812345678",
    "138-1234-5678", "138.1234.5678", "tel13812345678", "id13812345678", "import:13812345678:7", "王小明 13812345678",
]  # fmt: skip

OTHERS = [
    "110105194912310021", "11010519491331002X", "110105491331002", "12812345678", "1381234567", "138123456789",
    "91110519491231002X", "110105210012310021", "110105184912310020", "511102004001", "511102-20110514-0012",
    "51110220110514001", "r-1", "2011", "20110514", "1321234567890",
    "a13812345678", "7f13812345678",
]  # fmt: skip


@pytest.mark.rule("X-08")
@pytest.mark.parametrize("text", PEOPLE)
def test_a_number_of_a_person_is_found_with_what_stands_around_it(text):
    assert has_person_number(text)


@pytest.mark.parametrize("text", OTHERS)
def test_a_wrong_check_digit_an_impossible_day_or_another_length_is_no_number_of_a_person(text):
    assert not has_person_number(text)


@given(st.integers(min_value=0, max_value=2**128 - 1))
def test_no_uuid_is_taken_for_a_person(number):
    made = uuid.UUID(int=number)

    assert not has_person_number(str(made))
    assert not has_person_number(made.hex)


def test_a_long_text_costs_little():
    assert not has_person_number("1" * 1_000_000 + "-" * 1_000_000)
