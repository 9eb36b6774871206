"""Evidence: photos, lists and reports; a file is known by its SHA-256 and belongs to one activity only (O-04)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from services.contract.outreach import EvidenceKind
from services.kernel import Change, Refusal
from services.outreach.domain.activity import LIFECYCLE, Activity

ATTESTS = ("press", "letter")  # statements about the audience from outside the association (O-06)


class UsedTwice(Refusal, rule="O-04", zh="同一份佐证材料只能用于一项活动"):
    """A file is evidence for one activity only."""


class TakenOnAnotherDay(Refusal, rule="O-04", zh="照片拍摄日期必须在活动日期之内"):
    """A photo was taken on a day of the activity."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """A file, by its SHA-256, for one activity."""

    activity_id: str
    evidence_kind: EvidenceKind
    taken_on: date
    district: str  # of its activity: an actor bound to another district does not touch it
    uploaded_by: str
    place: str | None = None
    note: str | None = None
    state: str = "attached"

    @property
    def attests(self) -> bool:
        """True where somebody outside the association vouches for the number."""
        return self.evidence_kind in ATTESTS


def attach(
    activity: Activity,
    *,
    activity_id: str,
    evidence_kind: EvidenceKind,
    taken_on: date,
    place: str | None = None,
    note: str | None = None,
    by: str,
) -> Change[Evidence]:
    """Attach a file to an activity; a letter may come before the day, a press report long after it."""
    LIFECYCLE.require(activity.state, "scheduled", "ongoing", "held", "not_reported", "reported", "verified")
    if evidence_kind == "photo" and taken_on not in activity.days:
        raise TakenOnAnotherDay(taken_on=taken_on, first_day=activity.days[0], last_day=activity.days[-1])

    evidence = Evidence(
        activity_id=activity_id,
        evidence_kind=evidence_kind,
        taken_on=taken_on,
        district=activity.district,
        uploaded_by=by,
        place=place,
        note=note,
    )
    return Change(evidence, "attached")


def attach_again(evidence: Evidence, *, activity_id: str) -> None:
    """Attach the same file again: no change at the same activity, refused at another (O-04)."""
    require_one_activity((evidence,), activity_id=activity_id)


def require_one_activity(named: Iterable[Evidence], *, activity_id: str) -> None:
    """Refuse files of different activities (O-04)."""
    for evidence in named:
        if evidence.activity_id != activity_id:
            raise UsedTwice(attached_to=evidence.activity_id, activity_id=activity_id)
