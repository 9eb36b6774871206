"""The rules of audience counts (K2)."""

from dataclasses import replace
from datetime import date
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services import contract
from services.kernel import ForbiddenMove, Refusal
from services.kernel.duty import SamePerson
from services.kernel.quantity import NotWhole
from services.outreach.domain import activity
from services.outreach.domain.audience import (
    LIFECYCLE,
    EvidenceMissing,
    Implausible,
    NotItsDay,
    NotTheSameAudience,
    OnlineAudience,
    TooManyMinors,
    VerifiedByRecorder,
    approve,
    correct,
    reject,
    supersede,
    verify,
)
from services.outreach.domain.evidence import UsedTwice
from tests.machines import follows_the_machine
from tests.outreach.examples import SATURDAY, SUNDAY, a_campaign, a_count, an_activity, some_evidence

HAPPENINGS = contract.outreach.AudienceCount.kind.happenings


def corrected(count, person_times, *, by="u-wang", held=None, evidence=None, **changes):
    named = {"e-1": some_evidence("sign_sheet")} if evidence is None else evidence
    return correct(
        count,
        activity=held or an_activity(),
        person_times=person_times,
        evidence=named,
        reason="重新清点签到表",
        by=by,
        **changes,
    )


def superseded(count, *, by_count, held=None):
    return supersede(
        count, by_count_id="n-2", by_count=by_count, activity=held or an_activity(), reason="以扫码人次为准"
    )


MOVES = {
    "verified": lambda count: verify(count, evidence=[], by="u-wang"),
    "rejected": lambda count: reject(count, reason="无佐证"),
    "superseded": lambda count: superseded(count, by_count=a_count(method="scan")),
}
WITHIN = {
    "approved": ("recorded", lambda count: approve(count, by="u-zhang")),
    "corrected": ("verified", lambda count: corrected(count, 280)),
}


@pytest.mark.parametrize("state", LIFECYCLE.states)
@pytest.mark.parametrize("to", MOVES)
@pytest.mark.rule("X-12")
def test_a_state_allows_its_own_moves_and_refuses_all_others(state, to):
    follows_the_machine(LIFECYCLE, state, to, partial(MOVES[to], a_count(state=state)), happened=to)
    assert to in HAPPENINGS


@pytest.mark.parametrize("state", LIFECYCLE.states)
@pytest.mark.parametrize("happened", WITHIN)
@pytest.mark.rule("X-12", "X-04")
def test_a_recorded_count_is_approved_and_a_verified_one_is_corrected_and_no_other(state, happened):
    where, decide = WITHIN[happened]
    count = a_count(state=state)

    if state == where:
        change = decide(count)
        assert (change.record.state, change.happened) == (state, happened)
        assert change.happened in HAPPENINGS
    else:
        with pytest.raises(ForbiddenMove):
            decide(count)


def test_the_machine_has_the_states_of_the_contract():
    assert set(LIFECYCLE.states) == set(contract.outreach.AudienceCount.kind.states)


@pytest.mark.parametrize("number", [-1, 0.5, 300.0, "300", True])
@pytest.mark.rule("O-01", "X-06")
def test_person_times_are_whole_and_not_negative(number):
    with pytest.raises(NotWhole):
        a_count(person_times=number)
    with pytest.raises(NotWhole):
        corrected(a_count(state="verified"), number)


@pytest.mark.rule("X-06")
def test_what_was_not_counted_is_missing_and_not_zero():
    assert a_count().minors is None
    assert a_count(minors=0).minors == 0


@pytest.mark.rule("O-01")
def test_minors_are_not_more_than_the_audience():
    with pytest.raises(TooManyMinors):
        a_count(person_times=300, minors=301)
    with pytest.raises(TooManyMinors):
        corrected(a_count(person_times=300, minors=300, state="verified"), 299)

    assert a_count(person_times=300, minors=300).minors == 300
    assert corrected(a_count(person_times=300, minors=300, state="verified"), 299, minors=299).record.minors == 299


@pytest.mark.rule("O-01")
def test_a_count_of_five_times_the_capacity_is_plausible_and_one_more_needs_an_approval():
    assert verify(a_count(person_times=500, capacity=100), evidence=[], by="u-wang").happened == "verified"

    too_many = a_count(person_times=501, capacity=100)
    with pytest.raises(Implausible, match="plausible_up_to=500"):
        verify(too_many, evidence=[], by="u-wang")

    approved = approve(too_many, by="u-zhang").record
    assert verify(approved, evidence=[], by="u-wang").happened == "verified"


@pytest.mark.rule("O-01", "X-05")
def test_an_implausible_count_is_approved_by_neither_its_recorder_nor_its_verifier():
    too_many = a_count(person_times=501, capacity=100, recorded_by="u-li")

    with pytest.raises(SamePerson):
        approve(too_many, by="u-li")
    with pytest.raises(Implausible):
        verify(approve(too_many, by="u-wang").record, evidence=[], by="u-wang")


@pytest.mark.rule("O-01")
def test_an_approved_count_is_corrected_downwards_and_not_beyond_the_capacity_again():
    approved = a_count(person_times=600, capacity=100, state="verified")

    assert corrected(approved, 550).record.person_times == 550
    with pytest.raises(Implausible):
        corrected(approved, 601)


def test_an_online_audience_has_no_room_to_fill():
    held = an_activity(delivery="both")

    assert not a_count(held=held, mode="online", method="report", person_times=90_000, capacity=100).is_implausible


@pytest.mark.rule("O-05", "X-05")
def test_a_count_is_verified_by_anybody_but_its_recorder():
    with pytest.raises(VerifiedByRecorder, match="recorded_by=u-li"):
        verify(a_count(recorded_by="u-li"), evidence=[], by="u-li")

    assert verify(a_count(recorded_by="u-li"), evidence=[], by="u-wang").record.verified_by == "u-wang"


@pytest.mark.parametrize("method", ["estimate", "headcount"])
@pytest.mark.rule("O-06")
def test_a_rough_number_of_1000_needs_evidence_and_one_of_999_does_not(method):
    with pytest.raises(EvidenceMissing, match=f"person_times=1000, method={method}"):
        verify(a_count(person_times=1_000, method=method), evidence=[], by="u-wang")

    assert verify(a_count(person_times=999, method=method), evidence=[], by="u-wang").happened == "verified"


@pytest.mark.rule("O-06")
def test_only_the_press_or_a_letter_stands_behind_a_large_rough_number():
    large = a_count(person_times=3_000, method="estimate")

    for kind in ("photo", "video", "sign_sheet"):
        with pytest.raises(EvidenceMissing):
            verify(large, evidence=[some_evidence(kind)], by="u-wang")
    for kind in ("press", "letter"):
        assert verify(large, evidence=[some_evidence(kind)], by="u-wang").happened == "verified"


def test_a_large_number_that_was_counted_one_by_one_needs_no_press():
    assert verify(a_count(person_times=3_000, method="scan"), evidence=[], by="u-wang").happened == "verified"


@pytest.mark.rule("O-11")
def test_an_online_activity_has_no_offline_audience():
    online = an_activity(delivery="online", venue_id=None)

    with pytest.raises(OnlineAudience):
        a_count(held=online, mode="offline", method="report")
    assert a_count(held=online, mode="online", method="report").mode == "online"


@pytest.mark.parametrize("method", ["scan", "sign_in", "headcount", "turnstile"])
@pytest.mark.rule("O-11")
def test_an_online_audience_is_not_counted_by_a_method_of_the_place(method):
    with pytest.raises(OnlineAudience):
        a_count(held=an_activity(delivery="both"), mode="online", method=method)


@pytest.mark.rule("O-20")
def test_a_count_is_for_a_day_of_the_activity_that_has_come():
    held = an_activity(state="ongoing", days=(SATURDAY, SUNDAY))

    with pytest.raises(NotItsDay):
        a_count(held=held, day=date(2011, 5, 16))
    with pytest.raises(NotItsDay):
        a_count(held=held, day=SUNDAY, today=SATURDAY)
    assert a_count(held=held, day=SUNDAY, today=SUNDAY).day == SUNDAY


@pytest.mark.parametrize("state", activity.LIFECYCLE.states)
@pytest.mark.rule("X-12")
def test_a_count_is_recorded_between_the_start_of_an_activity_and_its_verification(state):
    if state in ("ongoing", "held", "not_reported", "reported"):
        assert a_count(held=an_activity(state=state)).state == "recorded"
    else:
        with pytest.raises(ForbiddenMove, match=f"state={state}"):
            a_count(held=an_activity(state=state))


@pytest.mark.rule("O-16")
def test_a_count_takes_from_its_activity_what_it_is_counted_under():
    members_day = a_campaign(campaign_kind="members_day")
    held = an_activity(format="visit", district="511181", campaign_id="c-1", campaign=members_day, venue_id="v-7")

    count = a_count(held=held)

    assert (count.format, count.district, count.campaign_id, count.venue_id) == ("visit", "511181", "c-1", "v-7")
    assert count.counts_for_k2 is False


@pytest.mark.rule("X-04", "X-05")
def test_a_count_is_corrected_by_anybody_but_its_recorder_with_a_reason_and_evidence():
    verified = a_count(person_times=3_000, method="scan", state="verified", recorded_by="u-li")

    with pytest.raises(SamePerson):
        corrected(verified, 2_800, by="u-li")
    change = corrected(verified, 2_800, by="u-wang")
    assert (change.record.state, change.record.person_times, change.record.corrected_by) == (
        "verified",
        2_800,
        "u-wang",
    )
    assert (change.happened, change.reason, change.record.evidence_ids) == ("corrected", "重新清点签到表", ("e-1",))


@pytest.mark.rule("O-06")
def test_a_correction_rests_on_evidence_and_on_the_press_where_it_makes_an_estimate_large():
    small = a_count(person_times=900, method="estimate", state="verified")

    with pytest.raises(EvidenceMissing):
        corrected(small, 950, evidence={})
    with pytest.raises(EvidenceMissing):
        corrected(small, 1_000, evidence={"e-1": some_evidence("photo")})
    assert corrected(small, 1_000, evidence={"e-1": some_evidence("letter")}).record.person_times == 1_000


@pytest.mark.rule("O-04")
def test_a_correction_does_not_rest_on_the_evidence_of_another_activity():
    with pytest.raises(UsedTwice, match="attached_to=a-2"):
        corrected(a_count(state="verified"), 280, evidence={"e-1": some_evidence(activity_id="a-2")})


@pytest.mark.rule("X-12", "X-04")
def test_nothing_is_corrected_or_superseded_once_the_activity_is_closed():
    closed = an_activity(state="closed")

    with pytest.raises(ForbiddenMove, match="state=closed"):
        corrected(a_count(state="verified"), 280, held=closed)
    with pytest.raises(ForbiddenMove, match="state=closed"):
        superseded(a_count(state="verified"), by_count=a_count(method="scan"), held=closed)


@pytest.mark.rule("O-03")
def test_a_count_is_superseded_by_a_standing_one_of_the_same_audience_only():
    days = an_activity(days=(SATURDAY, SUNDAY))
    count = a_count(method="estimate", state="verified")
    others = [
        a_count(method="estimate"),
        a_count(method="scan", state="rejected"),
        a_count(method="scan", state="superseded"),
        a_count(method="scan", day=SUNDAY, held=days),
        a_count(method="scan", activity_id="a-2"),
        a_count(method="report", mode="online", held=an_activity(delivery="both")),
    ]

    for other in others:
        with pytest.raises(NotTheSameAudience):
            superseded(count, by_count=other)
    assert superseded(count, by_count=a_count(method="scan")).record.superseded_by == "n-2"


@given(
    person_times=st.integers(0, 5_000),
    method=st.sampled_from(["scan", "sign_in", "headcount", "turnstile", "estimate", "report"]),
    capacity=st.none() | st.integers(0, 1_000),
    kinds=st.lists(st.sampled_from(["photo", "press", "letter"])),
    by=st.sampled_from(["u-li", "u-wang", "u-zhang"]),
    approved_by=st.none() | st.sampled_from(["u-wang", "u-zhang"]),
)
def test_what_is_verified_has_two_people_a_third_where_it_is_implausible_and_evidence_where_it_is_rough(
    person_times, method, capacity, kinds, by, approved_by
):
    count = replace(a_count(person_times=person_times, method=method, capacity=capacity), approved_by=approved_by)
    try:
        verified = verify(count, evidence=[some_evidence(kind) for kind in kinds], by=by).record
    except Refusal:
        return

    assert verified.verified_by != verified.recorded_by
    assert capacity is None or person_times <= 5 * capacity or verified.approved_by not in (None, by)
    assert person_times < 1_000 or method not in ("headcount", "estimate") or {"press", "letter"} & set(kinds)
