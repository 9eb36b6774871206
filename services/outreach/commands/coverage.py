"""Commands about media coverage and commemorative days."""

# ruff: noqa: ARG002 - every command is told by whom, and not every rule asks

from __future__ import annotations

from functools import partial
from typing import Any

from services import contract
from services.chassis.clock import SystemClock
from services.chassis.entrypoints import command
from services.outreach.domain import commemorative_day, media_coverage, second_person
from services.outreach.schemas import coverage as schemas
from services.outreach.store import Activities, Campaigns, CommemorativeDays, Coverage


class CoverageCommands:
    """Commands about what others said, and about the days that campaigns took up."""

    activities: Activities
    campaigns: Campaigns
    coverage: Coverage
    commemorative_days: CommemorativeDays
    clock: SystemClock

    @command(contract.outreach.MediaCoverage, schemas.RecordCoverage, roles=("recorder",), adds=True)
    def record_coverage(self, coverage_id: str | None, *, activity_id: str | None, **clip: Any) -> Any:
        """Record a report of a medium about the association's work."""
        if activity_id:
            self.activities.get(activity_id)
        recorded = media_coverage.record(activity_id=activity_id, today=self.clock.today(), **clip)
        return self.coverage.add(recorded, coverage_id)

    @command(contract.outreach.MediaCoverage, schemas.VerifyCoverage, roles=("verifier",), states=("recorded",))
    def verify_coverage(self, coverage_id: str, *, by: str) -> Any:
        """Verify a report of a medium, as a second person."""
        return self.coverage.change(coverage_id, partial(second_person.verify, by=by))

    @command(
        contract.outreach.MediaCoverage, schemas.RejectCoverage, roles=("verifier",), states=("recorded", "verified")
    )
    def reject_coverage(self, coverage_id: str, *, reason: str, by: str) -> Any:
        """Reject a report of a medium, also a verified one; its clip may be recorded anew."""
        return self.coverage.change(coverage_id, partial(second_person.reject, reason=reason))

    @command(contract.outreach.CommemorativeDay, schemas.EnterDay, roles=("recorder",), adds=True)
    def enter_day(self, day_id: str | None, *, by: str, **entry: Any) -> Any:
        """Enter a commemorative day in the calendar of its year."""
        return self.commemorative_days.add(commemorative_day.enter(**entry), day_id)

    @command(contract.outreach.CommemorativeDay, schemas.CoverDay, roles=("recorder",), states=("listed",))
    def cover_day(self, day_id: str, *, campaign_id: str, by: str) -> Any:
        """Name the campaign that took a commemorative day up."""
        campaign = self.campaigns.get(campaign_id)
        cover = partial(commemorative_day.cover, campaign_id=campaign_id, campaign=campaign)
        return self.commemorative_days.change(day_id, cover)

    @command(contract.outreach.CommemorativeDay, schemas.UncoverDay, roles=("recorder", "chair"), states=("covered",))
    def uncover_day(self, day_id: str, *, reason: str, by: str) -> Any:
        """Take back that a campaign took a commemorative day up."""
        return self.commemorative_days.change(day_id, partial(commemorative_day.uncover, reason=reason))

    @command(contract.outreach.CommemorativeDay, schemas.StrikeDay, roles=("recorder", "chair"), states=("listed",))
    def strike_day(self, day_id: str, *, reason: str, by: str) -> Any:
        """Strike a commemorative day off the calendar."""
        return self.commemorative_days.change(day_id, partial(commemorative_day.strike, reason=reason))
