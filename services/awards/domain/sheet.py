"""Score sheets: the scores of one judge for one entry in one round, checked by the rubric (A-14, A-15)."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import lcm

from services.awards.domain.figure import units
from services.awards.domain.rubric import Rubric, takes
from services.contract.wire import canonical
from services.kernel import Refusal


class EmptySheet(Refusal, rule="A-15", zh="不得以空白评分表弃权，须办理回避"):
    """Whoever does not score recuses; a sheet without a score that counts is no abstention."""


class UnknownCriterion(Refusal, rule="A-14", zh="评分表中没有该评分项"):
    """A sheet scores the criteria of its rubric only."""


class OffScale(Refusal, rule="A-14", zh="评分超出分值范围或不合步长"):
    """A score stands on the scale of its criterion and on a step of it."""


class CriterionMissing(Refusal, rule="A-14", zh="必评项未评分"):
    """A sheet scores every required criterion."""


class CriterionScoredTwice(Refusal, rule="A-14", zh="同一评分项只能给一个分值"):
    """A sheet scores each criterion once."""


class ScoredTwice(Refusal, rule="A-14", zh="同一评委对同一项目在同一轮只能有一份评分表"):
    """A judge has one sheet for an entry in a round, its newest version."""


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """The scores of one judge for one entry."""

    entry_id: str
    judge_id: str
    scores: Mapping[str, Decimal]
    version: int = 1


@dataclass(frozen=True, kw_only=True)
class Score:
    """The points of a criterion."""

    criterion_code: str
    points: Decimal


def by_criterion(scores: Iterable[Score]) -> dict[str, Decimal]:
    """Index the points by the criterion's code; raises `CriterionScoredTwice`."""
    scores = tuple(scores)
    codes = Counter(score.criterion_code for score in scores)
    if twice := [code for code, times in codes.items() if times > 1]:
        raise CriterionScoredTwice(criteria=", ".join(twice))

    return {score.criterion_code: score.points for score in scores}


def examine(scores: Mapping[str, Decimal], *, rubric: Rubric) -> None:
    """Refuse scores that the rubric does not accept."""
    if not any(criterion.criterion_code in scores for criterion in rubric.counting):
        raise EmptySheet()
    if unknown := scores.keys() - {criterion.criterion_code for criterion in rubric.criteria}:
        raise UnknownCriterion(criteria=", ".join(sorted(unknown)))
    if missing := [one.criterion_code for one in rubric.criteria if one.required and one.criterion_code not in scores]:
        raise CriterionMissing(criteria=", ".join(missing))
    for criterion in rubric.criteria:
        if criterion.criterion_code in scores and not takes(criterion, scores[criterion.criterion_code]):
            raise OffScale(
                criterion=criterion.criterion_code,
                score=scores[criterion.criterion_code],
                max=criterion.max,
                step=criterion.step,
            )


def total(scores: Mapping[str, Decimal], *, rubric: Rubric) -> Fraction:
    """Compute the weighted share of the possible points, out of 100; a criterion left out is no zero and no weight."""
    scored = [criterion for criterion in rubric.counting if criterion.criterion_code in scores]
    scale = lcm(*(units(one.max) for one in scored))
    reached = sum(units(scores[one.criterion_code]) * units(one.weight) * (scale // units(one.max)) for one in scored)
    return Fraction(100 * reached, scale * sum(units(one.weight) for one in scored))


def require_single(sheets: Iterable[Sheet]) -> None:
    """Refuse two sheets of one judge for one entry."""
    counted = Counter((sheet.judge_id, sheet.entry_id) for sheet in sheets)
    for (judge_id, entry_id), times in counted.items():
        if times > 1:
            raise ScoredTwice(judge_id=judge_id, entry_id=entry_id)


def inputs_hash(sheets: Iterable[Sheet]) -> str:
    """SHA-256 over JSON of the sorted sheets: judge, entry, version, and by criterion the score as a reduced fraction.

    The same for any order of the sheets and for 8, 8.0 and 8.00; another one as soon as anything else differs.
    """
    lines = sorted([sheet.judge_id, sheet.entry_id, sheet.version, _fractions(sheet.scores)] for sheet in sheets)
    return hashlib.sha256(canonical(lines)).hexdigest()


def _fractions(scores: Mapping[str, Decimal]) -> list[tuple[str, int, int]]:
    return sorted((code, *score.as_integer_ratio()) for code, score in scores.items())
