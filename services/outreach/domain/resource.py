"""Shared resources: panel sets, videos, kits and vehicles that go from one organiser to the next."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from services.contract.outreach import ResourceKind
from services.kernel import Change, Lifecycle
from services.kernel.day import past

LIFECYCLE = Lifecycle(available=("retired", "lost"), lost=("available", "retired"))


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One item that is lent as a whole."""

    resource_kind: ResourceKind
    name: str
    acquired_on: date
    district: str | None = None
    state: str = "available"


def register(
    *, resource_kind: ResourceKind, name: str, acquired_on: date, district: str | None = None, today: date
) -> Change[Resource]:
    """Register an item that others can borrow."""
    past(today=today, acquired_on=acquired_on)

    resource = Resource(resource_kind=resource_kind, name=name, acquired_on=acquired_on, district=district)
    return Change(resource, "registered")


def retire(resource: Resource, *, reason: str) -> Change[Resource]:
    """Take it out of the library: it is reserved and handed out no more."""
    return Change(replace(resource, state=LIFECYCLE.move(resource.state, "retired")), "retired", reason)


def find_again(resource: Resource, *, reason: str) -> Change[Resource]:
    """Note that a lost item is there again."""
    LIFECYCLE.require(resource.state, "lost")

    return Change(replace(resource, state="available"), "restored", reason)


def follow_loss(resource: Resource) -> Change[Resource] | None:
    """Note that a borrower lost it; one that is retired by now stays so."""
    if resource.state != "available":
        return None

    return Change(replace(resource, state="lost"), "lost")
