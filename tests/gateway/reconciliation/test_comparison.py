"""Comparison of what services hold with what the gateway holds, shown on values; `test_upkeep.py` has the real ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.reconciliation.comparison import Block, Difference, differences, flaws, is_equal
from services.contract import KINDS
from services.contract.event import cause_of

COUNT = KINDS["outreach.audience_count"]
BLOCK = Block(COUNT, "", None)

ENTRY = {
    "version": 1, "happened": "recorded", "at": "2011-05-14T10:00:01.000+08:00", "by": "u-li", "because": "k-1",
    "hash": "ab", "view": {"person_times": 300},
}  # fmt: skip
ROW = {
    "_id": {"record": "outreach.audience_count/c-1", "version": 1}, "happened": "recorded",
    "time": "2011-05-14T10:00:01.000+08:00", "actor": "u-li", "cause": cause_of("k-1"), "hash": "ab",
    "data": {"person_times": 300},
}  # fmt: skip
RECORD = {"id": "c-1", "version": 1, "entries": [ENTRY], "broken": None}

VERSIONS = st.dictionaries(st.sampled_from("abcd"), st.integers(1, 5))


def a_difference(version, copy, rows):
    return Difference(BLOCK, "c-1", version, copy, rows)


@given(theirs=VERSIONS, lost=st.dictionaries(st.sampled_from("abcd"), st.tuples(st.integers(0, 5), st.integers(0, 5))))
def test_sums_are_equal_only_where_every_copy_is(theirs, lost):
    held = {id_: [version - less for less in lost.get(id_, (0, 0))] for id_, version in theirs.items()}
    ours = {id_: (copy, max(rows, 0)) for id_, (copy, rows) in held.items() if copy > 0}

    found = differences(BLOCK, {id_: [version, version] for id_, version in theirs.items()}, ours)

    sums = {"records": len(theirs), "versions": sum(theirs.values())}
    held = {"records": len(ours), "versions": sum(copy for copy, _ in ours.values())}
    assert is_equal(sums, held | {"entries": sum(rows for _, rows in ours.values())}) == (not found)


def test_what_differs_says_how():
    theirs = {"same": [2, 2], "behind": [3, 3], "lost": [1, 1], "rowless": [2, 2], "ahead": [1, 1]}
    ours = {"same": (2, 2), "behind": (2, 2), "rowless": (2, 1), "ahead": (2, 2), "stranger": (1, 1)}

    found = {one.id: one for one in differences(BLOCK, theirs, ours)}

    assert {id_: one.direction for id_, one in found.items()} == {
        "behind": "behind", "lost": "behind", "rowless": "behind", "ahead": "ahead", "stranger": "unknown",
    }  # fmt: skip
    assert found["behind"].document() == {
        "service": "outreach", "kind": "audience_count", "id": "behind", "version": 3, "copy": 2, "rows": 2,
        "what": "behind",
    }  # fmt: skip


def test_what_is_behind_is_published_again_from_the_version_up_to_which_all_is_there():
    assert a_difference(3, 2, 2).complete == 2
    assert a_difference(3, 0, 0).complete == 0
    assert a_difference(3, 3, 2).complete == 0  # nobody knows which row is missing


def test_a_difference_is_gone_when_each_side_has_what_the_other_had():
    behind = a_difference(3, 2, 2)
    assert behind.is_gone(a_difference(5, 3, 3))
    assert not behind.is_gone(a_difference(5, 3, 2))
    assert not behind.is_gone(a_difference(3, 2, 2))

    ahead = a_difference(3, 4, 4)
    assert ahead.is_gone(a_difference(4, 5, 5))
    assert not ahead.is_gone(a_difference(3, 4, 4))


def found(record=RECORD, rows=(ROW,), view=None):
    return [(flaw.version, flaw.side, flaw.field) for flaw in flaws(COUNT, record, rows, view)]


def test_a_text_with_what_nobody_can_see_is_found_with_its_field_and_breaks_nothing():
    assert found(RECORD | {"hidden": ["title U+200B", "note U+0000"]}) == [
        (RECORD["version"], "text", "title U+200B"),
        (RECORD["version"], "text", "note U+0000"),
    ]


def test_a_history_that_is_the_same_at_both_has_no_flaw():
    assert found() == []
    assert found(view={"version": 1, "data": ROW["data"]}) == []
    assert found(rows=()) == []  # the audit's business
    assert found(rows=[ROW | {"cause": "k-1"}]) == []  # from before commands were named by the UUIDs of their ids


@pytest.mark.parametrize("word", ["happened", "time", "actor", "cause", "hash", "data"])
def test_a_row_of_which_any_word_was_changed_is_named(word):
    assert found(rows=[ROW | {word: "changed"}]) == [(1, "gateway", word)]


def test_a_view_that_was_changed_is_named_and_an_older_one_is_not():
    assert found(view={"version": 1, "data": {"person_times": 301}}) == [(1, "gateway", "view")]
    assert found(view={"version": 2, "data": {"person_times": 301}}) == []


def test_a_flaw_of_the_service_s_own_chain_comes_first():
    broken = RECORD | {"broken": {"version": 1, "what": "altered"}}

    assert found(broken, [ROW | {"hash": "other"}]) == [(1, "service", "altered"), (1, "gateway", "hash")]
