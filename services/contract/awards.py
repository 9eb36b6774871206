"""What awards tells the others."""

from __future__ import annotations

from datetime import date
from typing import Literal

from services.contract.view import Count, View, published_by


@published_by("awards", happenings=("reported", "verified", "rejected", "revoked"))
class ExternalResult(View):
    """A prize won at a contest above the city; verified ones of the 26th provincial youth contest are K1."""

    series: Literal["youth_contest", "other"]
    level: Literal["province", "national"]
    edition_no: Count
    category: str
    award_kind: Literal["graded", "special", "organisation", "tutor"]
    grade: Literal["first", "second", "third", "none"]
    district: str | None
    entry_id: str | None
    awarded_on: date
    state: Literal["reported", "verified", "rejected", "revoked"]
