"""The service members: its records, commands and listeners."""

# ruff: noqa: ARG002 - every command is told by whom, and not every rule asks

from __future__ import annotations

from functools import partial
from typing import Any, cast

from services import contract
from services.chassis.clock import ClockProvider
from services.chassis.entrypoints import command
from services.chassis.listener import listens
from services.chassis.mongo import Document
from services.chassis.service import Service
from services.contract.event import Event
from services.members import schemas
from services.members.domain import honour, organisation
from services.members.store import Honours, Organisations


class Members(Service):
    """The organisations of the association, from application to dissolution (a university's is K6), and honours."""

    name = "members"

    organisations = Organisations()
    honours = Honours()
    clock = ClockProvider()

    @command(contract.members.Organisation, schemas.CreateOrganisation, roles=("recorder",), adds=True)
    def create_organisation(self, organisation_id: str | None, *, parent_id: str | None, **stated: Any) -> Document:
        """Begin an organisation in an institution."""
        created = organisation.create(parent_id=parent_id, parent=self._parent(parent_id), **stated)
        return self.organisations.add(created, organisation_id)

    @command(contract.members.Organisation, schemas.ApplyOrganisation, roles=("recorder",), states=("preparing",))
    def apply_organisation(self, organisation_id: str, *, by: str) -> Document:
        """Apply for an organisation's approval."""
        return self.organisations.change(organisation_id, organisation.apply)

    @command(contract.members.Organisation, schemas.ApproveOrganisation, roles=("chair",), states=("applied",))
    def approve_organisation(self, organisation_id: str, **approval: Any) -> Document:
        """Approve an organisation by a document."""
        return self.organisations.change(organisation_id, partial(organisation.approve, **approval))

    @command(contract.members.Organisation, schemas.HoldFoundingMeeting, roles=("recorder",), states=("approved",))
    def hold_founding_meeting(self, organisation_id: str, *, by: str, **meeting: Any) -> Document:
        """Record the meeting that founds an organisation (成立大会)."""
        hold = partial(organisation.hold_founding_meeting, today=self.clock.today(), **meeting)
        return self.organisations.change(organisation_id, hold)

    @command(contract.members.Organisation, schemas.EstablishOrganisation, roles=("chair",), states=("approved",))
    def establish_organisation(self, organisation_id: str, *, by: str, **established: Any) -> Document:
        """Let an organisation exist from a day on: a university's counts towards K6."""
        establish = partial(organisation.establish, today=self.clock.today(), **established)
        return self.organisations.change(organisation_id, establish)

    @command(
        contract.members.Organisation,
        schemas.ActivateOrganisation,
        roles=("verifier", "chair"),
        states=("established",),
    )
    def activate_organisation(self, organisation_id: str, *, by: str) -> Document:
        """Confirm that an established organisation is at work."""
        return self.organisations.change(organisation_id, organisation.activate)

    @command(contract.members.Organisation, schemas.SleepOrganisation, roles=("verifier", "chair"), states=("active",))
    def sleep_organisation(self, organisation_id: str, *, reason: str, by: str) -> Document:
        """Note that an organisation does nothing for the time being."""
        return self.organisations.change(organisation_id, partial(organisation.sleep, reason=reason))

    @command(contract.members.Organisation, schemas.WakeOrganisation, roles=("verifier", "chair"), states=("dormant",))
    def wake_organisation(self, organisation_id: str, *, by: str) -> Document:
        """Confirm that a dormant organisation is at work again."""
        return self.organisations.change(organisation_id, organisation.wake)

    @command(
        contract.members.Organisation,
        schemas.SetParent,
        roles=("verifier", "chair"),
        states=("preparing", "applied", "approved", "established", "active", "dormant"),
    )
    def set_parent(self, organisation_id: str, *, parent_id: str | None, by: str) -> Document:
        """Put an organisation under another one, or at the top."""
        parent = self._parent(parent_id)
        above = organisation.line_above(parent_id, self._parent_of) if parent_id else ()
        return self.organisations.change(
            organisation_id,
            partial(
                organisation.set_parent,
                organisation_id=organisation_id,
                parent_id=parent_id,
                parent=parent,
                above=above,
            ),
        )

    @listens(contract.members.Organisation, "moved")
    def open_circle(self, event: Event) -> None:
        """Detach one of two organisations that were put under each other at the same moment (M-08)."""
        link = organisation.link_to_cut(event.record, self._parent_of)
        seen_again = organisation.link_to_cut(event.record, self._parent_of) if link else None
        if link is not None and link == seen_again:  # else it only looked like a circle, while somebody moved
            child_id, parent_id = link
            self.organisations.change(child_id, partial(organisation.detach, parent_id=parent_id))

    @command(
        contract.members.Organisation,
        schemas.DissolveOrganisation,
        roles=("chair",),
        states=("preparing", "applied", "approved", "established", "active", "dormant"),
    )
    def dissolve_organisation(self, organisation_id: str, *, reason: str, by: str) -> Document:
        """End an organisation for good; those under it first find another place."""
        children = self.organisations.find(parent_id=organisation_id, state=organisation.ALIVE)
        child_ids = tuple(child_id for child_id, _ in children)
        return self.organisations.change(
            organisation_id, partial(organisation.dissolve, reason=reason, child_ids=child_ids)
        )

    @listens(contract.awards.Award, "granted", "revoked")
    def keep_honours(self, event: Event) -> None:
        """Give each holder of an award an honour, until the award is revoked (flows F1, F5)."""
        award = cast(contract.awards.Award, event.view)
        for holder in honour.holders(award):
            self.honours.follow(
                honour.honour_id(event.record, holder),
                event,
                partial(honour.follow_award, award_id=event.record, award=award, holder=holder),
            )

    def _parent(self, parent_id: str | None) -> organisation.Organisation | None:
        return self.organisations.get(parent_id) if parent_id else None

    def _parent_of(self, organisation_id: str) -> str | None:
        return self.organisations.get(organisation_id).parent_id
