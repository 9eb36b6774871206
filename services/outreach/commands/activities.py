"""Commands about campaigns, activities, their venues, evidence and audiences."""

# ruff: noqa: ARG002 - every command is told by whom, and not every rule asks

from __future__ import annotations

from functools import partial
from typing import Any

from services import contract
from services.chassis.clock import SystemClock
from services.chassis.entrypoints import command
from services.chassis.problem import Conflict
from services.outreach.domain import activity, audience, campaign, evidence, report, venue
from services.outreach.schemas import activities as schemas
from services.outreach.store import Activities, AudienceCounts, Campaigns, EvidenceFiles, Venues


class ActivityCommands:
    """Commands about activities and all that belongs to them."""

    campaigns: Campaigns
    activities: Activities
    counts: AudienceCounts
    evidence_files: EvidenceFiles
    venues: Venues
    clock: SystemClock

    @command(contract.outreach.Campaign, schemas.OpenCampaign, roles=("recorder", "chair"), adds=True)
    def open_campaign(self, campaign_id: str | None, *, by: str, **brand: Any) -> Any:
        """Open a campaign that activities can join."""
        return self.campaigns.add(campaign.open(**brand), campaign_id)

    @command(contract.outreach.Campaign, schemas.CloseCampaign, roles=("chair",), states=("open",))
    def close_campaign(self, campaign_id: str, *, by: str) -> Any:
        """Close a campaign: no more activities join it."""
        return self.campaigns.change(campaign_id, campaign.close)

    @command(contract.outreach.Venue, schemas.RegisterVenue, roles=("recorder",), adds=True)
    def register_venue(self, venue_id: str | None, *, by: str, **place: Any) -> Any:
        """Register a place of the town as a venue."""
        return self.venues.add(venue.register(**place), venue_id)

    @command(contract.outreach.Activity, schemas.CreateActivity, roles=("recorder",), adds=True)
    def create_activity(self, activity_id: str | None, *, campaign_id: str | None, by: str, **plan: Any) -> Any:
        """Draft an activity, alone or in a campaign."""
        joined = self.campaigns.get(campaign_id) if campaign_id else None
        return self.activities.add(activity.create(campaign_id=campaign_id, campaign=joined, **plan), activity_id)

    @command(contract.outreach.Activity, schemas.ScheduleActivity, roles=("recorder",), states=("draft",))
    def schedule_activity(self, activity_id: str, *, venue_id: str | None, slots: Any, by: str) -> Any:
        """Fix an activity and book its venue."""
        place = self.venues.get(venue_id) if venue_id else None
        return self.activities.change(
            activity_id, partial(activity.schedule, venue_id=venue_id, venue=place, slots=slots)
        )

    @command(contract.outreach.Activity, schemas.MoveActivity, roles=("recorder",), states=("scheduled",))
    def move_activity(self, activity_id: str, *, venue_id: str, slots: Any, by: str) -> Any:
        """Book another venue or other slots for an activity."""
        place = self.venues.get(venue_id)
        return self.activities.change(activity_id, partial(activity.move, venue_id=venue_id, venue=place, slots=slots))

    @command(contract.outreach.Activity, schemas.StartActivity, roles=("recorder",), states=("scheduled",))
    def start_activity(self, activity_id: str, *, by: str) -> Any:
        """Begin an activity, on its first day at the earliest."""
        return self.activities.change(activity_id, partial(activity.start, today=self.clock.today()))

    @command(contract.outreach.Activity, schemas.FinishActivity, roles=("recorder",), states=("ongoing",))
    def finish_activity(self, activity_id: str, *, by: str) -> Any:
        """Note that an activity was held on all its days."""
        return self.activities.change(activity_id, partial(activity.finish, today=self.clock.today()))

    @command(
        contract.outreach.Activity, schemas.MarkNotReported, roles=("recorder", "verifier", "system"), states=("held",)
    )
    def mark_not_reported(self, activity_id: str, *, by: str) -> Any:
        """Note that the term for an activity's report has passed; the report can still come."""
        return self.activities.change(activity_id, partial(activity.miss_report, today=self.clock.today()))

    @command(contract.outreach.Activity, schemas.ReportActivity, roles=("recorder",), states=("held", "not_reported"))
    def report_activity(self, activity_id: str, *, by: str) -> Any:
        """Hand in the report of an activity with all its counts."""
        counts, attached = self._counts_of(activity_id), self._evidence_of(activity_id)
        return self.activities.change(activity_id, partial(report.hand_in, counts=counts, evidence=attached, by=by))

    @command(contract.outreach.Activity, schemas.VerifyActivity, roles=("verifier",), states=("reported",))
    def verify_activity(self, activity_id: str, *, by: str) -> Any:
        """Verify the report of an activity."""
        return self.activities.change(activity_id, partial(report.verify, counts=self._counts_of(activity_id), by=by))

    @command(contract.outreach.Activity, schemas.CloseActivity, roles=("chair",), states=("verified",))
    def close_activity(self, activity_id: str, *, frozen_through: Any, by: str) -> Any:
        """Close an activity's file: no more corrections."""
        return self.activities.change(
            activity_id, partial(activity.close, frozen_through=frozen_through, today=self.clock.today())
        )

    @command(
        contract.outreach.Activity, schemas.CancelActivity, roles=("recorder", "chair"), states=("draft", "scheduled")
    )
    def cancel_activity(self, activity_id: str, *, reason: str, by: str) -> Any:
        """Cancel an activity that will not take place."""
        verified = sum(count.state == "verified" for count in self._counts_of(activity_id))
        return self.activities.change(activity_id, partial(activity.cancel, verified_counts=verified, reason=reason))

    @command(contract.outreach.Evidence, schemas.AttachEvidence, roles=("recorder", "verifier"))
    def attach_evidence(self, evidence_id: str, *, activity_id: str, **file: Any) -> Any:
        """Attach a file to an activity as evidence."""
        attached = evidence.attach(self.activities.get(activity_id), activity_id=activity_id, **file)
        try:
            return self.evidence_files.add(attached, evidence_id)
        except Conflict:
            return self.evidence_files.change(evidence_id, partial(evidence.attach_again, activity_id=activity_id))

    @command(contract.outreach.AudienceCount, schemas.RecordCount, roles=("recorder",), adds=True)
    def record_count(self, count_id: str | None, *, activity_id: str, **audience_of_the_day: Any) -> Any:
        """Record a day's audience of an activity."""
        activity_ = self.activities.get(activity_id)
        recorded = audience.record(activity_, activity_id=activity_id, today=self.clock.today(), **audience_of_the_day)
        return self.counts.add(recorded, count_id)

    @command(contract.outreach.AudienceCount, schemas.ApproveCount, roles=("chair",), states=("recorded",))
    def approve_count(self, count_id: str, *, by: str) -> Any:
        """Approve, as a third person, a count that exceeds what the venue can plausibly hold."""
        return self.counts.change(count_id, partial(audience.approve, by=by))

    @command(contract.outreach.AudienceCount, schemas.VerifyCount, roles=("verifier",), states=("recorded",))
    def verify_count(self, count_id: str, *, by: str) -> Any:
        """Verify a count: from now on it counts for K2."""
        attached = self._evidence_of(self.counts.get(count_id).activity_id)
        return self.counts.change(count_id, partial(audience.verify, evidence=attached, by=by))

    @command(contract.outreach.AudienceCount, schemas.RejectCount, roles=("verifier",), states=("recorded",))
    def reject_count(self, count_id: str, *, reason: str, by: str) -> Any:
        """Reject a count; the same audience may be recorded again."""
        return self.counts.change(count_id, partial(audience.reject, reason=reason))

    @command(contract.outreach.AudienceCount, schemas.CorrectCount, roles=("verifier",), states=("verified",))
    def correct_count(self, count_id: str, *, evidence_ids: tuple[str, ...], **correction: Any) -> Any:
        """Replace the number of a verified count."""
        activity_ = self.activities.get(self.counts.get(count_id).activity_id)
        named = {evidence_id: self.evidence_files.get(evidence_id) for evidence_id in evidence_ids}
        return self.counts.change(count_id, partial(audience.correct, activity=activity_, evidence=named, **correction))

    @command(
        contract.outreach.AudienceCount, schemas.SupersedeCount, roles=("verifier",), states=("recorded", "verified")
    )
    def supersede_count(self, count_id: str, *, by_count_id: str, reason: str, by: str) -> Any:
        """Replace a count by another one of the same audience."""
        by_count = self.counts.get(by_count_id)
        activity_ = self.activities.get(self.counts.get(count_id).activity_id)
        return self.counts.change(
            count_id,
            partial(audience.supersede, by_count_id=by_count_id, by_count=by_count, activity=activity_, reason=reason),
        )

    def _counts_of(self, activity_id: str) -> list[audience.AudienceCount]:
        return [count for _, count in self.counts.find(activity_id=activity_id)]

    def _evidence_of(self, activity_id: str) -> list[evidence.Evidence]:
        return [attached for _, attached in self.evidence_files.find(activity_id=activity_id)]
