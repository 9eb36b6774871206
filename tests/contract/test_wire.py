"""JSON as it travels and as it is hashed."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contract import wire

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
plain = st.recursive(
    st.none() | st.booleans() | st.integers(1 - 2**63, 2**63 - 1) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


@given(plain)
def test_what_is_sent_arrives_as_it_was(value):
    assert wire.decode(wire.encode(value)) == value


@given(plain)
def test_the_same_content_has_the_same_bytes_whatever_its_order(value):
    assert wire.canonical(_turned_round(value)) == wire.canonical(value)


@given(plain)
def test_canonical_is_utf_8_with_sorted_keys_and_no_spaces(value):
    expected = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    assert json.loads(wire.canonical(value)) == json.loads(expected)
    assert wire.canonical({"b": 1, "a": {"d": "中文", "c": None}}) == '{"a":{"c":null,"d":"中文"},"b":1}'.encode()


def test_a_text_that_looks_like_a_type_of_another_library_stays_a_text():
    body = b'{"__type__": "datetime", "__value__": "2011-05-14"}'

    assert wire.decode(body) == {"__type__": "datetime", "__value__": "2011-05-14"}


@pytest.mark.parametrize(
    "body",
    [
        b"", b" ", b"{", b"[1,]", b'{"a":1,}', b"NaN", b"Infinity", b"-Infinity", b"1e999", b"01", b"'a'", b"\xff\xfe",
        b'"\xff"', b'{"\xff":1}', b'"\\ud800"', b'"\xed\xa0\x80"', b"[" * 100_000, b'{"a":' * 100_000, b'{"a":1} x',
        b'"\n"',
    ],
)  # fmt: skip
def test_what_is_not_strictly_json_is_refused(body):
    with pytest.raises(wire.BrokenJson):
        wire.decode(body)


def test_a_whole_number_fits_64_bits_or_is_refused():
    assert wire.decode(str(2**63 - 1).encode()) == 2**63 - 1
    assert wire.decode(str(1 - 2**63).encode()) == 1 - 2**63

    for beyond in (2**63, -(2**63), 2**64 - 1):
        with pytest.raises(wire.BrokenJson):
            wire.decode(str(beyond).encode())
        with pytest.raises(wire.BrokenJson):
            wire.decode(b'[{"a": %d}]' % beyond)


def test_32_levels_are_taken_and_33_are_not():
    assert wire.decode(b"[" * 33 + b"]" * 33)
    with pytest.raises(wire.BrokenJson, match="deeper than 32"):
        wire.decode(b"[" * 34 + b"]" * 34)


@given(st.binary(max_size=100))
def test_any_bytes_are_json_or_are_said_not_to_be(body):
    try:
        value = wire.decode(body)
    except wire.BrokenJson:
        return
    assert wire.decode(wire.encode(value)) == value


def _turned_round(value):
    if isinstance(value, dict):
        return {name: _turned_round(item) for name, item in reversed(value.items())}
    return [_turned_round(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":1,"a":2}',
        b'{"a":1,"\\u0061":1}',
        b'[{"k":{"a":null,"b":":","a":null}}]',
        '{"人":1,"次":2,"人":1}'.encode(),
    ],
)
def test_a_name_that_stands_twice_is_refused_and_named(body):
    with pytest.raises(wire.BrokenJson, match=r"the name '(a|人)' stands twice"):
        wire.decode_given(body)


@given(plain)
def test_what_others_wrote_is_read_as_ours_where_no_name_stands_twice(value):
    assert wire.decode_given(json.dumps(value).encode()) == value
