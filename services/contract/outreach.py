"""Views of the records of outreach, as the other services and the gateway see them."""

from __future__ import annotations

from datetime import date
from typing import Literal

from services.contract.awards import Grade, PrizeKind
from services.contract.view import Count, View, published_by

CampaignKind = Literal["spring", "st_week", "nsp_day", "members_day", "commemorative", "other"]
Format = Literal["plaza", "lecture", "exhibition", "visit", "contest", "training", "consultation", "open_day"]
Delivery = Literal["on_site", "online", "both"]
KeyGroup = Literal["minors", "farmers", "urban", "cadres"]
Mode = Literal["offline", "online"]
Method = Literal["scan", "sign_in", "headcount", "turnstile", "estimate", "report"]
EvidenceKind = Literal["photo", "sign_sheet", "video", "press", "letter"]
ChannelKind = Literal["newspaper", "tv", "radio", "website", "sms", "microblog", "screen"]
ResourceKind = Literal["panel_set", "video", "text", "kit", "caravan", "mobile_museum"]
OutletLevel = Literal["central", "province", "city", "county"]
Slot = Literal["morning", "afternoon", "evening"]
VisitTarget = Literal["community", "school"]
VenueKind = Literal["plaza", "community", "school", "station", "site", "hall"]


@published_by("outreach", happenings=("opened", "closed"))
class Campaign(View):
    """A brand campaign (科普之春, 科技周, 全国科普日 ...); all that is counted belongs to its activities (O-02)."""

    campaign_kind: CampaignKind
    year: Count
    starts_on: date
    ends_on: date
    counts_for_k2: bool
    state: Literal["open", "closed"]


@published_by(
    "outreach",
    plural="activities",
    happenings=(
        "created", "scheduled", "moved", "flagged", "unflagged", "started", "held", "not_reported", "reported",
        "verified", "closed", "cancelled",
    ),
)  # fmt: skip
class Activity(View):
    """A science popularisation activity: the level at which audiences are counted."""

    campaign_id: str | None
    format: Format
    delivery: Delivery
    lead_org_id: str
    co_org_ids: tuple[str, ...]
    venue_id: str | None
    venue_suspended: bool  # flow F3: its venue was suspended after it had been scheduled
    district: str
    days: tuple[date, ...]
    key_groups: tuple[KeyGroup, ...]
    counts_for_k2: bool
    held_on: date | None  # the last day, once it was held
    state: Literal[
        "draft", "scheduled", "ongoing", "held", "not_reported", "reported", "verified", "closed", "cancelled"
    ]


@published_by("outreach", happenings=("recorded", "approved", "verified", "rejected", "corrected", "superseded"))
class AudienceCount(View):
    """A day's audience of one activity; it counts towards K2 once a second person verified it."""

    activity_id: str
    day: date
    mode: Mode
    method: Method
    person_times: Count
    minors: Count | None  # None: not counted, which is not 0
    handouts: Count | None
    consultations: Count | None
    format: Format
    district: str
    campaign_id: str | None
    venue_id: str | None
    counts_for_k2: bool
    superseded_by: str | None  # the count that replaced it
    state: Literal["recorded", "verified", "rejected", "superseded"]


@published_by("outreach", plural="evidence", happenings=("attached",))
class Evidence(View):
    """A photo, list or press report, known by its SHA-256; it speaks for one activity only (O-04)."""

    activity_id: str
    evidence_kind: EvidenceKind
    taken_on: date
    district: str  # of its activity
    state: Literal["attached"]


@published_by("outreach", happenings=("registered", "suspended", "restored"))
class Venue(View):
    """A place for activities; a service point of rural becomes one by flow F3."""

    venue_kind: VenueKind
    capacity: Count | None
    district: str
    service_point_id: str | None
    state: Literal["available", "suspended"]


@published_by("outreach", happenings=("proposed", "removed"))
class ExhibitCandidate(View):
    """A youth work that won a prize and may be shown, for as long as award and consent stand (F2)."""

    award_id: str
    entry_id: str | None
    edition_id: str
    edition_no: Count
    award_kind: PrizeKind
    grade: Grade
    granted_on: date
    district: str | None
    state: Literal["proposed", "removed"]


@published_by("outreach", happenings=("opened", "closed"))
class Channel(View):
    """A newspaper, station, site or screen that carries science popularisation; one of no district is the city's."""

    channel_kind: ChannelKind
    opened_on: date
    closed_on: date | None
    district: str | None
    state: Literal["open", "closed"]


@published_by("outreach", happenings=("planned", "started", "paused", "resumed", "ended"))
class MediaColumn(View):
    """A column of science popularisation in a channel (科普栏目)."""

    channel_id: str
    channel_kind: ChannelKind
    started_on: date | None
    district: str | None
    state: Literal["planned", "running", "paused", "ended"]


@published_by("outreach", happenings=("planned", "drafted", "reviewed", "published", "withdrawn"))
class ColumnIssue(View):
    """An issue of a media column; published after a scientific review only (O-15)."""

    column_id: str
    channel_id: str
    channel_kind: ChannelKind
    issue_no: Count
    reviewed_on: date | None
    published_on: date | None
    district: str | None
    state: Literal["planned", "drafted", "expert_reviewed", "published", "withdrawn"]


@published_by("outreach", happenings=("drafted", "reviewed", "published", "withdrawn"))
class WebPost(View):
    """A post of the association's website, with its public address once it is there."""

    channel_id: str
    url: str | None
    reviewed_on: date | None
    published_on: date | None
    district: str | None
    state: Literal["drafted", "reviewed", "published", "withdrawn"]


@published_by("outreach", happenings=("recorded", "verified", "rejected"))
class ReachReport(View):
    """How many read or saw one issue or post; it is never added to person-times (O-11)."""

    issue_id: str | None
    post_id: str | None
    channel_id: str
    channel_kind: ChannelKind
    reach: Count
    measured_on: date
    district: str | None
    state: Literal["recorded", "verified", "rejected"]


@published_by("outreach", happenings=("registered", "retired", "lost", "restored"))
class Resource(View):
    """An item of the shared library that is lent as a whole: a panel set, a kit, a caravan."""

    resource_kind: ResourceKind
    acquired_on: date
    district: str | None
    state: Literal["available", "retired", "lost"]


@published_by("outreach", happenings=("reserved", "handed_out", "overdue", "returned", "lost", "cancelled"))
class ResourceLoan(View):
    """A loan of one item; no two loans have it on the same day (O-21)."""

    resource_id: str
    resource_kind: ResourceKind
    borrower_id: str
    activity_id: str | None
    starts_on: date
    ends_on: date
    out_on: date | None
    returned_on: date | None
    overdue: bool  # it came back late, or should have come
    district: str | None
    state: Literal["reserved", "out", "returned", "lost", "cancelled"]


@published_by("outreach", happenings=("recorded", "verified", "rejected"))
class MediaCoverage(View):
    """A report of a medium about the association's work; the same clip counts once (O-23)."""

    outlet_level: OutletLevel
    channel_kind: ChannelKind
    published_on: date
    activity_id: str | None
    district: str | None
    state: Literal["recorded", "verified", "rejected"]


@published_by("outreach", happenings=("listed", "covered", "uncovered", "struck"))
class CommemorativeDay(View):
    """A day in the calendar of commemorative days, and the campaign that took it up."""

    day: date
    campaign_id: str | None
    district: str | None
    state: Literal["listed", "covered", "struck"]


@published_by("outreach", plural="expert_roster_entries", happenings=("enrolled", "revised", "suspended", "restored"))
class ExpertRosterEntry(View):
    """A member of the expert group, who can be asked for visits while active."""

    person_id: str
    discipline_codes: tuple[str, ...]
    enrolled_on: date
    district: str | None
    state: Literal["active", "suspended"]


@published_by("outreach", happenings=("requested", "matched", "confirmed", "delivered", "evaluated", "cancelled"))
class ExpertVisit(View):
    """A visit of experts to a community or a school; its audience is counted by its activity (K2)."""

    target: VisitTarget
    receiver_id: str
    day: date
    slot: Slot
    entry_ids: tuple[str, ...]
    activity_id: str | None
    delivered_on: date | None
    rating: Count | None
    district: str
    state: Literal["requested", "matched", "confirmed", "delivered", "evaluated", "cancelled"]
