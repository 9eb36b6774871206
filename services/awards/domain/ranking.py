"""Ranking: places by the adjusted score, ties broken step by step (§4.7.6), each place with the step that decided it.

The time of submission decides nothing. A tie that no step breaks goes to the committee's vote, with a minute.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise
from typing import Literal

from services.awards.domain.round_result import RoundResult
from services.contract.awards import TieStep
from services.kernel import Refusal

Edge = Literal["expand", "shrink", "committee"]
"""Policies for a tie at the last place: all entries get the place, none does, or the committee votes."""

LOWEST = Decimal("-Infinity")  # of what is missing


class BoundaryTie(Refusal, rule="A-19", zh="名额边缘出现并列，须先由评审委员会裁定"):
    """A tie at the last place of a quota is resolved before the places are given."""


class NotTied(Refusal, rule="A-19", zh="评审委员会只对并列项目表决，且须排出全部并列项目的次序"):
    """A committee votes on entries that are tied, and puts all of the tie in order."""


class MinuteMissing(Refusal, rule="A-19", zh="评审委员会裁定并列须有会议纪要"):
    """A committee decides with a minute."""


@dataclass(frozen=True, kw_only=True)
class TieBreak:
    """A step of the chain; the step `criterion` names one of the rubric."""

    step: Literal["trimmed_mean", "criterion", "first_ranks", "lower_stdev"]
    criterion: str | None = None

    def key(self, result: RoundResult) -> Decimal:
        """The sort key, the greater the better; a lower deviation is the better one."""
        match self.step:
            case "trimmed_mean":
                return result.trimmed_mean
            case "criterion":
                return result.criteria.get(self.criterion or "", LOWEST)
            case "first_ranks":
                return Decimal(result.first_ranks)
            case "lower_stdev":
                return LOWEST if result.stdev is None else result.stdev.copy_negate()


@dataclass(frozen=True, kw_only=True)
class Place:
    """An entry's place in its category; tied entries share the rank, and no step has decided."""

    entry_id: str
    rank: int
    adjusted: Decimal
    decided_by: TieStep | None
    minute: str | None = None

    @property
    def is_tied(self) -> bool:
        """True where the place is shared."""
        return self.decided_by is None


@dataclass(frozen=True, kw_only=True)
class Vote:
    """The committee's decision on a tie: the order of its entries, and the minute of the vote."""

    order: tuple[str, ...]
    minute: str


@dataclass(frozen=True)
class Cut:
    """The entries that got one of the places, those that did not, and those that were tied at the last one."""

    within: tuple[Place, ...]
    beyond: tuple[Place, ...]
    at_edge: frozenset[str] = frozenset()


def usual_chain(criterion: str | None = None) -> tuple[TieBreak, ...]:
    """The steps in their order, with this criterion in its place."""
    named = (TieBreak(step="criterion", criterion=criterion),) if criterion else ()
    return (TieBreak(step="trimmed_mean"), *named, TieBreak(step="first_ranks"), TieBreak(step="lower_stdev"))


def rank(results: Iterable[RoundResult], *, chain: Sequence[TieBreak]) -> tuple[Place, ...]:
    """Rank one category, best first; tied entries are in the order of their ids, which means nothing."""

    def key(result: RoundResult) -> tuple[Decimal, ...]:
        return (result.adjusted, *(step.key(result) for step in chain))

    ordered = sorted(sorted(results, key=lambda result: result.entry_id), key=key, reverse=True)
    keys = [key(result) for result in ordered]
    ranks: dict[tuple[Decimal, ...], int] = {}
    for place, key_ in enumerate(keys, start=1):
        ranks.setdefault(key_, place)

    steps: tuple[TieStep | None, ...] = ("adjusted_mean", *(step.step for step in chain), None)
    shared = (0, *(_shared(before, other) for before, other in pairwise(keys)), 0)
    return tuple(
        Place(
            entry_id=result.entry_id,
            rank=ranks[keys[at]],
            adjusted=result.adjusted,
            decided_by=steps[max(shared[at], shared[at + 1])],
        )
        for at, result in enumerate(ordered)
    )


def resolve_tie(places: Sequence[Place], vote: Vote) -> tuple[Place, ...]:
    """Return the places with one tie in the order that the committee voted for."""
    tied = [place for place in places if place.is_tied and place.entry_id in vote.order]
    group = [place for place in places if tied and place.rank == tied[0].rank]
    if not group or sorted(vote.order) != sorted(place.entry_id for place in group):
        raise NotTied(voted=", ".join(vote.order), tied=", ".join(place.entry_id for place in group))
    if not vote.minute:
        raise MinuteMissing(voted=", ".join(vote.order))

    group.sort(key=lambda place: vote.order.index(place.entry_id))
    start = group[0].rank
    settled = [
        replace(place, rank=number, decided_by="committee", minute=vote.minute)
        for number, place in enumerate(group, start=start)
    ]
    return (*places[: start - 1], *settled, *places[start - 1 + len(settled) :])


def cut(places: Sequence[Place], number: int, *, edge: Edge) -> Cut:
    """Take the first so many of these places; a tie at the last one goes as `edge` says, `committee` refuses (A-19)."""
    if not 0 < number < len(places) or places[number - 1].rank != places[number].rank:
        return Cut(tuple(places[:number]), tuple(places[number:]))

    tied = [at for at, place in enumerate(places) if place.rank == places[number].rank]
    if edge == "committee":
        raise BoundaryTie(places=number, tied=", ".join(places[at].entry_id for at in tied))
    last = tied[-1] + 1 if edge == "expand" else tied[0]
    return Cut(tuple(places[:last]), tuple(places[last:]), frozenset(places[at].entry_id for at in tied))


def _shared(steps: Sequence[Decimal], other: Sequence[Decimal]) -> int:
    """Count the steps in which two entries are equal, before one decides."""
    return next(
        (step for step, (mine, theirs) in enumerate(zip(steps, other, strict=True)) if mine != theirs), len(steps)
    )
