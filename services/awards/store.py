"""Where awards keeps its records, and which of its rules are unique indexes."""

from __future__ import annotations

from services import contract
from services.awards.domain import award, edition, entry, entry_result, external_result, judging_round
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


class Editions(Records[edition.Edition]):
    """A cancelled edition's number is free again."""

    kind = contract.awards.Edition.kind
    record = edition.Edition
    unique = (
        Unique(
            "programme_kind", "level", "edition_no",
            refusal=edition.EditionTaken,
            among={"state": edition.HELD},
        ),
    )  # fmt: skip


class Entries(Records[entry.Entry]):
    """What a withdrawn or ineligible entry held is free again: its students, its work, its place in the quota."""

    kind = contract.awards.Entry.kind
    record = entry.Entry
    unique = (
        Unique("edition_id", "student_refs", refusal=entry.EnteredTwice, among={"state": entry.HOLDING}),
        Unique("edition_id", "work_keys", refusal=entry.WorkEnteredTwice, among={"state": entry.HOLDING}),
        Unique(
            "edition_id", "nominating_unit_id", "nomination_place",
            refusal=entry.PlaceTaken,
            among={"state": entry.HOLDING},
        ),
        Unique("edition_id", "blind_code", refusal=entry.BlindCodeTaken),
    )  # fmt: skip
    indexes = (("edition_id", "nominating_unit_id"), ("programme_kind",))


class Rounds(Records[judging_round.Round]):
    kind = contract.awards.Round.kind
    record = judging_round.Round
    unique = (Unique("edition_id", "round_no", refusal=judging_round.RoundStarted),)


class EntryResults(Records[entry_result.EntryResult]):
    kind = contract.awards.EntryResult.kind
    record = entry_result.EntryResult
    indexes = (("edition_id", "round_no"),)


class GrantedAwards(Records[award.Award]):
    """An award's id is its line on a notice, so that a line granted twice is one award."""

    kind = contract.awards.Award.kind
    record = award.Award
    indexes = (("edition_id",), ("entry_id",), ("certificate_no",))
