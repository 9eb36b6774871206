"""Loans of shared resources; a day of an item belongs to one loan, and an item is with one borrower (O-21)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from services.contract.outreach import ResourceKind
from services.kernel import Change, Lifecycle, Refusal
from services.kernel.day import in_order, past
from services.outreach.domain import resource as resources
from services.outreach.domain.activity import TooEarly
from services.outreach.domain.resource import Resource

LONGEST = 92  # days: whoever needs an item for longer gets another one made

LIFECYCLE = Lifecycle(reserved=("out", "cancelled"), out=("returned", "lost"))


class LoanOverlaps(Refusal, rule="O-21", zh="该资源在此期间已被预订或借出"):
    """A day of an item belongs to one loan."""


class StillOut(Refusal, rule="O-21", zh="该资源尚未归还，不能再次借出"):
    """An item that was not returned cannot be handed out to somebody else."""


class LoanTooLong(Refusal, rule="O-21", zh="一次借用不得超过92天"):
    """A loan takes 92 days at most."""


@dataclass(frozen=True, kw_only=True)
class ResourceLoan:
    """A loan of one item to one organisation, from the reservation to its end."""

    resource_id: str
    resource_kind: ResourceKind
    district: str | None
    borrower_id: str
    activity_id: str | None
    starts_on: date
    ends_on: date
    reserved_by: str
    bookings: tuple[str, ...]  # days of the item that no other loan can have; empty once it ended
    out_on: date | None = None
    returned_on: date | None = None
    overdue: bool = False
    state: str = "reserved"


def reserve(
    *,
    resource_id: str,
    resource: Resource,
    borrower_id: str,
    activity_id: str | None = None,
    starts_on: date,
    ends_on: date,
    by: str,
) -> Change[ResourceLoan]:
    """Reserve an item for an organisation, from the first day to the last."""
    resources.LIFECYCLE.require(resource.state, "available")
    in_order(starts_on=starts_on, ends_on=ends_on)
    if (ends_on - starts_on).days >= LONGEST:
        raise LoanTooLong(starts_on=starts_on, ends_on=ends_on)

    loan = ResourceLoan(
        resource_id=resource_id,
        resource_kind=resource.resource_kind,
        district=resource.district,
        borrower_id=borrower_id,
        activity_id=activity_id,
        starts_on=starts_on,
        ends_on=ends_on,
        reserved_by=by,
        bookings=tuple(f"{resource_id} {day}" for day in _days(starts_on, ends_on)),
    )
    return Change(loan, "reserved")


def hand_out(loan: ResourceLoan, *, resource: Resource, out_on: date, today: date) -> Change[ResourceLoan]:
    """Give the item to its borrower, within the days that were reserved."""
    state = LIFECYCLE.move(loan.state, "out")
    resources.LIFECYCLE.require(resource.state, "available")
    past(today=today, out_on=out_on)
    in_order(starts_on=loan.starts_on, out_on=out_on, ends_on=loan.ends_on)

    return Change(replace(loan, state=state, out_on=out_on), "handed_out")


def mark_overdue(loan: ResourceLoan, *, today: date) -> Change[ResourceLoan] | None:
    """Tell that it should be back; once is enough."""
    LIFECYCLE.require(loan.state, "out")
    if today <= loan.ends_on:
        raise TooEarly(earliest=loan.ends_on + timedelta(days=1), today=today)

    return None if loan.overdue else Change(replace(loan, overdue=True), "overdue")


def take_back(loan: ResourceLoan, *, returned_on: date, today: date) -> Change[ResourceLoan]:
    """Take the item back; the days that are left are free again."""
    state = LIFECYCLE.move(loan.state, "returned")
    past(today=today, returned_on=returned_on)
    in_order(out_on=loan.out_on, returned_on=returned_on)

    late = loan.overdue or returned_on > loan.ends_on
    return Change(replace(loan, state=state, returned_on=returned_on, overdue=late, bookings=()), "returned")


def lose(loan: ResourceLoan, *, reason: str) -> Change[ResourceLoan]:
    """Note that the item will not come back."""
    return Change(replace(loan, state=LIFECYCLE.move(loan.state, "lost"), bookings=()), "lost", reason)


def cancel(loan: ResourceLoan, *, reason: str) -> Change[ResourceLoan]:
    """Give up a reservation; its days are free again."""
    return Change(replace(loan, state=LIFECYCLE.move(loan.state, "cancelled"), bookings=()), "cancelled", reason)


def _days(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=day) for day in range((last - first).days + 1))
