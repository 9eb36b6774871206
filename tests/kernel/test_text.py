"""What a text may hold, and which two are one."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kernel.number import comparable
from services.kernel.text import NotAText, hidden_characters, kept, without_invisible

INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u180e\U000e0041"
REFUSED = "\x00\x07\x1b\x7f\x85\u202e\u2066\u200f\u2028\ud800\ufffe\ufdd0\U0010ffff"


@pytest.mark.parametrize("character", REFUSED)
@pytest.mark.parametrize("lines", [False, True])
def test_a_text_that_is_not_what_it_shows_is_refused(character, lines):
    with pytest.raises(NotAText, match=f"^U\\+{ord(character):04X}$"):
        kept(f"甲{character}乙", lines=lines)


@pytest.mark.parametrize(
    ("written", "is_kept"),
    [
        (f"记{INVISIBLE}-1", "记-1"), (" 记\u00a0-\u20091\ufeff ", "记 - 1"), ("cafe\u0301", "café"), ("\uf900", "豈"),
        ("茶\u3000叶", "茶\u3000叶"), ("\U00020bb7野家\U0003137d\ue843", "\U00020bb7野家\U0003137d\ue843"),
        ("葛\U000e0100", "葛\U000e0100"), ("\u0600١٢", "\u0600١٢"), ("ＡＢ", "ＡＢ"), ("", ""), (" \u200b ", ""),
    ],
)  # fmt: skip
def test_what_looks_the_same_is_kept_the_same(written, is_kept):
    assert kept(written) == is_kept


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_may_stand_where_they_are_meant_and_end_in_one_way(end):
    assert kept(f"一{end}\t二{end}", lines=True) == "一\n\t二"
    with pytest.raises(NotAText):
        kept(f"一{end}二")


@given(st.text(), st.booleans())
def test_a_text_that_is_kept_is_kept_as_it_is(text, lines):
    try:
        once = kept(text, lines=lines)
    except NotAText:
        assert hidden_characters(text) or not lines
        return

    assert kept(once, lines=lines) == once == once.strip() == unicodedata.normalize("NFC", once)
    assert hidden_characters(once) == []
    assert without_invisible(once) == once


@given(st.text(st.characters(categories=["L", "N", "P"]), min_size=1), st.sampled_from(INVISIBLE), st.data())
def test_what_nobody_can_see_makes_no_other_text_and_no_other_number(text, character, data):
    place = data.draw(st.integers(0, len(text)))
    other = text[:place] + character + text[place:]

    assert kept(other) == kept(text)
    assert comparable(other) == comparable(text)
    assert hidden_characters(other) == [f"U+{ord(character):04X}"]
