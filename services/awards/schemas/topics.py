"""Input of each command about a topic of the campaign."""

from __future__ import annotations

from services import contract
from services.chassis.fields import Day, District, Fen, Id, Many, Ref, Schema, Sha256, Text, Whole


class RegisterTopic(Schema):
    """The enterprise, the problem, the participants and the year."""

    topic_id = Ref(contract.awards.Topic, required=False)
    enterprise_org_id = Id("organisation")
    title = Text(max=200)
    participant_ids = Many(Id("person"), min=1, max=50)
    year = Whole(min=1900, max=2999)
    registered_on = Day()
    district = District(required=False)


class StartTopic(Schema):
    topic_id = Ref(contract.awards.Topic)


class CompleteTopic(Schema):
    """The day on which it was done, and its benefit with the proof."""

    topic_id = Ref(contract.awards.Topic)
    completed_on = Day()
    benefit_fen = Fen(required=False)
    verified_by_id = Id("organisation", required=False)  # the rules say when both are needed
    proof_sha256 = Sha256(required=False)


class AcceptTopic(Schema):
    topic_id = Ref(contract.awards.Topic)
    accepted_on = Day()


class EnterTopic(Schema):
    """The entry by which the enterprise competes."""

    topic_id = Ref(contract.awards.Topic)
    entry_id = Ref(contract.awards.Entry)


class AbandonTopic(Schema):
    topic_id = Ref(contract.awards.Topic)
    reason = Text(max=500)
