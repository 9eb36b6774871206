"""What awards tells the others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
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
PrizeKind = Literal["graded", "special", "organisation", "tutor", "commendation"]
SubjectType = Literal["entry", "person", "organisation"]
RevocationReason = Literal["fraud", "plagiarism", "error", "other"]
PrizeGrade = Literal["first", "second", "third"]
ProgrammeKind = Literal["paper", "golden_bridge", "youth", "jiangbi", "home", "worker"]
EditionLevel = Literal["city", "province", "national"]
Participation = Literal["individual", "team", "organisation"]
Normalisation = Literal["mean", "trimmed_mean", "median", "z_global"]
TieStep = Literal["adjusted_mean", "trimmed_mean", "criterion", "first_ranks", "lower_stdev", "committee"]
TiePolicy = Literal["expand", "shrink", "committee"]
Shortcoming = Literal[
    "unsigned", "incomplete", "wrong_category", "unfit_entrant", "consent_missing", "awarded_before", "copied", "other",
]  # fmt: skip


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


@dataclass(frozen=True, kw_only=True)
class Criterion:
    """One thing that judges score, from 0 to `max` in steps; an independent one is shown and weighs nothing."""

    criterion_code: str
    weight: Decimal
    max: Decimal
    step: Decimal
    required: bool = True
    independent: bool = False
    round_no: Count | None = None  # it is scored in this round only; None: in each


@dataclass(frozen=True, kw_only=True)
class Quota:
    """How many prizes of a grade: so many places, or a share of the entries in percent."""

    grade: PrizeGrade
    places: Count | None = None
    percent: Count | None = None


@dataclass(frozen=True, kw_only=True)
class EditionCategory:
    """What is entered together, judged by one rubric and ranked among itself."""

    category_code: str
    participation: Participation
    max_team: Count
    blind: bool
    min_scores: Count
    rubric: tuple[Criterion, ...]
    quotas: tuple[Quota, ...] = ()


@dataclass(frozen=True, kw_only=True)
class RoundRules:
    """A round of judging with its window, what it weighs beside the others, and which share of its entries goes on."""

    judge_from: date
    judge_to: date
    weight: Count = 1
    advance_percent: Count | None = None  # None: it is the last one


@dataclass(frozen=True, kw_only=True)
class NominationQuota:
    """How many entries a unit may nominate."""

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
    """One run of a programme with its rules, as everybody may read them in its call."""

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
    """A round of judging; with the sheets of `inputs_hash` anybody computes the same list of those who go on."""

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
    """What an entry reached in a closed round, and by which step it has its place."""

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
    """What a unit nominates in an edition; who entered what, and its blind code, stay with awards (A-13, X-08)."""

    edition_id: str
    programme_kind: ProgrammeKind
    category_code: str
    district: str | None
    nominating_unit_id: str
    entrant_count: Count
    minor: bool  # one of the entrants at least
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


@published_by("awards", happenings=("granted", "issued", "consent_withdrawn", "revoked"))
class Award(View):
    """What an edition grants to an entry, a person or an organisation; whose it is, is said by ids alone (X-08)."""

    edition_id: str
    programme_kind: ProgrammeKind
    level: EditionLevel
    edition_no: Count
    year: Count
    entry_id: str | None  # the entry that it is for, also where a tutor or an organisation has it
    subject_type: SubjectType
    subject_id: str
    person_ids: tuple[str, ...]
    org_ids: tuple[str, ...]
    award_kind: PrizeKind
    grade: Grade
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
