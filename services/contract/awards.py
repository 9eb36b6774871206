"""Views of the records of awards, as the other services and the gateway see them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from services.contract.view import Count, Fen, Instant, View, published_by

Series = Literal["youth_contest", "other"]
Level = Literal["province", "national"]
Category = Literal[
    "innovation_project", "science_fantasy_painting", "practice_activity", "science_idea", "science_film",
    "tutor_innovation", "other",
]  # fmt: skip
AwardKind = Literal["graded", "special", "organisation", "tutor"]
Grade = Literal["first", "second", "third", "none"]
PrizeGrade = Literal["first", "second", "third"]
PrizeKind = Literal["graded", "special", "organisation", "tutor", "commendation"]
SubjectType = Literal["entry", "person", "organisation"]
Lack = Literal["identity", "contact", "evidence"]
Outcome = Literal["upheld", "dismissed"]
RevocationReason = Literal["fraud", "plagiarism", "error", "other"]
ProgrammeKind = Literal["paper", "golden_bridge", "youth", "jiangbi", "home", "worker"]
EditionLevel = Literal["city", "province", "national"]
Participation = Literal["individual", "team", "organisation"]
Normalisation = Literal["mean", "trimmed_mean", "median", "z_global"]
TieStep = Literal["adjusted_mean", "trimmed_mean", "criterion", "first_ranks", "lower_stdev", "committee"]
TiePolicy = Literal["expand", "shrink", "committee"]
ConflictType = Literal[
    "author", "tutor", "relative", "institutional", "collaborator", "advisor", "financial", "other",
]  # fmt: skip
TalentTarget = Literal["science_award", "talent_plan", "academician", "honorary_title"]
Shortcoming = Literal[
    "unsigned", "incomplete", "wrong_category", "unfit_entrant", "consent_missing", "awarded_before", "copied", "other",
]  # fmt: skip


@published_by("awards", happenings=("reported", "verified", "rejected", "revoked"))
class ExternalResult(View):
    """A prize won at a contest above the city; the verified ones of the 26th provincial youth contest are K1."""

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


@dataclass(frozen=True, kw_only=True)
class Criterion:
    """A criterion that judges score, from 0 to `max` in steps; an independent one is shown and has no weight."""

    criterion_code: str
    weight: Decimal
    max: Decimal
    step: Decimal
    required: bool = True
    independent: bool = False
    round_no: Count | None = None  # it is scored in this round only; None: in each


@dataclass(frozen=True, kw_only=True)
class Quota:
    """The prizes of a grade: a number of places, or a share of the entries in percent."""

    grade: PrizeGrade
    places: Count | None = None
    percent: Count | None = None


@dataclass(frozen=True, kw_only=True)
class EditionCategory:
    """A category of entries that are judged by one rubric and ranked among each other."""

    category_code: str
    participation: Participation
    max_team: Count
    blind: bool
    min_scores: Count
    rubric: tuple[Criterion, ...]
    quotas: tuple[Quota, ...] = ()


@dataclass(frozen=True, kw_only=True)
class RoundRules:
    """A round of judging: its window, its weight beside the other rounds, and the share of its entries that goes on."""

    judge_from: date
    judge_to: date
    weight: Count = 1
    advance_percent: Count | None = None  # None: it is the last one


@dataclass(frozen=True, kw_only=True)
class NominationQuota:
    """The number of entries that a unit may nominate."""

    nominating_unit_id: str
    places: Count


@published_by(
    "awards",
    happenings=(
        "created", "revised", "announced", "opened", "closed", "judged", "deliberated", "publicised", "granted",
        "archived", "cancelled",
    ),
)  # fmt: skip
class Edition(View):
    """A run of a programme with its rules, as its call publishes them."""

    programme_kind: ProgrammeKind
    level: EditionLevel
    edition_no: Count
    year: Count
    host_org_id: str
    submit_from: date
    submit_to: date  # its last second is still in time
    judge_from: date
    judge_to: date
    rounds: tuple[RoundRules, ...]  # none stated: a single one, in the whole window of judging
    disagreement: Count | None  # points between the highest and the lowest score, from which a second look is due
    work_from: date | None
    work_to: date | None
    categories: tuple[EditionCategory, ...]
    nomination_quotas: tuple[NominationQuota, ...]
    award_cap_percent: Count
    tie_break: tuple[TieStep, ...]
    tie_policy: TiePolicy
    normalisation: Normalisation
    publicity_days: Count
    publicity_unit: Literal["calendar", "working"]
    revocation_days: Count
    one_entry_each: bool
    same_place: bool
    same_stage: bool
    state: Literal[
        "planned", "announced", "collecting", "eligibility", "judging", "deliberation", "publicity", "granted",
        "archived", "cancelled",
    ]  # fmt: skip


@published_by("awards", happenings=("started", "tie_resolved", "closing", "closed", "reopened"))
class Round(View):
    """A round of judging; from the sheets of `inputs_hash` anybody computes the same list of entries that go on."""

    edition_id: str
    programme_kind: ProgrammeKind
    round_no: Count
    is_last: bool
    entry_count: Count
    started_on: date
    closed_on: date | None
    method: Normalisation | None
    inputs_hash: str | None
    advanced_ids: tuple[str, ...]  # entries; of the last round all that are ranked
    eliminated_count: Count | None
    state: Literal["open", "closing", "closed"]


@published_by("awards", happenings=("computed", "voided"))
class EntryResult(View):
    """The result of an entry in a closed round, and the step that decided its place."""

    edition_id: str
    round_no: Count
    entry_id: str
    category_code: str
    score_count: Count
    raw_mean: Decimal
    adjusted: Decimal  # by the edition's method, over the rounds so far
    stdev: Decimal | None  # None: one judge alone cannot disagree
    spread: Decimal | None
    unadjusted_count: Count  # judges whose scores could not be evened out
    disputed: bool  # the judges are further apart than the edition takes without a second look
    rank: Count
    decided_by: TieStep | None  # None: still tied
    advances: bool
    inputs_hash: str
    state: Literal["standing", "void"]


@published_by(
    "awards",
    happenings=(
        "submitted", "sent_back", "resubmitted", "decided", "withdrawn", "disqualified", "taken_up", "shortlisted",
        "eliminated", "proposed", "publicised", "held_back", "awarded", "passed_over", "revoked",
    ),
    plural="entries",
)  # fmt: skip
class Entry(View):
    """A unit's nomination in an edition; people and blind code stay with awards (A-13, X-08)."""

    edition_id: str
    programme_kind: ProgrammeKind
    category_code: str
    district: str | None
    nominating_unit_id: str
    entrant_count: Count
    minor: bool  # at least one of the entrants
    submitted_on: date  # the first time
    correct_by: date | None  # of a returned one: its last day
    shortcomings: tuple[Shortcoming, ...]  # why it was returned or found ineligible
    similarity: Count | None  # percent that its title has in common with the most similar other one; None: not compared
    similar_entry_id: str | None
    prior_entry_ids: tuple[str, ...]  # the same work in earlier editions of the programme
    state: Literal[
        "submitted", "returned", "eligible", "ineligible", "withdrawn", "disqualified", "in_review", "shortlisted",
        "eliminated", "proposed", "on_publicity", "on_hold", "awarded", "not_awarded", "revoked",
    ]  # fmt: skip


@published_by("awards", happenings=("invited", "activated", "suspended", "revised", "affiliated"))
class Judge(View):
    """A person who may be asked to score; the judge's employer stays with awards."""

    discipline_codes: tuple[str, ...]
    max_load: Count  # entries of a round
    state: Literal["invited", "active", "suspended"]


@published_by("awards", happenings=("recomputed", "declared", "withdrawn", "pinned", "released"), plural="conflicts")
class Conflicts(View):
    """The number of an edition's entries from which a judge is barred; which and why stays with awards (X-08)."""

    edition_id: str
    judge_id: str
    barred_count: Count
    pinned_count: Count  # of the conflicts: fixed by the chair
    state: Literal["clear", "standing"]


@dataclass(frozen=True, kw_only=True)
class Load:
    """The number of entries of a round that a judge is given."""

    judge_id: str
    entries: Count


@dataclass(frozen=True, kw_only=True)
class Uncovered:
    """An entry with empty seats, and how many judges each reason kept away; each judge counts for the first reason."""

    entry_id: str
    missing: Count
    inactive: Count
    conflict: Count
    colleague: Count  # of somebody who sits on it
    full: Count


@published_by("awards", happenings=("proposed", "confirmed"))
class Assignment(View):
    """The judges of a round's entries, before and after the chair confirmed them; its own dry run."""

    edition_id: str
    round_no: Count
    per_entry: Count
    seed: Count
    due_on: date | None
    entry_count: Count
    seat_count: Count
    held_count: Count  # seats of sheets that existed and stay
    struck_count: Count  # begun sheets with a conflict: they fill no seat
    off_discipline_count: Count
    uncovered_count: Count
    uncovered: tuple[Uncovered, ...]  # the first hundred of them
    loads: tuple[Load, ...]
    state: Literal["proposed", "confirmed"]


@published_by(
    "awards",
    happenings=(
        "sent", "accepted", "cancelled", "scored", "reopened", "locked", "recused", "replaced", "flagged", "unflagged",
    ),
)  # fmt: skip
class ScoreSheet(View):
    """A judge's sheet for an entry in a round; its scores stay with awards (A-12)."""

    edition_id: str
    round_no: Count
    entry_id: str
    judge_id: str
    due_on: date | None
    times_scored: Count
    in_conflict: bool  # since the judge began: the chair decides; the sheet does not count
    substitute_id: str | None  # the judge who scores in the place of one who recused
    state: Literal[
        "proposed", "sent", "accepted", "scored", "reopened", "locked", "recused", "replaced", "cancelled",
    ]  # fmt: skip


@published_by("awards", happenings=("opened", "closed"))
class NominationCall(View):
    """The number of an edition's entries that the association may nominate for the contest above it (A-08)."""

    from_edition_id: str
    to_series: Series
    to_level: Level
    to_edition_no: Count
    year: Count
    places: Count
    state: Literal["open", "closed"]


@published_by(
    "awards",
    happenings=("drafted", "withdrawn", "sealed", "sent_up", "accepted_above", "returned_above", "result_known"),
)
class Nomination(View):
    """An entry that the association nominates for the contest above, in a slot of its quota."""

    call_id: str
    entry_id: str
    from_edition_id: str
    to_series: Series
    to_level: Level
    to_edition_no: Count
    year: Count
    slot_no: Count
    district: str | None
    sealed_on: date | None  # from then on slot and entry stay
    sent_on: date | None  # the last time
    result_id: str | None  # the prize that it won above; None: none, or not known yet
    state: Literal[
        "drafted", "withdrawn", "sealed", "sent_up", "accepted_above", "returned_above", "result_known",
    ]  # fmt: skip


@published_by(
    "awards",
    happenings=(
        "proposed", "verified", "voted", "publicised", "submitted_up", "selected", "not_selected", "withdrawn",
    ),
)  # fmt: skip
class Recommendation(View):
    """A science and technology worker whom the association recommends for a prize, a talent plan or a title."""

    candidate_id: str
    target_kind: TalentTarget
    target_level: EditionLevel
    proposer_org_ids: tuple[str, ...]
    basis_award_ids: tuple[str, ...]
    district: str | None
    votes_for: Count | None  # None: not voted on yet
    votes_against: Count | None
    publicity_from: date | None
    publicity_to: date | None  # its last day
    submitted_up_on: date | None
    answered_on: date | None
    state: Literal[
        "proposed", "verified", "voted", "publicised", "submitted_up", "selected", "not_selected", "withdrawn",
    ]  # fmt: skip


@published_by("awards", happenings=("registered", "started", "finished", "accepted", "entered", "abandoned"))
class Topic(View):
    """A topic of an enterprise in the campaign for ideals and contribution (讲、比), up to its entry in an edition."""

    enterprise_org_id: str
    participant_ids: tuple[str, ...]
    year: Count
    district: str | None
    registered_on: date
    completed_on: date | None
    benefit_fen: Fen | None  # as its receiver verified it; None: none is claimed
    verified_by_id: str | None
    accepted_on: date | None
    entry_id: str | None
    edition_id: str | None
    state: Literal["registered", "in_progress", "completed", "accepted", "entered", "abandoned"]


@dataclass(frozen=True, kw_only=True)
class NoticeLine:
    """A prize on the list: its receiver, the rank and step that gave it, and what became of it."""

    line_no: Count
    award_kind: PrizeKind
    grade: Grade
    subject_type: SubjectType
    subject_id: str
    entry_id: str | None  # of a prize for an entry
    category_code: str | None
    rank: Count | None  # in its category, by the results
    decided_by: TieStep | None  # the step that decided the rank; None: it is shared, or there is none
    departs: bool  # the committee gave another grade than the results do
    state: Literal["proposed", "held", "granted", "struck"]
    document_no: str | None = None
    granted_on: date | None = None


@published_by("awards", happenings=("published", "struck", "granted", "withdrawn"))
class Notice(View):
    """An award list on public display, line by line; within its period anybody may object to a line (X-07, A-22)."""

    edition_id: str
    programme_kind: ProgrammeKind
    level: EditionLevel
    edition_no: Count
    year: Count
    starts_at: Instant
    ends_at: Instant  # the first moment after its last day
    lines: tuple[NoticeLine, ...]
    inputs_hash: str  # of the results that the list follows from
    url: str  # where the public reads it
    office_line: str  # a landline of the office that takes objections
    state: Literal["published", "granted", "withdrawn"]


@published_by(
    "awards",
    happenings=(
        "filed", "accepted", "rejected_formal", "taken_on", "upheld", "dismissed", "notified", "closed",
    ),
)  # fmt: skip
class Objection(View):
    """An objection to a line of an award list; objector and grounds are shown only to the staff who handle it."""

    notice_id: str
    edition_id: str
    line_no: Count
    entry_id: str | None
    real_name: bool
    lacking: tuple[Lack, ...]  # the missing parts of an objection; it is recorded and not processed
    filed_on: date
    decision: Outcome | None
    decided_on: date | None
    state: Literal[
        "filed", "accepted", "rejected_formal", "investigating", "upheld", "dismissed", "notified", "closed",
    ]  # fmt: skip


@published_by("awards", happenings=("granted", "issued", "consent_withdrawn", "revoked"))
class Award(View):
    """A grant of an edition to an entry, a person or an organisation; its receiver is named by ids alone (X-08)."""

    edition_id: str
    programme_kind: ProgrammeKind
    level: EditionLevel
    edition_no: Count
    year: Count
    entry_id: str | None  # of a prize for an entry
    subject_type: SubjectType
    subject_id: str
    person_ids: tuple[str, ...]
    person_count: Count
    org_ids: tuple[str, ...]
    award_kind: PrizeKind
    grade: Grade
    benefit_fen: Fen | None  # as its receiver verified it; None: its entry claims none
    document_no: str
    granted_on: date
    certificate_no: str
    issued_on: date | None  # its certificate; None: not yet
    youth: bool
    exhibition_consent: bool  # to show its work (F2)
    consent_withdrawn_on: date | None
    district: str | None
    reason_code: RevocationReason | None
    revoked_on: date | None
    state: Literal["granted", "revoked"]
