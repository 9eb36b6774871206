"""Flows F1 and F5 on a real broker: whoever has an award has an honour of it, until it is revoked."""

import random

import pytest

from services.members.service import Members
from tests.awards.events import granted, revoked


@pytest.fixture
def members(running):
    return running.start(Members)


def hear(members, *events):
    for event in events:
        members.publish(event)
    members.settle()


def honours(members, **wanted):
    return members.call("members", "list_honours", filter=wanted)["items"]


@pytest.mark.rule("X-08")
def test_each_winner_has_an_honour_with_its_grade_and_nobody_is_named(members):
    hear(members, granted(org_ids=["o-1"]))

    held = honours(members, award_id="e-1.1.7")
    assert {(one["holder_type"], one["holder_id"], one["state"]) for one in held} == {
        ("person", "p-1", "recorded"),
        ("person", "p-2", "recorded"),
        ("organisation", "o-1", "recorded"),
    }
    assert {(one["grade"], one["granted_on"], one["withdrawn_on"]) for one in held} == {("second", "2011-05-10", None)}


def test_a_revoked_award_takes_every_honour_with_it_and_no_other(members):
    hear(members, granted(), granted(award_id="e-1.1.8"), revoked(2))

    assert {one["state"] for one in honours(members, award_id="e-1.1.7")} == {"withdrawn"}
    assert {one["state"] for one in honours(members, award_id="e-1.1.8")} == {"recorded"}


@pytest.mark.rule("X-01")
@pytest.mark.parametrize("seed", range(5))
def test_repeated_late_and_reordered_events_lead_to_the_same_ledger(members, seed):
    chance = random.Random(seed)
    events = [granted(), revoked(4), granted(award_id="e-1.1.8")] * 3
    chance.shuffle(events)

    hear(members, *events)
    first = sorted(honours(members), key=lambda one: one["id"])
    hear(members, *events)

    assert sorted(honours(members), key=lambda one: one["id"]) == first
    assert [one["state"] for one in honours(members, award_id="e-1.1.7")] == ["withdrawn", "withdrawn"]
    assert [one["state"] for one in honours(members, award_id="e-1.1.8")] == ["recorded", "recorded"]
