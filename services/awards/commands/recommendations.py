"""Commands that recommend a worker of science and technology above (A-27)."""

# ruff: noqa: ARG002 - every command is told by whom, and not every rule asks

from __future__ import annotations

from functools import partial
from typing import Any

from services import contract
from services.awards.domain import recommendation
from services.awards.domain.award import REVOCABLE_FOR_EVER
from services.awards.schemas import recommendations as schemas
from services.awards.store import ENTRANT, Entries, GrantedAwards, Recommendations
from services.chassis.clock import SystemClock
from services.chassis.entrypoints import command


class RecommendationCommands:
    """Commands about recommendations."""

    entries: Entries
    awards: GrantedAwards
    recommendations: Recommendations
    clock: SystemClock

    @command(contract.awards.Recommendation, schemas.RecommendTalent, roles=("recorder",), states=())
    def recommend_talent(self, recommendation_id: str | None, *, candidate_id: str, **stated: Any) -> Any:
        """Propose a confirmed worker of science and technology without known misconduct."""
        proposed = recommendation.recommend(
            candidate_id=candidate_id,
            held_against=self._held_against(candidate_id),
            today=self.clock.today(),
            **stated,
        )
        return self.recommendations.add(proposed, recommendation_id)

    @command(contract.awards.Recommendation, schemas.VerifyRecommendation, roles=("verifier",), states=("proposed",))
    def verify_recommendation(self, recommendation_id: str, *, by: str) -> Any:
        """Verify the statements of a recommendation."""
        verify = partial(recommendation.verify, held_against=self._known_of(recommendation_id), by=by)
        return self.recommendations.change(recommendation_id, verify)

    @command(contract.awards.Recommendation, schemas.VoteRecommendation, roles=("chair",), states=("verified",))
    def vote_recommendation(self, recommendation_id: str, *, by: str, **voted: Any) -> Any:
        """Record the committee's vote."""
        return self.recommendations.change(recommendation_id, partial(recommendation.vote, **voted))

    @command(contract.awards.Recommendation, schemas.PubliciseRecommendation, roles=("chair",), states=("voted",))
    def publicise_recommendation(self, recommendation_id: str, *, by: str, **period: Any) -> Any:
        """Publish a recommendation for objections."""
        publicise = partial(recommendation.publicise, today=self.clock.today(), **period)
        return self.recommendations.change(recommendation_id, publicise)

    @command(contract.awards.Recommendation, schemas.SubmitRecommendationUp, roles=("chair",), states=("publicised",))
    def submit_recommendation_up(self, recommendation_id: str, *, by: str) -> Any:
        """Hand a recommendation in above, once its publicity period is over."""
        known = self._known_of(recommendation_id)
        submit = partial(recommendation.submit_up, held_against=known, at=self.clock.now())
        return self.recommendations.change(recommendation_id, submit)

    @command(
        contract.awards.Recommendation,
        schemas.AnswerRecommendation,
        roles=("verifier", "chair"),
        states=("submitted_up",),
    )
    def answer_recommendation(self, recommendation_id: str, *, by: str, **answered: Any) -> Any:
        """Record whether the recommended person was selected above."""
        answer = partial(recommendation.answer, today=self.clock.today(), **answered)
        return self.recommendations.change(recommendation_id, answer)

    @command(
        contract.awards.Recommendation,
        schemas.WithdrawRecommendation,
        roles=("recorder", "chair"),
        states=("proposed", "verified", "voted", "publicised"),
    )
    def withdraw_recommendation(self, recommendation_id: str, *, reason: str, by: str) -> Any:
        """Withdraw a recommendation before it goes up."""
        return self.recommendations.change(recommendation_id, partial(recommendation.withdraw, reason=reason))

    def _known_of(self, recommendation_id: str) -> frozenset[str]:
        return self._held_against(self.recommendations.get(recommendation_id).candidate_id)

    def _held_against(self, candidate_id: str) -> frozenset[str]:
        """The entries that were excluded for what the candidate did, and the awards that were lost for it."""
        excluded = self.entries.find(**{ENTRANT: candidate_id}, state="disqualified")
        lost = self.awards.find(person_ids=candidate_id, state="revoked", reason_code=REVOCABLE_FOR_EVER)
        return frozenset(record_id for record_id, _ in (*excluded, *lost))
