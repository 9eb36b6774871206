from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.plans.model import Target
from gateway.plans.pace import Pace, months, outlook, percent, status

CURVE = (2, 4, 18, 6, 14, 6, 4, 4, 30, 6, 3, 3)
K2 = Pace(2011, date(2011, 12, 31), CURVE)
EVEN = Pace(2011, date(2011, 12, 31))
JANUARY, JUNE, NOVEMBER = date(2011, 1, 31), date(2011, 6, 30), date(2011, 11, 30)


def a_target(value=200_000, baseline=None):
    return Target(value, date(2011, 1, 1), "d-1", baseline)


def status_of(value, *, on, target=None, pace=K2, better="more"):
    return status(value, target or a_target(), pace, better=better, on=on)["code"]


def test_what_is_due_follows_the_months_of_the_curve_and_the_days_within_a_month():
    assert K2.expected(200_000, date(2010, 12, 31)) == 0
    assert K2.expected(200_000, JANUARY) == 4_000
    assert K2.expected(200_000, date(2011, 9, 15)) == 200_000 * (58 + 15) // 100
    assert K2.expected(200_000, date(2011, 12, 31)) == 200_000


def test_without_a_curve_every_day_until_the_item_is_due_counts_alike():
    until_june = Pace(2011, JUNE)

    assert until_june.expected(181, date(2011, 1, 1)) == 1
    assert until_june.expected(181, JUNE) == until_june.expected(181, date(2011, 12, 31)) == 181


def test_a_target_of_one_is_due_when_all_of_it_is():
    assert EVEN.expected(1, date(2011, 12, 30)) == 0
    assert EVEN.expected(1, date(2011, 12, 31)) == 1


@given(st.dates(date(2011, 1, 1), date(2011, 12, 31)), st.integers(0, 10**9), st.sampled_from([K2, EVEN]))
def test_what_is_due_in_the_parts_of_a_year_adds_up_to_what_is_due_in_the_year(day, amount, pace):
    before = pace.between(amount, date(2011, 1, 1), day)
    after = pace.between(amount, day.fromordinal(day.toordinal() + 1), date(2011, 12, 31))

    assert before + after == amount


def test_a_status_says_how_the_number_stands_to_what_is_due():
    due = K2.expected(200_000, JUNE)

    assert status_of(200_000, on=JUNE) == "reached"
    assert (status_of(due, on=JUNE), status_of(due - 1, on=JUNE)) == ("on_track", "behind")
    assert (status_of(due * 11 // 10, on=JUNE), status_of(due * 11 // 10 - 1, on=JUNE)) == ("ahead", "on_track")
    assert status_of(199_999, on=date(2011, 12, 31)) == "behind"
    assert status_of(199_999, on=date(2012, 1, 1)) == "late"
    assert status_of(0, on=date(2011, 3, 1), target=a_target(1), pace=EVEN) == "not_due"


def test_a_limit_is_kept_or_not_and_exactly_at_it_is_kept():
    ask = {"target": a_target(100), "pace": EVEN, "better": "less"}

    assert (status_of(100, on=date(2012, 1, 1), **ask), status_of(101, on=date(2012, 1, 1), **ask)) == (
        "reached",
        "late",
    )
    assert (status_of(49, on=JUNE, **ask), status_of(50, on=JUNE, **ask)) == ("on_track", "behind")
    assert status_of(101, on=JUNE, **ask) == "late"


@pytest.mark.acceptance(9)
def test_target_0_target_equal_to_baseline_exactly_at_target_when_less_is_better_and_150_percent():
    assert percent(300_000, a_target(), "more") == 150.0
    assert percent(5, a_target(0), "more") is None
    assert status_of(0, on=JUNE, target=a_target(0)) == "reached"
    assert percent(7, a_target(7, baseline=7), "more") is None
    assert status_of(7, on=JUNE, target=a_target(7, baseline=7)) == "reached"
    assert percent(80, a_target(80, baseline=100), "less") == 100.0
    assert percent(90, a_target(80, baseline=100), "less") == 50.0
    assert percent(30, a_target(60), "less") == 50.0


def test_a_missed_month_stays_red_and_turns_amber_when_it_is_made_up():
    values = [4_000, 0, 60_000, 0, 0, 0, 0, 0, 0, 0, 0, 0]

    rows = months(values, a_target(), K2, better="more", on=JUNE)

    assert [one["colour"] for one in rows[:6]] == ["green", "amber", "green", "green", "red", "red"]
    assert [one["colour"] for one in rows[6:]] == [None] * 6
    assert [one["value"] for one in rows[:4]] == [4_000, 4_000, 64_000, 64_000]
    assert rows[7]["value"] is None


def test_the_outlook_is_three_numbers_and_none_where_too_little_is_known():
    assert outlook(100, 40, 7, year=2011, on=JUNE) == {"actual": 100, "scheduled": 7, "run_rate": 100 * 184 // 181}
    assert outlook(100, 40, None, year=2011, on=JANUARY)["run_rate"] is None
    assert outlook(100, 2, None, year=2011, on=JUNE)["run_rate"] is None
    assert outlook(100, 40, None, year=2011, on=date(2012, 5, 1))["run_rate"] is None


@pytest.mark.parametrize("better", ["more", "less"])
def test_every_status_says_its_rule_in_both_languages(better):
    judged = status(1, a_target(), K2, better=better, on=NOVEMBER)

    assert judged["rule"]["zh"]
    assert judged["rule"]["en"]
