"""The schedule: which faults strike together and for how long; the same seed gives the same schedule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from random import Random

from tests.chaos.faults import Fault

AT_ONCE = 3  # faults
APART = (1.0, 5.0)  # seconds between the beginnings of faults that overlap
OFTEN = {"F1": 2, "F2": 4}  # times in a round, for families with many variants


@dataclass(frozen=True)
class Strike:
    """One fault, once."""

    fault: Fault
    after: float  # seconds after its bout began
    seconds: float  # that it is meant to last
    seed: str

    @property
    def random(self) -> Random:
        """The chance that decides everything else of it; the same each time."""
        return Random(self.seed)


Bout = tuple[Strike, ...]
"""Faults that overlap. Where there is only one, the time to recover is due to it."""


def bouts(faults: Sequence[Fault], seed: int) -> Iterator[Bout]:
    """Make bouts without end. Every family comes once before any comes again, and so do the variants of a family."""
    random = Random(seed)
    variants: dict[str, list[Fault]] = {}
    for fault in faults:
        variants.setdefault(fault.family, []).append(fault)
    decks = {family: _shuffled_forever(of_family, random) for family, of_family in variants.items()}
    waiting: list[Fault] = []
    for number in count():
        if len(waiting) < AT_ONCE:
            waiting += _a_round(decks, random, often=OFTEN if number else {})
        after, bout = 0.0, []
        for fault in _together(waiting, random.choice((1, 1, 2, AT_ONCE))):
            bout.append(Strike(fault, after, random.uniform(*fault.seconds), f"{seed}/{number}/{fault.name}"))
            after += random.uniform(*APART)
        yield tuple(bout)


def _shuffled_forever(faults: Sequence[Fault], random: Random) -> Iterator[Fault]:
    while True:
        yield from random.sample(faults, len(faults))


def _a_round(decks: Mapping[str, Iterator[Fault]], random: Random, often: Mapping[str, int]) -> list[Fault]:
    families = [family for family in decks for _ in range(often.get(family, 1))]
    return [next(decks[family]) for family in random.sample(families, len(families))]


def _together(waiting: list[Fault], number: int) -> list[Fault]:
    """Take the first of these faults, and the next ones that strike other parts, up to so many."""
    taken: list[Fault] = []
    struck: frozenset[str] = frozenset()
    for fault in list(waiting):
        if len(taken) < number and not struck & fault.strikes:
            waiting.remove(fault)
            taken.append(fault)
            struck |= fault.strikes
    return taken
