"""What awards tells the others."""

from __future__ import annotations

from datetime import date
from typing import Literal

from services.contract.view import Count, View, published_by

Series = Literal["youth_contest", "other"]
Level = Literal["province", "national"]
Category = Literal[
    "innovation_project", "science_fantasy_painting", "practice_activity", "science_idea", "science_film",
    "tutor_innovation", "other",
]  # fmt: skip
AwardKind = Literal["graded", "special", "organisation", "tutor"]
Grade = Literal["first", "second", "third", "none"]


@published_by("awards", happenings=("reported", "verified", "rejected", "revoked"))
class ExternalResult(View):
    """A prize won at a contest above the city; verified ones of the 26th provincial youth contest are K1."""

    series: Series
    level: Level
    edition_no: Count
    category: Category
    award_kind: AwardKind
    grade: Grade
    district: str | None
    entry_id: str | None
    awarded_on: date
    state: Literal["reported", "verified", "rejected", "revoked"]
