"""The rules of evidence."""

from datetime import date

import pytest

from services.kernel import ForbiddenMove
from services.outreach.domain import activity
from services.outreach.domain.evidence import TakenOnAnotherDay, UsedTwice, attach, attach_again
from tests.outreach.examples import A_PHOTO, SATURDAY, an_activity, some_evidence


@pytest.mark.rule("O-04")
def test_a_photo_was_taken_on_a_day_of_the_activity_and_a_press_report_may_come_later():
    day_after = date(2011, 5, 15)

    with pytest.raises(TakenOnAnotherDay):
        some_evidence("photo", taken_on=day_after)
    assert some_evidence("photo", taken_on=SATURDAY).taken_on == SATURDAY
    assert some_evidence("press", taken_on=day_after).taken_on == day_after


@pytest.mark.rule("O-04")
def test_a_file_serves_one_activity_and_the_same_one_again_changes_nothing():
    photo = some_evidence("photo", activity_id="a-1")

    with pytest.raises(UsedTwice, match="attached_to=a-1, activity_id=a-2"):
        attach_again(photo, activity_id="a-2")
    assert attach_again(photo, activity_id="a-1") is None


@pytest.mark.parametrize("state", activity.LIFECYCLE.states)
@pytest.mark.rule("X-12")
def test_evidence_is_attached_from_the_scheduling_of_an_activity_until_it_is_closed(state):
    if state in ("draft", "closed", "cancelled"):
        with pytest.raises(ForbiddenMove):
            attach(an_activity(state=state), **A_PHOTO, by="u-li")
    else:
        assert attach(an_activity(state=state), **A_PHOTO, by="u-li").happened == "attached"
