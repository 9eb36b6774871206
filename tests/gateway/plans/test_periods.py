from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.plans.periods import FORMS, STEPS, Period, Piece, UnknownPeriod, count_steps, pieces, read, steps

DAYS = st.dates(date(1990, 1, 1), date(2030, 12, 31))


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2011", date(2011, 1, 1), date(2011, 12, 31)),
        ("2011S1", date(2011, 1, 1), date(2011, 6, 30)),
        ("2011S2", date(2011, 7, 1), date(2011, 12, 31)),
        ("2011Q1", date(2011, 1, 1), date(2011, 3, 31)),
        ("2011Q3", date(2011, 7, 1), date(2011, 9, 30)),
        ("201107", date(2011, 7, 1), date(2011, 7, 31)),
        ("201202", date(2012, 2, 1), date(2012, 2, 29)),
        ("2011W01", date(2011, 1, 3), date(2011, 1, 9)),
        ("2009W53", date(2009, 12, 28), date(2010, 1, 3)),
        ("20110514", date(2011, 5, 14), date(2011, 5, 14)),
        ("2011-01-01..2011-10-31", date(2011, 1, 1), date(2011, 10, 31)),
        ("2011-05-14..2011-05-14", date(2011, 5, 14), date(2011, 5, 14)),
    ],
)
def test_a_period_has_a_first_and_a_last_day(text, first, last):
    assert read(text) == Period(text, first, last)


@pytest.mark.parametrize(
    "text",
    [
        "", "2011Q5", "2011S3", "2011W54", "2010W53", "2011W00", "201113", "20110230", "20110000", "0000", "9999",
        "2011-02-30..2011-03-01", "2011-05-02..2011-05-01", "2011-05-01", "2011..2012", " 2011", "2011\n", "２０１１",
        "2011" * 100_000,
    ],
)  # fmt: skip
def test_any_other_text_is_refused_with_the_forms_there_are(text):
    with pytest.raises(UnknownPeriod) as refused:
        read(text)

    assert all(form in refused.value.en and form in refused.value.zh for form in FORMS)
    assert len(refused.value.en) < 300


def test_a_period_is_made_of_whole_years_whole_months_and_single_days():
    assert list(pieces(read("2011"))) == [Piece("2011")]
    assert list(pieces(read("2011Q3"))) == [Piece("2011-07"), Piece("2011-08"), Piece("2011-09")]
    assert list(pieces(read("2009-12-30..2011-02-02"))) == [
        Piece("2009-12", ("30", "31")),
        Piece("2010"),
        Piece("2011-01"),
        Piece("2011-02", ("01", "02")),
    ]


@given(DAYS, DAYS)
def test_the_pieces_of_a_period_are_its_days_each_once(one, other):
    first, last = min(one, other), max(one, other)

    days = [day for piece in pieces(Period("", first, last)) for day in days_of(piece)]

    assert days == [first + timedelta(days=number) for number in range((last - first).days + 1)]


def days_of(piece):
    if piece.days:
        return [date.fromisoformat(f"{piece.key}-{day}") for day in piece.days]
    whole = read(piece.key.replace("-", ""))
    return [whole.first + timedelta(days=number) for number in range((whole.last - whole.first).days + 1)]


@given(DAYS, DAYS, st.sampled_from(STEPS))
def test_steps_are_counted_without_cutting_the_period(one, other, step):
    period = Period("", min(one, other), max(one, other))

    assert count_steps(period, step) == len(steps(period, step))
