"""What has happened bears a day that has come (X-07)."""

from datetime import date

import pytest

from services.kernel.day import NotYet, past

TODAY = date(2011, 5, 14)


@pytest.mark.rule("X-07")
def test_today_and_a_day_that_is_not_known_are_taken_and_tomorrow_is_refused_by_its_name():
    past(today=TODAY, filed_on=TODAY, content_on=None)

    with pytest.raises(NotYet) as refused:
        past(today=TODAY, filed_on=TODAY, content_on=date(2011, 5, 15))
    assert refused.value.involved == {"content_on": date(2011, 5, 15), "today": TODAY}
