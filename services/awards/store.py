"""Where awards keeps its records, and which of its rules are unique indexes."""

from __future__ import annotations

from services import contract
from services.awards.domain import external_result
from services.chassis.records import Records, Unique


class ExternalResults(Records[external_result.ExternalResult]):
    """A revoked prize still holds its place: it cannot come back as a new report."""

    kind = contract.awards.ExternalResult.kind
    record = external_result.ExternalResult
    unique = (
        Unique(
            "series", "level", "edition_no", "category", "award_kind", "grade", "title_norm", "first_entrant_norm",
            refusal=external_result.ReportedTwice,
            among={"state": ("reported", "verified", "revoked")},
        ),
    )  # fmt: skip
