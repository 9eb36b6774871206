"""Commands about the expert group and its visits to communities and schools."""

# ruff: noqa: ARG002 - every command is told by whom, and not every rule asks

from __future__ import annotations

from functools import partial
from typing import Any

from services import contract
from services.chassis.clock import SystemClock
from services.chassis.entrypoints import command
from services.outreach.domain import expert_roster_entry as roster
from services.outreach.domain import expert_visit
from services.outreach.schemas import experts as schemas
from services.outreach.store import Activities, ExpertRoster, ExpertVisits


class ExpertCommands:
    """Commands about experts and their visits."""

    activities: Activities
    expert_roster: ExpertRoster
    visits: ExpertVisits
    clock: SystemClock

    @command(contract.outreach.ExpertRosterEntry, schemas.EnrolExpert, roles=("recorder", "chair"), adds=True)
    def enrol_expert(self, entry_id: str | None, *, by: str, **stated: Any) -> Any:
        """Take an expert into the group."""
        return self.expert_roster.add(roster.enrol(today=self.clock.today(), **stated), entry_id)

    @command(
        contract.outreach.ExpertRosterEntry, schemas.ReviseExpert, roles=("recorder",), states=("active", "suspended")
    )
    def revise_expert(self, entry_id: str, *, by: str, **stated: Any) -> Any:
        """State the fields and absences of an expert anew."""
        return self.expert_roster.change(entry_id, partial(roster.revise, **stated))

    @command(contract.outreach.ExpertRosterEntry, schemas.SuspendExpert, roles=("chair",), states=("active",))
    def suspend_expert(self, entry_id: str, *, reason: str, by: str) -> Any:
        """Ask an expert for no more visits."""
        return self.expert_roster.change(entry_id, partial(roster.suspend, reason=reason))

    @command(contract.outreach.ExpertRosterEntry, schemas.RestoreExpert, roles=("chair",), states=("suspended",))
    def restore_expert(self, entry_id: str, *, reason: str, by: str) -> Any:
        """Ask a suspended expert again."""
        return self.expert_roster.change(entry_id, partial(roster.restore, reason=reason))

    @command(contract.outreach.ExpertVisit, schemas.RequestVisit, roles=("recorder",), adds=True)
    def request_visit(self, visit_id: str | None, **asked: Any) -> Any:
        """Take down what a community or a school asks for."""
        return self.visits.add(expert_visit.request(**asked), visit_id)

    @command(
        contract.outreach.ExpertVisit,
        schemas.MatchExperts,
        roles=("recorder",),
        states=("requested", "matched", "confirmed"),
    )
    def match_expert(self, visit_id: str, *, entry_ids: tuple[str, ...], by: str) -> Any:
        """Find experts for a visit; each makes one visit in a slot of a day."""
        return self.visits.change(visit_id, partial(expert_visit.match, experts=self._experts(entry_ids)))

    @command(contract.outreach.ExpertVisit, schemas.ConfirmVisit, roles=("recorder",), states=("matched",))
    def confirm_visit(self, visit_id: str, *, by: str, **contact: Any) -> Any:
        """Note that the experts of a visit said yes; a school has a contact by then."""
        return self.visits.change(
            visit_id, partial(expert_visit.confirm, experts=self._experts_of(visit_id), **contact)
        )

    @command(contract.outreach.ExpertVisit, schemas.DeliverVisit, roles=("recorder",), states=("confirmed",))
    def deliver_visit(self, visit_id: str, *, activity_id: str, by: str, **receipt: Any) -> Any:
        """Note that a visit took place, as its receiver confirms."""
        deliver = partial(
            expert_visit.deliver,
            experts=self._experts_of(visit_id),
            activity_id=activity_id,
            activity=self.activities.get(activity_id),
            today=self.clock.today(),
            **receipt,
        )
        return self.visits.change(visit_id, deliver)

    @command(
        contract.outreach.ExpertVisit, schemas.EvaluateVisit, roles=("recorder", "verifier"), states=("delivered",)
    )
    def evaluate_visit(self, visit_id: str, *, rating: int, by: str) -> Any:
        """Record how the receiver rated a visit, from 1 to 5."""
        return self.visits.change(visit_id, partial(expert_visit.evaluate, rating=rating))

    @command(
        contract.outreach.ExpertVisit,
        schemas.CancelVisit,
        roles=("recorder", "chair"),
        states=("requested", "matched", "confirmed"),
    )
    def cancel_visit(self, visit_id: str, *, reason: str, by: str) -> Any:
        """Cancel a visit that will not take place; its experts are free again."""
        return self.visits.change(visit_id, partial(expert_visit.cancel, reason=reason))

    def _experts_of(self, visit_id: str) -> dict[str, roster.ExpertRosterEntry]:
        return self._experts(self.visits.get(visit_id).entry_ids)

    def _experts(self, entry_ids: tuple[str, ...]) -> dict[str, roster.ExpertRosterEntry]:
        return {entry_id: self.expert_roster.get(entry_id) for entry_id in entry_ids}
