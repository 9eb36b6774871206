"""Rural professional technical associations (农技协): prepared, filed or registered, at work; K3 counts the new ones.

Both ways of becoming official lead to work: filing with the township (备案) and registration with civil affairs
(民政登记). The first of the two days is the association's birthday, and a merger keeps the birthday of the elder.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from services.contract import rural
from services.kernel import Change, Lifecycle, Refusal
from services.kernel.day import past
from services.kernel.duty import separate
from services.kernel.name import normalised
from services.kernel.number import comparable
from services.kernel.quantity import whole

MIN_MEMBERS = 20  # members; what provinces asked of a county's rural professional association since 2003

LIFECYCLE = Lifecycle(
    preparing=("filed", "registered", "dissolved"),
    filed=("registered", "active", "dissolved", "merged"),
    registered=("active", "dissolved", "merged"),
    active=("active", "suspended", "dissolved", "merged"),  # to itself: a filed one is registered while at work
    suspended=("active", "dissolved", "merged"),
)
OFFICIAL = ("filed", "registered", "active", "suspended")
ALIVE = ("preparing", *OFFICIAL)


class NameTaken(Refusal, rule="R-01", zh="该乡镇已有同名的农技协"):
    """Another association of this township bears the same name."""


class NumberTaken(Refusal, rule="R-01", zh="该登记（备案）号已被使用"):
    """A registration or filing number belongs to one association for ever."""


class TooFewMembers(Refusal, rule="R-01", zh="会员数未达到登记（备案）要求"):
    """An association is filed or registered with enough members only."""


class PapersMissing(Refusal, rule="R-01", zh="登记（备案）须有章程和负责人"):
    """An association is filed or registered with its charter and its leader."""


class RegisteredAlready(Refusal, rule="R-02", zh="已在民政登记；重新登记须另建记录并注明前身"):
    """An association registered with civil affairs that registers anew is a new record naming its predecessor."""


class PredecessorUnnamed(Refusal, rule="R-02", zh="该乡镇曾有同名农技协，须注明为前身"):
    """An association that takes up the name of a former one of the township names it as predecessor."""


class MergedIntoItself(Refusal, rule="R-02", zh="农技协不能并入自身"):
    """An association merges into another one."""


class MergedBothWays(Refusal, rule="R-02", zh="两个农技协不能互相并入"):
    """Of two associations one is absorbed and the other stays."""


class StationRunning(Refusal, rule="R-20", zh="该农技协仍承办服务站，须先移交或停办"):
    """An association that hosts a running station is not dissolved."""


@dataclass(frozen=True, kw_only=True)
class Registration:
    """An official act: filed with the township or registered with civil affairs."""

    kind: Literal["civil", "filing"]
    no: str
    on: date
    entered_by: str


@dataclass(frozen=True, kw_only=True)
class Association:
    """An association with the fields that only its own service knows: papers, leader, official numbers."""

    name: str
    name_norm: str
    industry: str
    township_code: str
    members_count: int
    households: int | None = None
    predecessor_ids: tuple[str, ...] = ()
    registrations: tuple[Registration, ...] = ()
    official_numbers: tuple[str, ...] = ()  # kind and comparable number: one association each, for ever
    first_registered_on: date | None = None
    charter_doc: str | None = None
    leader_person_id: str | None = None
    merged_into: str | None = None
    merger: str | None = None  # both ids, so that two cannot merge into each other at the same moment
    absorbed_ids: tuple[str, ...] = ()
    state: str = "preparing"

    @property
    def district(self) -> str:
        """The district, which is the beginning of the township's code."""
        return self.township_code[:6]

    @property
    def registration_kind(self) -> str | None:
        """The latest official act, filed or registered, or None."""
        kinds = [registration.kind for registration in self.registrations]
        return "civil" if "civil" in kinds else next(iter(kinds), None)

    @property
    def was_official(self) -> bool:
        """True once it was filed or registered."""
        return self.first_registered_on is not None

    @property
    def is_new(self) -> bool:
        """R-02: an association that continues another one is not new."""
        return not self.predecessor_ids


def prepare(
    *,
    name: str,
    industry: str,
    township_code: str,
    members_count: int,
    households: int | None = None,
    predecessor_ids: tuple[str, ...] = (),
    former_ids: tuple[str, ...] = (),
) -> Change[Association]:
    """Begin an association; `former_ids` are the ended ones of this name and township."""
    whole(members_count=members_count, households=households)
    if former_ids and not set(former_ids) & set(predecessor_ids):
        raise PredecessorUnnamed(name=name, township_code=township_code, former=", ".join(former_ids))

    association = Association(
        name=name,
        name_norm=normalised(name),
        industry=industry,
        township_code=township_code,
        members_count=members_count,
        households=households,
        predecessor_ids=predecessor_ids,
    )
    return Change(association, "prepared")


def file(
    association: Association,
    *,
    filing_no: str,
    filed_on: date,
    members_count: int | None = None,
    charter_doc: str | None = None,
    leader_person_id: str | None = None,
    today: date,
    by: str,
    min_members: int = MIN_MEMBERS,
) -> Change[Association]:
    """Put it on file with the township (备案); papers that were handed in before need not be handed in again."""
    filed = replace(association, state=LIFECYCLE.move(association.state, "filed"))
    past(today=today, filed_on=filed_on)

    filed = _with_papers(filed, members_count=members_count, charter_doc=charter_doc, leader_person_id=leader_person_id)
    _fit_to_register(filed, min_members=min_members)
    return Change(_official(filed, Registration(kind="filing", no=filing_no, on=filed_on, entered_by=by)), "filed")


def register(
    association: Association,
    *,
    registration_no: str,
    registered_on: date,
    members_count: int | None = None,
    charter_doc: str | None = None,
    leader_person_id: str | None = None,
    today: date,
    by: str,
    min_members: int = MIN_MEMBERS,
) -> Change[Association]:
    """Register it with civil affairs; one that is filed and at work goes on working."""
    target = "active" if association.state == "active" else "registered"
    registered = replace(association, state=LIFECYCLE.move(association.state, target))
    past(today=today, registered_on=registered_on)
    if association.registration_kind == "civil":
        raise RegisteredAlready(state=association.state)

    registered = _with_papers(
        registered, members_count=members_count, charter_doc=charter_doc, leader_person_id=leader_person_id
    )
    _fit_to_register(registered, min_members=min_members)
    return Change(
        _official(registered, Registration(kind="civil", no=registration_no, on=registered_on, entered_by=by)),
        "registered",
    )


def activate(association: Association, *, by: str) -> Change[Association]:
    """Confirm that it works, the first time or again after a suspension: from now on K3 may count it."""
    LIFECYCLE.require(association.state, "filed", "registered", "suspended")
    separate(entered_by=association.registrations[-1].entered_by, by=by)

    return Change(replace(association, state=LIFECYCLE.move(association.state, "active")), "activated")


def suspend(association: Association, *, reason: str) -> Change[Association]:
    """Stop counting it until it works again."""
    return Change(replace(association, state=LIFECYCLE.move(association.state, "suspended")), "suspended", reason)


def dissolve(association: Association, *, reason: str, station_ids: tuple[str, ...] = ()) -> Change[Association]:
    """End it for good; `station_ids` are the service points whose running station it hosts."""
    dissolved = replace(association, state=LIFECYCLE.move(association.state, "dissolved"))
    if station_ids:
        raise StationRunning(service_points=", ".join(station_ids))

    return Change(dissolved, "dissolved", reason)


def merge(association: Association, *, association_id: str, into: Association, into_id: str) -> Change[Association]:
    """Let another one absorb it: it never counts again, and the other takes the elder's day (`absorb`)."""
    merged = replace(association, state=LIFECYCLE.move(association.state, "merged"))
    if association_id == into_id:
        raise MergedIntoItself(association_id=association_id)
    LIFECYCLE.require(into.state, *OFFICIAL)

    merger = "/".join(sorted((association_id, into_id)))
    return Change(replace(merged, merged_into=into_id, merger=merger), "merged")


def absorb(association: Association, *, absorbed: rural.Association, absorbed_id: str) -> Change[Association] | None:
    """Continue the absorbed one: take its first day if it was the elder, and its predecessors (R-02); *once*."""
    if absorbed_id in association.absorbed_ids:
        return None

    days = [day for day in (association.first_registered_on, absorbed.first_registered_on) if day]
    continued = replace(
        association,
        first_registered_on=min(days, default=None),
        predecessor_ids=tuple(dict.fromkeys((*association.predecessor_ids, *absorbed.predecessor_ids))),
        absorbed_ids=(*association.absorbed_ids, absorbed_id),
    )
    return Change(continued, "absorbed")


def _with_papers(
    association: Association, *, members_count: int | None, charter_doc: str | None, leader_person_id: str | None
) -> Association:
    whole(members_count=members_count)
    return replace(
        association,
        members_count=association.members_count if members_count is None else members_count,
        charter_doc=charter_doc or association.charter_doc,
        leader_person_id=leader_person_id or association.leader_person_id,
    )


def _fit_to_register(association: Association, *, min_members: int) -> None:
    if association.members_count < min_members:
        raise TooFewMembers(members_count=association.members_count, min_members=min_members)
    papers = {"charter": association.charter_doc, "leader": association.leader_person_id}
    if missing := [name for name, paper in papers.items() if paper is None]:
        raise PapersMissing(missing=", ".join(missing))


def _official(association: Association, registration: Registration) -> Association:
    first = association.first_registered_on
    number = f"{registration.kind}:{comparable(registration.no)}"
    return replace(
        association,
        registrations=(*association.registrations, registration),
        official_numbers=(*association.official_numbers, number),
        first_registered_on=min(first, registration.on) if first else registration.on,
    )
