"""Entries (申报): nominations of units in an edition, from the submission to the decision whether it is judged.

A late entry is void (A-01). Its people, files and blind code are never published (A-13).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime

from services.awards.domain import edition as editions
from services.awards.domain.edition import Edition
from services.awards.domain.material import Material, require_fit
from services.awards.domain.rules import Rules
from services.contract.awards import ProgrammeKind, Shortcoming
from services.kernel import Change, Lifecycle, Refusal
from services.kernel.calendar import day_of

LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # none is mistaken for another one when read aloud or copied
CODE_LENGTH = 8

LIFECYCLE = Lifecycle(
    submitted=("returned", "eligible", "ineligible", "withdrawn", "disqualified"),
    returned=("submitted", "withdrawn", "disqualified"),
    eligible=("in_review", "withdrawn", "disqualified"),
    in_review=("shortlisted", "eliminated", "proposed", "disqualified"),
    shortlisted=("in_review", "disqualified"),
    eliminated=("in_review", "not_awarded", "disqualified"),  # again, when its round is reopened
    proposed=("in_review", "on_publicity", "not_awarded", "disqualified"),
    on_publicity=("on_hold", "awarded", "not_awarded", "proposed", "disqualified"),
    on_hold=("on_publicity", "not_awarded", "proposed", "disqualified"),
    awarded=("revoked",),
)
UNDECIDED = ("submitted", "returned")
LEFT = ("ineligible", "withdrawn")
ON_LIST = ("on_publicity", "on_hold")
AWAITING_LIST = ("proposed", "eliminated", *ON_LIST)
HOLDING = tuple(state for state in LIFECYCLE.states if state not in LEFT)
"""Their students, works and places are taken; a disqualified entrant does not come again."""

STEPS = {
    "in_review": "taken_up",
    "shortlisted": "shortlisted",
    "eliminated": "eliminated",
    "proposed": "proposed",
    "on_publicity": "publicised",
    "on_hold": "held_back",
    "awarded": "awarded",
    "not_awarded": "passed_over",
    "revoked": "revoked",
}
"""The happening of an entry that keeps in step with its edition, by its new state."""

BY_PUBLICITY = {("proposed", "on_hold"), ("proposed", "awarded"), ("on_hold", "awarded")}
"""Ways of two steps, the first of which is the publicity."""


class OutsideWindow(Refusal, rule="A-01", zh="不在申报期内"):
    """An entry is submitted while its edition takes entries."""


class CorrectedLate(Refusal, rule="A-01", zh="已过补正期限"):
    """A returned entry comes back on the last day given to it at the latest."""


class EntrantAdded(Refusal, rule="A-04", zh="申报后不得增加成员"):
    """Nobody joins an entry once it was submitted."""


class WorkEnteredTwice(Refusal, rule="A-07", zh="同一作品在同一届只能申报一次"):
    """The same work, by its title and first entrant or by its file, is entered in an edition once."""


class UnitQuotaFull(Refusal, rule="A-08", zh="推荐单位的推荐名额已用完"):
    """A unit nominates no more entries than its quota."""


class PlaceTaken(Refusal, rule="A-08", zh="该推荐名额已被占用"):
    """A place of a unit's quota is taken by one entry."""


class BlindCodeTaken(Refusal, rule="A-13", zh="盲评编号已被使用，请重新提交"):
    """A blind code belongs to one entry of its edition."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An entry with the fields that only its own service knows: people, files, blind code."""

    edition_id: str
    programme_kind: ProgrammeKind
    material: Material
    nominating_unit_id: str
    district: str | None
    blind_code: str
    submitted_on: date
    handed_in_by: tuple[str, ...]
    student_refs: tuple[str, ...] = ()  # the people who are in this edition by this entry alone
    work_keys: tuple[str, ...] = ()
    nomination_place: int | None = None  # of the unit's quota; None: it has none
    correct_by: date | None = None
    shortcomings: tuple[Shortcoming, ...] = ()
    title_names_nobody: bool = False  # as the eligibility check found
    similarity: int | None = None
    similar_entry_id: str | None = None
    prior_entry_ids: tuple[str, ...] = ()
    decided_by: str | None = None
    state: str = "submitted"

    @property
    def people_and_units(self) -> tuple[str, ...]:
        """The ids of all people and units that it comes from."""
        material = self.material
        units = (material.organisation_id, self.nominating_unit_id, *(entrant.unit_id for entrant in material.entrants))
        return (*material.person_refs, *material.tutor_refs, *(unit for unit in units if unit))

    @property
    def own_units(self) -> frozenset[str]:
        """The organisations that entered: its subject, and those of the entrants.

        An entrant without a unit counts as one of the nominating unit.
        """
        units = {entrant.unit_id or self.nominating_unit_id for entrant in self.material.entrants}
        return frozenset(units | ({self.material.organisation_id} if self.material.organisation_id else set()))

    @property
    def category_code(self) -> str:
        """The category that it is entered in."""
        return self.material.category_code

    @property
    def entrant_count(self) -> int:
        """The number of entrants."""
        return len(self.material.entrants)

    @property
    def benefit_fen(self) -> int | None:
        """The benefit of an eligible entry, verified by its receiver (A-28); None: it claims none."""
        claim = self.material.benefit_claim
        return claim.benefit_fen if claim else None

    @property
    def is_out(self) -> bool:
        """True where it was excluded, or withdrawn as its round started: it has no place any more."""
        return self.state in ("disqualified", "withdrawn")

    @property
    def minor(self) -> bool:
        """True where one of the entrants is a minor."""
        return any(entrant.minor for entrant in self.material.entrants)


def submit(
    edition: Edition,
    *,
    edition_id: str,
    material: Material,
    nominating_unit_id: str,
    district: str | None = None,
    blind_code: str,
    at: datetime,
    by: str,
) -> Change[Entry]:
    """Enter a work, a person or an organisation through the unit that nominates it."""
    if not edition.takes_entries(at):
        raise OutsideWindow(submit_from=edition.submit_from, submit_to=edition.submit_to, state=edition.state)
    require_fit(material, edition, today=day_of(at))

    entry = Entry(
        edition_id=edition_id,
        programme_kind=edition.programme_kind,
        material=material,
        nominating_unit_id=nominating_unit_id,
        district=district,
        blind_code=blind_code,
        submitted_on=day_of(at),
        handed_in_by=(by,),
    )
    return Change(_keyed(entry, edition), "submitted")


def placed(submitted: Change[Entry], rules: Rules, *, nominated: Iterable[Entry]) -> Iterator[Change[Entry]]:
    """Offer the submission for each free place of its unit's quota; `nominated` hold the other places."""
    taken = frozenset(other.nomination_place for other in nominated)
    for place in places(rules, submitted.record.nominating_unit_id, taken=taken):
        yield replace(submitted, record=replace(submitted.record, nomination_place=place))


def places(rules: Rules, nominating_unit_id: str, *, taken: frozenset[int | None]) -> Iterator[int | None]:
    """List the free places of a unit's quota; without a quota there is always room."""
    for quota in rules.nomination_quotas:
        if quota.nominating_unit_id == nominating_unit_id:
            return (place for place in range(1, quota.places + 1) if place not in taken)
    return iter((None,))


def resubmit(entry: Entry, edition: Edition, *, material: Material, at: datetime, by: str) -> Change[Entry]:
    """Hand in a returned entry again, corrected; nobody new joins now (A-04)."""
    state = LIFECYCLE.move(entry.state, "submitted")
    editions.LIFECYCLE.require(edition.state, *editions.TAKES_PAPERS)
    if entry.correct_by is not None and day_of(at) > entry.correct_by:
        raise CorrectedLate(correct_by=entry.correct_by)
    if joined := set(material.person_refs) - set(entry.material.person_refs):
        raise EntrantAdded(added=len(joined))
    require_fit(material, edition, today=day_of(at))

    handed_in_by = tuple(dict.fromkeys((*entry.handed_in_by, by)))
    mended = replace(entry, material=material, handed_in_by=handed_in_by, shortcomings=(), correct_by=None, state=state)
    return Change(_keyed(mended, edition), "resubmitted")


def withdraw(entry: Entry, edition: Edition, *, reason: str, is_judged: bool = False) -> Change[Entry]:
    """Withdraw an entry, until judging starts; `is_judged` as for `edition.revise`."""
    state = LIFECYCLE.move(entry.state, "withdrawn")
    editions.LIFECYCLE.require("judging" if is_judged else edition.state, *editions.TAKES_PAPERS)

    return Change(replace(entry, state=state, correct_by=None), "withdrawn", reason)


def disqualify(entry: Entry, *, reason: str) -> Change[Entry]:
    """Exclude an entry for the conduct of its entrants; its students and its work stay out of this edition."""
    state = LIFECYCLE.move(entry.state, "disqualified")

    return Change(replace(entry, state=state, correct_by=None), "disqualified", reason)


def follow(entry: Entry, *, to: str) -> Change[Entry] | None:
    """Keep in step with the rounds and the list of an edition; None where it is there, or where no way leads there."""
    if to not in LIFECYCLE.moves.get(entry.state, ()):
        return None
    return Change(replace(entry, state=to), STEPS[to])


def follow_rounds(entry: Entry, *, to: str) -> Change[Entry] | None:
    """Keep in step with the rounds; an entry on a list is taken off by that list alone."""
    return None if entry.state in ON_LIST else follow(entry, to=to)


def follow_list(entry: Entry, *, to: str) -> Change[Entry] | None:
    """Keep in step with the award list, one step at a time; None for one that the list cannot concern any more."""
    if entry.state not in AWAITING_LIST:
        return None
    return follow(entry, to="on_publicity" if (entry.state, to) in BY_PUBLICITY else to)


def blind_code(chance: bytes) -> str:
    """Make a code of eight letters from `chance`, at least eight random bytes; it reveals nothing of its entry."""
    return "".join(LETTERS[byte % len(LETTERS)] for byte in chance[:CODE_LENGTH])


def _keyed(entry: Entry, rules: Rules) -> Entry:
    """Add the keys that no other entry of the edition may have."""
    students = entry.material.person_refs if rules.one_entry_each else ()
    return replace(entry, student_refs=students, work_keys=entry.material.work_keys)
