"""Service points (站、栏、员): a station, a column and an officer in a village, complete when all three stand (K4).

Each part is built by one person and accepted by another. A complete set that loses a part has lapsed until the part is
checked again; the day it first became complete stays.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Literal

from services.kernel import Change, Lifecycle, Refusal
from services.kernel.calendar import months_between
from services.kernel.day import past
from services.kernel.quantity import whole

PartName = Literal["station", "column", "officer"]

SILENCE = 6  # months without activity or new content after which a check lapses a station or a column

LIFECYCLE = Lifecycle(incomplete=("complete",), complete=("lapsed",), lapsed=("complete",))
PART_LIFECYCLE = Lifecycle(
    planned=("built",),
    built=("accepted",),
    accepted=("operating", "lapsed"),
    operating=("operating", "lapsed"),
    lapsed=("operating",),
)
STANDING = ("accepted", "operating")
NAMED = ("built", *STANDING)


class VillageTaken(Refusal, rule="R-16", zh="该村已有一套完整的站、栏、员"):
    """A village has one complete set of station, column and officer."""


class OfficerTaken(Refusal, rule="R-16", zh="此人已是另一服务点的科普宣传员"):
    """A person is the officer of one service point."""


class AcceptedByBuilder(Refusal, rule="R-17", zh="建设人不得验收自己建设的部分"):
    """Whoever built a part may not accept it."""


class PhotoMissing(Refusal, rule="R-17", zh="验收须有照片"):
    """A part is accepted with a photo."""


class ContentMissing(Refusal, rule="R-17", zh="科普宣传栏须在验收前已登出首期内容"):
    """A column is accepted once its first content is posted."""


class OfficerUnnamed(Refusal, rule="R-17", zh="科普宣传员须有姓名和联系电话"):
    """An officer is accepted as a named person with a telephone number."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """A station, a column or an officer, and the person to call about it."""

    state: str = "planned"
    built_by: str | None = None
    person_id: str | None = None
    phone: str | None = None
    photo_ids: tuple[str, ...] = ()
    stands_since: date | None = None  # accepted or, after a lapse, checked again
    last_on: date | None = None  # last activity of a station, last content of a column

    @property
    def stands(self) -> bool:
        """True while it counts among the three."""
        return self.state in STANDING

    def is_silent(self, *, on: date, months: int) -> bool:
        """True where nothing happened for more than so many months before this day."""
        since = self.last_on or self.stands_since
        return self.stands and since is not None and months_between(since, on - timedelta(days=1)) >= months


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The three parts of a set."""

    station: Part = field(default_factory=Part)
    column: Part = field(default_factory=Part)
    officer: Part = field(default_factory=Part)

    def named(self, name: PartName) -> Part:
        """Return the part of this name."""
        part: Part = getattr(self, name)
        return part

    def all(self) -> tuple[Part, Part, Part]:
        """The three parts in order."""
        return self.station, self.column, self.officer


@dataclass(frozen=True, kw_only=True)
class ServicePoint:
    """A village's set of parts, hosted by an association or another unit."""

    name: str
    village_code: str
    host_id: str
    capacity: int | None = None
    parts: Parts = field(default_factory=Parts)
    completed_on: date | None = None
    state: str = "incomplete"

    @property
    def district(self) -> str:
        """The district, which is the beginning of the village's code."""
        return self.village_code[:6]

    @property
    def station(self) -> str:
        """The state of the station."""
        return self.parts.station.state

    @property
    def column(self) -> str:
        """The state of the column."""
        return self.parts.column.state

    @property
    def officer(self) -> str:
        """The state of the officer."""
        return self.parts.officer.state

    @property
    def parts_accepted(self) -> int:
        """The number of parts that stand."""
        return sum(part.stands for part in self.parts.all())


def plan(*, name: str, village_code: str, host_id: str, capacity: int | None = None) -> Change[ServicePoint]:
    """Begin a set in a village; `capacity` is how many people its room holds."""
    whole(capacity=capacity)

    return Change(ServicePoint(name=name, village_code=village_code, host_id=host_id, capacity=capacity), "planned")


def build(
    point: ServicePoint, *, part: PartName, person_id: str | None = None, phone: str | None = None, by: str
) -> Change[ServicePoint]:
    """Put up a station or a column, or appoint the officer; the person is the one to call about it."""
    former = point.parts.named(part)
    state = PART_LIFECYCLE.move(former.state, "built")

    built = replace(former, state=state, built_by=by, person_id=person_id, phone=phone)
    return Change(_with_part(point, part, built), "built")


def accept(
    point: ServicePoint,
    *,
    part: PartName,
    accepted_on: date,
    photo_ids: tuple[str, ...] = (),
    content_on: date | None = None,
    today: date,
    by: str,
) -> Change[ServicePoint]:
    """Accept a part on the spot; `content_on` is the day of a column's first content or a station's first activity."""
    former = point.parts.named(part)
    accepted = replace(
        former,
        state=PART_LIFECYCLE.move(former.state, "accepted"),
        photo_ids=photo_ids,
        stands_since=accepted_on,
        last_on=content_on,
    )
    past(today=today, accepted_on=accepted_on, content_on=content_on)
    _fit_to_stand(accepted, name=part, by=by)

    return _settled(_with_part(point, part, accepted), "accepted")


def operate(
    point: ServicePoint, *, part: PartName, on: date, note: str | None = None, today: date
) -> Change[ServicePoint]:
    """Note that it works: an activity of the station, new content of the column, a report of the officer."""
    former = point.parts.named(part)
    PART_LIFECYCLE.require(former.state, *STANDING)
    past(today=today, on=on)

    state = PART_LIFECYCLE.move(former.state, "operating")
    operating = replace(former, state=state, last_on=max(on, former.last_on or on))
    return Change(_with_part(point, part, operating), "operated", note)


def lapse(point: ServicePoint, *, part: PartName, reason: str) -> Change[ServicePoint]:
    """Note that a part no longer stands; a lapsed officer is free for another point."""
    return _lapsed(point, (part,), reason=reason)


def check(point: ServicePoint, *, on: date, months: int = SILENCE, today: date) -> Change[ServicePoint] | None:
    """Lapse a station or column that was silent for more than `months` before this day (R-16); None if none was."""
    past(today=today, on=on)
    silent = tuple(name for name in _CHECKED if point.parts.named(name).is_silent(on=on, months=months))
    if not silent:
        return None

    return _lapsed(point, silent, reason=f"{' and '.join(silent)} silent for more than {months} months on {on}")


def recheck(
    point: ServicePoint,
    *,
    part: PartName,
    on: date,
    photo_ids: tuple[str, ...] = (),
    person_id: str | None = None,
    phone: str | None = None,
    today: date,
    by: str,
) -> Change[ServicePoint]:
    """Accept a lapsed part again, under the terms of an acceptance; another person may have taken it over."""
    former = point.parts.named(part)
    PART_LIFECYCLE.require(former.state, "lapsed")
    past(today=today, on=on)
    fit = replace(
        former,
        state=PART_LIFECYCLE.move(former.state, "operating"),
        photo_ids=photo_ids,
        person_id=person_id or former.person_id,
        phone=phone or former.phone,
        stands_since=on,
        last_on=on,
    )
    _fit_to_stand(fit, name=part, by=by)

    return _settled(_with_part(point, part, fit), "rechecked")


_CHECKED: tuple[PartName, ...] = ("station", "column")


def _fit_to_stand(part: Part, *, name: PartName, by: str) -> None:
    if by == part.built_by:
        raise AcceptedByBuilder(part=name, built_by=by)
    if not part.photo_ids:
        raise PhotoMissing(part=name)
    if name == "column" and (part.last_on is None or part.stands_since is None or part.last_on > part.stands_since):
        raise ContentMissing(content_on=part.last_on, accepted_on=part.stands_since)
    if name == "officer" and not (part.person_id and part.phone):
        raise OfficerUnnamed(missing="person" if not part.person_id else "phone")


def _lapsed(point: ServicePoint, names: tuple[PartName, ...], *, reason: str) -> Change[ServicePoint]:
    for name in names:
        part = point.parts.named(name)
        point = _with_part(point, name, replace(part, state=PART_LIFECYCLE.move(part.state, "lapsed")))
    change = _settled(point, "part_lapsed")
    return replace(change, reason=reason)


def _with_part(point: ServicePoint, name: PartName, part: Part) -> ServicePoint:
    return replace(point, parts=replace(point.parts, **{name: part}))


def _settled(point: ServicePoint, otherwise: str) -> Change[ServicePoint]:
    """Name what became of the set: completed, lapsed, or neither."""
    stands = all(part.stands for part in point.parts.all())
    if stands == (point.state == "complete"):
        return Change(point, otherwise)
    if not stands:
        return Change(replace(point, state=LIFECYCLE.move(point.state, "lapsed")), "lapsed")

    last = max(part.stands_since for part in point.parts.all() if part.stands_since)
    complete = LIFECYCLE.move(point.state, "complete")
    return Change(replace(point, state=complete, completed_on=point.completed_on or last), "completed")
