"""Visits of experts to communities and schools (进社区、进学校), from the request to the receiver's confirmation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from services.contract.outreach import Slot, VisitTarget
from services.kernel import Change, Lifecycle, Refusal
from services.kernel.day import past
from services.outreach.domain.activity import Activity
from services.outreach.domain.expert_roster_entry import ExpertRosterEntry

HELD = ("held", "not_reported", "reported", "verified", "closed")

LIFECYCLE = Lifecycle(
    requested=("matched", "cancelled"),
    matched=("matched", "confirmed", "cancelled"),
    confirmed=("matched", "delivered", "cancelled"),
    delivered=("evaluated",),
)


class ContactMissing(Refusal, rule="O-14", zh="进学校活动须有学校联系人及其电话"):
    """A school visit has a contact at the school, with a telephone number."""


class ExpertMissing(Refusal, rule="O-14", zh="专家已停用或当日不便，须另行安排"):
    """A visit is matched, confirmed and delivered with experts who are active and there on its day."""


class ExpertBookedTwice(Refusal, rule="O-24", zh="专家在该时段已另有安排"):
    """An expert makes one visit in a slot of a day."""


class ReceiverSilent(Refusal, rule="O-25", zh="接待单位确认前，不得登记为已完成"):
    """A visit is delivered once its receiver confirmed it in writing."""


class NotItsActivity(Refusal, rule="O-25", zh="须对应当日已举办的参观宣讲类活动，人次在该活动中填报"):
    """The audience of a visit is that of an activity of visits or lectures, held on that day."""


@dataclass(frozen=True, kw_only=True)
class ExpertVisit:
    """A visit with its receiver, its experts and the activity that has its audience."""

    target: VisitTarget
    receiver_id: str
    district: str
    day: date
    slot: Slot
    topic: str
    contact_name: str | None
    contact_phone: str | None
    requested_by: str
    entry_ids: tuple[str, ...] = ()
    bookings: tuple[str, ...] = ()  # slots of the experts that no other visit can have; empty once it was cancelled
    activity_id: str | None = None
    receipt_sha256: str | None = None
    delivered_on: date | None = None
    rating: int | None = None
    state: str = "requested"


def request(
    *,
    target: VisitTarget,
    receiver_id: str,
    district: str,
    day: date,
    slot: Slot,
    topic: str,
    contact_name: str | None = None,
    contact_phone: str | None = None,
    by: str,
) -> Change[ExpertVisit]:
    """Take down what a community or a school asks for; a contact may follow before it is confirmed."""
    visit = ExpertVisit(
        target=target,
        receiver_id=receiver_id,
        district=district,
        day=day,
        slot=slot,
        topic=topic,
        contact_name=contact_name,
        contact_phone=contact_phone,
        requested_by=by,
    )
    return Change(visit, "requested")


def match(visit: ExpertVisit, *, experts: Mapping[str, ExpertRosterEntry]) -> Change[ExpertVisit]:
    """Find experts for it, or others than before; their slot is taken from now on."""
    state = LIFECYCLE.move(visit.state, "matched")
    _require_there(visit, experts)

    bookings = tuple(f"{entry_id} {visit.day} {visit.slot}" for entry_id in experts)
    return Change(replace(visit, state=state, entry_ids=tuple(experts), bookings=bookings), "matched")


def confirm(
    visit: ExpertVisit,
    *,
    experts: Mapping[str, ExpertRosterEntry],
    contact_name: str | None = None,
    contact_phone: str | None = None,
) -> Change[ExpertVisit]:
    """Note that the experts said yes; a school has a contact by now (O-14)."""
    state = LIFECYCLE.move(visit.state, "confirmed")
    name, phone = contact_name or visit.contact_name, contact_phone or visit.contact_phone
    if visit.target == "school" and not (name and phone):
        raise ContactMissing(target=visit.target)
    _require_there(visit, experts)

    return Change(replace(visit, state=state, contact_name=name, contact_phone=phone), "confirmed")


def deliver(
    visit: ExpertVisit,
    *,
    experts: Mapping[str, ExpertRosterEntry],
    activity_id: str,
    activity: Activity,
    receipt_sha256: str | None,
    today: date,
) -> Change[ExpertVisit]:
    """Note that it took place, as its receiver confirms; the audience is that of its activity."""
    state = LIFECYCLE.move(visit.state, "delivered")
    past(today=today, day=visit.day)
    if receipt_sha256 is None:
        raise ReceiverSilent(receiver_id=visit.receiver_id)
    _require_there(visit, experts)
    if activity.format not in ("visit", "lecture") or activity.state not in HELD or visit.day not in activity.days:
        raise NotItsActivity(activity_id=activity_id, format=activity.format, state=activity.state, day=visit.day)

    delivered = replace(visit, state=state, activity_id=activity_id, receipt_sha256=receipt_sha256)
    return Change(replace(delivered, delivered_on=visit.day), "delivered")


def evaluate(visit: ExpertVisit, *, rating: int) -> Change[ExpertVisit]:
    """Record how the receiver rated it, from 1 to 5."""
    return Change(replace(visit, state=LIFECYCLE.move(visit.state, "evaluated"), rating=rating), "evaluated")


def cancel(visit: ExpertVisit, *, reason: str) -> Change[ExpertVisit]:
    """Note that it will not take place; its experts are free again."""
    return Change(replace(visit, state=LIFECYCLE.move(visit.state, "cancelled"), bookings=()), "cancelled", reason)


def _require_there(visit: ExpertVisit, experts: Mapping[str, ExpertRosterEntry]) -> None:
    missing = [entry_id for entry_id, expert in experts.items() if not expert.is_there(visit.day)]
    if missing or not experts:
        raise ExpertMissing(entry_ids=", ".join(missing), day=visit.day)
