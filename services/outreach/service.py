"""The service outreach: its records, its commands by group, and its listeners."""

from __future__ import annotations

from functools import partial
from typing import cast

from services import contract
from services.chassis.clock import ClockProvider
from services.chassis.listener import listens
from services.chassis.service import Service
from services.contract.event import Event
from services.outreach.commands.activities import ActivityCommands
from services.outreach.commands.coverage import CoverageCommands
from services.outreach.commands.experts import ExpertCommands
from services.outreach.commands.media import MediaCommands
from services.outreach.commands.resources import ResourceCommands
from services.outreach.domain import activity, exhibit_candidate, resource, venue
from services.outreach.store import (
    Activities,
    AudienceCounts,
    Campaigns,
    Channels,
    ColumnIssues,
    CommemorativeDays,
    Coverage,
    EvidenceFiles,
    ExhibitCandidates,
    ExpertRoster,
    ExpertVisits,
    MediaColumns,
    ReachReports,
    ResourceLoans,
    Resources,
    Venues,
    WebPosts,
)


class Outreach(ActivityCommands, MediaCommands, ResourceCommands, CoverageCommands, ExpertCommands, Service):
    """Activities of science popularisation, the audiences they reach (K2), and what channels publish."""

    name = "outreach"

    campaigns = Campaigns()
    activities = Activities()
    counts = AudienceCounts()
    evidence_files = EvidenceFiles()
    venues = Venues()
    exhibit_candidates = ExhibitCandidates()
    channels = Channels()
    columns = MediaColumns()
    issues = ColumnIssues()
    posts = WebPosts()
    reach_reports = ReachReports()
    resources = Resources()
    loans = ResourceLoans()
    coverage = Coverage()
    expert_roster = ExpertRoster()
    visits = ExpertVisits()
    commemorative_days = CommemorativeDays()
    clock = ClockProvider()

    @listens(contract.rural.ServicePoint, "completed", "lapsed")
    def follow_service_point(self, event: Event) -> None:
        """Make a complete service point a venue, until it lapses (flow F3)."""
        point = cast(contract.rural.ServicePoint, event.view)
        self.venues.follow(
            venue.station_id(event.record),
            event,
            partial(venue.follow_point, service_point_id=event.record, point=point),
        )

    @listens(contract.outreach.Venue, "suspended", "restored")
    def flag_activities(self, event: Event) -> None:
        """Flag the activities that wait for this venue while it is suspended (flow F3)."""
        for activity_id, _ in self.activities.find(venue_id=event.record, state="scheduled"):
            self._heed_venue(activity_id, event.record)

    @listens(contract.outreach.Activity, "scheduled", "moved")
    def flag_activity(self, event: Event) -> None:
        """Flag an activity whose venue was suspended at the very moment that it was chosen (flow F3)."""
        if event.data["venue_id"] is not None:
            self._heed_venue(event.record, event.data["venue_id"])

    @listens(contract.outreach.ResourceLoan, "lost")
    def follow_loan(self, event: Event) -> None:
        """Take an item that its borrower lost for lost."""
        self.resources.change(event.data["resource_id"], resource.follow_loss)

    @listens(contract.awards.Award, "granted", "consent_withdrawn", "revoked")
    def follow_award(self, event: Event) -> None:
        """Propose a youth work that won for exhibition, until its award or the consent is gone (flows F2, F5)."""
        award = cast(contract.awards.Award, event.view)
        self.exhibit_candidates.follow(
            event.record, event, partial(exhibit_candidate.follow_award, award_id=event.record, award=award)
        )

    def _heed_venue(self, activity_id: str, venue_id: str) -> None:
        place = self.venues.get(venue_id)
        self.activities.change(activity_id, partial(activity.heed_venue, venue_id=venue_id, venue=place))
