"""Assignment (评委分配): the judges who score each entry; a proposal that the chair checks before any judge is told.

Never against a conflict, beyond a judge's load or with two of one unit on an entry. Within that, in this order: as many
seats as can be filled, judges of the entry's discipline, even loads. The same input gives the same proposal in whatever
order it comes. Nothing is written: a proposal is its own dry run.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from services.awards.domain.judge import Judge
from services.awards.domain.seating import Seating, bits
from services.contract.awards import Uncovered
from services.kernel.quantity import whole


class Pair(NamedTuple):
    """A judge and the entry that the judge scores."""

    judge_id: str
    entry_id: str


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """The pairs of a round, held ones among them, and its gaps and loads for the chair.

    `struck` are held pairs with a conflict: they fill no seat, and the chair decides about their sheets.
    """

    pairs: tuple[Pair, ...]
    added: tuple[Pair, ...]
    struck: tuple[Pair, ...]
    off_discipline: tuple[Pair, ...]  # of those added
    loads: Mapping[str, int]
    uncovered: tuple[Uncovered, ...]


def propose(
    entries: Mapping[str, str | None],
    judges: Iterable[Judge],
    *,
    conflicts: Collection[tuple[str, str]],
    per_entry: int,
    disjoint: Collection[tuple[str, str]] = (),
    held: Collection[tuple[str, str]] = (),
    seed: int,
) -> Proposal:
    """Fill `per_entry` seats of each entry; `entries` are ids with their disciplines, None where any judge will do.

    `conflicts` and `held` are (judge, entry), `disjoint` are judges who never sit together. Held pairs stay, and only
    active judges are added. The seed decides between equally good pairs.
    """
    whole(per_entry=per_entry)
    known = {judge.person_id: judge for judge in judges}
    against, kept = {Pair(*pair) for pair in conflicts}, {Pair(*pair) for pair in held}
    table = _Table(known, entries, against=against, kept=kept, disjoint=disjoint, seed=seed)
    for seats in range(1, per_entry + 1):
        table.fill(seats)

    pairs = table.pairs() | (kept - against)
    added = pairs - kept
    return Proposal(
        pairs=tuple(sorted(pairs)),
        added=tuple(sorted(added)),
        struck=tuple(sorted(kept & against)),
        off_discipline=tuple(sorted(seat for seat in added if not _fits(known[seat.judge_id], entries[seat.entry_id]))),
        loads=table.loads(),
        uncovered=table.uncovered(per_entry),
    )


class _Table:
    """The places of entries and judges, in the order that the seed draws; the seating counts by places."""

    def __init__(
        self,
        judges: Mapping[str, Judge],
        entries: Mapping[str, str | None],
        *,
        against: Collection[Pair],
        kept: Collection[Pair],
        disjoint: Collection[tuple[str, str]],
        seed: int,
    ) -> None:
        self.entry_ids = _drawn(entries, seed)
        self.judge_ids = _drawn({*judges, *(pair.judge_id for pair in kept)}, seed)
        self._places = {judge_id: place for place, judge_id in enumerate(self.judge_ids)}
        self._active = self._set(judge.person_id for judge in judges.values() if judge.is_active)
        self._inactive = self._set(judges) & ~self._active
        self._against = self._panels(against)
        held = Counter(pair.judge_id for pair in kept)
        self._seating = Seating(
            allowed=[self._active & ~barred for barred in self._against],
            fitting=self._fitting(judges.values(), entries),
            apart=self._apart(disjoint),
            limits=[judges[judge_id].max_load if judge_id in judges else 0 for judge_id in self.judge_ids],
            panels=self._panels(pair for pair in kept if pair not in against),
            loads=[held[judge_id] for judge_id in self.judge_ids],
        )

    def fill(self, seats: int) -> None:
        """Fill up to so many seats of each entry, as far as there is a way."""
        for entry in range(len(self.entry_ids)):
            if self._seating.panels[entry].bit_count() < seats:
                self._seating.fill(entry)

    def pairs(self) -> set[Pair]:
        """The pairs that are seated."""
        return {
            Pair(self.judge_ids[judge], entry_id)
            for entry_id, panel in zip(self.entry_ids, self._seating.panels, strict=True)
            for judge in bits(panel)
        }

    def loads(self) -> dict[str, int]:
        """The load of each judge."""
        return dict(sorted(zip(self.judge_ids, self._seating.loads, strict=True)))

    def uncovered(self, per_entry: int) -> tuple[Uncovered, ...]:
        """The entries with empty seats, and the reasons."""
        short = (self._why(entry, per_entry=per_entry) for entry in range(len(self.entry_ids)))
        return tuple(sorted((gap for gap in short if gap.missing > 0), key=lambda gap: gap.entry_id))

    def _why(self, entry: int, *, per_entry: int) -> Uncovered:
        panel, opposed = self._seating.panels[entry], self._against[entry]
        could_come = self._seating.open_to(entry)
        return Uncovered(
            entry_id=self.entry_ids[entry],
            missing=per_entry - panel.bit_count(),
            inactive=(self._inactive & ~panel).bit_count(),
            conflict=(self._active & opposed).bit_count(),
            colleague=(self._active & ~opposed & ~panel & ~could_come).bit_count(),
            full=could_come.bit_count(),
        )

    def _set(self, judge_ids: Iterable[str]) -> int:
        return sum(1 << self._places[judge_id] for judge_id in set(judge_ids) if judge_id in self._places)

    def _panels(self, pairs: Iterable[Pair]) -> list[int]:
        by_entry = defaultdict(set)
        for judge_id, entry_id in pairs:
            by_entry[entry_id].add(judge_id)
        return [self._set(by_entry[entry_id]) for entry_id in self.entry_ids]

    def _fitting(self, judges: Collection[Judge], entries: Mapping[str, str | None]) -> list[int]:
        fit = {
            discipline: self._set(judge.person_id for judge in judges if _fits(judge, discipline))
            for discipline in set(entries.values())
        }
        return [fit[entries[entry_id]] for entry_id in self.entry_ids]

    def _apart(self, disjoint: Iterable[tuple[str, str]]) -> list[int]:
        apart = defaultdict(set)
        for one, other in disjoint:
            apart[one].add(other)
            apart[other].add(one)
        return [self._set(apart[judge_id] - {judge_id}) for judge_id in self.judge_ids]


def _fits(judge: Judge, discipline: str | None) -> bool:
    return discipline is None or discipline in judge.discipline_codes


def _drawn(ids: Iterable[str], seed: int) -> list[str]:
    """Shuffle by the seed alone, in whatever order the ids come."""
    return sorted(ids, key=lambda id_: hashlib.sha256(f"{seed}/{id_}".encode()).digest())
