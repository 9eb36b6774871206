"""Commands about shared resources and their loans."""

# ruff: noqa: ARG002 - every command is told by whom, and not every rule asks

from __future__ import annotations

from functools import partial
from typing import Any

from services import contract
from services.chassis.clock import SystemClock
from services.chassis.entrypoints import command
from services.outreach.domain import resource, resource_loan
from services.outreach.schemas import resources as schemas
from services.outreach.store import Activities, ResourceLoans, Resources


class ResourceCommands:
    """Commands about what is lent."""

    activities: Activities
    resources: Resources
    loans: ResourceLoans
    clock: SystemClock

    @command(contract.outreach.Resource, schemas.RegisterResource, roles=("recorder",), adds=True)
    def register_resource(self, resource_id: str | None, *, by: str, **item: Any) -> Any:
        """Register an item of the shared library."""
        return self.resources.add(resource.register(today=self.clock.today(), **item), resource_id)

    @command(
        contract.outreach.Resource, schemas.RetireResource, roles=("recorder", "chair"), states=("available", "lost")
    )
    def retire_resource(self, resource_id: str, *, reason: str, by: str) -> Any:
        """Take an item out of the shared library."""
        return self.resources.change(resource_id, partial(resource.retire, reason=reason))

    @command(contract.outreach.Resource, schemas.RestoreResource, roles=("recorder", "chair"), states=("lost",))
    def restore_resource(self, resource_id: str, *, reason: str, by: str) -> Any:
        """Note that a lost item is there again."""
        return self.resources.change(resource_id, partial(resource.find_again, reason=reason))

    @command(contract.outreach.ResourceLoan, schemas.ReserveResource, roles=("recorder",), adds=True)
    def reserve_resource(self, loan_id: str | None, *, resource_id: str, activity_id: str | None, **terms: Any) -> Any:
        """Reserve an item for an organisation; no two loans have it on one day."""
        if activity_id:
            self.activities.get(activity_id)
        item = self.resources.get(resource_id)
        return self.loans.add(
            resource_loan.reserve(resource_id=resource_id, resource=item, activity_id=activity_id, **terms), loan_id
        )

    @command(contract.outreach.ResourceLoan, schemas.LendResource, roles=("recorder",), states=("reserved",))
    def lend_resource(self, loan_id: str, *, out_on: Any, by: str) -> Any:
        """Hand a reserved item out to its borrower."""
        item = self.resources.get(self.loans.get(loan_id).resource_id)
        return self.loans.change(
            loan_id, partial(resource_loan.hand_out, resource=item, out_on=out_on, today=self.clock.today())
        )

    @command(
        contract.outreach.ResourceLoan, schemas.MarkOverdue, roles=("recorder", "verifier", "system"), states=("out",)
    )
    def mark_overdue(self, loan_id: str, *, by: str) -> Any:
        """Tell that an item should be back; its return can still come."""
        return self.loans.change(loan_id, partial(resource_loan.mark_overdue, today=self.clock.today()))

    @command(contract.outreach.ResourceLoan, schemas.ReturnResource, roles=("recorder",), states=("out",))
    def return_resource(self, loan_id: str, *, returned_on: Any, by: str) -> Any:
        """Take an item back from its borrower."""
        return self.loans.change(
            loan_id, partial(resource_loan.take_back, returned_on=returned_on, today=self.clock.today())
        )

    @command(contract.outreach.ResourceLoan, schemas.LoseResource, roles=("recorder", "chair"), states=("out",))
    def lose_resource(self, loan_id: str, *, reason: str, by: str) -> Any:
        """Note that a borrower lost an item, which cannot be lent any more."""
        return self.loans.change(loan_id, partial(resource_loan.lose, reason=reason))

    @command(contract.outreach.ResourceLoan, schemas.CancelLoan, roles=("recorder", "chair"), states=("reserved",))
    def cancel_loan(self, loan_id: str, *, reason: str, by: str) -> Any:
        """Give up a reservation; its days are free again."""
        return self.loans.change(loan_id, partial(resource_loan.cancel, reason=reason))
