"""Conflicts of interest (回避): reasons why a judge must not score an entry (A-09).

A conflict is computed from affiliations, declared by the judge, or set by the chair. All conflicts of one judge in one
edition are one record, so that computing them anew is one write and leaves the declared ones alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from services.awards.domain.entry import Entry
from services.awards.domain.judge import Judge
from services.contract.awards import ConflictType
from services.kernel import Change, Refusal

Source = Literal["auto", "declared", "chair"]

YEARS = 5  # for which a former employer still counts, where the edition does not say


class ConflictStands(Refusal, rule="A-09", zh="评委与该项目存在利益关系，须回避"):
    """Where a conflict of interest stands, a judge is neither assigned nor scores."""


class Pinned(Refusal, rule="A-10", zh="评委会主任确认的回避不得由评委本人撤回"):
    """A conflict that the chair pinned is released by the chair only."""


class Computed(Refusal, rule="A-10", zh="系统核出的回避不得由评委本人撤回"):
    """A computed conflict goes once the facts behind it are corrected, and not before."""


class NothingToWithdraw(Refusal, rule="A-10", zh="没有可撤回的回避申报"):
    """A judge withdraws what the judge declared."""


class NothingPinned(Refusal, rule="A-10", zh="没有评委会主任确认的该项回避"):
    """The chair releases what the chair pinned."""


@dataclass(frozen=True, kw_only=True)
class Involved:
    """The people and units of an entry: entrants, tutors, and the entrants' employers."""

    entry_id: str
    entrant_ids: frozenset[str]
    tutor_ids: frozenset[str] = frozenset()
    unit_ids: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Conflict:
    """A reason against one entry; a pinned one is kept whatever the judge says or the computation finds."""

    entry_id: str
    conflict_type: ConflictType
    source: Source
    pinned: bool = False
    note: str | None = None

    @property
    def is_loose(self) -> bool:
        """True where the next computation decides about it."""
        return self.source == "auto" and not self.pinned


@dataclass(frozen=True, kw_only=True)
class Conflicts:
    """A judge's conflicts with the entries of one edition, each reason of each source once."""

    edition_id: str
    judge_id: str
    conflicts: tuple[Conflict, ...] = ()

    def type_with(self, entry_id: str) -> ConflictType | None:
        """The first reason against this entry; None where there is none."""
        return next((conflict.conflict_type for conflict in self.conflicts if conflict.entry_id == entry_id), None)

    @property
    def pairs(self) -> frozenset[tuple[str, str]]:
        """(judge, entry), as an assignment excludes them."""
        return frozenset((self.judge_id, conflict.entry_id) for conflict in self.conflicts)

    @property
    def barred_count(self) -> int:
        """The number of entries that the judge must not score."""
        return len(self.pairs)

    @property
    def pinned_count(self) -> int:
        """The number of conflicts that the chair fixed."""
        return len({conflict.entry_id for conflict in self.conflicts if conflict.pinned})

    @property
    def state(self) -> str:
        """Whether there is any conflict."""
        return "standing" if self.conflicts else "clear"


def conflicts_id(*, edition_id: str, judge_id: str) -> str:
    """The id of the one record for each judge and edition."""
    return f"{edition_id}.{judge_id}"


def involved(entry_id: str, entry: Entry) -> Involved:
    """Collect the people and units of an entry."""
    material = entry.material
    return Involved(
        entry_id=entry_id,
        entrant_ids=frozenset(material.person_refs),
        tutor_ids=frozenset(material.tutor_refs),
        unit_ids=entry.own_units,
    )


def compute(judge: Judge, entries: Iterable[Involved], *, on: date, years: int = YEARS) -> tuple[Conflict, ...]:
    """Compute the conflicts: the judge is entrant or tutor, or of the same unit now or within `years` (A-11).

    `on` is the day that counts, usually the last one of judging, so that a change of employer meanwhile is seen.
    """
    units = judge.units(on, years=years)
    reasons: tuple[tuple[ConflictType, Callable[[Involved], bool]], ...] = (
        ("author", lambda entry: judge.person_id in entry.entrant_ids),
        ("tutor", lambda entry: judge.person_id in entry.tutor_ids),
        ("institutional", lambda entry: bool(units & entry.unit_ids)),
    )
    return tuple(
        Conflict(entry_id=entry.entry_id, conflict_type=conflict_type, source="auto")
        for entry in entries
        for conflict_type, holds in reasons
        if holds(entry)
    )


def recompute(conflicts: Conflicts, computed: Iterable[Conflict]) -> Change[Conflicts] | None:
    """Replace earlier computed conflicts; declared and pinned ones stay; None where nothing changes."""
    by_key = {_key(conflict): conflict for conflict in computed}
    kept = {_key(conflict): conflict for conflict in conflicts.conflicts if not conflict.is_loose}
    return _changed(conflicts, (by_key | kept).values(), "recomputed")


def with_computed(conflicts: Conflicts, computed: Iterable[Conflict]) -> Conflicts:
    """All conflicts at this moment: the stored ones, and the computed ones whether stored or not."""
    known = {_key(conflict) for conflict in conflicts.conflicts}
    return replace(
        conflicts, conflicts=(*conflicts.conflicts, *(conflict for conflict in computed if _key(conflict) not in known))
    )


def declare(
    conflicts: Conflicts, *, entry_id: str, conflict_type: ConflictType, note: str | None = None
) -> Change[Conflicts] | None:
    """Add a judge's declaration; None where the judge declared it before."""
    declared = Conflict(entry_id=entry_id, conflict_type=conflict_type, source="declared", note=note)
    if _key(declared) in map(_key, conflicts.conflicts):
        return None

    return _changed(conflicts, (*conflicts.conflicts, declared), "declared")


def withdraw(conflicts: Conflicts, *, entry_id: str, conflict_type: ConflictType) -> Change[Conflicts] | None:
    """Withdraw a judge's declaration; any other conflict with the entry stays."""
    meant = _about(conflicts, entry_id, conflict_type)
    declared = [conflict for conflict in meant if conflict.source == "declared"]
    if any(conflict.pinned for conflict in declared or meant):
        raise Pinned(entry_id=entry_id, conflict_type=conflict_type)
    if meant and not declared:
        raise Computed(entry_id=entry_id, conflict_type=conflict_type)
    if not declared:
        raise NothingToWithdraw(entry_id=entry_id, conflict_type=conflict_type)

    return _changed(
        conflicts, tuple(conflict for conflict in conflicts.conflicts if conflict not in declared), "withdrawn"
    )


def pin(conflicts: Conflicts, *, entry_id: str, conflict_type: ConflictType, reason: str) -> Change[Conflicts] | None:
    """Fix a conflict with an entry, or set it where nobody declared it yet; None where it is fixed."""
    meant = _about(conflicts, entry_id, conflict_type)
    pinned = tuple(replace(conflict, pinned=conflict in meant or conflict.pinned) for conflict in conflicts.conflicts)
    if not meant:
        pinned += (Conflict(entry_id=entry_id, conflict_type=conflict_type, source="chair", pinned=True),)

    return _changed(conflicts, pinned, "pinned", reason)


def release(
    conflicts: Conflicts, *, entry_id: str, conflict_type: ConflictType, reason: str
) -> Change[Conflicts] | None:
    """Release what the chair fixed: a conflict set by the chair goes, a declared or computed one stays as before."""
    meant = [conflict for conflict in _about(conflicts, entry_id, conflict_type) if conflict.pinned]
    if not meant:
        raise NothingPinned(entry_id=entry_id, conflict_type=conflict_type)

    left = [conflict for conflict in conflicts.conflicts if conflict not in meant or conflict.source != "chair"]
    released = tuple(replace(conflict, pinned=False) if conflict in meant else conflict for conflict in left)
    return _changed(conflicts, released, "released", reason)


def require_none(conflicts: Conflicts, *, entry_id: str) -> None:
    """Refuse where there is any conflict with this entry (A-09)."""
    if conflict_type := conflicts.type_with(entry_id):
        raise ConflictStands(judge_id=conflicts.judge_id, entry_id=entry_id, conflict_type=conflict_type)


def _key(conflict: Conflict) -> tuple[str, str, str]:
    return conflict.entry_id, conflict.conflict_type, conflict.source


def _about(conflicts: Conflicts, entry_id: str, conflict_type: ConflictType) -> tuple[Conflict, ...]:
    return tuple(
        conflict
        for conflict in conflicts.conflicts
        if (conflict.entry_id, conflict.conflict_type) == (entry_id, conflict_type)
    )


def _changed(
    conflicts: Conflicts, now: Iterable[Conflict], happened: str, reason: str | None = None
) -> Change[Conflicts] | None:
    """Make the change, unless there is none; in a fixed order, so that the same conflicts are the same record."""
    ordered = tuple(sorted(now, key=_key))
    return None if ordered == conflicts.conflicts else Change(replace(conflicts, conflicts=ordered), happened, reason)
