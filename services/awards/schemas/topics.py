"""Input of each command about a topic of the campaign."""

from __future__ import annotations

from services.chassis.fields import Day, District, Fen, Id, Many, Schema, Sha256, Text, Whole


class RegisterTopic(Schema):
    """The enterprise, the problem, the participants and the year."""

    topic_id = Id(required=False)
    enterprise_org_id = Id()
    title = Text(max=200)
    participant_ids = Many(Id(), min=1, max=50)
    year = Whole(min=1900, max=2999)
    registered_on = Day()
    district = District(required=False)


class StartTopic(Schema):
    topic_id = Id()


class CompleteTopic(Schema):
    """The day on which it was done, and its benefit with the proof."""

    topic_id = Id()
    completed_on = Day()
    benefit_fen = Fen(required=False)
    verified_by_id = Id(required=False)  # the rules say when both are needed
    proof_sha256 = Sha256(required=False)


class AcceptTopic(Schema):
    topic_id = Id()
    accepted_on = Day()


class EnterTopic(Schema):
    """The entry by which the enterprise competes."""

    topic_id = Id()
    entry_id = Id()


class AbandonTopic(Schema):
    topic_id = Id()
    reason = Text(max=500)
