"""Award lists: the places of each category turned into grades, within quotas and the overall cap (A-18).

The list has a line for every ranked entry, so that each entrant without a prize can be told why.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import chain

from services.awards.domain.figure import WHOLE, is_plain, units
from services.awards.domain.ranking import Edge, Place, cut
from services.contract.awards import Grade, TieStep
from services.kernel import Refusal
from services.kernel.quantity import whole

GRADES: tuple[Grade, ...] = ("first", "second", "third")  # from the top down

Quota = int | Decimal
"""A number of places, or a share of the entries; a broken place is not given."""


class QuotaBroken(Refusal, rule="A-18", zh="名额须为非负整数，或 0 到 1 之间、至多四位小数的比例"):
    """A quota is a whole number of places, or a share from 0 to 1 of four decimals at most."""


class OverQuota(Refusal, rule="A-18", zh="该类别该等级的获奖数超过名额"):
    """A grade of a category is given as often as its quota says."""


class OverCap(Refusal, rule="A-18", zh="获奖总数超过总获奖比例"):
    """All awards together stay within the overall share of entries that may win."""


class DecisionUnfounded(Refusal, rule="A-20", zh="改变评审结果的，须逐项说明理由并附会议纪要"):
    """A committee departs from the results with a reason and a minute for each line."""


class NotRanked(Refusal, rule="A-20", zh="该项目未进入排名，不得列入获奖名单"):
    """Only an entry that was ranked can be on the award list."""


@dataclass(frozen=True, kw_only=True)
class Quotas:
    """The prizes of a category; shares are taken of its `entries`, those that were judged in the first round."""

    entries: int
    grades: Mapping[Grade, Quota]

    def places(self, grade: Grade) -> int:
        """The number of places of a grade."""
        return number_of_places(self.grades.get(grade, 0), among=self.entries)


@dataclass(frozen=True, kw_only=True)
class Decision:
    """The committee gives an entry another grade than the results do, or none."""

    entry_id: str
    grade: Grade
    reason: str
    minute: str


@dataclass(frozen=True, kw_only=True)
class Line:
    """The grade of an entry and its reason: rank and deciding step, a tie at the edge of a grade, or the committee."""

    entry_id: str
    category: str
    grade: Grade
    rank: int
    adjusted: Decimal
    decided_by: TieStep | None
    minute: str | None  # of the vote that broke its tie
    edge: Edge | None = None  # how a tie at the last place of a grade was settled for this entry
    decision: Decision | None = None


def number_of_places(quota: Quota, *, among: int) -> int:
    """Convert a quota into a number of places among so many entries."""
    whole(entries=among)
    if isinstance(quota, Decimal):
        if not is_plain(quota) or quota > 1:
            raise QuotaBroken(quota=quota)
        return units(quota) * among // WHOLE

    whole(quota=quota)
    return quota


def award_list(
    rankings: Mapping[str, Sequence[Place]],
    *,
    quotas: Mapping[str, Quotas],
    edge: Edge,
    cap: Decimal,
    decisions: Iterable[Decision] = (),
) -> tuple[Line, ...]:
    """Draw up the committee's list: by category and rank, with its own decisions last.

    A tie at the edge of a grade goes as `edge` says. A place added to a grade is taken from the next one, so that only
    the last grade makes the list longer; a place removed stays vacant. `cap` is the share of all entries that may win.
    """
    graded = (_graded(category, rankings[category], quotas[category], edge=edge) for category in sorted(rankings))
    lines = _decided(tuple(chain.from_iterable(graded)), {decision.entry_id: decision for decision in decisions})

    _require_quotas(lines, quotas=quotas)
    _require_cap(lines, quotas=quotas, cap=cap)
    return lines


def _graded(category: str, ranked: Sequence[Place], quotas: Quotas, *, edge: Edge) -> Iterable[Line]:
    rest = tuple(ranked)
    at_edge: set[str] = set()
    excess = 0
    for grade in GRADES:
        left = quotas.places(grade) - excess
        grading = cut(rest, max(left, 0), edge=edge)
        rest, excess = grading.beyond, max(len(grading.within) - left, 0)
        at_edge |= grading.at_edge
        yield from (_line(place, category, grade, edge=edge, at_edge=at_edge) for place in grading.within)
    yield from (_line(place, category, "none", edge=edge, at_edge=at_edge) for place in rest)


def _line(place: Place, category: str, grade: Grade, *, edge: Edge, at_edge: set[str]) -> Line:
    return Line(
        entry_id=place.entry_id,
        category=category,
        grade=grade,
        rank=place.rank,
        adjusted=place.adjusted,
        decided_by=place.decided_by,
        minute=place.minute,
        edge=edge if place.entry_id in at_edge else None,
    )


def _decided(lines: tuple[Line, ...], decisions: Mapping[str, Decision]) -> tuple[Line, ...]:
    for decision in decisions.values():
        if not decision.reason or not decision.minute:
            raise DecisionUnfounded(entry_id=decision.entry_id)
    if unranked := decisions.keys() - {line.entry_id for line in lines}:
        raise NotRanked(entries=", ".join(sorted(unranked)))

    return tuple(_by_decision(line, decisions.get(line.entry_id)) for line in lines)


def _by_decision(line: Line, decision: Decision | None) -> Line:
    if decision is None:
        return line
    return replace(line, grade=decision.grade, edge=None, decision=decision)


def _require_quotas(lines: Iterable[Line], *, quotas: Mapping[str, Quotas]) -> None:
    """Refuse a grade beyond its quota; a tie that began within the quota takes one place for all."""
    prizes = {(line.category, line.grade, line.rank if line.edge == "expand" else line.entry_id) for line in lines}
    for (category, grade), given in Counter((category, grade) for category, grade, _ in prizes).items():
        if grade != "none" and given > (most := quotas[category].places(grade)):
            raise OverQuota(category=category, grade=grade, given=given, most=most)


def _require_cap(lines: Iterable[Line], *, quotas: Mapping[str, Quotas], cap: Decimal) -> None:
    given = sum(line.grade != "none" for line in lines)
    most = number_of_places(cap, among=sum(quota.entries for quota in quotas.values()))
    if given > most:
        raise OverCap(given=given, most=most)
