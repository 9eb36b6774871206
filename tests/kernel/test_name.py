"""The same name written twice is seen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kernel.name import normalised


@pytest.mark.parametrize(
    ("written", "otherwise"),
    [
        ("乐山市茶叶协会", "乐山市 茶叶协会"),
        ("乐山市茶叶协会", "《乐山市·茶叶协会》"),
        ("乐山市茶叶协会(沙湾)", "乐山市茶叶协会（沙湾）"),
        ("ABC茶", "ａｂｃ茶"),
        ("Straße", "STRASSE"),
        ("茶_叶", "茶叶"),
        ("茶叶\u3000协会", "茶叶协会"),
    ],
)
def test_spaces_punctuation_width_and_case_make_no_other_name(written, otherwise):
    assert normalised(written) == normalised(otherwise)


def test_another_name_stays_another_name():
    assert normalised("乐山市茶叶协会") != normalised("乐山市茶业协会")


def test_names_that_differ_in_symbols_are_different_names():
    names = ["C", "C++", "C#", "★★★", "★★", "A+", "A", "!!!", "?"]

    assert len({normalised(name) for name in names}) == len(names)


@pytest.mark.parametrize(
    ("name", "kept"), [("!!!", "!!!"), ("《》", "《》"), ("！", "!"), ("C ＋＋!", "c++"), ("", "")]
)
def test_a_name_of_nothing_but_punctuation_keeps_it(name, kept):
    assert normalised(name) == kept


@given(st.text(min_size=1))
def test_no_name_is_normalised_to_nothing(name):
    assert normalised(name)


@given(st.text())
def test_a_normalised_name_is_its_own_normalised_name(name):
    assert normalised(normalised(name)) == normalised(name)


@pytest.mark.parametrize("name", ["İ", "ᄀ-ᅡ", "ǅ", "ﬃ"])
def test_letters_that_change_their_form_are_normalised_once_and_for_all(name):
    assert normalised(normalised(name)) == normalised(name)
