"""Judges (评委): people who may be asked to score, their disciplines and their employers.

A judge is known by the person's id. An affiliation without a first day began before anybody looked, one without a last
day goes on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import combinations

from services.kernel import Change, Lifecycle, Refusal
from services.kernel.calendar import months_between
from services.kernel.quantity import whole

LIFECYCLE = Lifecycle(invited=("active", "suspended"), active=("suspended",), suspended=("active",))


class AffiliationBackwards(Refusal, rule="A-11", zh="任职结束日期不得早于开始日期"):
    """An affiliation ends on its first day at the earliest."""


@dataclass(frozen=True, kw_only=True)
class Affiliation:
    """A unit that somebody works for; both days belong to it."""

    org_id: str
    starts_on: date | None = None
    ends_on: date | None = None

    def reaches(self, on: date, *, years: int = 0) -> bool:
        """True where it runs on this day, or did within so many years before."""
        if self.starts_on and self.starts_on > on:
            return False
        return self.ends_on is None or months_between(self.ends_on + timedelta(days=1), on) < 12 * years


@dataclass(frozen=True, kw_only=True)
class Judge:
    """A person who may be asked; `max_load` is how many entries of a round, held ones included."""

    person_id: str
    discipline_codes: tuple[str, ...]
    max_load: int
    affiliations: tuple[Affiliation, ...] = ()
    state: str = "invited"

    @property
    def is_active(self) -> bool:
        """True where the judge can be assigned."""
        return self.state == "active"

    def units(self, on: date, *, years: int = 0) -> frozenset[str]:
        """The units of the judge on this day, or within so many years before."""
        return frozenset(
            affiliation.org_id for affiliation in self.affiliations if affiliation.reaches(on, years=years)
        )


def invite(
    *, person_id: str, discipline_codes: tuple[str, ...], max_load: int, affiliations: tuple[Affiliation, ...] = ()
) -> Change[Judge]:
    """Invite a person to be a judge: an expert recognised by members, or known to the committee (F4)."""
    _sound(max_load=max_load, affiliations=affiliations)

    judge = Judge(person_id=person_id, discipline_codes=discipline_codes, max_load=max_load, affiliations=affiliations)
    return Change(judge, "invited")


def activate(judge: Judge) -> Change[Judge]:
    """Let a judge be assigned: after accepting the invitation, or again after a suspension."""
    return Change(replace(judge, state=LIFECYCLE.move(judge.state, "active")), "activated")


def suspend(judge: Judge, *, reason: str) -> Change[Judge]:
    """Assign nothing more; sheets that were started stay."""
    return Change(replace(judge, state=LIFECYCLE.move(judge.state, "suspended")), "suspended", reason)


def revise(judge: Judge, *, discipline_codes: tuple[str, ...], max_load: int) -> Change[Judge]:
    """Replace disciplines and load."""
    _sound(max_load=max_load)

    return Change(replace(judge, discipline_codes=discipline_codes, max_load=max_load), "revised")


def affiliate(judge: Judge, *, affiliations: tuple[Affiliation, ...]) -> Change[Judge] | None:
    """Replace all present and former affiliations; None where they are known already (F6)."""
    _sound(affiliations=affiliations)
    if affiliations == judge.affiliations:
        return None

    return Change(replace(judge, affiliations=affiliations), "affiliated")


def colleagues(judges: Iterable[Judge], *, on: date) -> frozenset[tuple[str, str]]:
    """Pair the judges who work for one unit on this day: never two of them on one entry (disjoint)."""
    units = {judge.person_id: judge.units(on) for judge in judges}
    return frozenset((one, other) for one, other in combinations(sorted(units), 2) if units[one] & units[other])


def _sound(*, max_load: int | None = None, affiliations: tuple[Affiliation, ...] = ()) -> None:
    whole(max_load=max_load)
    for affiliation in affiliations:
        if affiliation.starts_on and affiliation.ends_on and affiliation.ends_on < affiliation.starts_on:
            raise AffiliationBackwards(
                org_id=affiliation.org_id, starts_on=affiliation.starts_on, ends_on=affiliation.ends_on
            )
