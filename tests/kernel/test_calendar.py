"""Days, deadlines and publicity periods as the association counts them (X-07)."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kernel.calendar import (
    SHANGHAI,
    day_of,
    end_of,
    format_instant,
    is_in_time,
    is_working_day,
    months_between,
    publicity_ends,
    start_of,
)

days = st.dates(date(1990, 1, 1), date(2060, 12, 31))


def in_shanghai(*moment):
    return datetime(*moment, tzinfo=SHANGHAI)


@pytest.mark.rule("X-07")
def test_the_day_is_that_of_shanghai():
    assert day_of(datetime(2011, 12, 31, 15, 59, 59, tzinfo=UTC)) == date(2011, 12, 31)
    assert day_of(datetime(2011, 12, 31, 16, 0, tzinfo=UTC)) == date(2012, 1, 1)


def test_an_instant_is_written_in_shanghai_s_time_to_the_millisecond():
    assert format_instant(datetime(2011, 12, 31, 16, 0, tzinfo=UTC)) == "2012-01-01T00:00:00.000+08:00"
    assert format_instant(in_shanghai(2011, 5, 14, 10, 0, 0, 123_999)) == "2011-05-14T10:00:00.123+08:00"


@given(days)
def test_a_day_starts_where_the_one_before_it_ends(day):
    assert start_of(day) == end_of(day - timedelta(days=1))
    assert day_of(start_of(day)) == day


@pytest.mark.rule("X-07")
def test_a_deadline_includes_its_last_second():
    deadline = date(2011, 5, 31)

    assert is_in_time(in_shanghai(2011, 5, 31, 23, 59, 59, 999_999), until=deadline)
    assert not is_in_time(in_shanghai(2011, 6, 1), until=deadline)
    assert is_in_time(datetime(2011, 5, 31, 15, 59, 59, tzinfo=UTC), until=deadline)
    assert not is_in_time(datetime(2011, 5, 31, 16, 0, tzinfo=UTC), until=deadline)


@pytest.mark.rule("X-07")
@pytest.mark.parametrize(
    ("start", "days", "last"),
    [
        (date(2021, 11, 19), 7, date(2021, 11, 25)),
        (date(2010, 5, 21), 10, date(2010, 5, 30)),
        (date(2021, 12, 1), 5, date(2021, 12, 5)),
        (date(2011, 12, 31), 1, date(2011, 12, 31)),
        (date(2012, 2, 28), 3, date(2012, 3, 1)),
    ],
)
def test_the_first_day_of_publicity_is_day_1_and_it_ends_at_24_00_of_day_n(start, days, last):
    ends = publicity_ends(start, days=days)

    assert ends == end_of(last)
    assert ends == datetime.combine(last + timedelta(days=1), datetime.min.time(), tzinfo=SHANGHAI)


@pytest.mark.rule("X-07")
def test_24_to_30_november_2021_are_5_working_days():
    assert publicity_ends(date(2021, 11, 24), days=5, unit="working") == end_of(date(2021, 11, 30))


@pytest.mark.rule("X-07")
def test_publicity_in_working_days_that_starts_on_a_day_off_begins_with_the_next_working_day():
    saturday, monday = date(2021, 11, 27), date(2021, 11, 29)

    assert publicity_ends(saturday, days=1, unit="working") == end_of(monday)
    assert publicity_ends(saturday, days=5, unit="working") == publicity_ends(monday, days=5, unit="working")


@pytest.mark.rule("X-07")
@given(days, st.integers(1, 30))
def test_n_working_days_hold_n_working_days_and_the_last_one_is_one(start, n):
    last = day_of(publicity_ends(start, days=n, unit="working") - timedelta(seconds=1))
    within = [start + timedelta(days=number) for number in range((last - start).days + 1)]

    assert sum(map(is_working_day, within)) == n
    assert is_working_day(last)


def test_working_days_are_those_of_the_state_council():
    assert not is_working_day(date(2011, 10, 3))  # a Monday, national holiday
    assert is_working_day(date(2011, 10, 8))  # a Saturday, worked instead


def test_beyond_the_years_that_were_decreed_monday_to_friday_are_worked():
    assert is_working_day(date(1999, 10, 1))
    assert not is_working_day(date(2055, 10, 2))


@given(days, st.timedeltas(timedelta(0), timedelta(hours=23, minutes=59, seconds=59)))
def test_every_instant_of_a_day_is_of_that_day_and_before_its_end(day, since):
    instant = datetime.combine(day, datetime.min.time(), tzinfo=SHANGHAI) + since

    assert day_of(instant) == day
    assert instant < end_of(day)


@pytest.mark.parametrize(
    ("earlier", "later", "months"),
    [
        (date(2011, 1, 15), date(2011, 2, 14), 0),
        (date(2011, 1, 15), date(2011, 2, 15), 1),
        (date(2010, 12, 31), date(2011, 12, 30), 11),
        (date(2010, 12, 31), date(2011, 12, 31), 12),
        (date(2011, 5, 14), date(2011, 5, 14), 0),
    ],
)
def test_a_month_has_passed_when_its_day_is_reached(earlier, later, months):
    assert months_between(earlier, later) == months
