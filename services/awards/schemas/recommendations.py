"""Input of each command about a recommendation."""

from __future__ import annotations

from services import contract
from services.awards.domain.recommendation import Answer
from services.chassis.fields import Day, District, Id, Many, OneOf, Ref, Schema, Sha256, Text, Whole
from services.contract.awards import EditionLevel, TalentTarget
from services.kernel.calendar import Unit


class RecommendTalent(Schema):
    """The candidate, the target, the proposers and the proofs."""

    recommendation_id = Ref(contract.awards.Recommendation, required=False)
    candidate_id = Id("person")
    target_kind = OneOf(TalentTarget)
    target_level = OneOf(EditionLevel)
    target_title = Text(max=200)
    proposer_org_ids = Many(Id("organisation"), min=1, max=10)
    basis_award_ids = Many(Ref(contract.awards.Award), max=50, required=False)
    worker_document_sha256 = Sha256(required=False)  # the rules say that both are needed
    misconduct_checked_on = Day(required=False)
    district = District(required=False)


class VerifyRecommendation(Schema):
    recommendation_id = Ref(contract.awards.Recommendation)


class VoteRecommendation(Schema):
    """The votes, and the minute of the vote."""

    recommendation_id = Ref(contract.awards.Recommendation)
    votes_for = Whole(max=1_000)
    votes_against = Whole(max=1_000)
    minute_no = Text(max=100)


class PubliciseRecommendation(Schema):
    """The first day and the length of the publicity period."""

    recommendation_id = Ref(contract.awards.Recommendation)
    starts_on = Day()
    publicity_days = Whole(min=1, max=60, rule="X-07")
    publicity_unit = OneOf(Unit)


class SubmitRecommendationUp(Schema):
    recommendation_id = Ref(contract.awards.Recommendation)


class AnswerRecommendation(Schema):
    """The decision above, its day and document."""

    recommendation_id = Ref(contract.awards.Recommendation)
    answer = OneOf(Answer)
    answered_on = Day()
    document_no = Text(max=100, required=False)


class WithdrawRecommendation(Schema):
    recommendation_id = Ref(contract.awards.Recommendation)
    reason = Text(max=500)
