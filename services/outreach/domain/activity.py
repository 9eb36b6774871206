"""Activities: the level at which audiences are counted, from the draft to the closed file.

The way from `held` to `verified` leads through the counts and is in `report`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import get_args

from services.contract.outreach import Delivery, Format, KeyGroup, Slot
from services.kernel import Change, Lifecycle, Refusal
from services.outreach.domain import campaign as campaigns
from services.outreach.domain.campaign import Campaign
from services.outreach.domain.venue import Venue

WHOLE_DAY: tuple[Slot, ...] = get_args(Slot)
REPORT_WITHIN = 30  # days after it was held
CLOSE_AFTER = 90  # days after it was held

LIFECYCLE = Lifecycle(
    draft=("scheduled", "cancelled"),
    scheduled=("ongoing", "cancelled"),
    ongoing=("held",),
    held=("reported", "not_reported"),
    not_reported=("reported",),
    reported=("verified",),
    verified=("closed",),
)


class LeadAmongOthers(Refusal, rule="O-02", zh="一项活动只有一个主办单位，主办单位不得同时列为协办单位"):
    """An activity has one lead organisation, which is not among the others as well."""


class VenueTaken(Refusal, rule="O-19", zh="场地在该时段已被占用"):
    """A venue holds one activity in a slot of a day."""


class VenueMissing(Refusal, rule="O-19", zh="线下活动须先落实场地"):
    """An activity on site is scheduled into a venue, so that nobody else books it."""


class VenueLapsed(Refusal, rule="O-12", zh="已停用的场地（站点）不得安排或开展活动"):
    """Nothing is scheduled or started at a suspended venue, whose station would get the credit."""


class TooEarly(Refusal, rule="X-07", zh="时间未到"):
    """Not before its day: start on the first day, finish on the last, close or call it unreported after the term."""


class CountsVerified(Refusal, rule="O-17", zh="已有核实人次的活动不得取消，只能更正"):
    """An activity with verified counts is corrected, never cancelled."""


@dataclass(frozen=True, kw_only=True)
class Activity:
    """An activity with the fields that only its own service knows: its title, its bookings, its reporter."""

    title: str
    format: Format
    delivery: Delivery
    lead_org_id: str
    co_org_ids: tuple[str, ...]
    district: str
    days: tuple[date, ...]  # in order, each once
    key_groups: tuple[KeyGroup, ...]
    counts_for_k2: bool
    campaign_id: str | None = None
    venue_id: str | None = None
    venue_suspended: bool = False
    venue_turns: int = 0  # of the venue when it was last looked at
    capacity: int | None = None  # how many people the venue holds at once; None: not known
    slots: tuple[Slot, ...] = ()
    bookings: tuple[str, ...] = ()  # slots of days that no other activity can have there; empty once it was held
    held_on: date | None = None
    reported_by: str | None = None
    verified_by: str | None = None
    state: str = "draft"


def create(
    *,
    title: str,
    format: Format,  # noqa: A002 - the word of the association
    delivery: Delivery,
    lead_org_id: str,
    co_org_ids: Iterable[str] = (),
    district: str,
    days: Iterable[date],
    key_groups: Iterable[KeyGroup] = (),
    campaign_id: str | None = None,
    campaign: Campaign | None = None,
) -> Change[Activity]:
    """Draft an activity; one without a campaign counts for K2, one of a campaign as its campaign does (O-16)."""
    if campaign:
        campaigns.LIFECYCLE.require(campaign.state, "open")
    if lead_org_id in (others := tuple(co_org_ids)):
        raise LeadAmongOthers(lead_org_id=lead_org_id)

    activity = Activity(
        title=title,
        format=format,
        delivery=delivery,
        lead_org_id=lead_org_id,
        co_org_ids=others,
        district=district,
        days=tuple(sorted(set(days))),
        key_groups=tuple(key_groups),
        counts_for_k2=campaign is None or campaign.counts_for_k2,
        campaign_id=campaign_id,
    )
    return Change(activity, "created")


def schedule(
    activity: Activity, *, venue_id: str | None, venue: Venue | None, slots: Iterable[Slot] = ()
) -> Change[Activity]:
    """Fix it, and book its venue; without slots it books the whole day."""
    state = LIFECYCLE.move(activity.state, "scheduled")
    if venue_id is None or venue is None:
        if activity.delivery != "online":
            raise VenueMissing(delivery=activity.delivery)
        return Change(replace(activity, state=state), "scheduled")

    return Change(replace(_held_at(activity, venue_id, venue, slots or WHOLE_DAY), state=state), "scheduled")


def move(activity: Activity, *, venue_id: str, venue: Venue, slots: Iterable[Slot] = ()) -> Change[Activity]:
    """Book another venue or other slots; the old booking is free again."""
    LIFECYCLE.require(activity.state, "scheduled")

    return Change(_held_at(activity, venue_id, venue, slots or activity.slots or WHOLE_DAY), "moved")


def heed_venue(activity: Activity, *, venue_id: str, venue: Venue) -> Change[Activity] | None:
    """Flag it while the venue it waits for is suspended (F3); an outdated view of the venue changes nothing."""
    if activity.state != "scheduled" or activity.venue_id != venue_id or venue.turns <= activity.venue_turns:
        return None

    heeded = replace(activity, venue_suspended=venue.is_suspended, venue_turns=venue.turns)
    return Change(heeded, "flagged" if venue.is_suspended else "unflagged")


def start(activity: Activity, *, today: date) -> Change[Activity]:
    """Begin it, on its first day at the earliest, and not at a venue that was suspended meanwhile."""
    state = LIFECYCLE.move(activity.state, "ongoing")
    if activity.venue_suspended:
        raise VenueLapsed(venue_id=activity.venue_id)
    _not_before(activity.days[0], today)

    return Change(replace(activity, state=state), "started")


def finish(activity: Activity, *, today: date) -> Change[Activity]:
    """Note that it was held, on all its days; its venue is free again."""
    state = LIFECYCLE.move(activity.state, "held")
    _not_before(activity.days[-1], today)

    return Change(replace(activity, state=state, held_on=activity.days[-1], bookings=()), "held")


def miss_report(activity: Activity, *, today: date, within: int = REPORT_WITHIN) -> Change[Activity]:
    """Note that the term for its report has passed; the report can still come."""
    state = LIFECYCLE.move(activity.state, "not_reported")
    _not_before(activity.days[-1] + timedelta(days=within), today)

    return Change(replace(activity, state=state), "not_reported")


def close(
    activity: Activity, *, today: date, frozen_through: date | None = None, after: int = CLOSE_AFTER
) -> Change[Activity]:
    """Allow no more corrections: its term has passed, or its plan year is frozen through that day."""
    state = LIFECYCLE.move(activity.state, "closed")
    if frozen_through is None or activity.days[-1] > frozen_through:
        _not_before(activity.days[-1] + timedelta(days=after), today)

    return Change(replace(activity, state=state), "closed")


def cancel(activity: Activity, *, verified_counts: int, reason: str) -> Change[Activity]:
    """Note that it will not take place; its venue is free again."""
    if verified_counts:
        raise CountsVerified(verified_counts=verified_counts)
    state = LIFECYCLE.move(activity.state, "cancelled")

    return Change(replace(activity, state=state, bookings=(), venue_suspended=False), "cancelled", reason)


def _held_at(activity: Activity, venue_id: str, venue: Venue, slots: Iterable[Slot]) -> Activity:
    if venue.is_suspended:
        raise VenueLapsed(venue_id=venue_id)

    distinct = set(slots)
    in_order = tuple(slot for slot in WHOLE_DAY if slot in distinct)
    return replace(
        activity,
        venue_id=venue_id,
        venue_suspended=False,
        venue_turns=venue.turns,
        capacity=venue.capacity,
        slots=in_order,
        bookings=tuple(f"{venue_id} {day} {slot}" for day in activity.days for slot in in_order),
    )


def _not_before(earliest: date, today: date) -> None:
    if today < earliest:
        raise TooEarly(earliest=earliest, today=today)
