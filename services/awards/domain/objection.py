"""Objections (异议): complaints about a line of an award list, by real name, with contact and evidence (A-22).

It is filed within the publicity period and decided by somebody who has no part in the entry (A-23). Objector and
grounds are sealed before they come here.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, datetime

from services.awards.domain.entry import Entry
from services.awards.domain.notice import STANDING, Notice, Subject
from services.contract.awards import Lack, Outcome, SubjectType
from services.kernel import Change, ForbiddenMove, Lifecycle, Refusal
from services.kernel.calendar import day_of
from services.kernel.day import past

LIFECYCLE = Lifecycle(
    filed=("accepted", "rejected_formal"),
    accepted=("investigating",),
    investigating=("upheld", "dismissed"),
    upheld=("notified",),
    dismissed=("notified",),
    notified=("closed",),
)
OPEN = ("filed", "accepted", "investigating")
"""States before the decision; the line waits."""


class ObjectedOutsidePeriod(Refusal, rule="A-22", zh="不在公示期内，不受理异议"):
    """An objection is made within the publicity period, whose last second counts."""


class LineUnknown(Refusal, rule="A-22", zh="公示名单中没有这一项"):
    """An objection is about a line of the list."""


class HandlerInvolved(Refusal, rule="A-23", zh="推荐、审查或评审过该项目的人员不得处理对它的异议"):
    """Whoever handed in, checked or scored an entry does not handle an objection to it."""


class NotTheHandler(Refusal, rule="A-23", zh="异议由指定的经办人作出处理决定"):
    """An objection is decided by the handler whom the chair named."""


@dataclass(frozen=True, kw_only=True)
class Objector:
    """The objector and the grounds; stored sealed."""

    objector_name: str | None = None
    id_number: str | None = None
    unit: str | None = None
    phone: str | None = None
    grounds: str

    @property
    def has_identity(self) -> bool:
        """True where name, id number and unit are all given."""
        return None not in (self.objector_name, self.id_number, self.unit)


@dataclass(frozen=True, kw_only=True)
class Objection:
    """An objection with its sealed part; the reason of the decision is in the history alone."""

    notice_id: str
    edition_id: str
    line_no: int
    subject_type: SubjectType
    subject_id: str
    entry_id: str | None
    real_name: bool
    lacking: tuple[Lack, ...]
    evidence_ids: tuple[str, ...]
    sealed: str
    filed_on: date
    filed_by: str
    handler_id: str | None = None
    decision: Outcome | None = None
    decided_on: date | None = None
    notified_on: date | None = None
    state: str = "filed"

    @property
    def is_open(self) -> bool:
        """True until it is decided."""
        return self.state in OPEN

    @property
    def subject(self) -> Subject:
        """The prize's receiver; on another list of the edition, too, where its own was withdrawn."""
        return self.subject_type, self.subject_id


def file(
    notice: Notice,
    *,
    notice_id: str,
    line_no: int,
    objector: Objector,
    evidence_ids: tuple[str, ...],
    sealed: str,
    at: datetime,
    by: str,
) -> Change[Objection]:
    """Record an objection; an anonymous one, or one without contact or evidence, is recorded and not processed."""
    if notice.state not in STANDING:
        raise ForbiddenMove(state=notice.state, wanted="/".join(STANDING))
    if not notice.starts_at <= at < notice.ends_at:
        raise ObjectedOutsidePeriod(starts_at=notice.starts_at.isoformat(), ends_at=notice.ends_at.isoformat())
    line = notice.line(line_no)
    if line is None:
        raise LineUnknown(line_no=line_no)

    lacking = _lacking(objector, evidence_ids)
    state = "rejected_formal" if lacking else "filed"
    objection = Objection(
        notice_id=notice_id,
        edition_id=notice.edition_id,
        line_no=line_no,
        subject_type=line.subject_type,
        subject_id=line.subject_id,
        entry_id=line.entry_id,
        real_name=objector.has_identity,
        lacking=lacking,
        evidence_ids=evidence_ids,
        sealed=sealed,
        filed_on=day_of(at),
        filed_by=by,
        state=state,
    )
    return Change(objection, state)


def accept(objection: Objection) -> Change[Objection]:
    """Accept its form: it will be investigated."""
    return _moved(objection, "accepted")


def reject(objection: Objection, *, reason: str, involved: Collection[str], by: str) -> Change[Objection]:
    """Reject it: name, contact and evidence are void, as somebody without a part in the entry finds."""
    rejected = _moved(objection, "rejected_formal", reason=reason)
    require_uninvolved(by, involved=involved)

    return rejected


def investigate(objection: Objection, *, handler_id: str, involved: Collection[str]) -> Change[Objection]:
    """Name its investigator: somebody without a part in the entry."""
    state = LIFECYCLE.move(objection.state, "investigating")
    require_uninvolved(handler_id, involved=involved)

    return Change(replace(objection, state=state, handler_id=handler_id), "taken_on")


def decide(
    objection: Objection, *, outcome: Outcome, reason: str, involved: Collection[str], today: date, by: str
) -> Change[Objection]:
    """Uphold it, which strikes the line, or dismiss it, which releases the line."""
    state = LIFECYCLE.move(objection.state, outcome)
    if by != objection.handler_id:
        raise NotTheHandler(by=by)
    require_uninvolved(by, involved=involved)

    decided = replace(objection, state=state, decision=outcome, decided_on=today)
    return Change(decided, outcome, reason)


def notify(objection: Objection, *, notified_on: date | None, today: date) -> Change[Objection]:
    """Note that the objector was told the decision."""
    past(today=today, notified_on=notified_on)
    return _moved(replace(objection, notified_on=notified_on or today), "notified")


def close(objection: Objection) -> Change[Objection]:
    """Close its file."""
    return _moved(objection, "closed")


def involved_in(entry: Entry, *, judges: Collection[str]) -> frozenset[str]:
    """The people with a part in an entry: they handed it in, decided on its eligibility, or scored it."""
    return frozenset(filter(None, (*entry.handed_in_by, entry.decided_by, *judges)))


def require_uninvolved(person: str, *, involved: Collection[str]) -> None:
    """Refuse a person with a part in the entry (A-23)."""
    if person in involved:
        raise HandlerInvolved(person=person)


def _lacking(objector: Objector, evidence_ids: Collection[str]) -> tuple[Lack, ...]:
    there: dict[Lack, bool] = {
        "identity": objector.has_identity,
        "contact": objector.phone is not None,
        "evidence": bool(evidence_ids),
    }
    return tuple(lack for lack, is_there in there.items() if not is_there)


def _moved(objection: Objection, to: str, *, reason: str | None = None) -> Change[Objection]:
    return Change(replace(objection, state=LIFECYCLE.move(objection.state, to)), to, reason)
