"""Input of each command about media coverage and commemorative days."""

from __future__ import annotations

from services import contract
from services.chassis.fields import Address, Day, District, OneOf, Ref, Schema, Sha256, Text
from services.contract.outreach import ChannelKind, OutletLevel


class RecordCoverage(Schema):
    """The outlet, its level and medium, the report's title and day, and its address or the file of the clip."""

    coverage_id = Ref(contract.outreach.MediaCoverage, required=False)
    outlet = Text(max=100)
    outlet_level = OneOf(OutletLevel)
    channel_kind = OneOf(ChannelKind)
    title = Text(max=200)
    published_on = Day()
    url = Address(max=500, required=False)
    clip_sha256 = Sha256(required=False)
    activity_id = Ref(contract.outreach.Activity, required=False)
    district = District(required=False)


class VerifyCoverage(Schema):
    coverage_id = Ref(contract.outreach.MediaCoverage)


class RejectCoverage(Schema):
    """The reason of the rejection."""

    coverage_id = Ref(contract.outreach.MediaCoverage)
    reason = Text(max=500)


class EnterDay(Schema):
    """The commemorative day's name and date; without a district it is the whole city's."""

    day_id = Ref(contract.outreach.CommemorativeDay, required=False)
    name = Text(max=100)
    day = Day()
    district = District(required=False)


class CoverDay(Schema):
    """The campaign that took the day up."""

    day_id = Ref(contract.outreach.CommemorativeDay)
    campaign_id = Ref(contract.outreach.Campaign)


class UncoverDay(Schema):
    """The reason why the campaign does not stand for the day."""

    day_id = Ref(contract.outreach.CommemorativeDay)
    reason = Text(max=500)


class StrikeDay(Schema):
    """The reason why the day leaves the calendar."""

    day_id = Ref(contract.outreach.CommemorativeDay)
    reason = Text(max=500)
