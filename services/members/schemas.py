"""Input of each command of members. Where a rule asks for more than is required here, the rule says so."""

from __future__ import annotations

from services import contract
from services.chassis.fields import Day, Id, OneOf, Ref, Schema, Text, Whole
from services.contract.members import OrganisationKind
from services.kernel.day import FOUNDED


class DistrictCode(Text):
    """Any district by its GB/T 2260 code; the rules decide which ones are ours (M-08)."""

    pattern = "[0-9]{6}"
    says = ("A district's code of 6 digits.", "须为 6 位行政区划代码。")


class CreateOrganisation(Schema):
    """The organisation's name and kind, its institution and district, its size, and its parent, if any."""

    organisation_id = Ref(contract.members.Organisation, required=False)
    name = Text(max=100)
    organisation_kind = OneOf(OrganisationKind)
    institution_id = Id("institution")
    district = DistrictCode()
    workers_count = Whole()
    parent_id = Ref(contract.members.Organisation, required=False)


class ApplyOrganisation(Schema):
    organisation_id = Ref(contract.members.Organisation)


class ApproveOrganisation(Schema):
    """The document that approves the organisation."""

    organisation_id = Ref(contract.members.Organisation)
    approval_doc_no = Text(max=100)


class HoldFoundingMeeting(Schema):
    """The founding meeting: its day and attendance, the documents adopted, the people elected."""

    organisation_id = Ref(contract.members.Organisation)
    held_on = Day()
    called = Whole(min=1)
    attended = Whole()
    minutes_doc = Text(max=200)
    charter_doc = Text(max=200, required=False)
    chair_person_id = Id("person", required=False)


class EstablishOrganisation(Schema):
    """The day from which the organisation exists, and its size on that day."""

    organisation_id = Ref(contract.members.Organisation)
    established_on = Day(since=FOUNDED)
    workers_count = Whole(required=False)


class ActivateOrganisation(Schema):
    organisation_id = Ref(contract.members.Organisation)


class SleepOrganisation(Schema):
    organisation_id = Ref(contract.members.Organisation)
    reason = Text(max=500)


class WakeOrganisation(Schema):
    organisation_id = Ref(contract.members.Organisation)


class SetParent(Schema):
    """The organisation above, or none."""

    organisation_id = Ref(contract.members.Organisation)
    parent_id = Ref(contract.members.Organisation, required=False)  # left out: it stands at the top


class DissolveOrganisation(Schema):
    """The reason of the end."""

    organisation_id = Ref(contract.members.Organisation)
    reason = Text(max=500)
