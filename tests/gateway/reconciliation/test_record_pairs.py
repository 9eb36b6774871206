"""Two sides of the same records, held against each other on values; `test_recounts.py` has the real ones."""

import random
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.reconciliation.record_pairs import CountedRecord, RecordPair, Total, pair_records

DAYS = ("2011-05-14", "2011-05-15")

rows = st.builds(
    CountedRecord, st.text(max_size=3), st.integers(1, 3), st.sampled_from(DAYS), st.integers(0, 3)
)  # fmt: skip
sides = st.lists(rows, max_size=30, unique_by=lambda row: row.id).map(sorted)


def a_row(record="c-1", version=1, day="2011-05-14", amount=300):
    return CountedRecord(record, version, day, amount)


@given(sides, sides)
def test_two_streams_are_paired_as_two_dictionaries_would_be(here, there):
    ours, theirs = ({row.id: row for row in side} for side in (here, there))

    pairs = list(pair_records(here, there))

    assert pairs == [RecordPair(ours.get(id_), theirs.get(id_)) for id_ in sorted(ours.keys() | theirs.keys())]


@given(st.integers(1, 400), st.integers(0, 2**32), st.sampled_from([0.0, 0.05, 0.5]))
def test_what_was_changed_at_one_side_is_found_exactly(number, seed, share):
    chance = random.Random(seed)
    there = [a_row(f"c-{n:04}", amount=chance.randrange(5_000)) for n in range(number)]
    here, changed = [], {}
    for row in there:
        what = chance.choice(["only_there", "other_day", "other_amount", "only_here"])
        if chance.random() >= share:
            here.append(row)
            continue
        changed[row.id if what != "only_here" else f"{row.id}-new"] = what
        if what == "other_day":
            here.append(row._replace(day="2011-05-15"))
        elif what == "other_amount":
            here.append(row._replace(amount=row.amount + 1))
        elif what == "only_here":
            here += [row, a_row(f"{row.id}-new")]

    found = {pair.id: pair.difference for pair in pair_records(here, there) if pair.differs}

    assert found == changed


def test_a_stream_is_read_no_further_than_it_is_needed():
    taken = []

    def stream():
        for number in range(1_000):
            taken.append(number)
            yield a_row(f"c-{number:04}")

    pairs = pair_records(stream(), stream())

    assert [next(pairs).id for _ in range(3)] == ["c-0000", "c-0001", "c-0002"]
    assert len(taken) <= 2 * 4


@pytest.mark.parametrize(
    ("here", "there", "what"),
    [
        (a_row(), None, "only_here"),
        (None, a_row(), "only_there"),
        (a_row(day=None, amount=None), a_row(version=2), "only_there"),
        (a_row(amount=301), a_row(), "other_amount"),
        (a_row(day="2011-05-15", amount=301), a_row(), "other_day"),
    ],
)
def test_a_difference_says_how_and_what_each_side_has(here, there, what):
    said = RecordPair(here, there).document()

    assert (said["id"], said["what"]) == ("c-1", what)
    assert said["here"] == (here and {"version": here.version, "day": here.day, "amount": here.amount})
    assert said["there"] == (there and {"version": there.version, "day": there.day, "amount": there.amount})


def test_versions_alone_are_no_difference_nor_is_a_record_that_counts_nowhere():
    assert not RecordPair(a_row(version=1), a_row(version=2)).differs
    assert not RecordPair(a_row(day=None, amount=None), None).differs


def test_a_difference_is_settled_when_it_is_gone_or_when_both_sides_went_on():
    behind = RecordPair(a_row(version=1), a_row(version=2, amount=200))

    assert RecordPair(a_row(version=2, amount=200), a_row(version=2, amount=200)).is_settled(behind)
    assert RecordPair(a_row(version=2, amount=200), a_row(version=3, amount=100)).is_settled(behind)
    assert not behind.is_settled(behind)
    assert not RecordPair(a_row(version=1), a_row(version=3, amount=100)).is_settled(behind)


def test_a_difference_within_one_version_stays():
    altered = RecordPair(a_row(version=2, amount=1), a_row(version=2, amount=200))
    lost = RecordPair(None, a_row(version=2))

    assert not altered.is_settled(altered)
    assert not lost.is_settled(lost)
    assert not RecordPair(None, a_row(version=3)).is_settled(lost)


@given(sides)
def test_a_total_is_what_the_measure_says_of_the_rows_that_count(some):
    totals = {how: Total(how) for how in ("count", "sum", "distinct", "last")}
    for row in [*some, None, a_row("uncounted", day=None, amount=None)]:
        for total in totals.values():
            total.add(row)

    by_day = [list(group) for _, group in groupby(sorted(some, key=lambda row: (row.day, row.id)), lambda row: row.day)]
    last = by_day[-1][-1].amount if by_day else None
    assert {how: total.value for how, total in totals.items()} == {
        "count": len(some), "sum": sum(row.amount for row in some), "distinct": len({row.amount for row in some}),
        "last": last,
    }  # fmt: skip
    assert {total.records for total in totals.values()} == {len(some)}
