"""The collections of outreach, and the rules that are unique indexes."""

from __future__ import annotations

from services import contract
from services.chassis.records import Records, Unique
from services.outreach.domain import activity, audience, campaign, evidence, exhibit_candidate, venue


class Campaigns(Records[campaign.Campaign]):
    """Campaigns, without a rule across them."""

    kind = contract.outreach.Campaign.kind
    record = campaign.Campaign
    office = ("theme",)


class Activities(Records[activity.Activity]):
    """Activities; each booking is unique among all of them: that is the venue's calendar (O-19)."""

    kind = contract.outreach.Activity.kind
    record = activity.Activity
    office = ("title", "slots", "capacity", "reported_by", "verified_by")
    internal = ("venue_turns", "bookings")
    unique = (Unique("bookings", refusal=activity.VenueTaken),)
    indexes = (("venue_id", "state"),)


class AudienceCounts(Records[audience.AudienceCount]):
    """Audience counts: one stands by each method, and one is verified for each audience: K2 has no two (O-03)."""

    kind = contract.outreach.AudienceCount.kind
    record = audience.AudienceCount
    office = ("recorded_by", "approved_by", "verified_by", "corrected_by", "plausible_up_to", "evidence_ids")
    unique = (
        Unique(
            "activity_id", "day", "mode", "method",
            refusal=audience.CountedTwice,
            among={"state": ("recorded", "verified")},
        ),
        Unique("activity_id", "day", "mode", refusal=audience.DayVerifiedTwice, among={"state": "verified"}),
    )  # fmt: skip
    indexes = (("activity_id",),)


class EvidenceFiles(Records[evidence.Evidence]):
    """Evidence; a file's record has its SHA-256 as id, so that it belongs to one activity (O-04)."""

    kind = contract.outreach.Evidence.kind
    record = evidence.Evidence
    office = ("place", "note", "uploaded_by")
    indexes = (("activity_id",),)


class Venues(Records[venue.Venue]):
    """Venues; a station has an id made from its service point's."""

    kind = contract.outreach.Venue.kind
    record = venue.Venue
    office = ("name",)
    internal = ("turns",)


class ExhibitCandidates(Records[exhibit_candidate.ExhibitCandidate]):
    """Exhibit candidates; each has the id of its award."""

    kind = contract.outreach.ExhibitCandidate.kind
    record = exhibit_candidate.ExhibitCandidate
