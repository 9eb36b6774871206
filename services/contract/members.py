"""Views of the records of members, as the other services and the gateway see them."""

from __future__ import annotations

from datetime import date
from typing import Literal

from services.contract.awards import EditionLevel, Grade, PrizeKind, ProgrammeKind
from services.contract.view import Count, View, published_by

OrganisationKind = Literal["society", "county_ast", "enterprise", "university", "street_township", "park", "hospital"]
HolderType = Literal["person", "organisation"]


@published_by(
    "members",
    happenings=(
        "created", "applied", "approved", "founded", "established", "activated", "slept", "moved", "detached",
        "dissolved",
    ),
)  # fmt: skip
class Organisation(View):
    """An organisation of the association's tree; a university association established in the year is K6."""

    name: str
    organisation_kind: OrganisationKind
    institution_id: str
    parent_id: str | None
    district: str
    workers_count: Count
    approval_doc_no: str | None
    founding_meeting_on: date | None
    established_on: date | None
    state: Literal["preparing", "applied", "approved", "established", "active", "dormant", "dissolved"]


@published_by("members", happenings=("recorded", "withdrawn"))
class Honour(View):
    """An award that one person or organisation received; withdrawn where the award was revoked (F1, F5)."""

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
    state: Literal["recorded", "withdrawn"]
