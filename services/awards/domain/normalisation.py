"""Normalisation: totals of strict and lenient judges made comparable, and the entries' figures by them.

No method adds up totals: a sum grows with the number of judges and would punish a recusal (A-16).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from services.awards.domain.figure import mean, median, root, trimmed_mean, variance
from services.kernel import Refusal

LEAST = 3  # sheets; a judge with fewer has shown no habit that could be evened out


class Incomparable(Refusal, rule="A-16", zh="只能按平均分、去极值平均分、中位数或标准分排名，不得按总分排名"):
    """Entries are compared by a mean, a trimmed mean, a median or z-scores, whatever the number of their judges."""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A sheet's total, raw or adjusted to its judge's habits."""

    entry_id: str
    judge_id: str
    value: Fraction
    adjusted: bool = False


Centre = Callable[[Sequence[Fraction]], Fraction]

METHODS: Mapping[str, Centre] = {
    "mean": mean,
    "trimmed_mean": trimmed_mean,
    "median": median,
    "z_global": mean,
}


def usual_method(marks: Collection[Mark]) -> str:
    """Choose the mean where everybody judged everything, else z-scores."""
    judges, entries = {mark.judge_id for mark in marks}, {mark.entry_id for mark in marks}
    return "mean" if len(marks) == len(judges) * len(entries) else "z_global"


def centre(method: str) -> Centre:
    """Return the function by which the method makes one figure of an entry's marks."""
    if method not in METHODS:
        raise Incomparable(method=method, methods=", ".join(METHODS))
    return METHODS[method]


def normalise(marks: Collection[Mark], *, method: str, least: int = LEAST) -> tuple[Mark, ...]:
    """Return the marks as the method compares them: evened out for z-scores, else as they are.

    A judge with fewer than `least` sheets stays unadjusted, and so does everybody where there is but one entry.
    """
    if method != "z_global" or len({mark.entry_id for mark in marks}) == 1:
        return tuple(marks)

    by_judge: dict[str, list[Fraction]] = defaultdict(list)
    for mark in marks:
        by_judge[mark.judge_id].append(mark.value)
    everybody = _Habit.of([mark.value for mark in marks])
    judges = {judge_id: _Habit.of(values) for judge_id, values in by_judge.items() if len(values) >= least}
    evened = {judge_id: habit.evened(everybody) for judge_id, habit in judges.items()}
    return tuple(_evened(mark, evened.get(mark.judge_id)) for mark in marks)


@dataclass(frozen=True)
class _Habit:
    """The level and spread of a judge's scores."""

    mean: Fraction
    variance: Fraction

    @classmethod
    def of(cls, values: Sequence[Fraction]) -> _Habit:
        """Take the habit from totals."""
        return cls(mean(values), variance(values))

    def evened(self, other: _Habit) -> Callable[[Fraction], Fraction]:
        """Convert a total from this habit to another; a judge who scores all alike gets the other's mean for all."""
        stretch = root(other.variance / self.variance) if self.variance else Fraction()
        return lambda value: other.mean + stretch * (value - self.mean)


def _evened(mark: Mark, evened: Callable[[Fraction], Fraction] | None) -> Mark:
    return replace(mark, value=evened(mark.value), adjusted=True) if evened else mark
