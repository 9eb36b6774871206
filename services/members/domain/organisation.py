"""Organisations of the association (科协组织): applied for, approved, founded by a meeting, established; K6.

They form a tree: each has at most one parent, and none is above itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction

from services.contract.district import DISTRICTS, MUNICIPALITY
from services.kernel import Change, Lifecycle, Refusal
from services.kernel.day import past
from services.kernel.duty import separate
from services.kernel.name import normalised
from services.kernel.quantity import whole

MIN_WORKERS = 20  # S&T workers; our default, no public document sets the number for a city's organisations
QUORUM = Fraction(2, 3)  # of those called to the founding meeting

LIFECYCLE = Lifecycle(
    preparing=("applied", "dissolved"),
    applied=("approved", "dissolved"),
    approved=("established", "dissolved"),
    established=("active", "dissolved"),
    active=("dormant", "dissolved"),
    dormant=("active", "dissolved"),
)
ALIVE = tuple(LIFECYCLE.moves)


class InstitutionTaken(Refusal, rule="M-07", zh="该单位已有同类科协组织"):
    """An institution has one organisation of a kind."""


class Inquorate(Refusal, rule="M-07", zh="成立大会到会人数不足或有误"):
    """A founding meeting counts when at least two thirds of those called attend, and nobody besides."""


class NotFounded(Refusal, rule="M-07", zh="须先召开成立大会，通过章程并选出主席"):
    """An organisation is established once a founding meeting gave it a charter and a chair, and not before that day."""


class TooFewWorkers(Refusal, rule="M-07", zh="科技工作者人数未达到要求"):
    """An organisation is established with enough S&T workers only."""


class OutsideMunicipality(Refusal, rule="M-08", zh="高校科协须在本市行政区域内"):
    """A university's association belongs to a university inside the municipality."""


class ParentCycle(Refusal, rule="M-08", zh="上级组织不能是本组织或其下级"):
    """No organisation is above itself."""


class HasChildren(Refusal, rule="M-08", zh="仍有下级组织，须先调整或撤销"):
    """An organisation with organisations under it is not dissolved."""


@dataclass(frozen=True, kw_only=True)
class FoundingMeeting:
    """The meeting that founds an organisation (成立大会): its attendance, the documents adopted, the people elected."""

    on: date
    called: int
    attended: int
    minutes_doc: str
    charter_doc: str | None
    chair_person_id: str | None


@dataclass(frozen=True, kw_only=True)
class Organisation:
    """An organisation with the fields that only its own service knows: its meeting, its chair, its recorder."""

    name: str
    name_norm: str
    organisation_kind: str
    institution_id: str
    district: str
    workers_count: int
    created_by: str
    parent_id: str | None = None
    approval_doc_no: str | None = None
    founding_meeting: FoundingMeeting | None = None
    established_on: date | None = None
    state: str = "preparing"

    @property
    def founding_meeting_on(self) -> date | None:
        """The day of the founding meeting, or None."""
        return self.founding_meeting.on if self.founding_meeting else None


def create(
    *,
    name: str,
    organisation_kind: str,
    institution_id: str,
    district: str,
    workers_count: int,
    parent: Organisation | None = None,
    parent_id: str | None = None,
    by: str,
) -> Change[Organisation]:
    """Begin an organisation in an institution."""
    whole(workers_count=workers_count)
    if organisation_kind == "university" and district not in (*DISTRICTS, MUNICIPALITY):
        raise OutsideMunicipality(district=district)
    _alive(parent)

    organisation = Organisation(
        name=name,
        name_norm=normalised(name),
        organisation_kind=organisation_kind,
        institution_id=institution_id,
        district=district,
        workers_count=workers_count,
        created_by=by,
        parent_id=parent_id,
    )
    return Change(organisation, "created")


def apply(organisation: Organisation) -> Change[Organisation]:
    """Ask the association to approve it."""
    return Change(replace(organisation, state=LIFECYCLE.move(organisation.state, "applied")), "applied")


def approve(organisation: Organisation, *, approval_doc_no: str, by: str) -> Change[Organisation]:
    """Approve it by a document; its creator may not."""
    approved = replace(organisation, state=LIFECYCLE.move(organisation.state, "approved"))
    separate(entered_by=organisation.created_by, by=by)

    return Change(replace(approved, approval_doc_no=approval_doc_no), "approved")


def hold_founding_meeting(
    organisation: Organisation,
    *,
    held_on: date,
    called: int,
    attended: int,
    minutes_doc: str,
    charter_doc: str | None = None,
    chair_person_id: str | None = None,
    today: date,
) -> Change[Organisation]:
    """Record the founding meeting; until the organisation is established a later meeting replaces an earlier one."""
    LIFECYCLE.require(organisation.state, "approved")
    whole(called=called, attended=attended)
    past(today=today, held_on=held_on)
    if not 0 < attended <= called or attended < QUORUM * called:
        raise Inquorate(called=called, attended=attended)

    meeting = FoundingMeeting(
        on=held_on,
        called=called,
        attended=attended,
        minutes_doc=minutes_doc,
        charter_doc=charter_doc,
        chair_person_id=chair_person_id,
    )
    return Change(replace(organisation, founding_meeting=meeting), "founded")


def establish(
    organisation: Organisation,
    *,
    established_on: date,
    workers_count: int | None = None,
    min_workers: int = MIN_WORKERS,
    today: date,
) -> Change[Organisation]:
    """Let it exist from this day on: a university's counts towards K6 from now on and not before (M-07)."""
    established = replace(
        organisation, state=LIFECYCLE.move(organisation.state, "established"), established_on=established_on
    )
    whole(workers_count=workers_count)
    past(today=today, established_on=established_on)
    if workers_count is not None:
        established = replace(established, workers_count=workers_count)
    if missing := _unfounded(organisation.founding_meeting, on=established_on):
        raise NotFounded(missing=missing)
    if established.workers_count < min_workers:
        raise TooFewWorkers(workers_count=established.workers_count, min_workers=min_workers)

    return Change(established, "established")


def activate(organisation: Organisation) -> Change[Organisation]:
    """Confirm that it is at work after its establishment."""
    LIFECYCLE.require(organisation.state, "established")

    return Change(replace(organisation, state=LIFECYCLE.move(organisation.state, "active")), "activated")


def sleep(organisation: Organisation, *, reason: str) -> Change[Organisation]:
    """Note that it does nothing for the time being; it still exists and still counts."""
    return Change(replace(organisation, state=LIFECYCLE.move(organisation.state, "dormant")), "slept", reason)


def wake(organisation: Organisation) -> Change[Organisation]:
    """Confirm that it is at work again."""
    LIFECYCLE.require(organisation.state, "dormant")

    return Change(replace(organisation, state=LIFECYCLE.move(organisation.state, "active")), "activated")


def set_parent(
    organisation: Organisation,
    *,
    organisation_id: str,
    parent_id: str | None,
    parent: Organisation | None = None,
    above: tuple[str, ...] = (),
) -> Change[Organisation]:
    """Put it under another one, or at the top; it may not be among those `above` the new parent."""
    LIFECYCLE.require(organisation.state, *ALIVE)
    if organisation_id in (parent_id, *above):
        raise ParentCycle(organisation_id=organisation_id, parent_id=parent_id)
    _alive(parent)

    return Change(replace(organisation, parent_id=parent_id), "moved")


def detach(organisation: Organisation, *, parent_id: str) -> Change[Organisation] | None:
    """Take it from under a parent that turned out to be below it; None where it has left that parent since."""
    if organisation.parent_id != parent_id:
        return None

    return Change(replace(organisation, parent_id=None), "detached", f"{parent_id} is below it")


def dissolve(organisation: Organisation, *, reason: str, child_ids: tuple[str, ...] = ()) -> Change[Organisation]:
    """End it for good; `child_ids` are the organisations under it that have not ended."""
    dissolved = replace(organisation, state=LIFECYCLE.move(organisation.state, "dissolved"))
    if child_ids:
        raise HasChildren(children=", ".join(child_ids))

    return Change(dissolved, "dissolved", reason)


def line_above(organisation_id: str, parent_of: Callable[[str], str | None]) -> tuple[str, ...]:
    """List all organisations above it, nearest first; in a circle an organisation is above itself."""
    line: list[str] = []
    above = parent_of(organisation_id)
    while above is not None and above not in line:
        line.append(above)
        above = parent_of(above)
    return tuple(line)


def link_to_cut(organisation_id: str, parent_of: Callable[[str], str | None]) -> tuple[str, str] | None:
    """Find the child to take from its parent so that a circle is open again; None where there is no circle.

    Two organisations that were put under each other at the same moment form a circle. Every observer finds the same
    link: that of the child whose id is the last one in order.
    """
    circle = line_above(organisation_id, parent_of)
    if organisation_id not in circle:
        return None

    child = max(circle)
    return child, circle[(circle.index(child) + 1) % len(circle)]


def _alive(parent: Organisation | None) -> None:
    if parent is not None:
        LIFECYCLE.require(parent.state, *ALIVE)


def _unfounded(meeting: FoundingMeeting | None, *, on: date) -> str | None:
    """List what a founding meeting still lacks on this day."""
    if meeting is None or on < meeting.on:
        return "founding meeting"
    if meeting.charter_doc is None:
        return "charter"
    return "chair" if meeting.chair_person_id is None else None
