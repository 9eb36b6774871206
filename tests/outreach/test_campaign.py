"""The rules of campaigns."""

from dataclasses import replace
from datetime import date

import pytest

from services import contract
from services.kernel import ForbiddenMove
from services.kernel.day import OutOfOrder
from services.outreach.domain.campaign import LIFECYCLE, MembersDayCounted, close
from tests.outreach.examples import a_campaign, an_activity


@pytest.mark.rule("O-16")
def test_members_day_does_not_count_for_k2_and_cannot_be_made_to():
    with pytest.raises(MembersDayCounted):
        a_campaign(campaign_kind="members_day", counts_for_k2=True)

    assert not a_campaign(campaign_kind="members_day").counts_for_k2
    assert a_campaign(campaign_kind="st_week").counts_for_k2
    assert not a_campaign(campaign_kind="other", counts_for_k2=False).counts_for_k2


@pytest.mark.rule("O-16")
def test_an_activity_of_members_day_does_not_count_for_k2():
    members_day = a_campaign(campaign_kind="members_day")

    assert not an_activity(campaign_id="c-1", campaign=members_day).counts_for_k2
    assert an_activity(campaign_id="c-2", campaign=a_campaign()).counts_for_k2
    assert an_activity().counts_for_k2


@pytest.mark.rule("X-07")
def test_a_campaign_of_one_day_ends_on_that_day_and_none_ends_before():
    day = date(2011, 12, 15)

    assert a_campaign(starts_on=day, ends_on=day).year == 2011
    with pytest.raises(OutOfOrder):
        a_campaign(starts_on=day, ends_on=date(2011, 12, 14))


@pytest.mark.rule("X-12")
@pytest.mark.parametrize("state", LIFECYCLE.states)
def test_a_campaign_closes_once(state):
    campaign = replace(a_campaign(), state=state)

    if "closed" in LIFECYCLE.moves.get(state, ()):
        closed = close(campaign)
        assert (closed.record.state, closed.happened) == ("closed", "closed")
    else:
        with pytest.raises(ForbiddenMove):
            close(campaign)


@pytest.mark.rule("X-12")
def test_no_activity_joins_a_closed_campaign():
    with pytest.raises(ForbiddenMove, match="state=closed"):
        an_activity(campaign_id="c-1", campaign=replace(a_campaign(), state="closed"))


def test_the_machine_has_the_states_of_the_contract():
    assert set(LIFECYCLE.states) == set(contract.outreach.Campaign.kind.states)
