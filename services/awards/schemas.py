"""What comes in with each command of awards."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from services.awards.domain.entry import Attachment, AttachmentKind, Entrant, Stage
from services.chassis.fields import Day, District, Flag, Group, Id, Many, OneOf, Schema, Sha256, Text, Whole
from services.contract.awards import (
    AwardKind,
    Category,
    Criterion,
    EditionCategory,
    EditionLevel,
    Grade,
    Level,
    NominationQuota,
    Normalisation,
    Participation,
    PrizeGrade,
    ProgrammeKind,
    Quota,
    Series,
    Shortcoming,
    TiePolicy,
    TieStep,
)
from services.kernel.calendar import Unit

CROWD = 1_000  # of one entry, unit or grade there are never more


class Points(Text):
    """Points or weights, exact to two decimals: a text, since no number of JSON is exact."""

    pattern = r"[0-9]{1,6}(\.[0-9]{1,2})?"
    says = ("A number like 12.5, as a text.", "须为数字文本，如 12.5。")

    def __init__(self, *, required: bool = True) -> None:
        super().__init__(max=9, required=required)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        return Decimal(super()._deserialize(value, attr, data, **kwargs))


class ReportExternalResult(Schema):
    result_id = Id(required=False)
    series = OneOf(Series)
    level = OneOf(Level)
    edition_no = Whole(min=1, max=999)
    category = OneOf(Category)
    award_kind = OneOf(AwardKind)
    grade = OneOf(Grade)
    title = Text(max=200)
    first_entrant = Text(max=100)
    awarded_on = Day()
    document_sha256 = Sha256()
    document_url = Text(max=500, required=False)
    district = District(required=False)
    entry_id = Id(required=False)


class VerifyExternalResult(Schema):
    result_id = Id()


class RejectExternalResult(Schema):
    result_id = Id()
    reason = Text(max=500)


class RevokeExternalResult(Schema):
    result_id = Id()
    document_no = Text(max=100, required=False)  # the rules say when it is needed
    reason = Text(max=500)


class StateCriterion(Schema):
    criterion_code = Id()
    weight = Points()
    max = Points()
    step = Points()
    required = Flag()
    independent = Flag()


class StateQuota(Schema):
    grade = OneOf(PrizeGrade)
    places = Whole(max=CROWD, rule="A-18", required=False)
    percent = Whole(max=100, rule="A-18", required=False)


class StateCategory(Schema):
    category_code = Id()
    participation = OneOf(Participation)
    max_team = Whole(min=1, max=100, rule="A-03")
    blind = Flag()
    min_scores = Whole(min=1, max=100, rule="A-17")
    rubric = Many(Group(StateCriterion, Criterion), max=30, required=False)  # the rules say when it is needed
    quotas = Many(Group(StateQuota, Quota), max=3, required=False)


class StateNominationQuota(Schema):
    nominating_unit_id = Id()
    places = Whole(max=CROWD, rule="A-08")


class StateRules(Schema):
    """What an edition's call says, at first and when it is revised."""

    submit_from = Day()
    submit_to = Day()
    judge_from = Day()
    judge_to = Day()
    work_from = Day(required=False)
    work_to = Day(required=False)
    categories = Many(Group(StateCategory, EditionCategory), min=1, max=50)
    nomination_quotas = Many(Group(StateNominationQuota, NominationQuota), max=500, required=False)
    award_cap_percent = Whole(max=100, rule="A-18")
    tie_break = Many(OneOf(TieStep), min=1, max=6)
    tie_policy = OneOf(TiePolicy)
    normalisation = OneOf(Normalisation)
    publicity_days = Whole(min=1, max=60, rule="X-07")
    publicity_unit = OneOf(Unit)
    revocation_days = Whole(min=1, max=3_660, rule="A-24")
    one_entry_each = Flag(required=False)
    same_place = Flag(required=False)
    same_stage = Flag(required=False)


class CreateEdition(StateRules):
    edition_id = Id(required=False)
    programme_kind = OneOf(ProgrammeKind)
    level = OneOf(EditionLevel)
    edition_no = Whole(min=1, max=999)
    year = Whole(min=1900, max=2999)
    host_org_id = Id()


class ReviseEdition(StateRules):
    edition_id = Id()
    reason = Text(max=500)


class AnnounceEdition(Schema):
    edition_id = Id()


class OpenEdition(Schema):
    edition_id = Id()


class CloseEdition(Schema):
    edition_id = Id()
    reason = Text(max=500, required=False)  # the rules say when it is needed


class CancelEdition(Schema):
    edition_id = Id()
    reason = Text(max=500)


class NameEntrant(Schema):
    person_ref = Id()
    unit_id = Id(required=False)
    district = District(required=False)
    stage = OneOf(Stage, required=False)
    minor = Flag()
    consent_ref = Id(required=False)  # the rules say when it is needed


class NameAttachment(Schema):
    sha256 = Sha256()
    attachment_kind = OneOf(AttachmentKind)


class HandIn(Schema):
    """What an entry consists of, at first and after a return."""

    category_code = Id()
    title = Text(max=200)
    entrants = Many(Group(NameEntrant, Entrant), required=False)
    organisation_id = Id(required=False)
    tutor_refs = Many(Id(), max=10, required=False)
    attachments = Many(Group(NameAttachment, Attachment), max=50, required=False)
    originality_signed_on = Day(required=False)  # the rules say when it is needed
    work_on = Day(required=False)


class SubmitEntry(HandIn):
    entry_id = Id(required=False)
    edition_id = Id()
    nominating_unit_id = Id()
    district = District(required=False)


class ReturnEntry(Schema):
    entry_id = Id()
    shortcomings = Many(OneOf(Shortcoming), max=8)
    correct_by = Day()
    note = Text(max=500, required=False)


class ResubmitEntry(HandIn):
    entry_id = Id()


class CheckEligibility(Schema):
    entry_id = Id()
    eligible = Flag()
    shortcomings = Many(OneOf(Shortcoming), max=8, required=False)
    note = Text(max=500, required=False)


class WithdrawEntry(Schema):
    entry_id = Id()
    reason = Text(max=500)


class DisqualifyEntry(Schema):
    entry_id = Id()
    reason = Text(max=500)
