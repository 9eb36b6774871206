"""The rules of an activity's report."""

import pytest

from services.outreach.domain.audience import EvidenceMissing, VerifiedByRecorder
from services.outreach.domain.report import CountsUndecided, DaysWithoutCount, hand_in, verify
from tests.outreach.examples import SATURDAY, SUNDAY, a_count, an_activity, some_evidence


@pytest.mark.rule("X-12")
def test_an_activity_is_reported_when_each_of_its_days_has_a_standing_count():
    held = an_activity(days=(SATURDAY, SUNDAY))
    saturday, sunday = a_count(held=held), a_count(held=held, day=SUNDAY)

    with pytest.raises(DaysWithoutCount, match="2011-05-15"):
        hand_in(held, counts=[saturday], evidence=[], by="u-li")
    with pytest.raises(DaysWithoutCount):
        hand_in(held, counts=[saturday, a_count(held=held, day=SUNDAY, state="rejected")], evidence=[], by="u-li")
    assert hand_in(held, counts=[saturday, sunday], evidence=[], by="u-li").record.reported_by == "u-li"


@pytest.mark.rule("O-06")
def test_a_report_with_a_large_estimate_has_its_evidence():
    counts = [a_count(person_times=1_000, method="estimate")]

    with pytest.raises(EvidenceMissing):
        hand_in(an_activity(), counts=counts, evidence=[some_evidence("photo")], by="u-li")
    assert hand_in(an_activity(), counts=counts, evidence=[some_evidence("press")], by="u-li").happened == "reported"


def test_a_report_that_was_missed_still_comes():
    assert hand_in(an_activity(state="not_reported"), counts=[a_count()], evidence=[], by="u-li").happened == "reported"


@pytest.mark.rule("O-05", "X-05")
def test_a_report_is_verified_by_none_of_its_recorders_and_not_by_who_handed_it_in():
    reported = an_activity(state="reported", reported_by="u-li")
    counts = [a_count(state="verified", recorded_by="u-chen")]

    for by in ("u-li", "u-chen"):
        with pytest.raises(VerifiedByRecorder):
            verify(reported, counts=counts, by=by)
    assert verify(reported, counts=counts, by="u-wang").record.verified_by == "u-wang"


@pytest.mark.rule("X-12")
def test_a_report_is_verified_when_nothing_in_it_is_open():
    reported = an_activity(state="reported", reported_by="u-li")
    decided = [a_count(state=state) for state in ("verified", "rejected", "superseded")]

    with pytest.raises(CountsUndecided, match="undecided=1"):
        verify(reported, counts=[*decided, a_count()], by="u-wang")
    assert verify(reported, counts=decided, by="u-wang").happened == "verified"
