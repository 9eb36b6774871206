"""What has happened bears a day that has come (X-07)."""

from datetime import date

import pytest

from services.kernel.day import NotYet, OutOfOrder, Over, in_order, past, upcoming

TODAY = date(2011, 5, 14)


@pytest.mark.rule("X-07")
def test_today_and_a_day_that_is_not_known_are_taken_and_tomorrow_is_refused_by_its_name():
    past(today=TODAY, filed_on=TODAY, content_on=None)

    with pytest.raises(NotYet) as refused:
        past(today=TODAY, filed_on=TODAY, content_on=date(2011, 5, 15))
    assert refused.value.involved == {"content_on": date(2011, 5, 15), "today": TODAY}


@pytest.mark.rule("X-07")
def test_what_is_set_for_a_day_is_set_for_today_at_the_earliest():
    upcoming(today=TODAY, starts_on=TODAY, correct_by=date(2011, 5, 15))

    with pytest.raises(Over, match="starts_on=2011-05-13, today=2011-05-14"):
        upcoming(today=TODAY, starts_on=date(2011, 5, 13))


@pytest.mark.rule("X-07")
def test_days_follow_one_another_or_are_the_same_and_one_that_is_not_known_is_passed_over():
    in_order(starts_on=TODAY, out_on=None, ends_on=TODAY)

    with pytest.raises(OutOfOrder, match="starts_on=2011-05-14, ends_on=2011-05-13"):
        in_order(starts_on=TODAY, out_on=None, ends_on=date(2011, 5, 13))
