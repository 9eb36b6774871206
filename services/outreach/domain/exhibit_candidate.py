"""Exhibit candidates: prize-winning youth works that may be shown, for as long as award and consent stand (F2, F5)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from services.contract.awards import Award, Grade, PrizeKind
from services.kernel import Change, Lifecycle

LIFECYCLE = Lifecycle(proposed=("removed",))


@dataclass(frozen=True, kw_only=True)
class ExhibitCandidate:
    """A youth work that may be shown, with its award."""

    award_id: str
    entry_id: str | None
    edition_id: str
    edition_no: int
    award_kind: PrizeKind
    grade: Grade
    granted_on: date
    district: str | None
    state: str


def follow_award(candidate: ExhibitCandidate | None, *, award_id: str, award: Award) -> Change[ExhibitCandidate] | None:
    """Keep a candidate in step with its award.

    A work whose award was revoked before its grant was heard of leaves a record: an older event must not propose it.
    """
    if candidate is None:
        return _take_up(award_id, award) if _was_ever_to_be_shown(award) else None
    if _may_be_shown(award) or candidate.state == "removed":
        return None

    return Change(replace(candidate, state=LIFECYCLE.move(candidate.state, "removed")), "removed")


def _take_up(award_id: str, award: Award) -> Change[ExhibitCandidate]:
    state = "proposed" if _may_be_shown(award) else "removed"
    candidate = ExhibitCandidate(
        award_id=award_id,
        entry_id=award.entry_id,
        edition_id=award.edition_id,
        edition_no=award.edition_no,
        award_kind=award.award_kind,
        grade=award.grade,
        granted_on=award.granted_on,
        district=award.district,
        state=state,
    )
    return Change(candidate, state)


def _was_ever_to_be_shown(award: Award) -> bool:
    return award.youth and (award.exhibition_consent or award.consent_withdrawn_on is not None)


def _may_be_shown(award: Award) -> bool:
    return award.exhibition_consent and award.state == "granted"
