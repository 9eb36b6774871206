"""The service rural: its records, commands and listeners."""

# ruff: noqa: ARG002 - every command is told by whom, and not every rule asks

from __future__ import annotations

from functools import partial
from typing import Any

from services import contract
from services.chassis.clock import ClockProvider
from services.chassis.entrypoints import command
from services.chassis.listener import listens
from services.chassis.mongo import Document
from services.chassis.service import Service
from services.contract.event import Event
from services.kernel.name import normalised
from services.rural import schemas
from services.rural.domain import association, fund_grant, fund_receipt, service_point
from services.rural.store import Associations, FundGrants, FundReceipts, ServicePoints


class Rural(Service):
    """Rural professional technical associations (K3), service points in villages (K4) and granted money (K5)."""

    name = "rural"

    associations = Associations()
    service_points = ServicePoints()
    fund_grants = FundGrants()
    fund_receipts = FundReceipts()
    clock = ClockProvider()

    @command(contract.rural.Association, schemas.PrepareAssociation, roles=("recorder",), adds=True)
    def prepare_association(
        self, association_id: str | None, *, name: str, township_code: str, by: str, **stated: Any
    ) -> Document:
        """Begin an association that is not official yet."""
        former_ids = self._former_associations(name, township_code)
        prepared = association.prepare(name=name, township_code=township_code, former_ids=former_ids, **stated)
        return self.associations.add(prepared, association_id)

    @command(contract.rural.Association, schemas.FileAssociation, roles=("recorder",), states=("preparing",))
    def file_association(self, association_id: str, **filing: Any) -> Document:
        """Put an association on file with its township (备案)."""
        file = partial(association.file, today=self.clock.today(), **filing)
        return self.associations.change(association_id, file)

    @command(
        contract.rural.Association,
        schemas.RegisterAssociation,
        roles=("recorder",),
        states=("preparing", "filed", "active"),
    )
    def register_association(self, association_id: str, **registration: Any) -> Document:
        """Register an association with civil affairs."""
        register = partial(association.register, today=self.clock.today(), **registration)
        return self.associations.change(association_id, register)

    @command(
        contract.rural.Association,
        schemas.ActivateAssociation,
        roles=("verifier", "chair"),
        states=("filed", "registered", "suspended"),
    )
    def activate_association(self, association_id: str, *, by: str) -> Document:
        """Confirm that an association works, at first or again: from now on K3 may count it."""
        return self.associations.change(association_id, partial(association.activate, by=by))

    @command(contract.rural.Association, schemas.SuspendAssociation, roles=("verifier", "chair"), states=("active",))
    def suspend_association(self, association_id: str, *, reason: str, by: str) -> Document:
        """Stop counting an association until it works again."""
        return self.associations.change(association_id, partial(association.suspend, reason=reason))

    @command(
        contract.rural.Association,
        schemas.DissolveAssociation,
        roles=("chair",),
        states=("preparing", "filed", "registered", "active", "suspended"),
    )
    def dissolve_association(self, association_id: str, *, reason: str, by: str) -> Document:
        """End an association for good; one that hosts a running station first hands it over."""
        host_ids = (association_id, *self.associations.get(association_id).absorbed_ids)
        running = self.service_points.find(host_id=host_ids, station=service_point.STANDING)
        station_ids = tuple(point_id for point_id, _ in running)
        return self.associations.change(
            association_id, partial(association.dissolve, reason=reason, station_ids=station_ids)
        )

    @command(
        contract.rural.Association,
        schemas.MergeAssociations,
        roles=("chair",),
        states=("filed", "registered", "active", "suspended"),
    )
    def merge_associations(self, association_id: str, *, into_id: str, by: str) -> Document:
        """Let one association be absorbed by another, which takes the elder's first day."""
        into = self.associations.get(into_id)
        return self.associations.change(
            association_id, partial(association.merge, association_id=association_id, into=into, into_id=into_id)
        )

    @listens(contract.rural.Association, "merged")
    def absorb_association(self, event: Event) -> None:
        """Hand the first day on to the survivor, and to the association that absorbed that one meanwhile."""
        absorbed: Any = event.view
        absorb = partial(association.absorb, absorbed=absorbed, absorbed_id=event.record)
        survivor_id, passed = absorbed.merged_into, {event.record}
        while survivor_id and survivor_id not in passed:
            self.associations.change(survivor_id, absorb)
            passed.add(survivor_id)
            survivor_id = self.associations.get(survivor_id).merged_into

    @command(contract.rural.ServicePoint, schemas.PlanPoint, roles=("recorder",), adds=True)
    def plan_point(self, point_id: str | None, *, by: str, **planned: Any) -> Document:
        """Begin a set of station, column and officer in a village."""
        return self.service_points.add(service_point.plan(**planned), point_id)

    @command(contract.rural.ServicePoint, schemas.BuildPart, roles=("recorder",))
    def build_part(self, point_id: str, **built: Any) -> Document:
        """Put up a station or a column, or appoint the officer with name and telephone number."""
        return self.service_points.change(point_id, partial(service_point.build, **built))

    @command(contract.rural.ServicePoint, schemas.AcceptPart, roles=("verifier",))
    def accept_part(self, point_id: str, **accepted: Any) -> Document:
        """Accept a part on the spot, with a photo; with the third one the set is complete (K4)."""
        accept = partial(service_point.accept, today=self.clock.today(), **accepted)
        return self.service_points.change(point_id, accept)

    @command(contract.rural.ServicePoint, schemas.OperatePart, roles=("recorder", "verifier"))
    def operate_part(self, point_id: str, *, by: str, **operated: Any) -> Document:
        """Note an activity of the station, new content of the column or a report of the officer."""
        operate = partial(service_point.operate, today=self.clock.today(), **operated)
        return self.service_points.change(point_id, operate)

    @command(contract.rural.ServicePoint, schemas.LapsePart, roles=("verifier", "chair"))
    def lapse_part(self, point_id: str, *, by: str, **lapsed: Any) -> Document:
        """Note that a part no longer stands."""
        return self.service_points.change(point_id, partial(service_point.lapse, **lapsed))

    @command(contract.rural.ServicePoint, schemas.RecheckPart, roles=("verifier",))
    def recheck_part(self, point_id: str, **checked: Any) -> Document:
        """Accept a lapsed part again, under the terms of an acceptance."""
        recheck = partial(service_point.recheck, today=self.clock.today(), **checked)
        return self.service_points.change(point_id, recheck)

    @command(contract.rural.ServicePoint, schemas.CheckPoint, roles=("verifier", "system"))
    def check_point(self, point_id: str, *, months: int | None, by: str, **checked: Any) -> Document:
        """Lapse a station or column that was silent for too long before a day; nothing happens where none was."""
        tolerated = months or service_point.SILENCE
        check = partial(service_point.check, months=tolerated, today=self.clock.today(), **checked)
        return self.service_points.change(point_id, check)

    @command(contract.rural.FundGrant, schemas.ApproveGrant, roles=("chair",), adds=True)
    def approve_grant(self, grant_id: str | None, **approved: Any) -> Document:
        """Record the decision that grants money."""
        return self.fund_grants.add(fund_grant.approve(today=self.clock.today(), **approved), grant_id)

    @command(
        contract.rural.FundGrant, schemas.ReceiveFunds, roles=("finance",), states=("approved", "received", "returned")
    )
    def receive_funds(self, grant_id: str, **received: Any) -> Document:
        """Record money of a grant that arrived by a voucher."""
        receive = partial(fund_grant.receive, today=self.clock.today(), **received)
        return self.fund_grants.change(grant_id, receive)

    @command(contract.rural.FundGrant, schemas.ReturnFunds, roles=("finance",), states=("received",))
    def return_funds(self, grant_id: str, *, by: str, **returned: Any) -> Document:
        """Record money given back that came by a voucher."""
        return self.fund_grants.change(grant_id, partial(fund_grant.give_back, **returned))

    @listens(contract.rural.FundGrant, "received", "returned")
    def keep_receipts(self, event: Event) -> None:
        """Keep one receipt for each voucher in step with its grant (K5).

        A receipt that is in step already is left alone: of a voucher only more can be given back, so no older event
        changes it.
        """
        grant: Any = event.view
        known = dict(self.fund_receipts.find(grant_id=event.record))
        for voucher in grant.vouchers:
            receipt = fund_receipt.receipt_of(grant, voucher, grant_id=event.record)
            receipt_id = fund_receipt.receipt_id(event.record, voucher.voucher_no)
            if known.get(receipt_id) != receipt:
                self.fund_receipts.follow(receipt_id, event, partial(fund_receipt.follow, current=receipt))

    def _former_associations(self, name: str, township_code: str) -> tuple[str, ...]:
        """The ids of ended associations of this name and township that were official once."""
        ended = self.associations.find(
            township_code=township_code, name_norm=normalised(name), state=association.LIFECYCLE.terminal
        )
        return tuple(former_id for former_id, former in ended if former.was_official)
