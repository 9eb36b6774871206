"""Honours (荣誉): the awards of a person or an organisation, kept for as long as the award stands (F1, F5).

The person need not be known here: an honour waits for its person under the person's id (X-09).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from services.contract.awards import Award, EditionLevel, Grade, PrizeKind, ProgrammeKind
from services.contract.members import HolderType
from services.kernel import Change, Lifecycle

LIFECYCLE = Lifecycle(recorded=("withdrawn",))
NAMESPACE = uuid.UUID("6b657869-6500-4000-8000-000000000101")


@dataclass(frozen=True, kw_only=True)
class Holder:
    """The person or organisation that has an honour."""

    holder_type: HolderType
    holder_id: str


@dataclass(frozen=True, kw_only=True)
class Honour:
    """An award as one of its holders has it."""

    award_id: str
    holder_type: HolderType
    holder_id: str
    programme_kind: ProgrammeKind
    level: EditionLevel
    award_kind: PrizeKind
    grade: Grade
    granted_on: date
    withdrawn_on: date | None
    district: str | None
    state: str


def holders(award: Award) -> Iterator[Holder]:
    """List every holder of an award: each has an honour of it."""
    yield from (Holder(holder_type="person", holder_id=person_id) for person_id in award.person_ids)
    yield from (Holder(holder_type="organisation", holder_id=org_id) for org_id in award.org_ids)


def honour_id(award_id: str, holder: Holder) -> str:
    """The id of the one honour that a holder has of an award."""
    return str(uuid.uuid5(NAMESPACE, f"{award_id}/{holder.holder_type}/{holder.holder_id}"))


def follow_award(honour: Honour | None, *, award_id: str, award: Award, holder: Holder) -> Change[Honour] | None:
    """Keep an honour in step with its award; one that is revoked already begins as withdrawn."""
    if honour is None:
        return _record(award_id, award, holder)
    if award.state == "granted" or honour.state == "withdrawn":
        return None

    state = LIFECYCLE.move(honour.state, "withdrawn")
    return Change(replace(honour, state=state, withdrawn_on=award.revoked_on), "withdrawn")


def _record(award_id: str, award: Award, holder: Holder) -> Change[Honour]:
    is_revoked = award.state == "revoked"
    honour = Honour(
        award_id=award_id,
        holder_type=holder.holder_type,
        holder_id=holder.holder_id,
        programme_kind=award.programme_kind,
        level=award.level,
        award_kind=award.award_kind,
        grade=award.grade,
        granted_on=award.granted_on,
        withdrawn_on=award.revoked_on,
        district=award.district,
        state="withdrawn" if is_revoked else "recorded",
    )
    return Change(honour, "withdrawn" if is_revoked else "recorded")
