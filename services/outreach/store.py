"""The collections of outreach, and the rules that are unique indexes."""

from __future__ import annotations

from services import contract
from services.chassis.field_classes import for_roles
from services.chassis.records import Records, Unique
from services.outreach.domain import (
    activity,
    audience,
    campaign,
    channel,
    column_issue,
    commemorative_day,
    evidence,
    exhibit_candidate,
    expert_roster_entry,
    expert_visit,
    media_column,
    media_coverage,
    reach_report,
    resource,
    resource_loan,
    second_person,
    venue,
    web_post,
)


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


class Channels(Records[channel.Channel]):
    """Channels, without a rule across them."""

    kind = contract.outreach.Channel.kind
    record = channel.Channel
    office = ("name", "operator_id")


class MediaColumns(Records[media_column.MediaColumn]):
    """Media columns, without a rule across them."""

    kind = contract.outreach.MediaColumn.kind
    record = media_column.MediaColumn
    office = ("name", "channel_opened_on")


class ColumnIssues(Records[column_issue.ColumnIssue]):
    """Issues; a number stands for one of each column (O-22)."""

    kind = contract.outreach.ColumnIssue.kind
    record = column_issue.ColumnIssue
    office = ("title", "author_ids", "drafted_by", "reviewer_id", "reviewed_by")
    unique = (
        Unique(
            "column_id", "issue_no",
            refusal=column_issue.IssueNumberTaken,
            among={"state": column_issue.STANDING},
        ),
    )  # fmt: skip


class WebPosts(Records[web_post.WebPost]):
    """Posts; an address is that of one of them (O-27)."""

    kind = contract.outreach.WebPost.kind
    record = web_post.WebPost
    office = ("title", "author_ids", "drafted_by", "reviewed_by")
    unique = (Unique("url", refusal=web_post.AddressTaken, among={"state": "published"}),)


class ReachReports(Records[reach_report.ReachReport]):
    """Reports of reach; one stands of each issue and of each post (O-11)."""

    kind = contract.outreach.ReachReport.kind
    record = reach_report.ReachReport
    office = ("recorded_by", "verified_by")
    unique = (
        Unique("issue_id", refusal=reach_report.ReachedTwice, among={"state": second_person.STANDING}),
        Unique("post_id", refusal=reach_report.ReachedTwice, among={"state": second_person.STANDING}),
    )


class Resources(Records[resource.Resource]):
    """Shared resources, without a rule across them."""

    kind = contract.outreach.Resource.kind
    record = resource.Resource
    office = ("name",)


class ResourceLoans(Records[resource_loan.ResourceLoan]):
    """Loans; each day of an item is that of one loan: that is the item's calendar (O-21)."""

    kind = contract.outreach.ResourceLoan.kind
    record = resource_loan.ResourceLoan
    office = ("reserved_by",)
    internal = ("bookings",)
    unique = (
        Unique("bookings", refusal=resource_loan.LoanOverlaps),
        Unique("resource_id", refusal=resource_loan.StillOut, among={"state": "out"}),
    )


class Coverage(Records[media_coverage.MediaCoverage]):
    """Media coverage; of each clip, by address and by file, one record stands (O-23)."""

    kind = contract.outreach.MediaCoverage.kind
    record = media_coverage.MediaCoverage
    office = ("outlet", "title", "url", "clip_sha256", "recorded_by", "verified_by")
    unique = (
        Unique("url", refusal=media_coverage.ClipTwice, among={"state": second_person.STANDING}),
        Unique("clip_sha256", refusal=media_coverage.ClipTwice, among={"state": second_person.STANDING}),
    )


class CommemorativeDays(Records[commemorative_day.CommemorativeDay]):
    """The calendar of commemorative days; each stands there once (O-28)."""

    kind = contract.outreach.CommemorativeDay.kind
    record = commemorative_day.CommemorativeDay
    office = ("name",)
    internal = ("identity",)
    unique = (Unique("identity", refusal=commemorative_day.DayListedTwice),)


class ExpertRoster(Records[expert_roster_entry.ExpertRosterEntry]):
    """The expert group; a person stands there once (O-26)."""

    kind = contract.outreach.ExpertRosterEntry.kind
    record = expert_roster_entry.ExpertRosterEntry
    office = ("absent_on",)
    unique = (Unique("person_id", refusal=expert_roster_entry.EnrolledTwice),)


class ExpertVisits(Records[expert_visit.ExpertVisit]):
    """Visits; a slot of an expert's day is that of one visit (O-24)."""

    kind = contract.outreach.ExpertVisit.kind
    record = expert_visit.ExpertVisit
    office = ("topic", "requested_by", "receipt_sha256")
    personal = for_roles(("recorder", "verifier", "chair"), "contact_name", "contact_phone")
    internal = ("bookings",)
    unique = (Unique("bookings", refusal=expert_visit.ExpertBookedTwice),)
