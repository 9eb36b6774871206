"""Money is counted in whole fen and written in yuan (X-06)."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contract import KINDS, glossary
from services.kernel.money import PartOfFen, format_yuan, is_money, to_fen, to_yuan

amounts = st.integers(-(2**63), 2**63 - 1)


@pytest.mark.parametrize("field", ["fen", "approved_fen", "net_fen"])
def test_a_field_that_is_named_after_fen_holds_money(field):
    assert is_money(field)


@pytest.mark.parametrize("field", ["", "often", "fence", "fen_count", "person_times"])
def test_any_other_field_does_not(field):
    assert not is_money(field)


@given(amounts)
def test_fen_come_back_from_yuan_as_they_were(fen):
    assert to_fen(to_yuan(fen)) == fen
    assert to_fen(Decimal(format_yuan(fen))) == fen


@pytest.mark.parametrize("yuan", ["0.001", "-12000.505", "1E-3"])
def test_a_part_of_a_fen_is_never_rounded(yuan):
    with pytest.raises(PartOfFen):
        to_fen(Decimal(yuan))


@pytest.mark.parametrize(
    ("fen", "plain", "grouped"),
    [
        (0, "0.00", "0.00"),
        (5, "0.05", "0.05"),
        (-50, "-0.50", "-0.50"),
        (1_200_050, "12000.50", "12,000.50"),
        (10**15, "10000000000000.00", "10,000,000,000,000.00"),
    ],
)
def test_yuan_are_written_with_two_decimals(fen, plain, grouped):
    assert format_yuan(fen) == plain
    assert format_yuan(fen, grouped=True) == grouped


def test_what_people_count_in_yuan_is_what_programs_count_in_fen():
    in_yuan = {name for name, unit in glossary.UNITS.items() if unit.zh == "元"}
    fields = {name for kind in KINDS.values() for name in kind.fields}

    assert {name for name in fields | set(glossary.UNITS) if is_money(name)} == in_yuan
