"""The expert group (科技专家团): who can be asked for visits, for which fields, and on which days not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from services.kernel import Change, Lifecycle, Refusal
from services.kernel.day import past

LIFECYCLE = Lifecycle(active=("suspended",), suspended=("active",))


class EnrolledTwice(Refusal, rule="O-26", zh="同一专家在专家团中只登记一次"):
    """A person stands on the roster once."""


@dataclass(frozen=True, kw_only=True)
class ExpertRosterEntry:
    """An expert with fields and absences; the name stays with the association's personnel."""

    person_id: str
    discipline_codes: tuple[str, ...]
    enrolled_on: date
    absent_on: tuple[date, ...] = ()
    district: str | None = None
    state: str = "active"

    def is_there(self, day: date) -> bool:
        """True where the expert can be asked for this day."""
        return self.state == "active" and day not in self.absent_on


def enrol(
    *, person_id: str, discipline_codes: tuple[str, ...], enrolled_on: date, district: str | None = None, today: date
) -> Change[ExpertRosterEntry]:
    """Take an expert into the group."""
    past(today=today, enrolled_on=enrolled_on)

    entry = ExpertRosterEntry(
        person_id=person_id, discipline_codes=discipline_codes, enrolled_on=enrolled_on, district=district
    )
    return Change(entry, "enrolled")


def revise(
    entry: ExpertRosterEntry, *, discipline_codes: tuple[str, ...], absent_on: tuple[date, ...]
) -> Change[ExpertRosterEntry]:
    """State the expert's fields and absences anew."""
    absences = tuple(sorted(set(absent_on)))
    return Change(replace(entry, discipline_codes=discipline_codes, absent_on=absences), "revised")


def suspend(entry: ExpertRosterEntry, *, reason: str) -> Change[ExpertRosterEntry]:
    """Ask the expert for no more visits; those that were confirmed need another one."""
    return Change(replace(entry, state=LIFECYCLE.move(entry.state, "suspended")), "suspended", reason)


def restore(entry: ExpertRosterEntry, *, reason: str) -> Change[ExpertRosterEntry]:
    """Ask the expert again."""
    return Change(replace(entry, state=LIFECYCLE.move(entry.state, "active")), "restored", reason)
