"""Topics (讲、比课题): problems that workers of an enterprise set out to solve, up to the entry in an edition.

A topic may be worth nothing in money; a claimed value is verified by its receiver (A-28).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from services.awards.domain import benefit
from services.awards.domain.benefit import BenefitClaim
from services.awards.domain.entry import HOLDING, Entry
from services.kernel import Change, Lifecycle, Refusal
from services.kernel.day import past
from services.kernel.duty import separate
from services.kernel.name import normalised

LIFECYCLE = Lifecycle(
    registered=("in_progress", "abandoned"),
    in_progress=("completed", "abandoned"),
    completed=("accepted",),
    accepted=("entered",),
)
STANDING = tuple(state for state in LIFECYCLE.states if state != "abandoned")


class TopicRegisteredTwice(Refusal, rule="A-07", zh="同一企业同一年度的同一课题只能登记一次"):
    """An enterprise registers a topic once a year."""


class CompletedEarly(Refusal, rule="X-07", zh="课题完成日期不得早于登记日期"):
    """A topic is completed on the day of its registration at the earliest."""


class NotItsEntry(Refusal, rule="A-31", zh="课题须进入本企业在“讲、比”活动中的有效申报"):
    """A topic goes into a standing entry of its enterprise in an edition of the campaign."""


@dataclass(frozen=True, kw_only=True)
class Topic:
    """A topic; its title stays with its enterprise."""

    enterprise_org_id: str
    title: str
    title_norm: str
    participant_ids: tuple[str, ...]
    year: int
    registered_on: date
    registered_by: str
    district: str | None = None
    completed_on: date | None = None
    completed_by: str | None = None
    benefit_claim: BenefitClaim | None = None
    accepted_on: date | None = None
    accepted_by: str | None = None
    entry_id: str | None = None
    edition_id: str | None = None
    state: str = "registered"

    @property
    def benefit_fen(self) -> int | None:
        """The claimed benefit, or None."""
        return self.benefit_claim.benefit_fen if self.benefit_claim else None

    @property
    def verified_by_id(self) -> str | None:
        """The receiver that vouches for the benefit, or None."""
        return self.benefit_claim.verified_by_id if self.benefit_claim else None


def register(
    *,
    enterprise_org_id: str,
    title: str,
    participant_ids: tuple[str, ...],
    year: int,
    registered_on: date,
    district: str | None = None,
    today: date,
    by: str,
) -> Change[Topic]:
    """Register a problem that an enterprise sets out to solve."""
    past(today=today, registered_on=registered_on)

    topic = Topic(
        enterprise_org_id=enterprise_org_id,
        title=title,
        title_norm=normalised(title),
        participant_ids=participant_ids,
        year=year,
        registered_on=registered_on,
        registered_by=by,
        district=district,
    )
    return Change(topic, "registered")


def start(topic: Topic) -> Change[Topic]:
    """Note that the work has begun."""
    return Change(replace(topic, state=LIFECYCLE.move(topic.state, "in_progress")), "started")


def complete(topic: Topic, *, claim: BenefitClaim | None, completed_on: date, today: date, by: str) -> Change[Topic]:
    """Report it as done, with its benefit, if any is claimed."""
    state = LIFECYCLE.move(topic.state, "completed")
    past(today=today, completed_on=completed_on)
    if completed_on < topic.registered_on:
        raise CompletedEarly(completed_on=completed_on, registered_on=topic.registered_on)
    if claim is not None:
        benefit.fit_to_count(claim)

    completed = replace(topic, state=state, completed_on=completed_on, completed_by=by, benefit_claim=claim)
    return Change(completed, "finished")


def accept(topic: Topic, *, accepted_on: date, today: date, by: str) -> Change[Topic]:
    """Accept it as done, as a second person (X-05)."""
    state = LIFECYCLE.move(topic.state, "accepted")
    past(today=today, accepted_on=accepted_on)
    separate(entered_by=topic.completed_by or topic.registered_by, by=by)

    return Change(replace(topic, state=state, accepted_on=accepted_on, accepted_by=by), "accepted")


def enter(topic: Topic, entry: Entry, *, entry_id: str) -> Change[Topic]:
    """Name the entry by which its enterprise competes with it."""
    state = LIFECYCLE.move(topic.state, "entered")
    units = entry.own_units | {entry.nominating_unit_id}
    if entry.programme_kind != "jiangbi" or entry.state not in HOLDING or topic.enterprise_org_id not in units:
        raise NotItsEntry(entry_id=entry_id, programme_kind=entry.programme_kind, state=entry.state)

    return Change(replace(topic, state=state, entry_id=entry_id, edition_id=entry.edition_id), "entered")


def abandon(topic: Topic, *, reason: str) -> Change[Topic]:
    """Abandon it; the enterprise may register it again."""
    return Change(replace(topic, state=LIFECYCLE.move(topic.state, "abandoned")), "abandoned", reason)
