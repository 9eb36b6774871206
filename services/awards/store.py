"""The collections of awards, and the rules that are unique indexes."""

from __future__ import annotations

from services import contract
from services.awards.domain import (
    award,
    conflict,
    edition,
    entry,
    entry_result,
    external_result,
    judge,
    judging_round,
    nomination,
    nomination_call,
    notice,
    objection,
    recommendation,
    score_sheet,
    seat_plan,
    topic,
)
from services.awards.domain.material import EnteredTwice
from services.chassis.field_classes import for_roles
from services.chassis.records import Records, Unique
from services.chassis.tokens import STAFF

CLERKS = ("recorder", "verifier", "chair")
"""The staff who work with entrants and their papers."""

CONTEST_ABOVE = ("from_edition_id", "to_series", "to_level", "to_edition_no")
"""The contest that an edition nominates for."""

ENTRANT = "material.entrants.person_ref"
"""The field by which the entries of a person are found."""


class ExternalResults(Records[external_result.ExternalResult]):
    """External results; a revoked prize still holds its place: it cannot come back as a new report."""

    kind = contract.awards.ExternalResult.kind
    record = external_result.ExternalResult
    office = ("title", "source_document", "reported_by", "verified_by", "revocation_document_no")
    personal = for_roles(CLERKS, "first_entrant")
    internal = ("title_norm", "first_entrant_norm")
    unique = (
        Unique(
            "series", "level", "edition_no", "category", "award_kind", "grade", "title_norm", "first_entrant_norm",
            refusal=external_result.ReportedTwice,
            among={"state": ("reported", "verified", "revoked")},
        ),
    )  # fmt: skip
    indexes = (("entry_id",),)


class Editions(Records[edition.Edition]):
    """Editions; a cancelled edition's number is free again."""

    kind = contract.awards.Edition.kind
    record = edition.Edition
    office = ("opened_at", "closed_at")
    unique = (
        Unique(
            "programme_kind", "level", "edition_no",
            refusal=edition.EditionTaken,
            among={"state": edition.HELD},
            revision=2,
        ),
    )  # fmt: skip


class Entries(Records[entry.Entry]):
    """Entries; a withdrawn or ineligible one frees its students, its work and its place in the quota."""

    kind = contract.awards.Entry.kind
    record = entry.Entry
    office = (
        "material.title", "material.category_code", "material.organisation_id", "material.attachments",
        "material.originality_signed_on", "material.work_on", "material.exhibition_consent", "material.benefit_claim",
        "nomination_place", "title_names_nobody", "handed_in_by", "decided_by",
    )  # fmt: skip
    personal = for_roles(CLERKS, "material.entrants", "material.tutor_refs")
    internal = ("blind_code", "student_refs", "work_keys")
    unique = (
        Unique("edition_id", "student_refs", refusal=EnteredTwice, among={"state": entry.HOLDING}, revision=2),
        Unique("edition_id", "work_keys", refusal=entry.WorkEnteredTwice, among={"state": entry.HOLDING}, revision=2),
        Unique(
            "edition_id", "nominating_unit_id", "nomination_place",
            refusal=entry.PlaceTaken,
            among={"state": entry.HOLDING},
            revision=2,
        ),
        Unique("edition_id", "blind_code", refusal=entry.BlindCodeTaken),
    )  # fmt: skip
    indexes = (("edition_id", "nominating_unit_id"), ("programme_kind",), (ENTRANT,))


class Judges(Records[judge.Judge]):
    """Judges, by the id of the person."""

    kind = contract.awards.Judge.kind
    record = judge.Judge
    office = ("person_id", "affiliations")


class ConflictRecords(Records[conflict.Conflicts]):
    """Conflicts of interest, by judge and edition."""

    kind = contract.awards.Conflicts.kind
    record = conflict.Conflicts
    personal = for_roles(("chair",), "conflicts")
    indexes = (("judge_id", "edition_id"), ("edition_id",))


class Assignments(Records[seat_plan.Assignment]):
    """Seat plans, by edition and round."""

    kind = contract.awards.Assignment.kind
    record = seat_plan.Assignment
    office = ("seats",)


class ScoreSheets(Records[score_sheet.ScoreSheet]):
    """Score sheets, by judge, entry and round."""

    kind = contract.awards.ScoreSheet.kind
    record = score_sheet.ScoreSheet
    office = ("by_chair", "recused_by", "locked_at")
    personal = for_roles(("chair",), "flagged", "recused_for")
    internal = ("versions",)  # scores are told by the questions of judging alone
    indexes = (("edition_id", "round_no", "entry_id"), ("judge_id", "edition_id"))


class Rounds(Records[judging_round.Round]):
    """Rounds of judging; an edition has one of each number."""

    kind = contract.awards.Round.kind
    record = judging_round.Round
    office = ("entry_ids", "votes", "reached")
    unique = (Unique("edition_id", "round_no", refusal=judging_round.RoundStarted),)
    indexes = (("edition_id", "state"),)


class EntryResults(Records[entry_result.EntryResult]):
    """Results by entry and round."""

    kind = contract.awards.EntryResult.kind
    record = entry_result.EntryResult
    indexes = (("edition_id", "round_no"),)


class NominationCalls(Records[nomination_call.NominationCall]):
    """Nomination calls; a call that was recorded wrong is closed, and then recorded again."""

    kind = contract.awards.NominationCall.kind
    record = nomination_call.NominationCall
    office = ("document_no",)
    unique = (Unique(*CONTEST_ABOVE, refusal=nomination_call.CalledTwice, among={"state": "open"}),)


class Nominations(Records[nomination.Nomination]):
    """Nominations; a withdrawn one frees its slot, and its entry for another slot.

    A slot belongs to its contest, so that a call that is recorded again gives no slot twice.
    """

    kind = contract.awards.Nomination.kind
    record = nomination.Nomination
    office = ("nominated_by", "sealed_at", "sealed_by")
    unique = (
        Unique(*CONTEST_ABOVE, "slot_no", refusal=nomination.SlotTaken, among={"state": nomination.HOLDING}),
        Unique(*CONTEST_ABOVE, "entry_id", refusal=nomination.NominatedTwice, among={"state": nomination.HOLDING}),
    )
    indexes = (("entry_id",),)


class Recommendations(Records[recommendation.Recommendation]):
    """Recommendations; a person who was not selected, or was withdrawn, may be recommended again."""

    kind = contract.awards.Recommendation.kind
    record = recommendation.Recommendation
    office = (
        "target_title", "worker_document_sha256", "misconduct_checked_on", "minute_no", "publicity_ends_at",
        "document_no", "proposed_by", "verified_by",
    )  # fmt: skip
    internal = ("target_title_norm",)
    unique = (
        Unique(
            "candidate_id", "target_kind", "target_level", "target_title_norm",
            refusal=recommendation.RecommendedTwice,
            among={"state": recommendation.HOLDING},
        ),
    )  # fmt: skip


class Topics(Records[topic.Topic]):
    """Topics; an abandoned one may be registered again."""

    kind = contract.awards.Topic.kind
    record = topic.Topic
    office = ("title", "benefit_claim", "registered_by", "completed_by", "accepted_by")
    internal = ("title_norm",)
    unique = (
        Unique(
            "enterprise_org_id", "title_norm", "year",
            refusal=topic.TopicRegisteredTwice,
            among={"state": topic.STANDING},
        ),
    )  # fmt: skip


class Notices(Records[notice.Notice]):
    """Award lists; an edition has one at a time, and a withdrawn one leaves its place to the next."""

    kind = contract.awards.Notice.kind
    record = notice.Notice
    office = ("decisions", "minute_no", "minute_sha256", "published_by")
    unique = (Unique("edition_id", refusal=notice.ListStands, among={"state": notice.STANDING}),)
    indexes = (("edition_id", "state"),)


class Objections(Records[objection.Objection]):
    """Objections to lines of an award list."""

    kind = contract.awards.Objection.kind
    record = objection.Objection
    office = ("subject_type", "subject_id", "evidence_ids", "handler_id", "notified_on", "filed_by")
    internal = ("sealed",)
    indexes = (("edition_id",),)


class GrantedAwards(Records[award.Award]):
    """Awards; an award's id is its line on a notice, so that a line granted twice is one award."""

    kind = contract.awards.Award.kind
    record = award.Award
    office = ("revocation_days", "revocation_document_no")
    personal = for_roles(STAFF, "names", "check_code")
    indexes = (("edition_id",), ("entry_id",), ("certificate_no",), ("person_ids",))
