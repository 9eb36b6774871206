"""Input of each command about an external result."""

from __future__ import annotations

from services import contract
from services.chassis.fields import Day, District, OneOf, Ref, Schema, Sha256, Text, Whole
from services.contract.awards import AwardKind, Category, Grade, Level, Series


class ReportExternalResult(Schema):
    """The prize, its contest and winner, and the document that proves it."""

    result_id = Ref(contract.awards.ExternalResult, required=False)
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
    entry_id = Ref(contract.awards.Entry, required=False)


class VerifyExternalResult(Schema):
    result_id = Ref(contract.awards.ExternalResult)


class RejectExternalResult(Schema):
    """The reason of the rejection."""

    result_id = Ref(contract.awards.ExternalResult)
    reason = Text(max=500)


class RevokeExternalResult(Schema):
    """The document and the reason of the revocation."""

    result_id = Ref(contract.awards.ExternalResult)
    document_no = Text(max=100, required=False)  # the rules say when it is needed
    reason = Text(max=500)
