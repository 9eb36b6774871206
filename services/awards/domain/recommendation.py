"""Recommendations (举荐): a worker of science and technology is proposed for a prize, a plan or a title above.

Members keeps no persons yet, so the facts that A-27 asks about the candidate are stated with a document and a day, and
checked against awards' own records; the flow from members will replace both statements.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Literal

from services.contract.awards import EditionLevel, TalentTarget
from services.kernel import Change, Lifecycle, Refusal
from services.kernel.calendar import Unit, day_of, publicity_ends
from services.kernel.day import past, upcoming
from services.kernel.duty import separate
from services.kernel.name import normalised
from services.kernel.quantity import whole

Answer = Literal["selected", "not_selected"]

LIFECYCLE = Lifecycle(
    proposed=("verified", "withdrawn"),
    verified=("voted", "withdrawn"),
    voted=("publicised", "withdrawn"),
    publicised=("submitted_up", "withdrawn"),
    submitted_up=("selected", "not_selected"),
)
HOLDING = tuple(state for state in LIFECYCLE.states if state not in ("withdrawn", "not_selected"))
"""States beside which nobody is recommended for the same target again."""


class WorkerUnconfirmed(Refusal, rule="A-27", zh="被举荐人须有科技工作者身份证明"):
    """Whoever is recommended is confirmed as a worker of science and technology by a document."""


class MisconductUnchecked(Refusal, rule="A-27", zh="须先核查被举荐人有无科研失信情况"):
    """A person is recommended after a check for open cases of misconduct."""


class MisconductKnown(Refusal, rule="A-27", zh="被举荐人有弄虚作假或抄袭记录"):
    """Nobody is recommended who was excluded or lost a prize for fraud or plagiarism."""


class RecommendedTwice(Refusal, rule="A-27", zh="同一人不得重复举荐同一奖项（计划）"):
    """A person is recommended for the same prize, plan or title once at a time."""


class VoteLost(Refusal, rule="A-20", zh="表决未通过，不得公示"):
    """Only a candidate with more votes for than against is publicised."""


class PublicityRunning(Refusal, rule="X-07", zh="公示期未满，不得上报"):
    """A recommendation goes up when its publicity period is over."""


@dataclass(frozen=True, kw_only=True)
class Recommendation:
    """A candidate and a target; the target's title, votes and minutes stay with the owner."""

    candidate_id: str
    target_kind: TalentTarget
    target_level: EditionLevel
    target_title: str
    target_title_norm: str
    proposer_org_ids: tuple[str, ...]
    basis_award_ids: tuple[str, ...]
    worker_document_sha256: str
    misconduct_checked_on: date
    proposed_by: str
    district: str | None = None
    verified_by: str | None = None
    votes_for: int | None = None
    votes_against: int | None = None
    minute_no: str | None = None
    publicity_from: date | None = None
    publicity_ends_at: datetime | None = None
    submitted_up_on: date | None = None
    answered_on: date | None = None
    document_no: str | None = None
    state: str = "proposed"

    @property
    def publicity_to(self) -> date | None:
        """The last day of the publicity period, or None."""
        return self.publicity_ends_at and day_of(self.publicity_ends_at) - timedelta(days=1)


def recommend(
    *,
    candidate_id: str,
    target_kind: TalentTarget,
    target_level: EditionLevel,
    target_title: str,
    proposer_org_ids: tuple[str, ...],
    basis_award_ids: tuple[str, ...] = (),
    worker_document_sha256: str | None,
    misconduct_checked_on: date | None,
    held_against: frozenset[str],
    district: str | None = None,
    today: date,
    by: str,
) -> Change[Recommendation]:
    """Propose a person; `held_against` are the records of fraud or plagiarism that awards itself has."""
    past(today=today, misconduct_checked_on=misconduct_checked_on)
    if worker_document_sha256 is None:
        raise WorkerUnconfirmed(candidate_id=candidate_id)
    if misconduct_checked_on is None:
        raise MisconductUnchecked(candidate_id=candidate_id)
    _without_misconduct(held_against)

    recommendation = Recommendation(
        candidate_id=candidate_id,
        target_kind=target_kind,
        target_level=target_level,
        target_title=target_title,
        target_title_norm=normalised(target_title),
        proposer_org_ids=proposer_org_ids,
        basis_award_ids=basis_award_ids,
        worker_document_sha256=worker_document_sha256,
        misconduct_checked_on=misconduct_checked_on,
        proposed_by=by,
        district=district,
    )
    return Change(recommendation, "proposed")


def verify(recommendation: Recommendation, *, held_against: frozenset[str], by: str) -> Change[Recommendation]:
    """Verify its statements; the proposer does not (X-05)."""
    state = LIFECYCLE.move(recommendation.state, "verified")
    separate(entered_by=recommendation.proposed_by, by=by)
    _without_misconduct(held_against)

    return Change(replace(recommendation, state=state, verified_by=by), "verified")


def vote(
    recommendation: Recommendation, *, votes_for: int, votes_against: int, minute_no: str
) -> Change[Recommendation]:
    """Record the committee's vote, by its minute; a lost vote is recorded too."""
    state = LIFECYCLE.move(recommendation.state, "voted")
    whole(votes_for=votes_for, votes_against=votes_against)

    voted = replace(recommendation, state=state, votes_for=votes_for, votes_against=votes_against)
    return Change(replace(voted, minute_no=minute_no), "voted")


def publicise(
    recommendation: Recommendation, *, starts_on: date, publicity_days: int, publicity_unit: Unit, today: date
) -> Change[Recommendation]:
    """Publish it, from the first second of a day for so many days."""
    state = LIFECYCLE.move(recommendation.state, "publicised")
    if (recommendation.votes_for or 0) <= (recommendation.votes_against or 0):
        raise VoteLost(votes_for=recommendation.votes_for, votes_against=recommendation.votes_against)
    upcoming(today=today, starts_on=starts_on)

    ends_at = publicity_ends(starts_on, days=publicity_days, unit=publicity_unit)
    publicised = replace(recommendation, state=state, publicity_from=starts_on, publicity_ends_at=ends_at)
    return Change(publicised, "publicised")


def submit_up(recommendation: Recommendation, *, held_against: frozenset[str], at: datetime) -> Change[Recommendation]:
    """Hand it in above, once everybody had the time to object."""
    state = LIFECYCLE.move(recommendation.state, "submitted_up")
    if recommendation.publicity_ends_at is None or at < recommendation.publicity_ends_at:
        raise PublicityRunning(publicity_to=recommendation.publicity_to)
    _without_misconduct(held_against)

    return Change(replace(recommendation, state=state, submitted_up_on=day_of(at)), "submitted_up")


def answer(
    recommendation: Recommendation, *, answer: Answer, answered_on: date, document_no: str | None, today: date
) -> Change[Recommendation]:
    """Record the decision above."""
    state = LIFECYCLE.move(recommendation.state, answer)
    past(today=today, answered_on=answered_on)

    return Change(replace(recommendation, state=state, answered_on=answered_on, document_no=document_no), answer)


def withdraw(recommendation: Recommendation, *, reason: str) -> Change[Recommendation]:
    """Withdraw it before it goes up; the same person may be recommended again."""
    state = LIFECYCLE.move(recommendation.state, "withdrawn")
    return Change(replace(recommendation, state=state), "withdrawn", reason)


def _without_misconduct(held_against: frozenset[str]) -> None:
    if held_against:
        raise MisconductKnown(records=", ".join(sorted(held_against)))
