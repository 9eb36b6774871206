"""Seating: panels filled one seat at a time, each by the cheapest chain of moves; knows nothing but numbers.

A chain brings a judge in; a judge without room hands an entry on to the next judge, until one has room. Its cost is the
number of unfitting seats that it adds, then the load it ends on. As in a flow of least cost each chain keeps the whole
at its best while nobody is apart from anybody. With judges who are, it is close to that: a judge who is apart from two
others may keep both away from an entry that they could have shared.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple


class Move(NamedTuple):
    """A judge comes to an entry, in the place of another one or of nobody."""

    entry: int
    judge: int
    instead_of: int | None = None


class Seating:
    """Entries and judges are places in lists, sets of judges are the bits of a number.

    `allowed` and `fitting` are by entry the judges who may come and who fit, `apart` by judge the ones who never sit
    with that one; `panels` and `loads` exist already and are never moved.
    """

    def __init__(
        self,
        *,
        allowed: Sequence[int],
        fitting: Sequence[int],
        apart: Sequence[int],
        limits: Sequence[int],
        panels: Sequence[int],
        loads: Sequence[int],
    ) -> None:
        self.allowed = allowed
        self.fitting = fitting
        self.apart = apart
        self.limits = limits
        self.panels = list(panels)
        self.loads = list(loads)
        self._seats: list[dict[int, None]] = [{} for _ in loads]  # by judge, in the order they were given
        self._hops: dict[int, tuple[int, int, int]] = {}

    def fill(self, entry: int) -> None:
        """Seat one more judge at this entry, if there is any way."""
        fixed: frozenset[int] = frozenset()
        while chain := self._chain(entry, fixed):
            moves = self._moves(entry, chain, fixed)
            broken = self._broken(moves)
            if not broken:
                self._make(moves)
                return
            fixed |= broken  # a chain that leaves these alone may still do

    def open_to(self, entry: int, *, leaving: int | None = None) -> int:
        """The judges who could come to this entry, when one of its judges leaves it."""
        shut = self.panels[entry]
        for judge in bits(shut):
            if judge != leaving:
                shut |= self.apart[judge]
        return self.allowed[entry] & ~shut

    def has_room(self, judge: int) -> bool:
        """True where the judge can take one more entry."""
        return self.loads[judge] < self.limits[judge]

    def _chain(self, entry: int, fixed: frozenset[int]) -> list[int]:
        """The judges of the cheapest chain, the one who comes to this entry first; none where no chain ends."""
        starts = self.open_to(entry)
        lightest = min((self.loads[judge] for judge in range(len(self.loads)) if self.has_room(judge)), default=None)
        for judge in bits(starts & self.fitting[entry]):
            if self.loads[judge] == lightest and self.has_room(judge):
                return [judge]  # nothing is cheaper than a chain of no cost

        search = _Search(starts, self.fitting[entry])
        while search.waiting:
            judge = search.waiting.popleft()
            for extra, judges in zip((-1, 0, 1), self._hops_from(judge, fixed), strict=True):
                search.reach(judges, cost=search.costs[judge] + extra, via=judge)
        ends = [judge for judge in search.costs if self.has_room(judge)]
        return search.way_to(min(ends, key=lambda end: (search.costs[end], self.loads[end], end))) if ends else []

    def _hops_from(self, judge: int, fixed: frozenset[int]) -> tuple[int, int, int]:
        """The judges to whom this one could hand an entry on, so that one more seat fits, as many do, or one fewer."""
        if fixed:
            return self._hops_anew(judge, fixed)
        if judge not in self._hops:
            self._hops[judge] = self._hops_anew(judge, fixed)
        return self._hops[judge]

    def _hops_anew(self, judge: int, fixed: frozenset[int]) -> tuple[int, int, int]:
        better = same = worse = 0
        for entry in self._seats[judge]:
            if entry in fixed:
                continue
            others, fitting = self.open_to(entry, leaving=judge), self.fitting[entry]
            if fitting >> judge & 1:
                same |= others & fitting
                worse |= others & ~fitting
            else:
                better |= others & fitting
                same |= others & ~fitting
        return better, same, worse

    def _moves(self, entry: int, chain: list[int], fixed: frozenset[int]) -> list[Move]:
        moves = [Move(entry, chain[0])]
        for judge, other in pairwise(chain):
            moves.append(Move(self._handed_on(judge, other, fixed), other, judge))
        return moves

    def _handed_on(self, judge: int, other: int, fixed: frozenset[int]) -> int:
        """The entry that is handed on at the least cost."""
        possible = (
            entry
            for entry in self._seats[judge]
            if entry not in fixed and self.open_to(entry, leaving=judge) >> other & 1
        )
        return min(possible, key=lambda entry: (self.fitting[entry] >> judge & 1) - (self.fitting[entry] >> other & 1))

    def _broken(self, moves: list[Move]) -> frozenset[int]:
        """The entries on which several moves meet and would seat judges together who are apart."""
        panels: dict[int, int] = {}
        for move in moves:
            panels[move.entry] = _moved(panels.get(move.entry, self.panels[move.entry]), move)
        return frozenset(move.entry for move in moves if self.apart[move.judge] & panels[move.entry])

    def _make(self, moves: list[Move]) -> None:
        for move in moves:
            before = self.panels[move.entry]
            self.panels[move.entry] = _moved(before, move)
            self._seats[move.judge][move.entry] = None
            self.loads[move.judge] += 1
            if move.instead_of is not None:
                del self._seats[move.instead_of][move.entry]
                self.loads[move.instead_of] -= 1
            for judge in bits(before | 1 << move.judge):
                self._hops.pop(judge, None)


class _Search:
    """Judges by the cost to reach them, and from whom; a way never comes back to a judge it has passed."""

    def __init__(self, starts: int, fitting: int) -> None:
        self.costs: dict[int, int] = {}
        self.waiting: deque[int] = deque()
        self._via: dict[int, int | None] = {}
        self._at: defaultdict[int, int] = defaultdict(int)  # by cost
        self.reach(starts & fitting, cost=0)
        self.reach(starts & ~fitting, cost=1)

    def reach(self, judges: int, *, cost: int, via: int | None = None) -> None:
        """Add judges that can be reached at this cost."""
        for known, there in self._at.items():
            if known <= cost:
                judges &= ~there
        if not judges or cost < 0:
            return
        passed = 0 if via is None else sum(1 << judge for judge in self.way_to(via))
        for judge in bits(judges & ~passed):
            if judge in self.costs:
                self._at[self.costs[judge]] &= ~(1 << judge)
            self.costs[judge], self._via[judge] = cost, via
            self._at[cost] |= 1 << judge
            self.waiting.append(judge)

    def way_to(self, judge: int) -> list[int]:
        """The way from a start to this judge."""
        way = [judge]
        while (before := self._via[way[-1]]) is not None:
            way.append(before)
        return way[::-1]


def _moved(panel: int, move: Move) -> int:
    left = 0 if move.instead_of is None else 1 << move.instead_of
    return panel & ~left | 1 << move.judge


def bits(judges: int) -> Iterator[int]:
    """The set of these judges, as a number."""
    while judges:
        lowest = judges & -judges
        yield lowest.bit_length() - 1
        judges ^= lowest
