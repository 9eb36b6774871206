"""The rules of topics of the campaign for ideals and contribution."""

from dataclasses import replace
from datetime import date
from functools import partial

import pytest

from services import contract
from services.awards.domain import topic
from services.awards.domain.benefit import BenefitClaim, BenefitUnverified
from services.awards.domain.topic import LIFECYCLE, STANDING, CompletedEarly, NotItsEntry
from services.kernel.day import NotYet
from services.kernel.duty import SamePerson
from tests.awards.examples import an_entry
from tests.machines import follows_the_machine

TODAY = date(2011, 11, 30)
CLAIM = BenefitClaim(benefit_fen=1_200_000_00, verified_by_id="o-tea", proof_sha256="d" * 64)
HAPPENINGS = {"in_progress": "started", "completed": "finished"}


def register(**changes):
    usual = {
        "enterprise_org_id": "o-tea",
        "title": "蒸青工艺节能改造",
        "participant_ids": ("p-1", "p-2"),
        "year": 2011,
        "registered_on": date(2011, 2, 20),
    }
    return topic.register(**{**usual, "today": TODAY, "by": "u-li", **changes})


def a_topic(*, state="registered", **changes):
    """Registered by u-li on 20 February."""
    return replace(register().record, state=state, **changes)


def of_the_campaign(*, organisation_id="o-tea", state="submitted", programme_kind="jiangbi"):
    """An entry of the tea works in an edition of the campaign."""
    entry = replace(an_entry(edition_id="e-jb"), programme_kind=programme_kind, state=state)
    return replace(entry, material=replace(entry.material, entrants=(), organisation_id=organisation_id))


def complete(one=None, *, claim=CLAIM, completed_on=date(2011, 11, 1)):
    return topic.complete(
        one or a_topic(state="in_progress"), claim=claim, completed_on=completed_on, today=TODAY, by="u-li"
    )


COMMANDS = {
    "in_progress": topic.start,
    "completed": complete,
    "accepted": lambda one: topic.accept(one, accepted_on=TODAY, today=TODAY, by="u-wang"),
    "entered": lambda one: topic.enter(one, of_the_campaign(), entry_id="n-1"),
    "abandoned": lambda one: topic.abandon(one, reason="停产"),
}


@pytest.mark.rule("X-12")
@pytest.mark.parametrize("state", LIFECYCLE.states)
@pytest.mark.parametrize("to", COMMANDS)
def test_a_state_allows_its_own_moves_and_refuses_all_others(state, to):
    happening = HAPPENINGS.get(to, to)

    follows_the_machine(LIFECYCLE, state, to, partial(COMMANDS[to], a_topic(state=state)), happened=happening)


def test_the_machine_has_the_states_of_the_contract_and_each_move_has_its_command():
    kind = contract.awards.Topic.kind
    assert set(LIFECYCLE.states) == set(kind.states)
    assert {"registered", *(HAPPENINGS.get(to, to) for to in COMMANDS)} == set(kind.happenings)
    assert {to for targets in LIFECYCLE.moves.values() for to in targets} == set(COMMANDS)
    assert set(STANDING) == set(LIFECYCLE.states) - {"abandoned"}


@pytest.mark.rule("A-28")
def test_a_benefit_is_verified_by_its_receiver_and_a_topic_may_be_worth_none():
    for lacking in ({"verified_by_id": None}, {"proof_sha256": None}, {"benefit_fen": None}):
        with pytest.raises(BenefitUnverified):
            complete(claim=replace(CLAIM, **lacking))

    assert complete().record.benefit_fen == 1_200_000_00
    assert (complete(claim=None).record.benefit_fen, complete(claim=None).record.verified_by_id) == (None, None)


@pytest.mark.rule("X-07")
def test_a_topic_is_completed_between_its_registration_and_today():
    assert complete(completed_on=date(2011, 2, 20)).happened == "finished"
    with pytest.raises(CompletedEarly, match="registered_on=2011-02-20"):
        complete(completed_on=date(2011, 2, 19))
    with pytest.raises(NotYet):
        complete(completed_on=date(2011, 12, 1))
    with pytest.raises(NotYet):
        register(registered_on=date(2011, 12, 1))


@pytest.mark.rule("X-05")
def test_who_said_that_it_is_done_does_not_accept_it():
    with pytest.raises(SamePerson):
        topic.accept(complete().record, accepted_on=TODAY, today=TODAY, by="u-li")


@pytest.mark.rule("A-31")
def test_a_topic_goes_into_a_standing_entry_of_its_enterprise_in_the_campaign():
    accepted = a_topic(state="accepted")
    for other in (
        of_the_campaign(organisation_id="o-silk"),
        of_the_campaign(state="withdrawn"),
        of_the_campaign(programme_kind="golden_bridge"),
    ):
        with pytest.raises(NotItsEntry, match="entry_id=n-1"):
            topic.enter(accepted, other, entry_id="n-1")

    entered = topic.enter(accepted, of_the_campaign(), entry_id="n-1").record
    assert (entered.entry_id, entered.edition_id) == ("n-1", "e-jb")
    nominated = replace(of_the_campaign(organisation_id=None), nominating_unit_id="o-tea")
    assert topic.enter(accepted, nominated, entry_id="n-1").happened == "entered"


@pytest.mark.rule("X-08")
def test_the_view_does_not_say_what_the_topic_is_called():
    assert "蒸青" not in str(contract.awards.Topic.kind.write(a_topic()))
