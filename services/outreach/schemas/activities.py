"""Input of each command of outreach."""

from __future__ import annotations

from services import contract
from services.chassis.fields import Day, District, Flag, Id, Many, OneOf, Ref, Schema, Sha256, Text, Whole
from services.contract.outreach import CampaignKind, Delivery, EvidenceKind, Format, KeyGroup, Method, Mode, Slot

CROWD = 10_000_000  # three times the people of Leshan: no audience of a day is larger


class OpenCampaign(Schema):
    """The campaign's brand, theme and days, and whether its audiences count for K2."""

    campaign_id = Ref(contract.outreach.Campaign, required=False)
    campaign_kind = OneOf(CampaignKind)
    theme = Text(max=200)
    starts_on = Day()
    ends_on = Day()
    counts_for_k2 = Flag(required=False)


class CloseCampaign(Schema):
    campaign_id = Ref(contract.outreach.Campaign)


class RegisterVenue(Schema):
    """The place, its kind and district, and how many people it holds."""

    venue_id = Ref(contract.outreach.Venue, required=False)
    venue_kind = OneOf("plaza", "community", "school", "site", "hall")  # a station comes by itself (F3)
    name = Text(max=100)
    district = District()
    capacity = Whole(max=CROWD, required=False)


class CreateActivity(Schema):
    """The activity's title, format, unit, days and district, and the campaign that it joins."""

    activity_id = Ref(contract.outreach.Activity, required=False)
    campaign_id = Ref(contract.outreach.Campaign, required=False)
    title = Text(max=200)
    format = OneOf(Format)
    delivery = OneOf(Delivery)
    lead_org_id = Id("organisation")
    co_org_ids = Many(Id("organisation"), required=False)
    district = District()
    days = Many(Day(), min=1)
    key_groups = Many(OneOf(KeyGroup), max=4, required=False)


class ScheduleActivity(Schema):
    """The venue and the slots that the activity books."""

    activity_id = Ref(contract.outreach.Activity)
    venue_id = Ref(contract.outreach.Venue, required=False)
    slots = Many(OneOf(Slot), max=3, required=False)


class MoveActivity(Schema):
    """The other venue or slots that the activity books."""

    activity_id = Ref(contract.outreach.Activity)
    venue_id = Ref(contract.outreach.Venue)
    slots = Many(OneOf(Slot), max=3, required=False)


class StartActivity(Schema):
    activity_id = Ref(contract.outreach.Activity)


class FinishActivity(Schema):
    activity_id = Ref(contract.outreach.Activity)


class MarkNotReported(Schema):
    activity_id = Ref(contract.outreach.Activity)


class ReportActivity(Schema):
    activity_id = Ref(contract.outreach.Activity)


class VerifyActivity(Schema):
    activity_id = Ref(contract.outreach.Activity)


class CloseActivity(Schema):
    """The day through which a plan year is frozen, if it is."""

    activity_id = Ref(contract.outreach.Activity)
    frozen_through = Day(required=False)  # the last day of a plan year whose figures are final


class CancelActivity(Schema):
    """The reason of the cancellation."""

    activity_id = Ref(contract.outreach.Activity)
    reason = Text(max=500)


class AttachEvidence(Schema):
    """The file by its SHA-256, its kind, day and place, and the activity that it belongs to."""

    evidence_id = Sha256()  # of the file
    activity_id = Ref(contract.outreach.Activity)
    evidence_kind = OneOf(EvidenceKind)
    taken_on = Day()
    place = Text(max=200, required=False)
    note = Text(max=500, required=False)


class RecordCount(Schema):
    """A day's audience of an activity, with the mode and method by which it was counted."""

    count_id = Ref(contract.outreach.AudienceCount, required=False)
    activity_id = Ref(contract.outreach.Activity)
    day = Day()
    mode = OneOf(Mode)
    method = OneOf(Method)
    person_times = Whole(max=CROWD, rule="O-01")
    minors = Whole(max=CROWD, required=False)
    handouts = Whole(max=CROWD, required=False)
    consultations = Whole(max=CROWD, required=False)


class ApproveCount(Schema):
    count_id = Ref(contract.outreach.AudienceCount)


class VerifyCount(Schema):
    count_id = Ref(contract.outreach.AudienceCount)


class RejectCount(Schema):
    """The reason of the rejection."""

    count_id = Ref(contract.outreach.AudienceCount)
    reason = Text(max=500)


class CorrectCount(Schema):
    """The right numbers, the reason, and the evidence for them."""

    count_id = Ref(contract.outreach.AudienceCount)
    person_times = Whole(max=CROWD, rule="O-01")
    minors = Whole(max=CROWD, required=False)
    evidence_ids = Many(Sha256(), required=False)  # the rules say when it is needed (O-06)
    reason = Text(max=500)


class SupersedeCount(Schema):
    """The count that takes this one's place, and why."""

    count_id = Ref(contract.outreach.AudienceCount)
    by_count_id = Ref(contract.outreach.AudienceCount)
    reason = Text(max=500)
