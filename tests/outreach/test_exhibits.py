"""Flows F2 and F5 on a real broker: youth works that won may be shown, as long as award and consent stand."""

import random

import pytest

from services.outreach.service import Outreach
from tests.awards.events import consent_withdrawn, granted, revoked


@pytest.fixture
def outreach(running):
    return running.start(Outreach)


def hear(outreach, *events):
    for event in events:
        outreach.publish(event)
    outreach.settle()


def candidates(outreach):
    found = outreach.call("outreach", "list_exhibit_candidates")["items"]
    return {one["id"]: one["state"] for one in found}


def test_a_youth_work_with_consent_is_a_candidate_and_no_other_award_is(outreach):
    hear(
        outreach,
        granted(),
        granted(award_id="paper", programme_kind="paper", youth=False),
        granted(award_id="unasked", exhibition_consent=False),
    )

    assert candidates(outreach) == {"e-1.1.7": "proposed"}


def test_it_is_removed_when_its_award_is_revoked_or_its_consent_withdrawn(outreach):
    hear(outreach, granted(), granted(award_id="other"))

    hear(outreach, revoked(2), consent_withdrawn(2, award_id="other"))

    assert candidates(outreach) == {"e-1.1.7": "removed", "other": "removed"}


@pytest.mark.rule("X-01")
@pytest.mark.parametrize("seed", range(5))
def test_repeated_late_and_reordered_events_lead_to_the_same_candidates(outreach, seed):
    chance = random.Random(seed)
    events = [
        *(granted(), consent_withdrawn(2), revoked(3, exhibition_consent=False, consent_withdrawn_on="2011-06-15")),
        *(granted(award_id="shown"), granted(award_id="taken"), revoked(5, award_id="taken")),
    ] * 3
    chance.shuffle(events)

    hear(outreach, *events)
    hear(outreach, *events)

    assert candidates(outreach) == {"e-1.1.7": "removed", "shown": "proposed", "taken": "removed"}
