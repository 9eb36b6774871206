import pytest

from services.kernel.number import comparable


@pytest.mark.parametrize(
    "written", ["川财教〔2011〕88号", "川财教[2011]88号", "川财教 （２０１１） 88 号", "川财教【2011】88号"]
)
def test_a_number_is_the_same_however_it_is_written(written):
    assert comparable(written) == "川财教(2011)88号"


@pytest.mark.parametrize("dash", "-‐–—―−－")
def test_one_dash_is_as_good_as_another(dash):
    assert comparable(f"v{dash}1") == comparable("V-1")


@pytest.mark.parametrize(
    "same", ["ＹＯＵＴＨ－２０１１－１０－０００７", "youth-2011-10-0007", " YOUTH-2011\u200b-10-0007"]
)
def test_a_certificate_is_found_by_its_number_however_that_is_typed(same):
    assert comparable(same).upper() == "YOUTH-2011-10-0007"


def test_two_numbers_that_differ_by_where_the_sign_stands_are_two():
    assert comparable("3-12") != comparable("31-2")
    assert comparable("2011-1-11") != comparable("2011-11-1")
