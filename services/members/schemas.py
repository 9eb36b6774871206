"""What comes in with each command of members. Where a rule asks for more than is needed here, the rule says so."""

from __future__ import annotations

from services.chassis.fields import Day, Id, OneOf, Schema, Text, Whole
from services.contract.members import OrganisationKind


class DistrictCode(Text):
    """Any district by its GB/T 2260 code; which ones are ours is for the rules to say (M-08)."""

    pattern = "[0-9]{6}"
    says = ("A district's code of 6 digits.", "须为 6 位行政区划代码。")


class CreateOrganisation(Schema):
    organisation_id = Id(required=False)
    name = Text(max=100)
    organisation_kind = OneOf(OrganisationKind)
    institution_id = Id()
    district = DistrictCode()
    workers_count = Whole()
    parent_id = Id(required=False)


class ApplyOrganisation(Schema):
    organisation_id = Id()


class ApproveOrganisation(Schema):
    organisation_id = Id()
    approval_doc_no = Text(max=100)


class HoldFoundingMeeting(Schema):
    organisation_id = Id()
    held_on = Day()
    called = Whole(min=1)
    attended = Whole()
    minutes_doc = Text(max=200)
    charter_doc = Text(max=200, required=False)
    chair_person_id = Id(required=False)


class EstablishOrganisation(Schema):
    organisation_id = Id()
    established_on = Day()
    workers_count = Whole(required=False)


class ActivateOrganisation(Schema):
    organisation_id = Id()


class SleepOrganisation(Schema):
    organisation_id = Id()
    reason = Text(max=500)


class WakeOrganisation(Schema):
    organisation_id = Id()


class SetParent(Schema):
    organisation_id = Id()
    parent_id = Id(required=False)  # left out: it stands at the top


class DissolveOrganisation(Schema):
    organisation_id = Id()
    reason = Text(max=500)
