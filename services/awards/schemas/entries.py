"""Input of each command about an entry."""

from __future__ import annotations

from services import contract
from services.awards.domain.benefit import BenefitClaim
from services.awards.domain.material import Attachment, AttachmentKind, Entrant, Stage
from services.chassis.fields import Day, District, Fen, Flag, Group, Id, Many, OneOf, Ref, Schema, Sha256, Text
from services.contract.awards import Shortcoming


class NameEntrant(Schema):
    """An entrant by id, with place, stage and consent."""

    person_ref = Id("person")
    unit_id = Id("organisation", required=False)
    district = District(required=False)
    stage = OneOf(Stage, required=False)
    minor = Flag()
    consent_ref = Id("document", required=False)  # the rules say when it is needed


class NameAttachment(Schema):
    """A file by its SHA-256 and kind."""

    sha256 = Sha256()
    attachment_kind = OneOf(AttachmentKind)


class ClaimBenefit(Schema):
    """Money that a project brought in, its receiver and the proof."""

    benefit_fen = Fen()
    verified_by_id = Id("organisation", required=False)  # the rules say when both are needed
    proof_sha256 = Sha256(required=False)


class HandIn(Schema):
    """The material of an entry, at first and after a return."""

    category_code = Id("category")
    title = Text(max=200)
    entrants = Many(Group(NameEntrant, Entrant), required=False)
    organisation_id = Id("organisation", required=False)
    tutor_refs = Many(Id("person"), max=10, required=False)
    attachments = Many(Group(NameAttachment, Attachment), max=50, required=False)
    originality_signed_on = Day(required=False)  # the rules say when it is needed
    work_on = Day(required=False)
    exhibition_consent = Flag(required=False)
    benefit_claim = Group(ClaimBenefit, BenefitClaim, required=False)


class SubmitEntry(HandIn):
    """A new entry, with its edition and nominating unit."""

    entry_id = Ref(contract.awards.Entry, required=False)
    edition_id = Ref(contract.awards.Edition)
    nominating_unit_id = Id("organisation")
    district = District(required=False)


class ImportEntry(Schema):
    """An entry in one row; the rules say which parts are needed."""

    entry_id = Ref(contract.awards.Entry, required=False)
    edition_id = Ref(contract.awards.Edition)
    category_code = Id("category")
    title = Text(max=200)
    nominating_unit_id = Id("organisation")
    district = District(required=False)
    first_person_ref = Id("person", required=False)
    first_unit_id = Id("organisation", required=False)
    first_minor = Flag(required=False)
    first_consent_ref = Id("document", required=False)
    second_person_ref = Id("person", required=False)
    second_unit_id = Id("organisation", required=False)
    second_minor = Flag(required=False)
    second_consent_ref = Id("document", required=False)
    third_person_ref = Id("person", required=False)
    third_unit_id = Id("organisation", required=False)
    third_minor = Flag(required=False)
    third_consent_ref = Id("document", required=False)
    stage = OneOf(Stage, required=False)
    organisation_id = Id("organisation", required=False)
    tutor_refs = Many(Id("person"), max=10, required=False)
    form_sha256 = Sha256(required=False)
    work_sha256 = Sha256(required=False)
    originality_signed_on = Day(required=False)
    work_on = Day(required=False)
    benefit_fen = Fen(required=False)
    verified_by_id = Id("organisation", required=False)
    proof_sha256 = Sha256(required=False)


class ReturnEntry(Schema):
    """The shortcomings, and the day until which they can be corrected."""

    entry_id = Ref(contract.awards.Entry)
    shortcomings = Many(OneOf(Shortcoming), max=8)
    correct_by = Day()
    note = Text(max=500, required=False)


class ResubmitEntry(HandIn):
    """The corrected material."""

    entry_id = Ref(contract.awards.Entry)


class CheckEligibility(Schema):
    """The decision, its reasons, and the parts that judges of a blind category may see."""

    entry_id = Ref(contract.awards.Entry)
    eligible = Flag()
    shortcomings = Many(OneOf(Shortcoming), max=8, required=False)
    anonymous_files = Many(Sha256(), max=50, required=False)
    anonymous_title = Flag(required=False)
    note = Text(max=500, required=False)


class WithdrawEntry(Schema):
    entry_id = Ref(contract.awards.Entry)
    reason = Text(max=500)


class DisqualifyEntry(Schema):
    entry_id = Ref(contract.awards.Entry)
    reason = Text(max=500)
